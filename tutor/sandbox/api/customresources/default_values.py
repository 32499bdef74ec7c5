"""Whether the defaults of a schema are good values by that very schema.

Source: apiextensions-apiserver (`pkg/apiserver/schema/defaulting/validation.go`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from tutor.sandbox.api.status import FieldError, aggregate, invalid
from tutor.sandbox.api.structural.checks import Checker
from tutor.sandbox.api.structural.embedded import EmbeddedError, check_embedded, read_embedded
from tutor.sandbox.api.structural.pruning import prune
from tutor.sandbox.api.structural.rules import read_rules
from tutor.sandbox.api.structural.schema import META_FIELDS, Schema
from tutor.sandbox.api.structural.structural import below
from tutor.sandbox.api.values import fresh, is_list, is_map
from tutor.sandbox.kinds import Object

_ITEM = ""
"""The step into a list."""


@dataclass(frozen=True, slots=True)
class _Around:
    """The object around a value, and the way from one to the other."""

    schema: Schema
    steps: tuple[str, ...] = ()

    def step(self, name: str) -> "_Around":
        return _Around(self.schema, (*self.steps, name))

    def filled(self, value: Any) -> Object:
        """The smallest object that has the value in its place."""
        inner: Any = value
        for name in reversed(self.steps):
            inner = [inner] if name == _ITEM else {name: inner}
        return {"apiVersion": "validation/v1", "kind": "Validation"} | inner


def check_defaults(schema: Schema, path: str) -> list[FieldError]:
    """What is wrong with the defaults in the schema of a resource."""
    root = replace(schema, embedded=True, embeds=True)
    return list(_walk(root, path, _Around(root), in_meta=False))


def _walk(schema: Schema, path: str, around: _Around, *, in_meta: bool) -> Iterator[FieldError]:
    if schema.embedded:
        around, in_meta = _Around(schema), False
    if schema.default is not None:
        check = _check_in_meta(schema, path, around) if in_meta else _check(schema, path)
        yield from check
    if schema.items is not None:
        yield from _walk(schema.items, f"{path}.items", around.step(_ITEM), in_meta=in_meta)
    for name, sub in schema.properties.items():
        meta = in_meta or (schema.embedded and name in META_FIELDS)
        yield from _walk(sub, f"{path}.properties[{name}]", around.step(name), in_meta=meta)


def _check(schema: Schema, path: str) -> Iterator[FieldError]:
    at, value = f"{path}.default", schema.default
    if _has_unknown(value, schema):
        yield invalid(at, value, "must not have unknown fields")
    try:
        list(read_embedded(fresh(value), schema, at))
    except EmbeddedError as error:
        yield error.error
        return
    errors = list(check_embedded(value, schema, at))
    yield from errors or _check_value(value, schema, at)


def _check_in_meta(schema: Schema, path: str, around: _Around) -> Iterator[FieldError]:
    """Metadata is not judged by a schema, but as that of the object around it."""
    at, value = f"{path}.default", schema.default
    obj = around.filled(value)
    try:
        list(read_embedded(fresh(obj), around.schema))
    except EmbeddedError as error:
        errors = [error.error]
    else:
        errors = list(check_embedded(obj, around.schema))
    if errors:
        told = aggregate([replace(one, path=one.path.removeprefix(".")) for one in errors])
        yield invalid(at, value, f"must result in valid metadata: {told}")
    else:
        yield from _check_value(value, schema, at)


def _check_value(value: Any, schema: Schema, at: str) -> list[FieldError]:
    found: list[FieldError] = []
    Checker(schema.raw, defaults=True).check(value, "", found)
    rules = read_rules(schema.raw, schema, checks=True)
    if not found and rules is not None:
        found = rules.judge(value, value) or rules.judge(value)
    return [below(error, at) for error in found]


def _has_unknown(value: Any, schema: Schema) -> bool:
    if is_map(value):
        return bool(prune(fresh(value), schema, root=schema.embedded))
    if is_list(value):
        outer = replace(schema, properties={"list": schema})
        return bool(prune({"list": fresh(value)}, outer, root=False))
    return False
