"""Parts of a definition as the server's complaints quote them.

The server quotes its own internal types there, whose fields have Go's names and are all written,
set or not. Source: apiextensions-apiserver (`pkg/apis/apiextensions/types*.go`).
"""

from typing import Any

from tutor.sandbox.api.customresources.definition import Shared
from tutor.sandbox.api.values import is_map
from tutor.sandbox.kinds import Object

_SCHEMA: tuple[tuple[str, str, Any], ...] = (
    ("ID", "id", ""),
    ("Schema", "$schema", ""),
    ("Ref", "$ref", None),
    ("Description", "description", ""),
    ("Type", "type", ""),
    ("Nullable", "nullable", False),
    ("Format", "format", ""),
    ("Title", "title", ""),
    ("Default", "default", None),
    ("Maximum", "maximum", None),
    ("ExclusiveMaximum", "exclusiveMaximum", False),
    ("Minimum", "minimum", None),
    ("ExclusiveMinimum", "exclusiveMinimum", False),
    ("MaxLength", "maxLength", None),
    ("MinLength", "minLength", None),
    ("Pattern", "pattern", ""),
    ("MaxItems", "maxItems", None),
    ("MinItems", "minItems", None),
    ("UniqueItems", "uniqueItems", False),
    ("MultipleOf", "multipleOf", None),
    ("Enum", "enum", None),
    ("MaxProperties", "maxProperties", None),
    ("MinProperties", "minProperties", None),
    ("Required", "required", None),
    ("Items", "items", None),
    ("AllOf", "allOf", None),
    ("OneOf", "oneOf", None),
    ("AnyOf", "anyOf", None),
    ("Not", "not", None),
    ("Properties", "properties", None),
    ("AdditionalProperties", "additionalProperties", None),
    ("PatternProperties", "patternProperties", None),
    ("Dependencies", "dependencies", None),
    ("AdditionalItems", "additionalItems", None),
    ("Definitions", "definitions", None),
    ("ExternalDocs", "externalDocs", None),
    ("Example", "example", None),
    ("XPreserveUnknownFields", "x-kubernetes-preserve-unknown-fields", None),
    ("XEmbeddedResource", "x-kubernetes-embedded-resource", False),
    ("XIntOrString", "x-kubernetes-int-or-string", False),
    ("XListMapKeys", "x-kubernetes-list-map-keys", None),
    ("XListType", "x-kubernetes-list-type", None),
    ("XMapType", "x-kubernetes-map-type", None),
    ("XValidations", "x-kubernetes-validations", None),
)
_POINTERS = frozenset(
    {"additionalItems", "additionalProperties", "default", "example", "items", "not"}
)
"""What is set as soon as it is there, however empty."""
_LISTS_OF_SCHEMAS = frozenset({"allOf", "oneOf", "anyOf"})
_MAPS_OF_SCHEMAS = frozenset({"properties", "patternProperties", "definitions"})


def set_fields(schema: Object) -> list[str]:
    """The Go names of the fields that a JSONSchemaProps sets, in Go's order."""
    return [go for go, name, zero in _SCHEMA if _is_set(name, schema.get(name, zero), zero)]


def _is_set(name: str, value: Any, zero: Any) -> bool:
    return value is not None if name in _POINTERS else value != zero


def schema_printed(schema: Object | None) -> Object | None:
    """A JSONSchemaProps."""
    if schema is None:
        return None
    return {go: _field(name, schema.get(name, zero)) for go, name, zero in _SCHEMA}


def _field(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _LISTS_OF_SCHEMAS:
        return [schema_printed(one) for one in value]
    if name in _MAPS_OF_SCHEMAS:
        return {key: schema_printed(value[key]) for key in sorted(value)}
    if name == "not":
        return schema_printed(value)
    if name == "items":
        schemas = None if is_map(value) else [schema_printed(one) for one in value]
        return {"Schema": schema_printed(value) if is_map(value) else None, "JSONSchemas": schemas}
    if name in {"additionalProperties", "additionalItems"}:
        schema = schema_printed(value) if is_map(value) else None
        return {"Allows": bool(value) or is_map(value), "Schema": schema}
    if name == "dependencies":
        return {key: _dependency(value[key]) for key in sorted(value)}
    if name == "x-kubernetes-validations":
        return [rule_printed(rule) for rule in value]
    return value


def _dependency(value: Any) -> Object:
    if is_map(value):
        return {"Schema": schema_printed(value), "Property": None}
    return {"Schema": None, "Property": value}


def rule_printed(rule: Object) -> Object:
    """An entry of `x-kubernetes-validations`."""
    return {
        "Rule": rule.get("rule", ""),
        "Message": rule.get("message", ""),
        "MessageExpression": rule.get("messageExpression", ""),
        "Reason": rule.get("reason"),
        "FieldPath": rule.get("fieldPath", ""),
        "OptionalOldSelf": rule.get("optionalOldSelf"),
    }


def versions_printed(versions: list[Object], common: Shared) -> list[Object]:
    """The versions of a definition, without what they have in common."""
    return [_version(version, common) for version in versions]


def _version(version: Object, common: Shared) -> Object:
    schema = None if common.schema else version.get("schema")
    subresources = None if common.subresources else version.get("subresources")
    columns: list[Object] | None = version.get("additionalPrinterColumns") or None
    selectable: list[Object] | None = version.get("selectableFields") or None
    return {
        "Name": version.get("name", ""),
        "Served": version.get("served", False),
        "Storage": version.get("storage", False),
        "Deprecated": version.get("deprecated", False),
        "DeprecationWarning": version.get("deprecationWarning"),
        "Schema": None if schema is None else _validation(schema),
        "Subresources": None if subresources is None else _subresources(subresources),
        "AdditionalPrinterColumns": (
            None if common.columns or columns is None else [_column(one) for one in columns]
        ),
        "SelectableFields": (
            None
            if common.selectable or selectable is None
            else [{"JSONPath": one.get("jsonPath", "")} for one in selectable]
        ),
    }


def _validation(schema: Object) -> Object:
    return {"OpenAPIV3Schema": schema_printed(schema.get("openAPIV3Schema"))}


def _subresources(subresources: Object) -> Object:
    scale: Object | None = subresources.get("scale")
    return {
        "Status": subresources.get("status"),
        "Scale": scale
        and {
            "SpecReplicasPath": scale.get("specReplicasPath", ""),
            "StatusReplicasPath": scale.get("statusReplicasPath", ""),
            "LabelSelectorPath": scale.get("labelSelectorPath"),
        },
    }


def _column(column: Object) -> Object:
    return {
        "Name": column.get("name", ""),
        "Type": column.get("type", ""),
        "Format": column.get("format", ""),
        "Description": column.get("description", ""),
        "Priority": column.get("priority", 0),
        "JSONPath": column.get("jsonPath", ""),
    }
