"""Reading JSON-like data of unknown shape without trusting it."""

from __future__ import annotations

from typing import Any, cast


def mapping(value: object) -> dict[str, Any]:
    """The value when it is a mapping, otherwise an empty one."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """The value when it is a list, otherwise an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def text(value: object) -> str:
    """The value when it is a string, otherwise an empty one."""
    return value if isinstance(value, str) else ""


def at(value: object, *keys: str) -> Any:
    """What stands below these keys, or None where the path ends early."""
    for key in keys:
        value = mapping(value).get(key)
    return value


def json_type(value: object) -> str:
    """What Go's json package calls a value of this type."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"
