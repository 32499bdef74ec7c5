"""Plain data to models, with a message for a person at each fault.

A `Node` knows where it stands in its file. Unknown keys do not stop the reading: all faults of a
file come out together.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, TypeVar, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    InstanceOf,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import ErrorDetails

from tutor.course.limits import kind_of
from tutor.course.places import NOWHERE, TREE_CHECK, Where
from tutor.errors import CourseError
from tutor.nearest import did_you_mean

_WHERE = "<where>"


class Node(BaseModel):
    """A mapping in a lesson's file: no key but those declared, and never changed."""

    # A course that is on the shelf is not validated again, and the validators are never built.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    opaque: ClassVar[frozenset[str]] = frozenset()
    """Keys whose value is kept as plain data and read by somebody else."""

    where: SkipJsonSchema[InstanceOf[Where]] = Field(
        default=NOWHERE, alias=_WHERE, exclude=True, repr=False
    )

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """The keys an author may write, in the order of the model."""
        return tuple(
            info.alias or name for name, info in cls.model_fields.items() if info.alias != _WHERE
        )

    @model_validator(mode="before")
    @classmethod
    def _place(cls, data: Any, info: ValidationInfo) -> Any:
        """Note unknown keys, and tell each node below where it stands."""
        given = cast("dict[str, Any]", data)
        if not isinstance(data, dict) or _WHERE not in data:
            return given
        where: Where = given[_WHERE]
        faults = cast("list[CourseError]", info.context)
        known = cls.keys()
        faults.extend(_unknown(where, key, known) for key in given if key not in {*known, _WHERE})
        return {
            key: value if key == _WHERE or key in cls.opaque else _placed(value, where / key)
            for key, value in given.items()
            if key in {*known, _WHERE}
        }


def _placed(value: Any, where: Where) -> Any:
    if isinstance(value, dict):
        return {**cast("dict[str, Any]", value), _WHERE: where}
    if isinstance(value, tuple):
        items = cast("tuple[Any, ...]", value)
        return tuple(_placed(item, where / index) for index, item in enumerate(items))
    return value


def _unknown(where: Where, key: str, known: Iterable[str]) -> CourseError:
    return (where / key).error(
        f"unknown key `{key}`{did_you_mean(key, known)}",
        next_action=f"Keys that may stand here: {', '.join(known)}.",
        key=True,
    )


N = TypeVar("N", bound=Node)


def interpret(model: type[N], where: Where, faults: list[CourseError]) -> N | None:
    """The node at `where` as a model; None when it cannot be one, with the reasons in `faults`."""
    value = where.value
    if not isinstance(value, dict):
        faults.append(where.error(f"keys and values should stand here, not {kind_of(value)}"))
        return None
    try:
        return model.model_validate(
            {**cast("dict[str, Any]", value), _WHERE: where}, context=faults
        )
    except ValidationError as error:
        faults.extend(_fault(details, where) for details in error.errors(include_url=False))
        return None


def _fault(details: ErrorDetails, where: Where) -> CourseError:
    node, name = _locate(details["loc"], where)
    message, next_action = _words(details, name)
    return node.error(message, next_action=next_action)


def _locate(loc: tuple[int | str, ...], where: Where) -> tuple[Where, str]:
    """The node an error speaks of, and its name. Parts that name a variant are passed over."""
    name = "this"
    for part in loc:
        value = where.value
        if isinstance(value, dict) and isinstance(part, str):
            name = part
            where = where / part
        elif isinstance(value, tuple) and isinstance(part, int):
            where = where / part
    return where, name


_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "model_type": "keys and values",
    "model_attributes_type": "keys and values",
    "dict_type": "keys and values",
}


def _words(details: ErrorDetails, name: str) -> tuple[str, str]:
    kind, value = details["type"], details["input"]
    context: Mapping[str, Any] = details.get("ctx", {})
    if kind == "missing":
        key = details["loc"][-1]
        return f"the key `{key}` is missing", f"Add `{key}:` here."
    if kind in _WANTED:
        wanted = _WANTED[kind]
        quoting = " Put the value in quotes." if wanted == "text" and _is_scalar(value) else ""
        return (
            f"`{name}` should be {wanted}, not {kind_of(value)}",
            f"Write {wanted} here.{quoting}",
        )
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", str(context["expected"]))
        return (
            f"`{name}` cannot be {kind_of(value)}{did_you_mean(str(value), allowed)}",
            f"It is one of: {', '.join(allowed)}.",
        )
    if kind == "string_pattern_mismatch":
        return f"`{name}` cannot be {kind_of(value)}", f"It has to match {context['pattern']}."
    if kind in {"too_short", "string_too_short"}:
        return f"`{name}` is empty", "Write something here, or take the key out."
    message = details["msg"].removeprefix("Value error, ")
    return f"`{name}`: {message[:1].lower()}{message[1:]}", TREE_CHECK


def _is_scalar(value: Any) -> bool:
    return value is not None and not isinstance(value, dict | tuple)
