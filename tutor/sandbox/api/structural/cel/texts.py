"""CEL's string functions, and `format`, in Python.

They are here and not the engine's own because lists have functions of the same names, and the
engine takes each name only once. Source: cel-go (`ext/strings.go`).
"""

from datetime import datetime, timedelta
from typing import Any

from tutor.sandbox.api.status import go_float, go_quote
from tutor.sandbox.api.structural.cel.times import span_text, time_text
from tutor.sandbox.api.values import is_list, is_map

_TYPE_NAMES = {
    "timestamp": "google.protobuf.Timestamp",
    "duration": "google.protobuf.Duration",
    "null": "null_type",
}
_TIMES = "\u00d7"
_HIGH = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_SPACE = " \t\n\v\f\r\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    chr(rune) for rune in range(0x2000, 0x200B)
)


def char_at(text: str, index: int) -> str:
    """The character there, nothing right behind the last; raises IndexError."""
    if not 0 <= index <= len(text):
        raise IndexError(f"index out of range: {index}")
    return text[index : index + 1]


def index_of(text: str, part: str, start: int = 0) -> int:
    """Where a part is first found from `start` on, or -1; raises IndexError."""
    if not part:
        return start
    if start < 0:
        raise IndexError(f"index out of range: {start}")
    return text.find(part, start)


def last_index_of(text: str, part: str, end: int | None = None) -> int:
    """Where a part is last found up to `end`, or -1; raises IndexError."""
    if end is None:
        return text.rfind(part)
    if not part:
        return end
    if end < 0:
        raise IndexError(f"index out of range: {end}")
    return text.rfind(part, 0, end + len(part)) if end < len(text) else -1


def replace(text: str, old: str, new: str, times: int = -1) -> str:
    """The text with a part replaced, at most so many times unless negative."""
    return text.replace(old, new, times)


def split(text: str, by: str, pieces: int = -1) -> list[str]:
    """The text in pieces, at most so many unless negative."""
    if pieces == 0:
        return []
    if not by:
        chars = list(text)
        head = chars if pieces < 0 else chars[: pieces - 1]
        return head if pieces < 0 or len(chars) < pieces else [*head, text[pieces - 1 :]]
    return text.split(by, pieces - 1 if pieces > 0 else -1)


def substring(text: str, start: int, end: int | None = None) -> str:
    """The text from a place on, up to another; raises IndexError."""
    stop = len(text) if end is None else end
    if not 0 <= start <= len(text):
        raise IndexError(f"index out of range: {start}")
    if not 0 <= stop <= len(text):
        raise IndexError(f"index out of range: {stop}")
    if start > stop:
        raise IndexError(f"invalid substring range. start: {start}, end: {stop}")
    return text[start:stop]


def join(items: list[str], by: str = "") -> str:
    """The texts in one."""
    return by.join(items)


def reverse(text: str) -> str:
    """The text from its end."""
    return text[::-1]


def lower_ascii(text: str) -> str:
    """The text with the 26 letters in lower case."""
    return "".join(char.lower() if char.isascii() else char for char in text)


def upper_ascii(text: str) -> str:
    """The text with the 26 letters in upper case."""
    return "".join(char.upper() if char.isascii() else char for char in text)


def trim(text: str) -> str:
    """The text without white space at its ends."""
    return text.strip(_SPACE)


def quote(text: str) -> str:
    """The text as a literal."""
    escapes = {
        "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r",
        "\t": "\\t", "\v": "\\v", "\\": "\\\\", '"': '\\"',
    }  # fmt: skip
    return '"' + "".join(escapes.get(char, char) for char in text) + '"'


def format_text(pattern: str, values: list[Any]) -> str:
    """Fill values into a pattern with `%s`, `%d`, `%f`, `%e`, `%b`, `%x`, `%X`, `%o`.

    Raises:
        ValueError: the pattern is wrong, or a value does not fit its place.
    """
    out: list[str] = []
    rest = iter(values)
    at = 0
    while at < len(pattern):
        if pattern[at] != "%":
            out.append(pattern[at])
            at += 1
            continue
        at += 1
        precision = ""
        if pattern[at : at + 1] == ".":
            start = at + 1
            at = start
            while pattern[at : at + 1].isdigit():
                at += 1
            precision = pattern[start:at]
        verb = pattern[at : at + 1]
        at += 1
        if verb == "%":
            out.append("%")
            continue
        value = next(rest, rest)
        if value is rest:
            raise ValueError(f"index {len(values)} out of range")
        out.append(_formatted(verb, precision, value))
    return "".join(out)


def _formatted(verb: str, precision: str, value: Any) -> str:
    match verb:
        case "s":
            return shown(value)
        case "f":
            return format(float(value), f",.{precision or 6}f")
        case "e":
            return _scientific(float(value))
        case "d" | "b" | "o" if isinstance(value, int):
            return format(int(value), verb)
        case "x" | "X":
            if isinstance(value, str):
                value = value.encode()
            if isinstance(value, bytes | bytearray):
                text = value.hex()
                return text.upper() if verb == "X" else text
            return format(int(value), verb)
        case "d" | "b" | "o":
            raise ValueError(f"{shown(value)} does not fit %{verb}")
        case _:
            raise ValueError(f'unrecognized formatting clause "{verb}"')


def _scientific(value: float) -> str:
    """With six digits, whatever the precision, and the exponent on high."""
    digits, _, exponent = format(value, ".6e").partition("e")
    return f"{digits}{_TIMES}10{exponent.removeprefix('+').translate(_HIGH)}"


def shown(value: Any) -> str:
    """A value as `%s` prints it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return go_float(value)
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, timedelta):
        return span_text(value)
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "replace")
    if is_map(value):
        entries = sorted((_inner(key), _inner(inner)) for key, inner in value.items())
        return "{" + ", ".join(f"{key}:{inner}" for key, inner in entries) + "}"
    if is_list(value):
        return "[" + ", ".join(map(_inner, value)) + "]"
    return str(value) if isinstance(value, str | int) else _type_name(value)


def _type_name(value: Any) -> str:
    """A type, which the engine writes as `LIST<DYN>`."""
    name = str(value).partition("<")[0].lower()
    return _TYPE_NAMES.get(name, name)


def _inner(value: Any) -> str:
    """A value in a list or a map, as an expression would have it."""
    if isinstance(value, str):
        return go_quote(value)
    if isinstance(value, bytes | bytearray):
        return f"b{go_quote(shown(value))}"
    if isinstance(value, float):
        return format(value, ".6f")
    if isinstance(value, datetime):
        return f'timestamp("{time_text(value)}")'
    if isinstance(value, timedelta):
        return f'duration("{span_text(value)}")'
    return shown(value)
