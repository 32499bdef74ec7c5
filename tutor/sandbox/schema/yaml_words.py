"""What a plain YAML word means: text, boolean, number or null, after Go's library."""

import re
from math import inf, isinf
from typing import Any

from tutor.sandbox.schema.errors import UnrecognizedError

_INTEGER = re.compile(r"([+-]?)(?:0[xX]([0-9a-fA-F]+)|0[oO]?([0-7]+)|0[bB]([01]+)|(0|[1-9][0-9]*))")
_BASES = (16, 8, 2, 10)
_LONGEST = 70
"""Characters: 64 binary digits, their prefix and a sign."""
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"([+-]?)\.(?:inf|Inf|INF)|\.(nan|NaN|NAN)")
_TRUE = ("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON")
_FALSE = ("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF")
_NULL = ("", "~", "null", "Null", "NULL")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(_TRUE, True),
    **dict.fromkeys(_FALSE, False),
    **dict.fromkeys(_NULL, None),
}


def plain_value(text: str) -> Any:
    """The value of a word without quotes and tag."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    if found := _NOT_FINITE.fullmatch(text):
        return float("nan") if found[2] else (-inf if found[1] == "-" else inf)
    bare = text if text[0] == "." else text.replace("_", "")
    if (number := _integer(bare)) is not None:
        return number
    if _FLOAT.fullmatch(bare) and not isinf(value := float(bare)):
        return value
    return text


def tagged_value(text: str, tag: str) -> Any:
    """The value of a word with one of the tags `int`, `float`, `bool`, `null`."""
    value = plain_value(text)
    name = "null" if value is None else value.__class__.__name__
    if tag == "float" and isinstance(value, int):
        return float(value)
    if name != tag:
        raise UnrecognizedError(f"yaml: cannot decode !!{name} `{text}` as a !!{tag}")
    return value


def _integer(text: str) -> int | None:
    """A whole number that fits in 64 bits, with or without a sign; None for anything else."""
    found = _INTEGER.fullmatch(text)
    if not found or len(text) > _LONGEST:
        return None
    digits = zip(found.groups()[1:], _BASES, strict=True)
    number = next(int(text, base) for text, base in digits if text)
    if found[1] == "-":
        return -number if number <= 2**63 else None
    return number if number < (2**63 if found[1] else 2**64) else None
