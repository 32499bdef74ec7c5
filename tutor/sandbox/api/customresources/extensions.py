"""What Kubernetes' own words in a schema ask of it: `x-kubernetes-list-type` and its kin.

Source: apiextensions-apiserver (`pkg/apis/apiextensions/validation/validation.go`).
"""

import re
from collections.abc import Iterator

from tutor.sandbox.api.customresources.structure import unsupported
from tutor.sandbox.api.status import (
    FieldError,
    forbidden_field,
    invalid,
    not_supported,
    required,
)
from tutor.sandbox.api.structural.field_paths import FieldPathError, read_field_path
from tutor.sandbox.api.structural.schema import read_schema
from tutor.sandbox.api.values import is_map
from tutor.sandbox.kinds import Object

_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_LIST_TYPE = "x-kubernetes-list-type"
_MAP_TYPE = "x-kubernetes-map-type"
_LIST_KEYS = "x-kubernetes-list-map-keys"
_REASONS = (
    "FieldValueDuplicate",
    "FieldValueForbidden",
    "FieldValueInvalid",
    "FieldValueRequired",
)
_LINE_BREAK = re.compile(r"[\n\r]")


def check_extensions(schema: Object, path: str) -> Iterator[FieldError]:
    """What is wrong with the extensions of one schema, but for its rules."""
    if schema.get(_PRESERVE) is False:
        yield invalid(f"{path}.{_PRESERVE}", False, "must be true or undefined")
    yield from _check_map_type(schema, path)
    yield from _check_list_type(schema, path)
    yield from _check_list_keys(schema, path)
    if schema.get(_LIST_TYPE) == "map":
        yield from _check_map_list(schema, path)
    yield from _check_items(schema, path)


def _check_type(schema: Object, path: str, wanted: str, extension: str) -> Iterator[FieldError]:
    text, type_ = f"must be {wanted} if {extension} is specified", schema.get("type", "")
    if not type_:
        yield required(f"{path}.type", text)
    elif type_ != wanted:
        yield invalid(f"{path}.type", type_, text)


def _check_map_type(schema: Object, path: str) -> Iterator[FieldError]:
    map_type = schema.get(_MAP_TYPE)
    if map_type is None:
        return
    yield from _check_type(schema, path, "object", _MAP_TYPE)
    if map_type not in ("atomic", "granular"):
        yield not_supported(f"{path}.{_MAP_TYPE}", map_type, ("atomic", "granular"))


def _check_list_type(schema: Object, path: str) -> Iterator[FieldError]:
    list_type = schema.get(_LIST_TYPE)
    if list_type is None:
        return
    if schema.get("type") != "array":
        yield from _check_type(schema, path, "array", _LIST_TYPE)
    elif list_type == "set" and is_map(items := schema.get("items")):
        yield from _check_set_items(items, f"{path}.items")
    if list_type not in ("atomic", "set", "map"):
        yield not_supported(f"{path}.{_LIST_TYPE}", list_type, ("atomic", "set", "map"))


def _check_set_items(items: Object, path: str) -> Iterator[FieldError]:
    list_type, map_type = items.get(_LIST_TYPE), items.get(_MAP_TYPE)
    text = f"must be atomic as item of a list with {_LIST_TYPE}=set"
    if items.get("type") == "array" and list_type not in (None, "atomic"):
        yield invalid(f"{path}.{_LIST_TYPE}", list_type, text)
    if items.get("type") == "object" and map_type != "atomic":
        # The real server quotes the list type here.
        yield invalid(f"{path}.{_MAP_TYPE}", list_type, text)


def _check_list_keys(schema: Object, path: str) -> Iterator[FieldError]:
    list_type = schema.get(_LIST_TYPE)
    if not schema.get(_LIST_KEYS) or list_type == "map":
        return
    text = f"must be map if {_LIST_KEYS} is non-empty"
    at = f"{path}.{_LIST_TYPE}"
    yield required(at, text) if list_type is None else invalid(at, list_type, text)


