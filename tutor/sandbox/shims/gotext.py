"""Text as Go writes and reads it: quoting, durations, numbers, base64, and their error sentences.

Imports stay out of this file: commands load it on every start.
Source: the Go packages strconv, time and encoding/base64.
"""

from __future__ import annotations

_ESCAPES = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}
_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_TRUE = ("1", "t", "T", "true", "TRUE", "True")
_FALSE = ("0", "f", "F", "false", "FALSE", "False")
_INT64_MAX = 2**63 - 1
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def quote(text: str) -> str:
    """Go's `%q`: double quotes, with what cannot be printed escaped."""
    out: list[str] = []
    for char in text:
        if char in '"\\':
            out.append("\\" + char)
        elif char in _ESCAPES:
            out.append(_ESCAPES[char])
        elif char.isprintable() or char == " ":
            out.append(char)
        else:
            out.append(_escape(ord(char)))
    return '"' + "".join(out) + '"'


def _escape(code: int) -> str:
    if code < 0x80:  # ASCII ends here
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # basic plane


def parse_bool(text: str) -> bool:
    """Read a flag's truth value.

    Raises:
        ValueError: with strconv's sentence.
    """
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(f"strconv.ParseBool: parsing {quote(text)}: invalid syntax")


def parse_int(text: str, *, bits: int, signed: bool) -> int:
    """Read a number as strconv does with base 0.

    Raises:
        ValueError: with strconv's sentence.
    """
    name = "ParseInt" if signed else "ParseUint"
    negative = signed and text.startswith("-")
    digits = text[1:] if signed and text[:1] in ("+", "-") else text
    if digits[:1] in ("+", "-") or digits != digits.strip():
        raise ValueError(f"strconv.{name}: parsing {quote(text)}: invalid syntax")
    octal = digits[:1] == "0" and digits[1:2].isdigit()
    try:
        number = int(digits, 8 if octal else 0)
    except ValueError:
        raise ValueError(f"strconv.{name}: parsing {quote(text)}: invalid syntax") from None
    number = -number if negative else number
    lowest, highest = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    if not lowest <= number <= highest:
        raise ValueError(f"strconv.{name}: parsing {quote(text)}: value out of range")
    return number


def parse_duration(text: str) -> int:
    """Read a duration such as `1h2m3.5s`; the result counts nanoseconds.

    Raises:
        ValueError: with time.ParseDuration's sentence.
    """
    shown = _quote_bytes(text)
    invalid = ValueError(f"time: invalid duration {shown}")
    rest = text
    negative = rest[:1] == "-"
    if rest[:1] in ("+", "-"):
        rest = rest[1:]
    if rest == "0":
        return 0
    if not rest:
        raise invalid
    total = 0
    while rest:
        number, rest = _split_while(rest, "0123456789.")
        if not number.strip("."):
            raise invalid
        unit, rest = _split_until(rest, "0123456789.")
        if not unit or number.count(".") > 1:
            raise ValueError(f"time: missing unit in duration {shown}")
        if unit not in _UNITS:
            raise ValueError(f"time: unknown unit {_quote_bytes(unit)} in duration {shown}")
        whole, _, fraction = number.partition(".")
        total += int(whole or "0") * _UNITS[unit]
        total += int(fraction or "0") * _UNITS[unit] // 10 ** len(fraction)
        if total > _INT64_MAX:
            raise invalid
    return -total if negative else total


def _quote_bytes(text: str) -> str:
    """The time package's own quoting, which escapes every byte outside printable ASCII."""
    out: list[str] = []
    for byte in text.encode("utf-8"):
        if byte in b'"\\':
            out.append("\\" + chr(byte))
        else:
            out.append(chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}")
    return '"' + "".join(out) + '"'


def _split_while(text: str, accepted: str) -> tuple[str, str]:
    end = next((index for index, char in enumerate(text) if char not in accepted), len(text))
    return text[:end], text[end:]


def _split_until(text: str, stop: str) -> tuple[str, str]:
    end = next((index for index, char in enumerate(text) if char in stop), len(text))
    return text[:end], text[end:]


def format_duration(nanoseconds: int) -> str:
    """Write a duration as time.Duration.String does: `10m0s`, `1.5s`, `300ms`."""
    sign, left = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    if left == 0:
        return "0s"
    for unit in ("ns", "µs", "ms"):
        if left < _UNITS[unit] * 1000:
            return sign + _fraction(left, _UNITS[unit]) + unit
    minutes, rest = divmod(left, _UNITS["m"])
    hours, minutes = divmod(minutes, 60)
    seconds = _fraction(rest, _UNITS["s"]) + "s"
    if hours:
        return f"{sign}{hours}h{minutes}m{seconds}"
    return f"{sign}{minutes}m{seconds}" if minutes else sign + seconds


def _fraction(amount: int, unit: int) -> str:
    whole, rest = divmod(amount, unit)
    if not rest:
        return str(whole)
    digits = len(str(unit)) - 1
    return f"{whole}.{str(rest).zfill(digits).rstrip('0')}"


def decode_base64(text: str) -> bytes:
    """Decode standard, padded base64; line breaks are skipped, as Go does.

    Raises:
        ValueError: with the position that Go's decoder names.
    """
    position = _first_illegal_base64(text)
    if position is not None:
        raise ValueError(f"illegal base64 data at input byte {position}")
    import binascii

    return binascii.a2b_base64(text.encode("ascii"))


def _first_illegal_base64(text: str) -> int | None:
    """Where Go's decoder stops, or None for correct input.

    Go works in quanta of four and counts bytes of the input, line breaks included. A quantum that
    ends early is reported at its last read character; bad padding where it was expected.
    """
    raw = text.encode("utf-8")
    alphabet = _BASE64.encode("ascii")
    held = 0
    index = 0
    while index < len(raw):
        byte = raw[index]
        index += 1
        if byte in b"\r\n":
            continue
        if byte in alphabet:
            held = (held + 1) % 4
            continue
        if byte != ord("=") or held < 2:  # padding may follow two characters
            return index - 1
        return _after_padding(raw, index, held)
    return None if held == 0 else index - held


def _after_padding(raw: bytes, index: int, held: int) -> int | None:
    def skip_breaks(at: int) -> int:
        while at < len(raw) and raw[at] in b"\r\n":
            at += 1
        return at

    if held == 2:  # two characters want a second padding sign
        index = skip_breaks(index)
        if index == len(raw):
            return len(raw)
        if raw[index] != ord("="):
            return index - 1
        index += 1
    index = skip_breaks(index)
    return None if index == len(raw) else index
