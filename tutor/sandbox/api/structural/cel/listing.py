"""CEL's functions on lists, in Python. Source: apiserver (`pkg/cel/library/lists.go`), cel-go."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

from tutor.sandbox.api.values import is_list


def index_of(items: list[Any], wanted: Any) -> int:
    """Where a value is first found, or -1."""
    return next((at for at, item in enumerate(items) if item == wanted), -1)


def last_index_of(items: list[Any], wanted: Any) -> int:
    """Where a value is last found, or -1."""
    return next((at for at in reversed(range(len(items))) if items[at] == wanted), -1)


def is_sorted(items: list[Any]) -> bool:
    """Whether no item is less than the one before it."""
    return all(before <= after for before, after in pairwise(items))


def total(items: list[Any]) -> Any:
    """The sum of numbers or durations."""
    start: Any = timedelta() if items and isinstance(items[0], timedelta) else 0
    return sum(items, start)


def least(items: list[Any]) -> Any:
    """The least item; raises ValueError for an empty list."""
    if not items:
        raise ValueError("min called on empty list")
    return min(items)


def greatest(items: list[Any]) -> Any:
    """The greatest item; raises ValueError for an empty list."""
    if not items:
        raise ValueError("max called on empty list")
    return max(items)


def reverse(items: list[Any]) -> list[Any]:
    """The items from the last."""
    return items[::-1]


def count_to(end: int) -> list[int]:
    """The integers from 0 up to another."""
    return list(range(end))


def distinct(items: list[Any]) -> list[Any]:
    """Each value once, where it is first found."""
    return [item for at, item in enumerate(items) if item not in items[:at]]


def part(items: list[Any], start: int, end: int) -> list[Any]:
    """The items from a place up to another; raises ValueError for places that are not there."""
    if not 0 <= start <= end <= len(items):
        raise ValueError(f"cannot slice({start}, {end}), list is length {len(items)}")
    return items[start:end]


def flatten(items: list[Any], depth: int = 1) -> list[Any]:
    """The items of the lists in a list instead of those lists, to a depth."""
    out: list[Any] = []
    for item in items:
        if is_list(item) and depth > 0:
            out.extend(flatten(item, depth - 1))
        else:
            out.append(item)
    return out


def contains(items: list[Any], others: list[Any]) -> bool:
    """Whether every one of the others is among the items."""
    return all(other in items for other in others)


def equivalent(items: list[Any], others: list[Any]) -> bool:
    """Whether both have the same values."""
    return contains(items, others) and contains(others, items)


def intersects(items: list[Any], others: list[Any]) -> bool:
    """Whether they have a value in common."""
    return any(other in items for other in others)


def sorted_by(items: list[Any], keys: list[Any]) -> list[Any]:
    """The items in the order of their keys."""
    order = sorted(range(len(items)), key=lambda at: keys[at])
    return [items[at] for at in order]


def with_entry(entries: dict[Any, Any], key: Any, value: Any) -> dict[Any, Any]:
    """A map with one entry more; raises ValueError for a key that it has."""
    return with_entries(entries, {key: value})


def with_entries(entries: dict[Any, Any], more: dict[Any, Any]) -> dict[Any, Any]:
    """A map with entries of another; raises ValueError for a key that it has."""
    for key in more:
        if key in entries:
            raise ValueError(f"insert failed: key {key} already exists")
    return {**entries, **more}
