"""Drop the fields that a structural schema does not have, and nulls that may not be there.

Source: Kubernetes' apiextensions-apiserver (`pkg/apiserver/schema/{pruning,defaulting}`).
"""

from typing import Any

from tutor.sandbox.api.structural.schema import META_FIELDS, Schema
from tutor.sandbox.api.values import is_list, is_map
from tutor.sandbox.kinds import Object


def prune(obj: Object, schema: Schema, *, root: bool = True) -> list[str]:
    """Drop unknown fields in place; returns their paths in order.

    At the root of a resource `apiVersion`, `kind` and `metadata` are known to every schema.
    """
    unknown: list[str] = []
    _prune_map(obj, schema, "", unknown, preserve=schema.preserve, root=root)
    return sorted(unknown)


def _prune(
    value: Any, schema: Schema | None, path: str, unknown: list[str], *, preserve: bool
) -> None:
    """Prune what is in a value; with `preserve` its own fields stay, whatever they are."""
    if is_map(value):
        if schema is not None:
            _prune_map(value, schema, path, unknown, preserve=preserve)
        else:
            unknown.extend(_join(path, key) for key in value)
            value.clear()
    elif is_list(value):
        items = schema.items if schema else None
        if preserve and items is None:
            return
        for index, item in enumerate(value):
            if type(item) is dict or type(item) is list:
                # Under preserved lists the items are preserved too, declared or not.
                keep = preserve or (items is not None and items.preserve)
                _prune(item, items, f"{path}[{index}]", unknown, preserve=keep)


def _prune_map(
    value: dict[str, Any],
    schema: Schema,
    path: str,
    unknown: list[str],
    *,
    preserve: bool,
    root: bool = False,
) -> None:
    properties = schema.properties
    dropped: list[str] = []
    for key, inner in value.items():
        if (root or schema.embedded) and key in META_FIELDS:
            continue
        sub = properties.get(key)
        if sub is None:
            if not schema.open:
                if not preserve:
                    dropped.append(key)
                continue
            sub = schema.additional
        if type(inner) is dict or type(inner) is list:
            keep = sub is not None and sub.preserve
            _prune(inner, sub, _join(path, key), unknown, preserve=keep)
    for key in dropped:
        del value[key]
        unknown.append(_join(path, key))


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def drop_nulls(value: Any, schema: Schema | None) -> None:
    """Drop null fields that are neither nullable nor to be filled by a default, in place."""
    if schema is None:
        return
    if is_map(value):
        dropped = [key for key, inner in value.items() if inner is None and _is_stray(key, schema)]
        for key in dropped:
            del value[key]
        for key, inner in value.items():
            if type(inner) is dict or type(inner) is list:
                drop_nulls(inner, schema.field(key))
    elif is_list(value):
        for inner in value:
            drop_nulls(inner, schema.items)


def _is_stray(key: str, schema: Schema) -> bool:
    sub = schema.field(key)
    return sub is not None and not sub.nullable and sub.default is None
