"""What an author may write of each part of a lesson: models that check it, made of `model`.

Only who reads files needs these; a lesson that was read is made of the parts themselves.
"""

from collections.abc import Collection, Iterable
from datetime import timedelta
from functools import cache
from types import UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Self,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

import pydantic

from tutor.course.interpret import Node, interpret
from tutor.course.limits import Key
from tutor.course.model import Block, File, Question, Set
from tutor.course.part import Part
from tutor.course.places import Where
from tutor.errors import CourseError

P = TypeVar("P", bound=Part)

BLOCK_KINDS: tuple[str, ...] = tuple(each.__name__.lower() for each in get_args(Block))


class Form(Node):
    """What a file has to say of a part."""

    part: ClassVar[type[Part]]

    @pydantic.model_validator(mode="after")
    def _whole(self) -> Self:
        if fault := _fault(self):
            raise ValueError(fault)
        return self


def read(kind: type[P], where: Where, faults: list[CourseError]) -> P | None:
    """The part at `where`; None when it cannot be one, with the reasons in `faults`."""
    form = interpret(form_of(kind), where, faults)
    return None if form is None else cast("P", _made(form))


@cache
def form_of(kind: type[Part]) -> type[Form]:
    """The model of a part."""
    hints = get_type_hints(kind, include_extras=True)
    definitions: dict[str, Any] = {
        name: (_formed(hints[name]), _field(kind, name, hints[name])) for name in kind.names
    }
    made = pydantic.create_model(
        kind.__name__, __base__=Form, __doc__=kind.__doc__, __module__=__name__, **definitions
    )
    made.part, made.opaque = kind, kind.opaque
    return made


def _formed(kind: Any) -> Any:
    """A type with models in place of the parts."""
    arguments = get_args(kind)
    match get_origin(kind):
        case None:
            return form_of(kind) if issubclass(kind, Part) else kind
        case origin if origin is Annotated:
            return Annotated[(_formed(arguments[0]), *arguments[1:])]
        case origin if origin is tuple:
            return tuple[_formed(arguments[0]), ...]
        case origin if origin in {Union, UnionType}:
            return _one_of(kind, arguments)
        case _:
            return kind


def _one_of(kind: Any, arguments: tuple[Any, ...]) -> Any:
    if kind == Question:
        return Annotated[_either(map(form_of, arguments)), pydantic.Discriminator("kind")]
    if kind != Block:
        return _either(map(_formed, arguments))
    tagged = [Annotated[form_of(each), pydantic.Tag(each.__name__)] for each in arguments]
    return Annotated[
        _either(tagged),
        pydantic.Discriminator(
            _block_kind,
            custom_error_type="block_kind",
            custom_error_message=f"a block has exactly one of {', '.join(BLOCK_KINDS)}",
        ),
    ]


def _either(kinds: Iterable[Any]) -> Any:
    union, *others = kinds
    for each in others:
        union |= each
    return union


def _block_kind(value: Any) -> str | None:
    if isinstance(value, Form):
        return type(value).__name__
    given = cast("Collection[str]", value if isinstance(value, dict) else ())
    kinds = [kind for kind in BLOCK_KINDS if kind in given]
    return kinds[0].title() if len(kinds) == 1 else None


def _field(kind: type[Part], name: str, hint: Any) -> Any:
    """Its name in the file, and what it is when that leaves it out."""
    alias = next((each.name for each in get_args(hint) if isinstance(each, Key)), None)
    default = getattr(kind, name, ...)
    if isinstance(default, timedelta):
        text = f"{default.total_seconds():g}s"
        return pydantic.Field(default=text, alias=alias, validate_default=True)
    return pydantic.Field(default=default, alias=alias)


def _fault(form: Form) -> str:
    """Why what was written is no whole part, where its keys one by one are right."""
    found = cast("Any", form)
    if form.part is File and (found.content is None) == (found.source is None):
        return "a file has either `content` or `from`"
    if form.part is Set:
        ways = ("to" in form.model_fields_set) + (found.source is not None) + found.remove
        return "" if ways == 1 else "a change has one of `to`, `from` and `remove: true`"
    return ""


def _made(value: Any) -> Any:
    """The parts that forms speak of."""
    if isinstance(value, Form):
        names = ("where", *value.part.names)
        return value.part(**{name: _made(getattr(value, name)) for name in names})
    if isinstance(value, tuple):
        return tuple(map(_made, cast("tuple[Any, ...]", value)))
    return value
