"""The version 2 document in the protobuf form that kubectl asks for.

It carries the definitions of every kind, and of the paths only each kind's PATCH with the
parameters that kubectl looks for: `explain --output=plaintext-openapiv2`, validation in kubectl
1.28 and the patches of custom resources need no more.

Source: google/gnostic-models, openapiv2/OpenAPIv2.proto (field numbers); kubectl's openapi package.
"""

import struct
from collections.abc import Iterable, Iterator
from typing import Any, cast

from tutor.sandbox.kinds import GroupVersion, Kind, Object
from tutor.sandbox.schema.encode import encode
from tutor.sandbox.schema.openapi_custom import CustomType, add_custom
from tutor.sandbox.schema.openapi_paths import base_path, patch_types
from tutor.sandbox.schema.openapi_schemas import Components
from tutor.sandbox.schema.resources import builtin_kinds

_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation", "force")
# Field numbers of the message Schema, by how their values are written.
_TEXTS = {"$ref": 1, "format": 2, "title": 3, "description": 4, "pattern": 13}
_NUMBERS = {"multipleOf": 6, "maximum": 7, "minimum": 9}
_COUNTS = {
    "exclusiveMaximum": 8,
    "exclusiveMinimum": 10,
    "maxLength": 11,
    "minLength": 12,
    "maxItems": 14,
    "minItems": 15,
    "uniqueItems": 16,
    "maxProperties": 17,
    "minProperties": 18,
}


def v2_protobuf(customs: Iterable[CustomType] = ()) -> bytes:
    """The document of everything built in and of the custom kinds given."""
    kinds, schemas = _collected(customs)
    info = _text(1, "Kubernetes") + _text(2, "unversioned")
    definitions = b"".join(_named(1, name, _schema(schema)) for name, schema in schemas.items())
    paths = b"".join(_path(kind) for kind in kinds)
    return _text(1, "2.0") + _bytes(2, info) + _bytes(8, paths) + _bytes(9, definitions)


def v2_json(customs: Iterable[CustomType] = ()) -> bytes:
    """The same document as JSON."""
    kinds, schemas = _collected(customs)
    return encode(
        {
            "swagger": "2.0",
            "info": {"title": "Kubernetes", "version": "unversioned"},
            "paths": {_place(kind): {"patch": _operation(kind)} for kind in kinds},
            "definitions": schemas,
        }
    )


def _collected(customs: Iterable[CustomType]) -> tuple[list[Kind], dict[str, Object]]:
    """The kinds that can be patched, and every schema by name."""
    components = Components("v2", GroupVersion("", "v1"))
    kinds: list[Kind] = []
    for kind in builtin_kinds():
        components.add(*kind.group_version, kind.kind)
        if kind.list_kind:
            components.add(*kind.group_version, kind.list_kind)
        kinds.append(kind)
    for custom in customs:
        add_custom(components, custom)
        kinds.append(custom.kind)
    patched = [kind for kind in kinds if "patch" in kind.verbs]
    return patched, dict(sorted(components.schemas.items()))


def _place(kind: Kind) -> str:
    scope = "/namespaces/{namespace}" if kind.namespaced else ""
    return f"{base_path(kind.group_version)}{scope}/{kind.plural}/{{name}}"


def _shown(kind: Kind) -> Object:
    return {"group": kind.group, "kind": kind.kind, "version": kind.version}


def _type_of(parameter: str) -> str:
    return "boolean" if parameter == "force" else "string"


def _operation(kind: Kind) -> Object:
    return {
        "consumes": patch_types(kind),
        "parameters": [
            {"in": "query", "name": name, "type": _type_of(name)} for name in _PARAMETERS
        ],
        "x-kubernetes-action": "patch",
        "x-kubernetes-group-version-kind": _shown(kind),
    }


def _path(kind: Kind) -> bytes:
    """A NamedPathItem of Paths with the PATCH of a kind."""
    path, shown = _place(kind), _shown(kind)
    operation = b"".join(_text(7, media) for media in patch_types(kind))
    operation += b"".join(_query(name) for name in _PARAMETERS)
    operation += _extension(13, "x-kubernetes-action", "patch")
    operation += _extension(13, "x-kubernetes-group-version-kind", shown)
    return _named(2, path, _bytes(8, operation))


def _query(name: str) -> bytes:
    """A ParametersItem of Operation, down through three messages that are one of several each."""
    query = _text(2, "query") + _text(4, name) + _text(6, _type_of(name))
    return _bytes(8, _bytes(1, _bytes(2, _bytes(3, query))))


def _schema(schema: Object) -> bytes:
    return b"".join(_parts(schema))


def _parts(schema: Object) -> Iterator[bytes]:
    for name, value in schema.items():
        if name in _TEXTS:
            yield _text(_TEXTS[name], value)
        elif name in _NUMBERS:
            yield _key(_NUMBERS[name], 1) + struct.pack("<d", value)
        elif name in _COUNTS:
            yield _key(_COUNTS[name], 0) + _varint(int(value))
        elif name.startswith("x-"):
            yield _extension(31, name, value)
        else:
            yield _nested(name, value)


def _nested(name: str, value: Any) -> bytes:
    match name:
        case "required":
            return b"".join(_text(19, item) for item in cast("list[str]", value))
        case "enum":
            return b"".join(_bytes(20, _any(item)) for item in cast("list[Any]", value))
        case "type":
            return _bytes(22, _text(1, value))
        case "items" if isinstance(value, dict):
            return _bytes(23, _bytes(1, _schema(cast("Object", value))))
        case "additionalProperties":
            return _bytes(21, _additional(value))
        case "properties":
            properties = cast("dict[str, Object]", value).items()
            return _bytes(25, b"".join(_named(1, n, _schema(inner)) for n, inner in properties))
        case _:
            return b""


def _additional(value: Any) -> bytes:
    if isinstance(value, dict):
        return _bytes(1, _schema(cast("Object", value)))
    return _key(2, 0) + _varint(int(bool(value)))


def _extension(number: int, name: str, value: Any) -> bytes:
    return _named(number, name, _any(value))


def _any(value: Any) -> bytes:
    """A value as YAML text, of which JSON is a part."""
    return _bytes(2, encode(value))


def _named(number: int, name: str, value: bytes) -> bytes:
    return _bytes(number, _text(1, name) + _bytes(2, value))


def _text(number: int, text: str) -> bytes:
    return _bytes(number, text.encode())


def _bytes(number: int, data: bytes) -> bytes:
    return _key(number, 2) + _varint(len(data)) + data


def _key(number: int, wire: int) -> bytes:
    return _varint(number << 3 | wire)


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
