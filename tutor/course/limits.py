"""What the values in a lesson's files may be.

Whoever has a lesson needs nothing of this; the library that checks files asks it when it reads one.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any

CoreSchema = dict[str, Any]
"""As pydantic-core has it."""


class Limits:
    """Bounds of a text, a number or a list, by the names that pydantic-core has for them."""

    def __init__(self, **bounds: float | str) -> None:
        self._bounds = bounds

    def __get_pydantic_core_schema__(
        self, source: Any, handler: Callable[[Any], CoreSchema]
    ) -> CoreSchema:
        return {**handler(source), **self._bounds}


class Key:
    """The name that a field has in the file, where it has another one."""

    def __init__(self, name: str) -> None:
        self.name = name


class Period:
    """A time as a person writes it."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: Callable[[Any], CoreSchema]
    ) -> CoreSchema:
        read = {"type": "no-info", "function": _duration}
        return {"type": "function-before", "function": read, "schema": handler(source)}

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: object) -> CoreSchema:
        del schema, handler
        return {"type": "string", "pattern": f"^{_DURATION.pattern}$"}


_DURATION = re.compile(r"([0-9]+)(ms|s|m|h)")
_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours"}


def _duration(value: Any) -> timedelta:
    match = _DURATION.fullmatch(str(value))
    if match is None:
        raise ValueError(f"a time such as 500ms, 2s or 1m should stand here, not {kind_of(value)}")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


_SHORT = 40
"""Characters of a wrong text that a message quotes."""


def kind_of(value: Any) -> str:
    """What a value is, in words."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"the boolean {str(value).lower()}"
        case int() | float():
            return f"the number {value}"
        case str():
            return (
                f"the text {value!r}" if len(value) <= _SHORT else f"the text {value[:_SHORT]!r}…"
            )
        case tuple():
            return "a list"
        case _:
            return "keys and values"


Duration = Annotated[timedelta, Period()]
"""A time as a person writes it: `500ms`, `2s`, `1m`."""

Slug = Annotated[str, Limits(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
"""A stable name: small letters, digits and single hyphens."""

Text = Annotated[str, Limits(min_length=1)]
"""A text that says something."""
