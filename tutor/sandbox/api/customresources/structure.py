"""Whether a schema is structural: every value has one type, told outside of alternatives.

Source: apiextensions-apiserver (`pkg/apiserver/schema/{validation,complete}.go`).
"""

from collections.abc import Iterator
from typing import Any, Literal

from tutor.sandbox.api.status import FieldError, forbidden_field, invalid, required
from tutor.sandbox.api.structural.regex import RegexError, go_regex
from tutor.sandbox.api.values import is_map
from tutor.sandbox.kinds import Object

Level = Literal["root", "item", "field"]

_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]
_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_EMBEDDED = "x-kubernetes-embedded-resource"
_INT_STRING = "x-kubernetes-int-or-string"
_EMPTY_TYPE: dict[Level, str] = {
    "root": "must not be empty at the root",
    "item": "must not be empty for specified array items",
    "field": "must not be empty for specified object fields",
}
_FORBIDDEN_INSIDE = (
    ("type", "must be empty to be structural"),
    ("default", "must be undefined to be structural"),
    ("title", "must be empty to be structural"),
    ("description", "must be empty to be structural"),
    ("nullable", "must be false to be structural"),
    (_PRESERVE, "must be false to be structural"),
    (_EMBEDDED, "must be false to be structural"),
    (_INT_STRING, "must be false to be structural"),
    ("x-kubernetes-list-map-keys", "must be empty to be structural"),
    ("x-kubernetes-list-type", "must be undefined to be structural"),
    ("x-kubernetes-map-type", "must be undefined to be structural"),
    ("x-kubernetes-validations", "must be empty to be structural"),
)
_UNSUPPORTED = (
    ("id", "id"),
    ("$schema", "schema"),
    ("$ref", "$ref"),
    ("patternProperties", "patternProperties"),
    ("dependencies", "dependencies"),
    ("additionalItems", "additionalItems"),
    ("definitions", "definitions"),
)
_IMPLICIT = (
    "must not specify anything other than name and generateName, but metadata is implicitly "
    "specified"
)


def unsupported(schema: Object) -> str:
    """Why no structural schema can be made of this one, empty when it can."""
    for field, name in _UNSUPPORTED:
        if schema.get(field):
            return f"OpenAPIV3Schema '{name}' is not supported"
    if isinstance(schema.get("items"), list):
        return "OpenAPIV3Schema 'items' must be a schema, but is an array"
    if schema.get(_PRESERVE) is False:
        return f"internal error: '{_PRESERVE}' must be true or undefined"
    return next(filter(None, (unsupported(sub) for sub in inner_schemas(schema))), "")


def inner_schemas(schema: Object) -> Iterator[Object]:
    """Every schema directly in a schema."""
    for name in ("allOf", "anyOf", "oneOf"):
        yield from schema.get(name) or ()
    for name in ("not", "items", "additionalProperties"):
        if is_map(sub := schema.get(name)):
            yield sub
    properties: dict[str, Object] = schema.get("properties") or {}
    yield from (properties[name] for name in sorted(properties))


def check_structure(schema: Object, path: str) -> list[FieldError]:
    """What keeps a schema from being structural, in the order of the complaints' texts."""
    found = [*_check(schema, "root", path), *_check_complete(schema, schema, path, path)]
    return sorted(found, key=str)


def _check(schema: Object, level: Level, path: str) -> Iterator[FieldError]:
    items, properties = schema.get("items"), _properties(schema)
    if schema.get("type") == "array" and items is None:
        yield required(f"{path}.items", "must be specified")
    if is_map(items):
        yield from _check(items, "item", f"{path}.items")
    for name, sub in properties.items():
        yield from _check(sub, "field", f"{path}.properties[{name}]")
    extra = schema.get("additionalProperties")
    if extra is not None:
        if level == "root":
            yield forbidden_field(f"{path}.additionalProperties", "must not be used at the root")
        if is_map(extra):
            yield from _check(extra, "field", f"{path}.additionalProperties")
    yield from _check_extensions(schema, path)
    yield from _check_values(schema, path, any_of_is_type=_is_int_or_string(schema.get("anyOf")))
    yield from _check_type(schema, level, path)
    yield from _check_meta(schema, level, path)


def _check_extensions(schema: Object, path: str) -> Iterator[FieldError]:
    if not schema.get(_INT_STRING):
        return
    for name in (_PRESERVE, _EMBEDDED):
        if schema.get(name):
            yield invalid(f"{path}.{name}", True, f"must be false if {_INT_STRING} is true")


def _check_type(schema: Object, level: Level, path: str) -> Iterator[FieldError]:
    type_ = schema.get("type", "")
    embedded, preserve = schema.get(_EMBEDDED, False), schema.get(_PRESERVE, False)
    if embedded and type_ != "object":
        text = f"must be object if {_EMBEDDED} is true"
        yield invalid(f"{path}.type", type_, text) if type_ else required(f"{path}.type", text)
    elif not type_ and not schema.get(_INT_STRING) and not preserve:
        yield required(f"{path}.type", _EMPTY_TYPE[level])
    if embedded and schema.get("additionalProperties") is not None:
        text = f"must not be used if {_EMBEDDED} is set"
        yield forbidden_field(f"{path}.additionalProperties", text)
    if level == "root" and type_ and type_ != "object":
        yield invalid(f"{path}.type", type_, "must be object at the root")
    if embedded and not preserve and not schema.get("properties"):
        text = f"must not be empty if {_EMBEDDED} is true without {_PRESERVE}"
        yield required(f"{path}.properties", text)


