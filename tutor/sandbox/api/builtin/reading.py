"""Reading and filling objects without tripping over what is absent.

An absent field, a null and an empty value mean the same to the server in most places; these
accessors make them so.
"""

from collections.abc import Iterator
from typing import Any, cast

from tutor.sandbox.kinds import Object

INT32_MAX = 2**31 - 1


def part(obj: Object, *keys: str) -> Object:
    """The mapping below these keys, empty when there is none."""
    found: Object = obj
    for key in keys:
        found = found.get(key) or {}
    return found


def items(obj: Object, *keys: str) -> list[Any]:
    """The list below these keys, empty when there is none."""
    return part(obj, *keys[:-1]).get(keys[-1]) or []


def text(obj: Object, key: str) -> str:
    """The string under this key, empty when there is none."""
    return obj.get(key) or ""


def number(obj: Object, key: str) -> int:
    """The integer under this key, 0 when there is none."""
    return obj.get(key) or 0


def indexed(obj: Object, key: str, path: str) -> Iterator[tuple[Any, str]]:
    """Each item of the list under this key with its own path."""
    for index, item in enumerate(items(obj, key)):
        yield item, f"{path}.{key}[{index}]" if path else f"{key}[{index}]"


def ordered(mapping: Object) -> Object:
    """A map sorted by key, as the server prints maps."""
    return dict(sorted(mapping.items()))


def ensure(obj: Object, key: str) -> Object:
    """The mapping under this key, put there when there is none."""
    if obj.get(key) is None:
        obj[key] = {}
    return obj[key]


def fill(obj: Object, **defaults: Any) -> None:
    """Set each field that is absent or empty."""
    for key, value in defaults.items():
        if obj.get(key) in (None, "", 0):
            obj[key] = value


def fill_absent(obj: Object, **defaults: Any) -> None:
    """Set each field that is absent; zero and false are values."""
    for key, value in defaults.items():
        if obj.get(key) is None:
            obj[key] = value


def drop(obj: Object, *keys: str) -> None:
    """Remove these fields."""
    for key in keys:
        obj.pop(key, None)


def keep(new: Object, old: Object, *keys: str) -> None:
    """Make these fields of the new object what they are in the old one."""
    for key in keys:
        if key in old:
            new[key] = old[key]
        else:
            new.pop(key, None)


def without_absent(value: Any) -> Any:
    """The value without nulls and empty lists, which mean the same as nothing.

    Empty maps stay: an empty structure is not an absent one.
    """
    if isinstance(value, dict):
        mapping = cast("Object", value)
        cleaned = {key: without_absent(item) for key, item in mapping.items()}
        return {key: item for key, item in cleaned.items() if item not in (None, [])}
    if isinstance(value, list):
        return [without_absent(item) for item in cast("list[Any]", value)]
    return value


def same(one: Any, other: Any) -> bool:
    """Whether two values mean the same."""
    cleaned, other_cleaned = without_absent(one), without_absent(other)
    if cleaned in (None, "", {}, []):
        return other_cleaned in (None, "", {}, [])
    return bool(cleaned == other_cleaned)
