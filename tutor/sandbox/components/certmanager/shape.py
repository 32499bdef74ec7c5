"""Go's view of JSON: what struct fields accept, and what they are written back as.

The webhook decodes every object into Go structs and encodes it again. Durations become canonical,
zero values that may be left out vanish, required ones appear. A value of the wrong JSON type is
remembered and decoding goes on; a value that its own type refuses ends it at once.

Source: sigs.k8s.io/json (encoding/json of Go 1.20), metav1.Duration.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tutor.sandbox.api.go_duration import (
    DurationError,
    format_duration,
    parse_duration,
)
from tutor.sandbox.api.values import is_list, is_map

ScalarKind = Literal["string", "bool", "int", "bytes", "duration", "time"]
_INT_BITS = {"int": 64, "int32": 32, "int64": 64}
_ZERO: dict[ScalarKind, Any] = {
    "string": "",
    "bool": False,
    "int": 0,
    "bytes": None,
    "duration": "0s",
    "time": None,
}


class Undecodable(ValueError):
    """The object does not fit its Go type; the text is Go's own sentence."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A plain value; `go` is its Go type as errors name it."""

    kind: ScalarKind
    go: str


@dataclass(frozen=True, slots=True)
class ListOf:
    """A slice."""

    item: "GoType"

    @property
    def go(self) -> str:
        """The Go type."""
        return f"[]{self.item.go}"


@dataclass(frozen=True, slots=True)
class MapOf:
    """A map with string keys."""

    value: "GoType"

    @property
    def go(self) -> str:
        """The Go type."""
        return f"map[string]{self.value.go}"


@dataclass(frozen=True, slots=True)
class Opaque:
    """A value that is taken as it is."""

    go: str = "interface {}"


@dataclass(frozen=True, slots=True)
class Member:
    """A field of a struct. `kept` is one without `omitempty`, `pointer` tells nil from zero."""

    type: "GoType"
    kept: bool = False
    pointer: bool = False


@dataclass(frozen=True, slots=True)
class Struct:
    """A struct by its Go name; fields it does not have are dropped."""

    name: str
    members: Mapping[str, Member]

    @property
    def go(self) -> str:
        """The Go type: every package of cert-manager's APIs is named v1."""
        return f"v1.{self.name}"


GoType = Scalar | ListOf | MapOf | Opaque | Struct


@dataclass(slots=True)
class _Place:
    struct: str = ""
    path: tuple[str, ...] = ()
    mismatches: list[str] = field(default_factory=list[str])

    def inside(self, struct: str, name: str) -> "_Place":
        return _Place(struct, (*self.path, name), self.mismatches)

    def mismatch(self, value: Any, expected: str) -> None:
        at = f"Go struct field {self.struct}.{'.'.join(self.path)}" if self.struct else "Go value"
        what = _json_word(value, expected)
        self.mismatches.append(f"json: cannot unmarshal {what} into {at} of type {expected}")


def recode(value: Any, struct: Struct) -> dict[str, Any]:
    """An object as the webhook's Go code writes it back.

    Raises:
        Undecodable: It does not fit.
    """
    place = _Place()
    made = _struct(value, struct, place)
    if place.mismatches:
        raise Undecodable(place.mismatches[0])
    return made


def _struct(value: Any, struct: Struct, place: _Place) -> dict[str, Any]:
    if not is_map(value):
        if value is not None:
            place.mismatch(value, struct.go)
        value = {}
    decoded = {
        name: _value(value[name], struct.members[name].type, place.inside(struct.name, name))
        for name in sorted(value)  # the API server encodes an object with its keys in order
        if name in struct.members and value[name] is not None
    }
    made: dict[str, Any] = {}
    for name, member in struct.members.items():
        encoded = decoded.get(name)
        if encoded is None:
            if isinstance(member.type, Struct) and not member.pointer:
                made[name] = _struct({}, member.type, place)
            elif member.kept and not member.pointer:
                made[name] = _zero(member.type)
        elif member.kept or member.pointer or not _is_zero(encoded, member.type):
            made[name] = encoded
    return made


def _value(value: Any, expected: GoType, place: _Place) -> Any:
    match expected:
        case Struct():
            return _struct(value, expected, place)
        case ListOf(item):
            if not is_list(value):
                place.mismatch(value, expected.go)
                return None
            return [_element(inner, item, place) for inner in value]
        case MapOf(inner_type):
            if not is_map(value):
                place.mismatch(value, expected.go)
                return None
            return {key: _element(inner, inner_type, place) for key, inner in value.items()}
        case Opaque():
            return value
        case Scalar():
            return _scalar(value, expected, place)


def _element(value: Any, expected: GoType, place: _Place) -> Any:
    made = None if value is None else _value(value, expected, place)
    return _zero(expected) if made is None else made


def _scalar(value: Any, expected: Scalar, place: _Place) -> Any:
    if expected.kind == "bool":
        return _checked(value, isinstance(value, bool), expected.go, place)
    if expected.kind == "int":
        return _integer(value, expected.go, place)
    if not isinstance(value, str):
        place.mismatch(value, "[]uint8" if expected.kind == "bytes" else _text_type(expected))
        return None
    if expected.kind == "duration":
        try:
            return format_duration(parse_duration(value))
        except DurationError as error:
            raise Undecodable(str(error)) from None
    if expected.kind == "bytes":
        return _bytes(value, place)
    return value


def _text_type(expected: Scalar) -> str:
    return "string" if expected.kind in ("duration", "time") else expected.go


def _checked(value: Any, fits: bool, go: str, place: _Place) -> Any:
    if fits:
        return value
    place.mismatch(value, go)
    return None


def _integer(value: Any, go: str, place: _Place) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        place.mismatch(value, go)
        return None
    if not isinstance(value, int) and not value.is_integer():
        place.mismatch(value, go)
        return None
    number, most = int(value), 1 << (_INT_BITS[go] - 1)
    return _checked(number, -most <= number < most, go, place)


def _bytes(text: str, place: _Place) -> str | None:
    try:
        return base64.b64encode(base64.b64decode(text, validate=True)).decode()
    except binascii.Error:
        at = next((i for i, char in enumerate(text) if not _is_base64(char)), len(text))
        place.mismatches.append(f"illegal base64 data at input byte {at}")
        return None


def _is_base64(char: str) -> bool:
    return char.isascii() and (char.isalnum() or char in "+/=")


def _json_word(value: Any, expected: str) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return f"number {value}" if expected in _INT_BITS else "number"
    if isinstance(value, str):
        return "string"
    return "array" if is_list(value) else "object"


def _zero(expected: GoType) -> Any:
    match expected:
        case Struct():
            return _struct({}, expected, _Place())
        case Scalar():
            return _ZERO[expected.kind]
        case _:
            return None


def _is_zero(value: Any, expected: GoType) -> bool:
    if isinstance(expected, Struct):
        return False
    return value in ("", False, 0) or (value in ([], {}))