def _check_meta(schema: Object, level: Level, path: str) -> Iterator[FieldError]:
    properties = _properties(schema)
    is_resource = level == "root" or schema.get(_EMBEDDED, False)
    for name in ("kind", "apiVersion"):
        if is_resource and name in properties and properties[name].get("type", "") != "string":
            type_ = properties[name].get("type", "")
            yield invalid(f"{path}.properties[{name}].type", type_, "must be string")
    if "metadata" not in properties:
        return
    meta, at = properties["metadata"], f"{path}.properties[metadata]"
    if is_resource and meta.get("type", "") != "object":
        yield invalid(f"{at}.type", meta.get("type", ""), "must be object")
    if level == "root":
        told = {name for name, value in meta.items() if not _is_unset(value)}
        named = set(_properties(meta))
        if named and named <= {"name", "generateName"}:
            told.discard("properties")
        # The defaults are judged elsewhere, and what schemas say for people does not count.
        if told - {"type", "default"}:
            yield forbidden_field(at, _IMPLICIT)


def _is_unset(value: Any) -> bool:
    """Whether the field might as well not be there; zero is not that."""
    return value is None or value is False or value in ("", [], {})


def _check_values(
    schema: Object, path: str, *, any_of_is_type: bool = False
) -> Iterator[FieldError]:
    """Check the alternatives of a schema; two of them may be a way to say `int or string`."""
    if not any_of_is_type:
        for index, one in enumerate(schema.get("anyOf") or ()):
            yield from _check_inside(one, f"{path}.anyOf[{index}]")
    for index, one in enumerate(schema.get("allOf") or ()):
        is_type = index == 0 and _is_int_or_string(one.get("anyOf"))
        yield from _check_inside(one, f"{path}.allOf[{index}]", any_of_is_type=is_type)
    for index, one in enumerate(schema.get("oneOf") or ()):
        yield from _check_inside(one, f"{path}.oneOf[{index}]")
    if is_map(schema.get("not")):
        yield from _check_inside(schema["not"], f"{path}.not")
    if pattern := schema.get("pattern"):
        try:
            go_regex(pattern)
        except RegexError as error:
            text = f"must be a valid regular expression, but isn't: {error}"
            yield invalid(f"{path}.pattern", pattern, text)


def _check_inside(
    schema: Object, path: str, *, any_of_is_type: bool = False
) -> Iterator[FieldError]:
    """Check a schema inside an alternative, where nothing may be said that makes a type."""
    yield from _check_values(schema, path, any_of_is_type=any_of_is_type)
    if is_map(items := schema.get("items")):
        yield from _check_inside(items, f"{path}.items")
    properties = _properties(schema)
    for name, sub in properties.items():
        yield from _check_inside(sub, f"{path}.properties[{name}]")
    if schema.get("additionalProperties") not in (None, False):
        yield forbidden_field(f"{path}.additionalProperties", "must be undefined to be structural")
    for name, text in _FORBIDDEN_INSIDE:
        value = schema.get(name)
        if value is not None and (name == "default" or not _is_unset(value)):
            yield forbidden_field(f"{path}.{name}", text)
    if "metadata" in properties:
        text = "must not be specified in a nested context"
        yield forbidden_field(f"{path}.properties[metadata]", text)


def _check_complete(
    values: Object, schema: Object | None, path: str, told_at: str
) -> Iterator[FieldError]:
    """Whether what alternatives judge is there in the schema itself."""
    alternatives = [(one, f"{told_at}.not") for one in (values.get("not"),) if is_map(one)]
    for name in ("allOf", "anyOf", "oneOf"):
        alternatives += [
            (one, f"{told_at}.{name}[{index}]") for index, one in enumerate(values.get(name) or ())
        ]
    for one, at in alternatives:
        yield from _check_complete_inside(one, schema, path, at)


def _check_complete_inside(
    values: Object, schema: Object | None, path: str, told_at: str
) -> Iterator[FieldError]:
    if schema is None:
        yield required(path, f"because it is defined in {told_at}")
        return
    yield from _check_complete(values, schema, path, told_at)
    if is_map(items := values.get("items")):
        inner = _schema(schema.get("items"))
        yield from _check_complete_inside(items, inner, f"{path}.items", f"{told_at}.items")
    properties = _properties(schema)
    for name, sub in _properties(values).items():
        below = f"properties[{name}]"
        yield from _check_complete_inside(
            sub, properties.get(name), f"{path}.{below}", f"{told_at}.{below}"
        )


def _schema(value: Any) -> Object | None:
    return value if is_map(value) else None


def _properties(schema: Object) -> dict[str, Object]:
    given: dict[str, Object] = schema.get("properties") or {}
    return {name: given[name] for name in sorted(given)}


def _is_int_or_string(any_of: Any) -> bool:
    return any_of == _INT_OR_STRING
