r"""Read the protobuf form in which kubectl 1.32 and newer send what they create.

A body is `k8s\\0`, then a `runtime.Unknown`: the kind and the encoded object. The result is the
JSON form, as if the client had sent that: zero values are left out by the decoder that comes next.

Source: k8s.io/apimachinery (serializer/protobuf), the field numbers of `generated.proto` as data.
"""

import base64
import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

from tutor.sandbox.kinds import Object
from tutor.sandbox.schema import declarations
from tutor.sandbox.schema.body import parse_json
from tutor.sandbox.schema.declarations import Type, bare, fields_of, is_bytes
from tutor.sandbox.schema.errors import DecodeError

MAGIC = b"k8s\x00"
_MAX_DEPTH = 100
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

Read = Callable[[Any, int], Any]
"""From what the wire has (an integer or bytes) and the depth to a JSON value."""


class UnfitMessage(DecodeError):
    """A message that is not one of the kind that its envelope names."""

    def __init__(self, version: str, kind: str, why: str) -> None:
        super().__init__(why)
        self.version = version
        self.kind = kind


def decode(body: bytes, default: tuple[str, str] = ("", "")) -> Object:
    """The object of a body, with kind and apiVersion; these alone when no type has them.

    `default` is the apiVersion and the kind of an envelope that names none.

    Raises:
        DecodeError: The bytes are no object.
        UnfitMessage: They are none of the kind that they name.
    """
    if not body:
        raise DecodeError("empty data")
    if not body.startswith(MAGIC):
        prefix = " ".join(map(str, MAGIC))
        why = f"provided data does not appear to be a protobuf message, expected prefix [{prefix}]"
        raise DecodeError(why)
    if body == MAGIC:
        raise DecodeError("empty body")
    unknown = dict(_fields(body[len(MAGIC) :], "Unknown"))
    meta = dict(_fields(_bytes(unknown.get(1, b"")), "TypeMeta"))
    api_version = _text(meta.get(1, b"")) or default[0]
    kind = _text(meta.get(2, b"")) or default[1]
    group, _, version = api_version.rpartition("/")
    type_ = declarations.find(group, version, kind)
    named = {"kind": kind, "apiVersion": api_version}
    if type_ is None:
        return named
    try:
        return named | _reader(type_)(_bytes(unknown.get(2, b"")), 0)
    except DecodeError as error:
        raise UnfitMessage(version, kind, str(error)) from None


