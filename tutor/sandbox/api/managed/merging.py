"""Merge a configuration into an object, and take fields out of one.

Source: structured-merge-diff (`typed/merge.go`, `typed/remove.go`).
"""

from typing import Any

from tutor.sandbox.api.managed.elements import field_element
from tutor.sandbox.api.managed.fields import Fields, is_member
from tutor.sandbox.api.managed.shape import BadItem, Shape
from tutor.sandbox.api.values import is_list, is_map
from tutor.sandbox.kinds import Object

_ABSENT = object()


def merged(live: Object, config: Object, shape: Shape) -> Object:
    """The object with everything that the configuration says; nothing goes away by it."""
    return _fields(live, config, shape)


def _merge(live: Any, config: Any, shape: Shape) -> Any:
    if config is _ABSENT or live is _ABSENT:
        return live if config is _ABSENT else config
    if shape.kind in ("fields", "any") and (config is None or is_map(config)):
        before = live if is_map(live) else {}
        return _fields(before, config or {}, shape) if before or config else config
    if shape.kind in ("keyed", "set"):
        return _items(live or [], config or [], shape) if live or config else config
    return config


def _fields(live: Object, config: Object, shape: Shape) -> Object:
    return {
        name: _merge(live.get(name, _ABSENT), config.get(name, _ABSENT), shape.field(name))
        for name in live | config
    }


def _items(live: list[Any], config: list[Any], shape: Shape) -> list[Any]:
    """The items of both: those of the configuration in its order, the others where they were.

    An item that only the object has comes before the first shared item that stood behind it.
    """
    ours, theirs = list(shape.items(live)), dict(shape.items(config))
    known = _first_of_each(ours)
    shared = [element for element in theirs if element in known]
    placed: set[str] = set()
    out: list[Any] = []

    def place(element: str) -> None:
        placed.add(element)
        if shared and shared[0] == element:
            shared.pop(0)
        out.append(_merge(known.get(element, _ABSENT), theirs[element], shape.element))

    at, waiting = 0, list(theirs)
    while at < len(ours) or waiting:
        if at < len(ours):
            element, item = ours[at]
            if waiting and element == waiting[0]:
                place(waiting.pop(0))
                at += 1
                continue
            if waiting and element in theirs and shared and shared[0] != element:
                at += 1
                continue
            if element not in theirs:
                out.append(item)
                at += 1
                continue
            if element in placed:
                at += 1
        if waiting:
            place(waiting.pop(0))
    return out


def _first_of_each(items: list[tuple[str, Any]]) -> dict[str, Any]:
    """Items by element; null for those that are there twice, which merge with nothing."""
    found: dict[str, Any] = {}
    for element, item in items:
        found[element] = None if element in found else item
    return found


def without(value: Any, gone: Fields, shape: Shape) -> Any:
    """The value without some fields; containers stay when they get empty."""
    if shape.is_open(value):
        kept: Object = {}
        for name, inner in value.items():
            below = gone.get(field_element(name))
            if below is None:
                kept[name] = inner
            elif not is_member(below):
                kept[name] = without(inner, below, shape.field(name))
        return kept
    if shape.is_listing(value):
        return _items_without(value, gone, shape)
    if is_map(value):
        return {}
    return [] if is_list(value) else value


def _items_without(values: list[Any], gone: Fields, shape: Shape) -> list[Any]:
    kept: list[Any] = []
    for item in values:
        try:
            below = gone.get(shape.item(item))
        except BadItem:
            below = None
        if below is None:
            kept.append(item)
        elif not is_member(below):
            kept.append(without(item, below, shape.element))
    return kept
