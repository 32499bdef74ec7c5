"""Which old value a new one is compared with, and whether the two are the same.

An update may keep what is already wrong: complaints about unchanged values are left out. Items of
lists find their old selves only where the list has keys. Source: Kubernetes' apiserver
(`pkg/cel/common/equality.go`).
"""

from collections.abc import Sequence
from typing import Any, Final

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


def same_item(item: Any, old: list[Any], keys: Sequence[str]) -> Any:
    """The old item with the same keys, or `ABSENT`."""
    if not is_map(item):
        return ABSENT
    wanted = [item.get(key) for key in keys]
    for other in old:
        if is_map(other) and [other.get(key) for key in keys] == wanted:
            return other
    return ABSENT
