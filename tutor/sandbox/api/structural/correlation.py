"""Which old value a new one is compared with, and whether the two are the same.

An update may keep what is already wrong: complaints about unchanged values are left out. Items of
lists find their old selves only where the list has keys. Source: Kubernetes' apiserver
(`pkg/cel/common/equality.go`).
"""

from collections.abc import Sequence
from typing import Any, Final, Protocol

from tutor.sandbox.api.values import is_list, is_map

ABSENT: Final = object()
"""There is no old value to compare with."""


def same(new: Any, old: Any) -> bool:
    """Deep equality of JSON values, in which true is not 1."""
    if type(new) is not type(old):
        return False
    if is_map(new):
        return new.keys() == old.keys() and all(same(new[key], old[key]) for key in new)
    if is_list(new):
        return len(new) == len(old) and all(map(same, new, old))
    return new == old


class Shape(Protocol):
    """What a schema says of how values of old and new belong together."""

    @property
    def list_type(self) -> str:
        """The `x-kubernetes-list-type`."""
        ...

    @property
    def list_keys(self) -> Sequence[str]:
        """What tells items of `map` lists apart."""
        ...

    @property
    def items(self) -> "Shape | None":
        """The items of a list."""
        ...

    def field(self, name: str) -> "Shape | None":
        """A field, None where nothing is known of it."""
        ...


def is_kept(new: Any, old: Any, shape: Shape) -> bool:
    """Whether a value is what it was, which it never is with fields that the schema lacks."""
    if is_map(new) and is_map(old):
        return len(new) == len(old) and all(
            key in old
            and (inner := shape.field(key)) is not None
            and is_kept(new[key], old[key], inner)
            for key in new
        )
    items = shape.items
    if is_list(new) and is_list(old) and shape.list_type == "map" and items is not None:
        return len(new) == len(old) and all(
            (before := same_item(item, old, shape.list_keys)) is not ABSENT
            and is_kept(item, before, items)
            for item in new
        )
    return same(new, old)


def same_item(item: Any, old: list[Any], keys: Sequence[str]) -> Any:
    """The old item with the same keys, all of which must be there, or `ABSENT`."""
    if not is_map(item):
        return ABSENT
    wanted = [item.get(key) for key in keys]
    if not all(isinstance(one, str | int | float) for one in wanted):
        return ABSENT
    for other in old:
        if is_map(other) and same([other.get(key) for key in keys], wanted):
            return other
    return ABSENT


def aligned(old: Any, new: Any, shape: Shape) -> Any:
    """The old value with sets and maps in the order of the new one: theirs does not matter."""
    if is_map(old) and is_map(new):
        return {
            key: aligned(value, new[key], inner)
            if key in new and (inner := shape.field(key)) is not None
            else value
            for key, value in old.items()
        }
    if not is_list(old) or not is_list(new) or shape.items is None:
        return old
    if shape.list_type == "set":
        return _aligned_set(old, new)
    if shape.list_type == "map":
        return _aligned_items(old, new, shape, shape.items)
    return old


def _aligned_items(old: list[Any], new: list[Any], shape: Shape, items: Shape) -> list[Any]:
    rest, found = list(old), list[Any]()
    for item in new:
        before = same_item(item, rest, shape.list_keys)
        if before is not ABSENT:
            rest = [one for one in rest if one is not before]
            found.append(aligned(before, item, items))
    return [*found, *rest]


def _aligned_set(old: list[Any], new: list[Any]) -> list[Any]:
    rest, found = list(old), list[Any]()
    for item in new:
        at = next((at for at, other in enumerate(rest) if same(item, other)), None)
        if at is not None:
            found.append(rest.pop(at))
    return [*found, *rest]
