r"""Write objects of built-in kinds in their protobuf form.

As the server's generated code does it: fields in the order of their numbers, those that are no
pointers even when they are zero, maps sorted. A body is `k8s\\0`, then a `runtime.Unknown`.

Source: k8s.io/apimachinery (serializer/protobuf), the field numbers of `generated.proto` as data.
"""

import base64
import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast

from tutor.sandbox.kinds import Object
from tutor.sandbox.schema import declarations
from tutor.sandbox.schema.declarations import Field, Type, bare, fields_of, is_bytes
from tutor.sandbox.schema.encode import encode as encode_json
from tutor.sandbox.schema.protobuf import MAGIC

_VARINT, _FIXED64, _BYTES = 0, 1, 2

Write = Callable[[Any], bytes]
"""From a JSON value to what follows the key on the wire; messages and texts have their length."""


def encode(group: str, version: str, kind: str, obj: Object) -> bytes | None:
    """A body with an object; None for a kind that is not built in."""
    # The oldest documents of discovery name no version, and partial metadata has one type for all.
    shared = not version or group == "meta.k8s.io"
    type_ = declarations.find(group, "v1" if shared else version, kind)
    if type_ is None:
        return None
    return _enveloped(group, version, kind, _message(type_, obj))


def encode_list(group: str, version: str, kind: str, list_kind: str, page: Object) -> bytes | None:
    """A body with a list of objects of a kind; None for a kind that is not built in."""
    type_ = declarations.find(group, version, kind)
    if type_ is None:
        return None
    meta = _message(declarations.resolve("meta/v1", "ListMeta"), page["metadata"])
    items = b"".join(_key(2, _BYTES) + _sized(_message(type_, obj)) for obj in page["items"])
    return _enveloped(group, version, list_kind, _key(1, _BYTES) + _sized(meta) + items)


def watch_event(change: str, body: bytes) -> bytes:
    """A frame of a watch: an event, after its length in four bytes."""
    raw = _key(1, _BYTES) + _sized(body)
    event = _key(1, _BYTES) + _sized(change.encode()) + _key(2, _BYTES) + _sized(raw)
    return struct.pack(">I", len(event)) + event


def _enveloped(group: str, version: str, kind: str, message: bytes) -> bytes:
    api_version = f"{group}/{version}" if group else version
    meta = _texts((1, api_version), (2, kind))
    unknown = _key(1, _BYTES) + _sized(meta) + _key(2, _BYTES) + _sized(message)
    return MAGIC + unknown + _texts((3, ""), (4, ""))


def _texts(*fields: tuple[int, str]) -> bytes:
    return b"".join(_key(number, _BYTES) + _sized(text.encode()) for number, text in fields)


def _varint(value: int) -> bytes:
    value &= 0xFFFF_FFFF_FFFF_FFFF
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _key(number: int, wire: int) -> bytes:
    return _varint(number << 3 | wire)


def _sized(data: bytes) -> bytes:
    return _varint(len(data)) + data


def _message(type_: Type, value: Object) -> bytes:
    return b"".join(field for plan in _plan(type_) for field in plan(value))


Part = Callable[[Object], Iterator[bytes]]
"""From a struct's JSON to one field on the wire, as often as it is repeated."""


@cache
def _plan(type_: Type) -> tuple[Part, ...]:
    fields = [field for field in fields_of(type_.package, type_.name) if field.proto]
    return tuple(map(_part, sorted(fields, key=lambda field: field.proto)))


def _part(field: Field) -> Part:
    inner = bare(field.type)
    if field.inline:
        key = _key(field.proto, _BYTES)
        return lambda value: iter((key + _sized(_message(inner, value)),))
    if inner.shape == "map" and inner.element is not None:
        return _map(field, inner.element)
    if inner.shape == "list" and not inner.is_message and not is_bytes(inner):
        assert inner.element is not None  # noqa: S101 - a list has one
        return _list(field, inner.element)
    return _one(field, inner)


