"""Maps to typed objects without JSON between them, as the server does after a strategic merge.

It complains in other words than the reader of bodies, and lets numbers wrap around.

Source: k8s.io/apimachinery v0.36 (`runtime/converter.go`).
"""

from typing import Any, cast

from tutor.sandbox.schema import declarations
from tutor.sandbox.schema.declarations import Type
from tutor.sandbox.schema.errors import DecodeError
from tutor.sandbox.schema.plan import reader_of
from tutor.sandbox.schema.reading import Reading

_BITS = {"int32": 32, "int64": 64}
_WORDS = {str: "string", bool: "bool", int: "int64", float: "float64", dict: "map", list: "slice"}


def convert(group: str, version: str, kind: str, value: Any) -> Any:
    """A value whose parts have the types of a built-in kind, ready to be decoded.

    Raises:
        DecodeError: one of them cannot have its type; the text is the server's.
    """
    type_ = declarations.find(group, version, kind)
    return value if type_ is None else _converted(type_, value)


def _converted(type_: Type, value: Any) -> Any:
    if value is None:
        return None
    type_ = declarations.bare(type_)
    match type_.shape:
        case "scalar":
            return _scalar(type_, value)
        case "codec":
            _read_itself(type_, value)
            return value
        case "struct":
            return _struct(type_, value)
        case "map":
            return _map(type_, value)
        case _:
            return _list(type_, value)


def _word(value: Any) -> str:
    return next(word for of, word in _WORDS.items() if isinstance(value, of))


def _scalar(type_: Type, value: Any) -> Any:
    word = _word(value)
    name = type_.name
    if word == name or (name == "float64" and word == "int64"):
        return value
    if name in _BITS and word in ("int64", "float64") and value == int(value):
        half = 1 << (_BITS[name] - 1)
        return (int(value) + half) % (2 * half) - half
    # Go can make a string of an integer (a character), so it says here that it will not.
    if (word == "int64" and name == "string") or (word == "float64" and name in _BITS):
        raise DecodeError(f"cannot convert {word} to {type_.go}")
    raise DecodeError(f"unrecognized type: {name}")


def _read_itself(type_: Type, value: Any) -> None:
    reading = Reading()
    reader_of(type_)(value, None, reading)
    reading.finish()


def _struct(type_: Type, value: Any) -> Any:
    if not isinstance(value, dict):
        raise DecodeError(f"cannot restore struct from: {_word(value)}")
    members = cast("dict[str, Any]", value)
    done = dict(members)
    for field, _ in declarations.json_fields(type_):
        if field.name in members:
            done[field.name] = _converted(field.type, members[field.name])
    return done


def _map(type_: Type, value: Any) -> Any:
    if not isinstance(value, dict):
        raise DecodeError(f"cannot restore map from {_word(value)}")
    assert type_.element is not None  # noqa: S101 - maps have one
    element = type_.element
    members = cast("dict[str, Any]", value)
    return {name: _converted(element, item) for name, item in members.items()}


def _list(type_: Type, value: Any) -> Any:
    if declarations.is_bytes(type_) and isinstance(value, str):
        try:
            _read_itself(type_, value)
        except DecodeError as error:
            raise DecodeError(f"error decoding from json: {error}") from None
        return value
    if not isinstance(value, list):
        raise DecodeError(f"cannot restore slice from {_word(value)}")
    assert type_.element is not None  # noqa: S101 - lists have one
    element = type_.element
    return [_converted(element, item) for item in cast("list[Any]", value)]
