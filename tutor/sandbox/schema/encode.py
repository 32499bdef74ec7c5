"""Objects to JSON bytes, as Go writes them.

Python's writer does the work. It differs in two things: Go escapes five characters that are not
safe inside HTML or JavaScript, and spells numbers in its own way, which only matters for the few
objects that have one with a fraction or an exponent.
"""

import json
import re
from decimal import Decimal
from typing import Any, cast

_FLOAT = re.compile(r"[:,\[]-?[0-9]+(?:\.0[,}\]]|(?:\.[0-9]+)?e[+-][0-9]+[,}\]])")
# Looking for how such a number ends is several times as fast, and nearly always enough.
_EXPONENT = re.compile(r"e[+-][0-9]+[,}\]]")
_NO_TEXT = re.compile("[\ud800-\udfff]")
_UNSAFE = (
    ("&", "\\u0026"),
    ("<", "\\u003c"),
    (">", "\\u003e"),
    ("\u2028", "\\u2028"),
    ("\u2029", "\\u2029"),
)
_WRITE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
_WRITE_SORTED = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), check_circular=False, sort_keys=True
).encode


def encode(obj: Any, *, sort_keys: bool = False) -> bytes:
    """Compact JSON without a line end.

    Built-in objects are written in the order that they have; custom ones with `sort_keys`, as the
    server keeps them as maps.
    """
    text = (_WRITE_SORTED if sort_keys else _WRITE)(obj)
    ends = ".0," in text or ".0}" in text or ".0]" in text or _EXPONENT.search(text)
    if ends and _FLOAT.search(text):
        text = _spelled(obj, sort_keys=sort_keys)
    for char, escape in _UNSAFE:
        if char in text:
            text = text.replace(char, escape)
    return as_bytes(text)


def as_bytes(json_text: str) -> bytes:
    """The text in UTF-8, with an escape for each byte of a header that was none."""
    try:
        return json_text.encode()
    except UnicodeEncodeError:
        return _NO_TEXT.sub(r"\\ufffd", json_text).encode()


def _spelled(value: Any, *, sort_keys: bool) -> str:
    """The same as Python's writer would have it, with Go's spelling of numbers."""
    if isinstance(value, float):
        return go_number(value)
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        names = sorted(members) if sort_keys else list(members)
        pairs = (f"{_WRITE(n)}:{_spelled(members[n], sort_keys=sort_keys)}" for n in names)
        return f"{{{','.join(pairs)}}}"
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return f"[{','.join(_spelled(item, sort_keys=sort_keys) for item in items)}]"
    return _WRITE(value)


def go_number(number: float) -> str:
    """A finite number as Go writes a float64: `1`, `0.00001`, `1e-7`, `1e+21`."""
    if number.is_integer() and abs(number) < 1e21:
        return f"{Decimal(float.__repr__(number)):.0f}"
    text = float.__repr__(number)
    digits, _, exponent = text.partition("e")
    if not exponent or int(exponent) > 0:
        return text
    if int(exponent) >= -6:
        return f"{Decimal(text):f}"
    return f"{digits}e{int(exponent)}"
