"""Lists whose items must differ: sets, and maps by the keys of their items.

Source: Kubernetes' apiextensions-apiserver (`pkg/apiserver/schema/listtype`).
"""

from collections.abc import Iterator, Sequence
from typing import Any

from tutor.sandbox.api.status import FieldError, duplicate, invalid
from tutor.sandbox.api.structural.schema import Schema, inside
from tutor.sandbox.api.values import is_list, is_map


def check_lists(value: Any, schema: Schema, path: str = "") -> Iterator[FieldError]:
    """What is there twice, in this value and below."""
    if not schema.keyed:
        return
    if is_list(value):
        if schema.list_type == "set":
            for index in _repeated(value):
                yield duplicate(f"{path}[{index}]", value[index])
        elif schema.list_type == "map":
            yield from _check_keys(value, schema.list_keys, path)
    for inner, sub, at in inside(value, schema, path):
        yield from check_lists(inner, sub, at)


def _check_keys(items: list[Any], keys: Sequence[str], path: str) -> Iterator[FieldError]:
    for index, item in enumerate(items):
        if item is not None and not is_map(item):
            text = "must be an object for an array of list-type map"
            yield invalid(f"{path}[{index}]", item, text)
            return
    found = [{key: item[key] for key in keys if item and key in item} for item in items]
    for index in _repeated(found):
        yield duplicate(f"{path}[{index}]", dict(sorted(found[index].items())))


def _repeated(items: list[Any]) -> list[int]:
    """Where each value that is there more than once stands for the second time."""
    seen: dict[str, int] = {}
    places: list[int] = []
    for index, item in enumerate(items):
        # Written out, since true and 1 are one key to Python.
        written = repr(item) if not is_map(item) else repr(sorted(item.items(), key=repr))
        seen[written] = seen.get(written, 0) + 1
        if seen[written] == 2:
            places.append(index)
    return places
