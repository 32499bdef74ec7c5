"""Path elements: one step into an object, spelled as FieldsV1 spells it.

`f:name` is a field, `k:{"name":"x"}` the item of a list that has these keys, `v:"x"` the item of a
set, `i:0` a place in a list, and `.` the value itself.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from tutor.sandbox.api.status import go_json, go_value
from tutor.sandbox.api.values import is_list, is_map

SELF = "."
_KINDS = ("f:", "k:", "v:", "i:")
_NUMBER, _STRING, _BOOLEAN, _LIST, _MAP, _NULL = range(6)


def field_element(name: str) -> str:
    """The element of a field."""
    return "f:" + name


def key_element(keys: Sequence[tuple[str, Any]]) -> str:
    """The element of a list's item, from its keys and their values."""
    members = ",".join(f"{go_json(name)}:{go_json(value)}" for name, value in sorted_keys(keys))
    return f"k:{{{members}}}"


def sorted_keys(keys: Sequence[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Keys by name."""
    return sorted(keys, key=lambda pair: pair[0])


def value_element(value: Any) -> str:
    """The element of a set's item."""
    return f"v:{go_json(value)}"


@lru_cache(maxsize=4096)
def order(element: str) -> tuple[Any, ...]:
    """What sorts the elements of one level: fields by name, keys and values by what they hold."""
    match element[:2]:
        case "f:":
            return (1, element[2:])
        case "k:":
            keys: dict[str, Any] = json.loads(element[2:])
            return (2, [(name, _rank(value)) for name, value in keys.items()])
        case "v:":
            return (3, _rank(json.loads(element[2:])))
        case "i:":
            return (4, int(element[2:]))
        case _:
            return (0,)


def _rank(value: Any) -> tuple[Any, ...]:
    if value is None:
        return (_NULL,)
    if isinstance(value, bool):
        return (_BOOLEAN, value)
    if isinstance(value, str):
        return (_STRING, value)
    if is_list(value):
        return (_LIST, [_rank(item) for item in value])
    if is_map(value):
        return (_MAP, [(name, _rank(value[name])) for name in sorted(value)])
    return (_NUMBER, value)


def shown(element: str) -> str:
    """The element as conflicts and complaints have it: `.data`, `[name="x"]`, `[="x"]`."""
    match element[:2]:
        case "k:":
            keys: dict[str, Any] = json.loads(element[2:])
            return f"[{','.join(f'{name}={go_value(value)}' for name, value in keys.items())}]"
        case "v:":
            return f"[={go_value(json.loads(element[2:]))}]"
        case "i:":
            return f"[{element[2:]}]"
        case _:
            return f".{element[2:]}"


def canonical(element: str) -> str:
    """The one spelling of an element that somebody else wrote; empty for an unknown kind of it.

    Raises:
        ValueError: it is no element.
    """
    if len(element) < 2:
        raise ValueError("key must be 2 characters long:")
    if element[1] != ":":
        raise ValueError(f"missing colon: {element}")
    if element[:2] not in _KINDS:
        return ""
    match element[:2]:
        case "k:":
            keys = json.loads(element[2:])
            if not is_map(keys):
                raise ValueError(f"expected an object: {element}")
            return key_element(list(keys.items()))
        case "v:":
            return value_element(json.loads(element[2:]))
        case "i:":
            return f"i:{int(element[2:])}"
        case _:
            return element
