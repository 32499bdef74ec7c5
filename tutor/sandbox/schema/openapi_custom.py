"""OpenAPI schemas of custom kinds: what their definition says, with what every object has.

Source: k8s.io/apiextensions-apiserver, pkg/controller/openapi/builder.
"""

from dataclasses import dataclass
from typing import Any, cast

from tutor.sandbox.kinds import GroupVersion, Kind, Object
from tutor.sandbox.schema.openapi_schemas import Components, kind_extension

_SCHEMAS_IN_MAPS = ("properties", "patternProperties", "definitions")
_SCHEMAS = ("items", "additionalProperties", "not")
_SCHEMA_LISTS = ("allOf", "anyOf", "oneOf")
# Version 2 has no words for these; the server leaves them out of such documents.
_NOT_IN_V2 = ("allOf", "anyOf", "default", "not", "nullable", "oneOf", "x-kubernetes-validations")


@dataclass(frozen=True, slots=True)
class CustomType:
    """A served version of a custom kind."""

    kind: Kind
    schema: Object
    """`openAPIV3Schema` of the definition; empty when it has none."""


def model_name(version: GroupVersion, kind: str) -> str:
    """What OpenAPI calls a custom kind: `com.example.sea.v1alpha1.Seal`."""
    reversed_group = ".".join(reversed(version.group.split(".")))
    return f"{reversed_group}.{version.version}.{kind}"


def add_custom(components: Components, custom: CustomType) -> tuple[str, str]:
    """Add a kind and its list; the answer is a reference to each."""
    kind, version = custom.kind, custom.kind.group_version
    name, list_name = model_name(version, kind.kind), model_name(version, kind.list_kind)
    prefix = components.prefix
    schema = _schema(custom.schema, components) or {
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": True,
    }
    components.schemas[name] = {
        **_object(schema, components.meta("ObjectMeta")),
        "x-kubernetes-group-version-kind": [kind_extension(version, kind.kind)],
    }
    items: Object = {"type": "array", "items": {"$ref": f"{prefix}{name}"}}
    components.schemas[list_name] = {
        **_object(
            {"type": "object", "required": ["items"], "properties": {"items": items}},
            components.meta("ListMeta"),
        ),
        "x-kubernetes-group-version-kind": [kind_extension(version, kind.list_kind)],
    }
    return f"{prefix}{name}", f"{prefix}{list_name}"


def _object(schema: Object, metadata: Object) -> Object:
    """A schema whose values are API objects."""
    own = {name: p for name, p in schema.get("properties", {}).items() if name != "metadata"}
    head: Object = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}}
    properties = {**own, **head, "metadata": metadata}
    return {**schema, "properties": {name: properties[name] for name in sorted(properties)}}


def _schema(schema: Object, components: Components) -> Object:
    """A schema of a definition in the form of the document."""
    is_v2 = components.form == "v2"
    shown: Object = {}
    for name, value in schema.items():
        if is_v2 and name in _NOT_IN_V2:
            continue
        shown[name] = _part(name, value, components)
    if schema.get("x-kubernetes-embedded-resource"):
        shown = _object(shown, components.meta("ObjectMeta"))
    return _plainer(schema, shown) if is_v2 else shown


def _part(name: str, value: Any, components: Components) -> Any:
    if name in _SCHEMAS_IN_MAPS:
        schemas = cast("dict[str, Object]", value)
        return {key: _schema(inner, components) for key, inner in schemas.items()}
    if name in _SCHEMAS and isinstance(value, dict):
        return _schema(cast("Object", value), components)
    if name in _SCHEMA_LISTS:
        return [_schema(inner, components) for inner in cast("list[Object]", value)]
    return value


def _plainer(schema: Object, shown: Object) -> Object:
    """What version 2 can say of a schema that allows more than one type, or anything."""
    if schema.get("nullable"):
        shown = {k: v for k, v in shown.items() if k not in ("type", "items", "properties")}
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        shown = {k: v for k, v in shown.items() if k not in ("items", "properties")}
    if schema.get("x-kubernetes-int-or-string"):
        shown = {k: v for k, v in shown.items() if k != "type"}
    return shown
