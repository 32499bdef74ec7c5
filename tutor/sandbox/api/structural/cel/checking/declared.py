"""What a schema lets rules know of its values: their types, and how large they may become.

Source: apiserver (`pkg/cel/common/schemas.go`, `pkg/cel/types.go`).
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from tutor.sandbox.api.structural.cel.checking.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    Type,
    list_of,
    map_of,
)
from tutor.sandbox.api.structural.cel.values import escape
from tutor.sandbox.api.structural.schema import Schema, read_schema

MAX_REQUEST = 3 * 1024 * 1024
"""The largest request, in bytes."""
SELF_TYPE = "selfType0"
"""What the type of `self` is called; the real server takes another number every time."""
_LONGEST = MAX_REQUEST - 2
_QUOTES = 2
_SCALARS: Mapping[str, tuple[Type, int]] = {
    "boolean": (BOOL, 4),
    "number": (DOUBLE, 1),
    "integer": (INT, 1),
}
"""Type and least size in JSON by the schema's type."""
_FORMATS: Mapping[str, tuple[Type, int, int]] = {
    "duration": (DURATION, 3, 32),
    "date": (TIMESTAMP, 12, 12),
    "date-time": (TIMESTAMP, 21, 32),
}
"""Type, least size in JSON and most characters by the format of a string."""
_META = {
    "kind": {"type": "string"},
    "apiVersion": {"type": "string"},
    "metadata": {
        "type": "object",
        "properties": {"name": {"type": "string"}, "generateName": {"type": "string"}},
    },
}


class Declared:
    """One value as rules know it. Parts are worked out when they are asked for."""

    def __init__(
        self,
        type_: Type,
        *,
        least: int,
        most: int = 0,
        schema: Schema | None = None,
        element: "Declared | None" = None,
    ) -> None:
        self.type = type_
        self.least = least
        """The least size in JSON, in bytes; of objects without their fields."""
        self.most = most
        """The most characters, items or entries."""
        self.element = element
        """What lists and maps have in them."""
        self._schema = schema

    @cached_property
    def fields(self) -> Mapping[str, "Declared"]:
        """The fields of an object that rules can name, by those names."""
        found: dict[str, Declared] = {}
        for name, sub in self._schema.properties.items() if self._schema else ():
            known = escape(name)
            if known is None:
                continue
            if field := declare(sub, f"{self.type.name}.{known}", root=sub.embedded):
                found[known] = field
        return found

    @cached_property
    def least_in_json(self) -> int:
        """The least size in JSON, in bytes."""
        schema, total = self._schema, self.least
        for name in set(schema.raw.get("required") or ()) if schema is not None else ():
            sub = schema.properties.get(name) if schema is not None else None
            if sub is None or sub.default is not None:
                continue
            if field := declare(sub, "", root=sub.embedded):
                total += len(name.encode()) + field.least_in_json + 4
        return total


_NAME = Declared(STRING, least=_QUOTES)
"""The key of a map."""


def key_of(declared: Declared) -> Declared | None:
    """What the keys of a map are, None where it is no map."""
    return _NAME if declared.type.kind == "map" else None


def declare(schema: Schema, name: str, *, root: bool) -> Declared | None:
    """What rules know of a value of a schema, None where they know nothing.

    Objects are called by `name`; at the root of a resource their type and name are known.
    """
    raw = schema.raw
    if schema.int_or_string:
        return Declared(DYN, least=1, most=_characters(raw, _LONGEST))
    if schema.type == "array":
        return _list(schema, name)
    if schema.type == "object":
        shape = _with_metadata(schema) if root else schema
        return _object(shape, name)
    if schema.type == "string":
        return _string(schema)
    if schema.type in _SCALARS:
        type_, least = _SCALARS[schema.type]
        return Declared(type_, least=least)
    return None


def _list(schema: Schema, name: str) -> Declared | None:
    items = schema.items
    if items is None:
        return None
    inner = declare(items, f"{name}.@idx", root=items.embedded)
    if inner is None:
        return None
    most = _limit(schema.raw, "maxItems")
    if most is None:
        most = (MAX_REQUEST - 2) // (inner.least_in_json + 1)
    return Declared(list_of(inner.type), least=2, most=most, element=inner)


def _object(schema: Schema, name: str) -> Declared | None:
    values = schema.additional
    if values is None:
        return Declared(Type("struct", name), least=2, schema=schema)
    inner = declare(values, f"{name}.@elem", root=values.embedded)
    if inner is None:
        return None
    most = _limit(schema.raw, "maxProperties")
    if most is None:
        most = (MAX_REQUEST - 2) // (inner.least_in_json + 6)
    return Declared(map_of(STRING, inner.type), least=2, most=most, element=inner)


def _string(schema: Schema) -> Declared:
    raw = schema.raw
    if schema.format == "byte":
        longest = _limit(raw, "maxLength")
        return Declared(BYTES, least=_QUOTES, most=_LONGEST if longest is None else longest)
    if schema.format in _FORMATS:
        type_, least, most = _FORMATS[schema.format]
        return Declared(type_, least=least, most=most)
    named: list[Any] = raw.get("enum") or []
    sizes = [len(one.encode()) for one in named if isinstance(one, str)]
    otherwise = max(sizes, default=0) if named else _LONGEST
    return Declared(STRING, least=_QUOTES, most=_characters(raw, otherwise))


def _characters(raw: Mapping[str, Any], otherwise: int) -> int:
    """The most bytes of a text; a character may take four."""
    longest = _limit(raw, "maxLength")
    return otherwise if longest is None else longest * 4


def _limit(raw: Mapping[str, Any], name: str) -> int | None:
    value = raw.get(name)
    return None if value is None else max(int(value), 0)


def _with_metadata(schema: Schema) -> Schema:
    """The schema of a resource, in which type and name are known."""
    known = schema.properties
    meta = known.get("metadata")
    texts = [known.get("kind"), known.get("apiVersion")]
    texts += [meta.properties.get(name) if meta else None for name in ("name", "generateName")]
    if meta and meta.type == "object" and all(sub and sub.type == "string" for sub in texts):
        return schema
    own = {name: read_schema(raw) for name, raw in _META.items()}
    return replace(schema, properties={**known, **own})
