"""The fields that a configuration speaks for.

Source: structured-merge-diff (`typed/tofieldset.go`, `typed/reconcile_schema.go`,
`fieldpath/set.go`).
"""

from typing import Any

from tutor.sandbox.api.managed.elements import field_element
from tutor.sandbox.api.managed.fields import Fields, member, ordered
from tutor.sandbox.api.managed.shape import Shape
from tutor.sandbox.kinds import Object


def claims(config: Object, shape: Shape) -> Fields:
    """Every leaf and every item that an object has; structs on the way are not owned."""
    return _claims(config, shape) or {}


def _claims(value: Any, shape: Shape) -> Fields | None:
    """What is claimed at a value: None when it is not, nor anything in it."""
    if shape.is_open(value):
        return _fields(value, shape)
    if shape.is_listing(value):
        return _items(value, shape)
    owned_in_parts = shape.kind != "leaf" and value is None
    return None if owned_in_parts else {}


def _fields(value: Object, shape: Shape) -> Fields | None:
    found: Fields = {}
    for name, inner in value.items():
        below = _claims(inner, shape.field(name))
        if inner is None or inner == {} or not shape.declares(name):
            below = member(below or {})
        if below is not None:
            found[field_element(name)] = below
    return ordered(found) if found else None


def _items(values: list[Any], shape: Shape) -> Fields | None:
    found: Fields = {}
    for element, value in shape.items(values):
        # Items that are there twice are one thing.
        below = {} if element in found else _claims(value, shape.element) or {}
        found[element] = member(below)
    return ordered(found) if found else None


def with_structs(fields: Fields, shape: Shape) -> Fields:
    """The same set with the structs on the way to its members."""
    found: Fields = {}
    for element, below in fields.items():
        inner = with_structs(below, shape.below(element)) if below else below
        named = below and element[:2] == "f:" and shape.declares(element[2:])
        found[element] = member(inner) if named else inner
    return found


def settled(fields: Fields, shape: Shape) -> Fields:
    """The same set where a type has since come to own values as a whole."""
    found: Fields = {}
    for element, below in fields.items():
        inner = shape.below(element)
        is_whole = inner.kind == "leaf" and inner.node is not None and inner.node.shape != "scalar"
        found[element] = {} if is_whole or not below else settled(below, inner)
    return found
