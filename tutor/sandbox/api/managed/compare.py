"""What two objects differ in, as sets of fields.

Source: structured-merge-diff (`typed/compare.go`).
"""

from typing import Any, NamedTuple

from tutor.sandbox.api.managed.elements import SELF, field_element
from tutor.sandbox.api.managed.fields import Fields, member, ordered
from tutor.sandbox.api.managed.shape import Shape
from tutor.sandbox.api.values import is_map
from tutor.sandbox.kinds import Object


class Comparison(NamedTuple):
    """`changed` has what is new and what has another value, `removed` what has gone."""

    changed: Fields
    removed: Fields


class _Found:
    """What differs at one level."""

    __slots__ = ("changed", "removed")

    def __init__(self) -> None:
        self.changed: Fields = {}
        self.removed: Fields = {}

    def add(self, element: str, below: "_Both") -> None:
        changed, removed = below
        if changed is not None:
            self.changed[element] = changed
        if removed is not None:
            self.removed[element] = removed

    def done(self) -> "_Both":
        changed = ordered(self.changed) if self.changed else None
        return changed, ordered(self.removed) if self.removed else None


_Both = tuple[Fields | None, Fields | None]
_SAME: _Both = (None, None)
_MODIFIED: _Both = ({}, None)


def compare(old: Object, new: Object, shape: Shape) -> Comparison:
    """Compare two objects of one type."""
    changed, removed = _fields(old, new, shape)
    return Comparison(changed or {}, removed or {})


def whole(value: Any, shape: Shape) -> Fields:
    """The value and everything in it, as it is when the value is added or removed."""
    if not value:
        return {}
    if shape.is_open(value):
        below = {field_element(name): whole(value[name], shape.field(name)) for name in value}
    elif shape.is_listing(value):
        below = {}
        for element, item in shape.items(value):
            # Items that are there twice are one thing.
            below[element] = {} if element in below else whole(item, shape.element)
    else:
        return {}
    return ordered({SELF: {}, **below})


def _differ(old: Any, new: Any, shape: Shape) -> _Both:
    if old == new:
        return _SAME
    if shape.kind in ("fields", "any"):
        return _objects(old, new, shape)
    if shape.kind == "leaf" or not (old or new):
        return _MODIFIED
    return _items(old or [], new or [], shape)


def _objects(old: Any, new: Any, shape: Shape) -> _Both:
    before, after = old if is_map(old) else {}, new if is_map(new) else {}
    if not before and not after:
        return _MODIFIED
    changed, removed = _fields(before, after, shape)
    if (old is not None and not is_map(old)) or (new is not None and not is_map(new)):
        # An object took the place of something else, or the other way round.
        changed = member(changed or {})
    return changed, removed


def _fields(old: Object, new: Object, shape: Shape) -> _Both:
    found = _Found()
    for name, value in new.items():
        if name not in old:
            found.changed[field_element(name)] = whole(value, shape.field(name))
        elif (before := old[name]) is not value and before != value:
            found.add(field_element(name), _differ(before, value, shape.field(name)))
    for name, value in old.items():
        if name not in new:
            found.removed[field_element(name)] = whole(value, shape.field(name))
    return found.done()


def _items(old: list[Any], new: list[Any], shape: Shape) -> _Both:
    before, after = _grouped(old, shape), _grouped(new, shape)
    found = _Found()
    for element in before | after:
        was, now = before.get(element, []), after.get(element, [])
        if was != now:
            found.add(element, _group(was, now, shape.element))
    return found.done()


def _grouped(values: list[Any], shape: Shape) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for element, value in shape.items(values):
        groups.setdefault(element, []).append(value)
    return groups


def _group(old: list[Any], new: list[Any], shape: Shape) -> _Both:
    """Compare what a list has under one element; several such items count as one thing."""
    match len(old), len(new):
        case 1, 1:
            return _differ(old[0], new[0], shape)
        case (0, 1) | (1, 0):
            return (whole(new[0], shape), None) if new else (None, whole(old[0], shape))
        case before, after if before > 1 and after > 1:
            return _MODIFIED
        case before, _ if before > 1:
            return (whole(new[0], shape) if new else None), {}
        case _:
            return {}, (whole(old[0], shape) if old else None)
