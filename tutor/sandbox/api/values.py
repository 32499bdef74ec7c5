"""JSON values: told apart in words that the type checker follows, and copied."""

from typing import Any, TypeGuard


def is_map(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether the value is a JSON object."""
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Whether the value is a JSON array."""
    return isinstance(value, list)


def fresh(value: Any) -> Any:
    """A copy of a JSON value that shares no object and no array with it."""
    if is_map(value):
        return {key: fresh(inner) for key, inner in value.items()}
    if is_list(value):
        return [fresh(inner) for inner in value]
    return value
