"""Read stored objects whose zero values may be absent, and print what several kinds share."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from tutor.sandbox.api.printers.age import since
from tutor.sandbox.api.selectors import label_selector
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.api.values import is_list, is_map
from tutor.sandbox.kinds import Object

NONE = "<none>"
UNSET = "<unset>"

_SHOWN = 3


def at(value: Any, *path: str) -> Any:
    """The value at a path of keys, or None when there is none."""
    for key in path:
        if not is_map(value):
            return None
        value = value.get(key)
    return value


def text(value: Any, *path: str, default: str = "") -> str:
    """The string at a path; the default stands in for one that is absent, not for an empty one."""
    found = at(value, *path)
    return default if found is None else found


def number(value: Any, *path: str, default: int = 0) -> int:
    """The integer at a path."""
    found = at(value, *path)
    return default if found is None else found


def flag(value: Any, *path: str, default: bool = False) -> bool:
    """The boolean at a path."""
    found = at(value, *path)
    return default if found is None else found


def items(value: Any, *path: str) -> list[Any]:
    """The list at a path, empty when there is none."""
    found = at(value, *path)
    return found if is_list(found) else []


def mapping(value: Any, *path: str) -> dict[str, Any]:
    """The map at a path, empty when there is none."""
    found = at(value, *path)
    return found if is_map(found) else {}


def name(obj: Object) -> str:
    """The object's name."""
    return text(obj, "metadata", "name")


def age(obj: Object, now: datetime) -> str:
    """The object's age."""
    return since(at(obj, "metadata", "creationTimestamp"), now)


def is_deleting(obj: Object) -> bool:
    """Whether the object has been asked to go."""
    return at(obj, "metadata", "deletionTimestamp") is not None


def condition(conditions: Iterable[Any], type_: str) -> Object | None:
    """The first condition of a type, or None."""
    return next((one for one in conditions if text(one, "type") == type_), None)


def is_true(found: Object | None) -> bool:
    """Whether a condition is there and has status True."""
    return text(found, "status") == "True"


def container_cells(containers: list[Any]) -> list[str]:
    """Names and images, each joined by commas."""
    return [",".join(text(one, key) for one in containers) for key in ("name", "image")]


def labels(found: Mapping[str, str]) -> str:
    """Print labels as `a=b,c=d`, sorted."""
    return ",".join(sorted(f"{key}={value}" for key, value in found.items())) or NONE


def selector(found: Object | None) -> str:
    """Print a LabelSelector as `a=b,c in (d,e)`."""
    try:
        return str(label_selector(found)) or NONE
    except ApiError:
        return "<error>"


def shortened(shown: list[str]) -> str:
    """Join the first few entries and say how many more there are."""
    listed = ",".join(shown[:_SHOWN])
    more = len(shown) - _SHOWN
    return f"{listed} + {more} more..." if more > 0 else listed
