"""Readers for what is one value in JSON: scalars, bytes, and types that read themselves."""

import binascii
from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast

from tutor.sandbox.schema.body import Number
from tutor.sandbox.schema.declarations import ZEROS
from tutor.sandbox.schema.errors import DecodeError
from tutor.sandbox.schema.quantity import canonical_quantity
from tutor.sandbox.schema.reading import At, Reader, Reading, spelling, type_error, word_for
from tutor.sandbox.schema.timestamp import canonical_time

_ALPHABET = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_INTEGERS = {"int32": 2**31, "int64": 2**63}


def scalar(name: str, go: str) -> Reader:
    """A reader for strings, booleans and numbers; a value of another type is noted and is zero."""
    if name in _INTEGERS:
        return _integer(go, _INTEGERS[name])
    if name == "float64":
        return _float(go)
    zero = ZEROS[name]
    plain = bool if name == "bool" else str

    def read(value: Any, at: At | None, reading: Reading) -> Any:
        if value.__class__ is plain:
            return value
        if value is not None:
            reading.mismatch(value, go, at)
        return zero

    return read


def _integer(go: str, limit: int) -> Reader:
    def read(value: Any, at: At | None, reading: Reading) -> Any:
        if value.__class__ is int and -limit <= value < limit:
            return value
        if value.__class__ is int or isinstance(value, float):
            reading.overflow(value, go, at)
        elif value is not None:
            reading.mismatch(value, go, at)
        return 0

    return read


def _float(go: str) -> Reader:
    def read(value: Any, at: At | None, reading: Reading) -> Any:
        if value.__class__ is int or isinstance(value, float):
            return plain_number(value)
        if value is not None:
            reading.mismatch(value, go, at)
        return 0

    return read


def read_bytes(value: Any, at: At | None, reading: Reading) -> Any:
    """Base64 text, written again the one right way; None for null."""
    if value.__class__ is str:
        try:
            data = binascii.a2b_base64(value, strict_mode=True)
        except ValueError:
            data = _go_base64(value.encode(), reading)
    elif isinstance(value, list):
        data = _byte_list(cast("list[Any]", value), at, reading)
    elif value is None:
        return None
    else:
        reading.mismatch(value, "[]uint8", at)
        return None
    return binascii.b2a_base64(data, newline=False).decode()


def _byte_list(items: list[Any], at: At | None, reading: Reading) -> bytes:
    """Go reads bytes from a list of small numbers, too."""
    data = bytearray()
    for index, item in enumerate(items):
        if item.__class__ is int and 0 <= item <= 0xFF:
            data.append(item)
        elif item.__class__ is int or isinstance(item, float):
            reading.overflow(item, "uint8", (at, index))
        elif item is not None:
            reading.mismatch(item, "uint8", (at, index))
    return bytes(data)


def _go_base64(text: bytes, reading: Reading) -> bytes:
    """Base64 as Go reads it: line ends are skipped, and a fault is told by its position."""
    fault = base64_fault(text)
    if fault is None:
        return binascii.a2b_base64(text)
    reading.saved = reading.saved or f"illegal base64 data at input byte {fault}"
    return b""


def base64_fault(text: bytes) -> int | None:
    """The byte at which Go's decoder stops, None for base64 that it reads."""
    at, length, held = 0, len(text), 0
    while at < length:
        char = text[at]
        at += 1
        if char in _ALPHABET:
            held = (held + 1) % 4
        elif char in b"\r\n":
            continue
        elif char != ord("=") or held < 2:
            return at - 1
        else:
            return _padding_fault(text, at, held)
    return length - held if held else None


def _padding_fault(text: bytes, at: int, held: int) -> int | None:
    """What is wrong after a first `=`."""
    at = _past_line_ends(text, at)
    if held == 2:
        if at == len(text):
            return at
        if text[at] != ord("="):
            return at - 1
        at = _past_line_ends(text, at + 1)
    return at if at < len(text) else None


def _past_line_ends(text: bytes, at: int) -> int:
    while at < len(text) and text[at] in b"\r\n":
        at += 1
    return at


def _read_quantity(value: Any, _at: At | None, _reading: Reading) -> Any:
    if value is None:
        return "0"
    if value.__class__ is str:
        return canonical_quantity(value.strip())
    is_number = value.__class__ is int or isinstance(value, float)
    return canonical_quantity(spelling(value) if is_number else "?")


def _read_int_or_string(value: Any, at: At | None, _reading: Reading) -> Any:
    if value.__class__ is str:
        return value
    if value is None:
        return 0
    if value.__class__ is int or isinstance(value, float):
        if value.__class__ is int and -(2**31) <= value < 2**31:
            return value
        raise DecodeError(type_error(f"number {spelling(value)}", "int32", at))
    raise DecodeError(type_error(word_for(value), "int32", at))


def _time_reader(*, is_micro: bool) -> Reader:
    def read(value: Any, at: At | None, _reading: Reading) -> Any:
        if value is None:
            return None
        if value.__class__ is not str:
            raise DecodeError(type_error(word_for(value), "string", at))
        return canonical_time(value, is_micro=is_micro)

    return read


def _read_raw(value: Any, _at: At | None, _reading: Reading) -> Any:
    return value


def _read_untyped(value: Any, _at: At | None, _reading: Reading) -> Any:
    return untyped(value)


def untyped(value: Any) -> Any:
    """A value without a type as the server keeps it: members sorted, numbers in Go's spelling."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {name: untyped(members[name]) for name in sorted(members)}
    if isinstance(value, list):
        return [untyped(item) for item in cast("list[Any]", value)]
    return plain_number(value) if isinstance(value, float) else value


def plain_number(value: float) -> float:
    """A number without its spelling; whole ones are integers, as Go writes no `.0`."""
    if value.__class__ is int or not value.is_integer() or abs(value) >= 1e21:
        return float(value) if isinstance(value, Number) else value
    return int(Decimal(float.__repr__(value)))


CODECS: dict[str, Reader] = {
    "quantity": _read_quantity,
    "int-or-string": _read_int_or_string,
    "time": _time_reader(is_micro=False),
    "microtime": _time_reader(is_micro=True),
    "raw": _read_raw,
    "json": _read_untyped,
}
CODEC_ZEROS: dict[str, Callable[[], Any]] = {"quantity": lambda: "0", "int-or-string": lambda: 0}
"""What Go writes for a codec's zero value; null for the others."""