def _check_map_list(schema: Object, path: str) -> Iterator[FieldError]:
    keys: list[str] = schema.get(_LIST_KEYS) or []
    items = schema.get("items")
    if not keys:
        yield required(f"{path}.{_LIST_KEYS}", f"must not be empty if {_LIST_TYPE} is map")
    if items is None:
        yield required(f"{path}.items", f"must have a schema if {_LIST_TYPE} is map")
    if not is_map(items):
        return
    if items.get("type") != "object":
        text = f"must be object if parent array's {_LIST_TYPE} is map"
        yield invalid(f"{path}.items.type", items.get("type", ""), text)
        return
    properties: dict[str, Object] = items.get("properties") or {}
    for index, key in enumerate(keys):
        yield from _check_key(properties.get(key), key, keys, path)
        if key in keys[:index]:
            yield invalid(f"{path}.{_LIST_KEYS}", keys, "must not contain duplicate entries")


def _check_key(schema: Object | None, key: str, keys: list[str], path: str) -> Iterator[FieldError]:
    if schema is None:
        yield invalid(f"{path}.{_LIST_KEYS}", keys, "entries must all be names of item properties")
    elif schema.get("type") in ("array", "object"):
        text = f"must be a scalar type if parent array's {_LIST_TYPE} is map"
        # The real server quotes the type of the items here.
        yield invalid(f"{path}.items.properties[{key}].type", "object", text)


def _check_items(schema: Object, path: str) -> Iterator[FieldError]:
    """Items of sets and maps cannot be null, and their keys must be there."""
    items, list_type = schema.get("items"), schema.get(_LIST_TYPE)
    if not is_map(items) or list_type not in ("set", "map"):
        return
    if items.get("nullable"):
        text = f"cannot be nullable when {_LIST_TYPE} is {list_type}"
        yield forbidden_field(f"{path}.items.nullable", text)
    if list_type != "map":
        return
    properties: dict[str, Object] = items.get("properties") or {}
    this = f"this property is in {_LIST_KEYS}, so it"
    for key in schema.get(_LIST_KEYS) or ():
        if (sub := properties.get(key)) is None:
            continue
        at = f"{path}.items.properties[{key}]"
        if key not in (items.get("required") or ()) and sub.get("default") is None:
            text = f"{this} must have a default or be a required property"
            yield required(f"{at}.default", text)
        if sub.get("nullable"):
            yield forbidden_field(f"{at}.nullable", f"{this} cannot be nullable")


def check_rule_texts(schema: Object, path: str) -> Iterator[FieldError]:
    """What is wrong with `x-kubernetes-validations` before the expressions are compiled."""
    for index, rule in enumerate(schema.get("x-kubernetes-validations") or ()):
        at = f"{path}.x-kubernetes-validations[{index}]"
        yield from _check_rule(rule, at)
        yield from _check_outcome(rule, schema, at)


def _check_rule(rule: Object, path: str) -> Iterator[FieldError]:
    message: str = rule.get("message", "")
    text = rule.get("rule", "").strip()
    if not text:
        yield required(f"{path}.rule", "rule is not specified")
    elif message and not message.strip():
        yield invalid(f"{path}.message", message, "must be non-empty if specified")
    elif _LINE_BREAK.search(message.strip()):
        yield invalid(f"{path}.message", message, "must not contain line breaks")
    elif _LINE_BREAK.search(text) and not message.strip():
        why = "message must be specified if rule contains line breaks"
        yield required(f"{path}.message", why)


def _check_outcome(rule: Object, schema: Object, path: str) -> Iterator[FieldError]:
    expression, field = rule.get("messageExpression", ""), rule.get("fieldPath", "")
    reason = rule.get("reason")
    if expression and not expression.strip():
        why = "messageExpression must be non-empty if specified"
        yield required(f"{path}.messageExpression", why)
    if reason is not None and reason not in _REASONS:
        yield not_supported(f"{path}.reason", reason, _REASONS)
    if field and not field.strip():
        yield invalid(f"{path}.fieldPath", field, "must be non-empty if specified")
    if _LINE_BREAK.search(field):
        yield invalid(f"{path}.fieldPath", field, "must not contain line breaks")
    if field and not _names_a_field(schema, field):
        yield invalid(f"{path}.fieldPath", field, "must be a valid path")


def _names_a_field(schema: Object, field: str) -> bool:
    if unsupported(schema):
        return True
    try:
        read_field_path(field, read_schema(schema))
    except FieldPathError:
        return False
    return True
