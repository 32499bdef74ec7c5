"""Bodies in: JSON or YAML text to plain values, with what the text itself gets wrong.

Every value is finite and Unicode: integers fit in 64 bits, other numbers are `Number`, halves of
surrogate pairs and bytes that are not UTF-8 become U+FFFD, as the server has them.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isinf
from typing import Any, NoReturn, Self, cast

from tutor.sandbox.kinds import Object
from tutor.sandbox.schema.depth import too_deep
from tutor.sandbox.schema.errors import DecodeError, UnrecognizedError, quoted
from tutor.sandbox.schema.syntax import syntax_error

_PREFIX = "couldn't get version/kind; json parse error: "
_META = (
    'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; '
    'Kind string "json:\\"kind,omitempty\\"" }'
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_MAX_STRICT = 100
_SURE_TO_FIT = 19
"""Characters: a number with fewer is a 64-bit integer."""


class Number(float):
    """A number that is no 64-bit integer, with its spelling: quantities and messages want it."""

    __slots__ = ("text",)

    text: str

    def __new__(cls, text: str) -> Self:
        """Read the number that JSON spells so."""
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


class Repeated(dict[str, Any]):
    """An object of whose members some are named twice: the last ones, and all of them in order."""

    __slots__ = ("members",)

    members: list[tuple[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A body as text, before its kind's type is looked at."""

    value: Object
    """May hold `Repeated` objects, which `decode` reports; a plain dict in every other respect."""
    api_version: str
    kind: str
    duplicates: tuple[str, ...]
    """Strict errors of the text: `duplicate field "metadata.name"`, in order. For objects without a
    built-in type; `decode` finds those of JSON by itself."""
    preface: tuple[str, ...] = ()
    """Strict errors that come before those of `decode`: what YAML repeats."""


def parse(body: bytes) -> Parsed:
    """Read a JSON body; raises `UnrecognizedError` with the server's words for what is none."""
    value, has_repeated = _read(body)
    if value is None:
        value = {}
    if not isinstance(value, dict):
        raise not_an_object(value)
    members = cast("Object", value)
    found = dict.fromkeys(_duplicates(members, "")) if has_repeated else ()
    return parsed_object(members, duplicates=tuple(found)[:_MAX_STRICT])


def parse_json(body: bytes) -> Any:
    """Read any JSON value, objects with repeated members as `Repeated`."""
    return _read(body)[0]


def _read(body: bytes) -> tuple[Any, bool]:
    """The value, and whether any object in it has repeated members."""
    text = body.decode("utf-8", "surrogateescape")
    if not text.isascii():
        text = _SURROGATE.sub("\ufffd", text)
    if too_deep(text):
        raise UnrecognizedError(f"{_PREFIX}exceeded max depth")
    has_repeated = False
    try:
        try:
            value = _DECODER.decode(text)
        except _HasRepeatedError:
            has_repeated = True
            value = _TELLING_DECODER.decode(text)
    except ValueError:
        raise UnrecognizedError(f"{_PREFIX}{syntax_error(body)}") from None
    if _SURROGATE_ESCAPE.search(text):
        value = _without_surrogates(value)
    return value, has_repeated


def parsed_object(
    value: Object, *, duplicates: tuple[str, ...] = (), preface: tuple[str, ...] = ()
) -> Parsed:
    """A value together with the kind that it claims to be of."""
    return Parsed(
        value=value,
        api_version=_meta(value, "apiVersion"),
        kind=_meta(value, "kind"),
        duplicates=duplicates,
        preface=preface,
    )


def not_an_object(value: Any) -> UnrecognizedError:
    """What the server says of a body that is some other JSON value."""
    return UnrecognizedError(f"{_PREFIX}{_wrong_type(value)} into Go value of type {_META}")


def _meta(value: Object, name: str) -> str:
    """A member of the type's meta data; this one look is blind to case, as in Go."""
    found = value.get(name)
    if found is None:
        folded = name.lower()
        found = next((v for k, v in value.items() if k.lower() == folded and v is not None), "")
    if not isinstance(found, str):
        where = f"Go struct field .{name} of type string"
        raise UnrecognizedError(f"{_PREFIX}{_wrong_type(found)} into {where}")
    if name == "apiVersion" and found.count("/") > 1:
        raise UnrecognizedError(f"unexpected GroupVersion string: {found}")
    return found


def _wrong_type(value: Any) -> str:
    return f"json: cannot unmarshal {word_for(value)}"


def word_for(value: Any) -> str:
    """What Go calls a JSON value in its messages."""
    match value:
        case None:
            return "null"
        case bool():
            return "bool"
        case str():
            return "string"
        case int() | float():
            return "number"
        case dict():
            return "object"
        case _:
            return "array"


def _duplicates(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        seen: set[str] = set()
        pairs = members.members if isinstance(members, Repeated) else members.items()
        for name, item in pairs:
            inner = f"{path}.{name}" if path else name
            if name in seen:
                yield f"duplicate field {quoted(inner)}"
            seen.add(name)
            yield from _duplicates(item, inner)
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _duplicates(item, f"{path}[{index}]")


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_surrogates(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        pairs = members.members if isinstance(members, Repeated) else list(members.items())
        mended = [(_without_surrogates(k), _without_surrogates(v)) for k, v in pairs]
        plain = dict(mended)
        return plain if len(plain) == len(mended) else _repeated(plain, mended)
    return value


def _repeated(plain: dict[str, Any], members: list[tuple[str, Any]]) -> Repeated:
    repeated = Repeated(plain)
    repeated.members = members
    return repeated


def _integer(text: str) -> int | Number:
    if len(text) < _SURE_TO_FIT:
        return int(text)
    if len(text) <= _SURE_TO_FIT + 1 and -(2**63) <= (number := int(text)) < 2**63:
        return number
    return _number(text)


def _number(text: str) -> Number:
    number = Number(text)
    if isinf(number):
        raise DecodeError(f"json: cannot unmarshal number {text} into Go value of type float64")
    return number


def _constant(text: str) -> NoReturn:
    raise ValueError(text)


class _HasRepeatedError(Exception):
    """Some object has repeated members: rare, and to tell which is slow."""


def _plain_object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(members)
    if len(plain) != len(members):
        raise _HasRepeatedError
    return plain


def _telling_object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(members)
    return plain if len(plain) == len(members) else _repeated(plain, members)


def _decoder(object_of: Callable[[list[tuple[str, Any]]], dict[str, Any]]) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=object_of,
        parse_float=_number,
        parse_int=_integer,
        parse_constant=_constant,
    )


_DECODER, _TELLING_DECODER = _decoder(_plain_object), _decoder(_telling_object)