def _one(field: Field, inner: Type) -> Part:
    key = _key(field.proto, _wire(inner))
    optional = field.type.shape == "pointer" or is_bytes(inner) or inner.shape == "list"

    def part(value: Object) -> Iterator[bytes]:
        found = value.get(field.name)
        if found is not None or not optional:
            yield key + _writer(inner)(found)

    return part


def _list(field: Field, element: Type) -> Part:
    key = _key(field.proto, _wire(bare(element)))

    def part(value: Object) -> Iterator[bytes]:
        write = _writer(bare(element))
        return (key + write(item) for item in value.get(field.name) or ())

    return part


def _map(field: Field, element: Type) -> Part:
    key, inner = _key(field.proto, _BYTES), bare(element)

    def part(value: Object) -> Iterator[bytes]:
        write = _writer(inner)
        entries: Object = value.get(field.name) or {}
        for name in sorted(entries):
            pair = _texts((1, name)) + _key(2, _wire(inner)) + write(entries[name])
            yield key + _sized(pair)

    return part


def _wire(type_: Type) -> int:
    if type_.shape == "scalar" and type_.name in ("bool", "int32", "int64", "byte"):
        return _VARINT
    return _FIXED64 if type_.name == "float64" and type_.shape == "scalar" else _BYTES


@cache
def _writer(type_: Type) -> Write:
    if type_.shape == "struct":
        return lambda value: _sized(_message(type_, value or {}))
    if type_.shape == "codec":
        codec = _CODECS.get(type_.name) or _schema_or(type_)
        return lambda value: _sized(codec(value))
    if is_bytes(type_):
        return lambda value: _sized(base64.b64decode(value or ""))
    if type_.shape == "list" and type_.element is not None:
        element = bare(type_.element)
        key, write = _key(1, _wire(element)), _writer(element)
        return lambda value: _sized(b"".join(key + write(item) for item in value or ()))
    return _SCALARS[type_.name]


def _time(value: Any) -> bytes:
    if not value:
        return b""
    moment = datetime.fromisoformat(value)
    seconds = int(moment.replace(microsecond=0).astimezone(UTC).timestamp())
    nanos = moment.microsecond * 1000
    return _key(1, _VARINT) + _varint(seconds) + _key(2, _VARINT) + _varint(nanos)


def _int_or_string(value: Any) -> bytes:
    is_text = isinstance(value, str)
    number, text = (0, value) if is_text else (value or 0, "")
    kind = _key(1, _VARINT) + _varint(int(is_text))
    return kind + _key(2, _VARINT) + _varint(number) + _texts((3, text))


def _raw(value: Any) -> bytes:
    return b"" if value is None else _key(1, _BYTES) + _sized(encode_json(value))


def _schema_or(type_: Type) -> Write:
    """The places of a JSON schema that hold a schema or something simpler."""
    schema = declarations.resolve(type_.package, "JSONSchemaProps")

    def sized(value: Object) -> bytes:
        return _sized(_message(schema, value))

    def write(value: Any) -> bytes:
        if type_.name == "schema-or-bool":
            allows = _key(1, _VARINT) + _varint(int(value is not False))
            return allows + (
                _key(2, _BYTES) + sized(cast("Object", value)) if isinstance(value, dict) else b""
            )
        if isinstance(value, dict):
            return _key(1, _BYTES) + sized(cast("Object", value))
        items = cast("list[Any]", value or [])
        if type_.name == "schema-or-list":
            return b"".join(_key(2, _BYTES) + sized(item) for item in items)
        return _texts(*((2, item) for item in items))

    return write


_SCALARS: dict[str, Write] = {
    "string": lambda value: _sized((value or "").encode()),
    "bool": lambda value: _varint(int(bool(value))),
    "int32": lambda value: _varint(value or 0),
    "int64": lambda value: _varint(value or 0),
    "byte": lambda value: _varint(value or 0),
    "float64": lambda value: struct.pack("<d", value or 0),
}
_CODECS: dict[str, Write] = {
    "time": _time,
    "microtime": _time,
    "quantity": lambda value: _texts((1, str(value or "0"))),
    "int-or-string": _int_or_string,
    "raw": _raw,
    "json": _raw,
}
