"""Fill in the defaults of a structural schema.

Source: Kubernetes' apiextensions-apiserver (`pkg/apiserver/schema/defaulting`).
"""

from typing import Any

from tutor.sandbox.api.structural.schema import Schema
from tutor.sandbox.api.values import fresh, is_list, is_map


def fill(value: Any, schema: Schema | None) -> None:
    """Fill in defaults in place: for absent fields, and for nulls where null may not be."""
    if schema is None or not schema.fills:
        return
    if is_map(value):
        _fill_map(value, schema)
    elif is_list(value) and schema.items is not None:
        for index, inner in enumerate(value):
            value[index] = _filled(inner, schema.items)


def _fill_map(value: dict[str, Any], schema: Schema) -> None:
    for key, sub in schema.defaulted:
        if key not in value or (value[key] is None and not sub.nullable):
            value[key] = fresh(sub.default)
    for key, inner in value.items():
        sub = schema.properties.get(key)
        if sub is not None:
            fill(inner, sub)
        elif schema.additional is not None:
            value[key] = _filled(inner, schema.additional)


def _filled(value: Any, schema: Schema) -> Any:
    if value is None and not schema.nullable:
        value = fresh(schema.default)
    fill(value, schema)
    return value