def _fields(data: bytes, message: str = "") -> Iterator[tuple[int, Any]]:
    at, size = 0, len(data)
    while at < size:
        key, at = _varint(data, at)
        wire = key & 7
        if not key >> 3:
            raise DecodeError(f"proto: {message}: illegal tag 0 (wire type {wire})")
        if wire == _VARINT:
            value, at = _varint(data, at)
        elif wire == _BYTES:
            length, at = _varint(data, at)
            if length > size - at:
                raise DecodeError("unexpected EOF")
            value, at = data[at : at + length], at + length
        elif wire in (_FIXED64, _FIXED32):
            length = 8 if wire == _FIXED64 else 4
            if length > size - at:
                raise DecodeError("unexpected EOF")
            value, at = data[at : at + length], at + length
        else:
            raise DecodeError(f"proto: illegal wireType {wire}")
        yield key >> 3, value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        if at >= len(data):
            raise DecodeError("unexpected EOF")
        byte = data[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result & 0xFFFF_FFFF_FFFF_FFFF, at
        shift += 7
        if shift >= 64:
            raise DecodeError("proto: integer overflow")


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise DecodeError("proto: wrong wireType")
    return value


def _text(value: Any) -> str:
    try:
        return _bytes(value).decode()
    except UnicodeDecodeError:
        raise DecodeError("proto: invalid UTF-8") from None


def _integer(value: Any) -> int:
    if not isinstance(value, int):
        raise DecodeError("proto: wrong wireType")
    return value - (1 << 64) if value >> 63 else value


@cache
def _reader(type_: Type) -> Read:
    type_ = bare(type_)
    if type_.shape == "struct":
        return _struct(type_)
    if type_.shape == "codec":
        return _CODECS.get(type_.name) or _schema_or(type_)
    if is_bytes(type_):
        return lambda value, _: base64.b64encode(_bytes(value)).decode()
    if type_.shape == "list" and type_.element is not None:
        return _message_list(type_)
    return _SCALARS[type_.name]


def _struct(type_: Type) -> Read:
    plan: dict[int, tuple[str, str, Read]] | None = None

    def read(value: Any, depth: int) -> Object:
        nonlocal plan
        if depth > _MAX_DEPTH:
            raise DecodeError("exceeded max depth")
        if plan is None:
            plan = _plan(type_)
        found: Object = {}
        for number, raw in _fields(_bytes(value), type_.name):
            step = plan.get(number)
            if step is None:
                continue
            name, how, reader = step
            if how == "one":
                found[name] = reader(raw, depth + 1)
            elif how == "list":
                found.setdefault(name, []).append(reader(raw, depth + 1))
            elif how == "map":
                key, entry = reader(raw, depth + 1)
                found.setdefault(name, {})[key] = entry
            else:
                found |= reader(raw, depth + 1)
        return found

    return read


def _plan(type_: Type) -> dict[int, tuple[str, str, Read]]:
    plan: dict[int, tuple[str, str, Read]] = {}
    for field in fields_of(type_.package, type_.name):
        inner = bare(field.type)
        if not field.proto:
            continue
        if field.inline:
            plan[field.proto] = (field.inline, "inline", _lazy(inner))
        elif inner.shape == "map" and inner.element is not None:
            plan[field.proto] = (field.name, "map", _entry(inner.element))
        elif inner.shape == "list" and not inner.is_message and not is_bytes(inner):
            assert inner.element is not None  # noqa: S101 - a list has one
            plan[field.proto] = (field.name, "list", _lazy(inner.element))
        else:
            plan[field.proto] = (field.name, "one", _lazy(inner))
    return plan


def _lazy(type_: Type) -> Read:
    """A reader that is looked up when used: types may contain themselves."""

    def read(value: Any, depth: int) -> Any:
        return _reader(type_)(value, depth)

    return read


def _entry(element: Type) -> Read:
    reader = _lazy(element)
    empty: Any = 0 if bare(element).name in ("bool", "int32", "int64") else b""

    def read(value: Any, depth: int) -> tuple[str, Any]:
        pair = dict(_fields(_bytes(value)))
        return _text(pair.get(1, b"")), reader(pair.get(2, empty), depth)

    return read


def _message_list(type_: Type) -> Read:
    assert type_.element is not None  # noqa: S101 - a list has one
    reader = _lazy(type_.element)
    return lambda value, depth: [reader(item, depth) for _, item in _fields(_bytes(value))]


def _double(value: Any, _: int) -> float:
    data = _bytes(value)
    return struct.unpack("<d" if len(data) == 8 else "<f", data)[0]


def _moment(value: Any) -> tuple[datetime | None, int]:
    parts = dict(_fields(_bytes(value)))
    if not parts:
        return None, 0
    seconds = _integer(parts.get(1, 0))
    try:
        return datetime.fromtimestamp(seconds, UTC), _integer(parts.get(2, 0))
    except (ValueError, OverflowError, OSError):
        raise DecodeError("proto: time out of range") from None


def _time(value: Any, _: int) -> str | None:
    moment, _nanos = _moment(value)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def _micro_time(value: Any, _: int) -> str | None:
    moment, nanos = _moment(value)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{nanos // 1000:06d}Z" if moment else None


def _quantity(value: Any, _: int) -> str:
    return _text(dict(_fields(_bytes(value))).get(1, b""))


def _int_or_string(value: Any, _: int) -> int | str:
    parts = dict(_fields(_bytes(value)))
    return _text(parts.get(3, b"")) if parts.get(1) else _integer(parts.get(2, 0))


def _raw(value: Any, _: int) -> Any:
    content = _bytes(dict(_fields(_bytes(value))).get(1, b""))
    return parse_json(content) if content else None


def _schema_or(type_: Type) -> Read:
    """The places of a JSON schema that hold a schema or something simpler."""
    schema = _lazy(declarations.resolve(type_.package, "JSONSchemaProps"))

    def read(value: Any, depth: int) -> Any:
        fields = list(_fields(_bytes(value)))
        first, second = ([raw for number, raw in fields if number == n] for n in (1, 2))
        if type_.name == "schema-or-bool":
            return schema(second[-1], depth + 1) if second else any(map(_integer, first))
        if type_.name == "schema-or-list" and second:
            return [schema(raw, depth + 1) for raw in second]
        if second:
            return [_text(raw) for raw in second]
        return schema(first[-1], depth + 1) if first else None

    return read


_SCALARS: dict[str, Read] = {
    "string": lambda value, _: _text(value),
    "bool": lambda value, _: bool(_integer(value)),
    "int32": lambda value, _: _integer(value),
    "int64": lambda value, _: _integer(value),
    "byte": lambda value, _: _integer(value),
    "float64": _double,
}
_CODECS: dict[str, Read] = {
    "time": _time,
    "microtime": _micro_time,
    "quantity": _quantity,
    "int-or-string": _int_or_string,
    "raw": _raw,
    "json": _raw,
}
