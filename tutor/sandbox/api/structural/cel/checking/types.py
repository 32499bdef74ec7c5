"""The types of expressions, and which goes for which.

Source: cel-go (`common/types/types.go`, `checker/{types,mapping,format}.go`).
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "any",
    "bool",
    "bytes",
    "double",
    "duration",
    "dyn",
    "error",
    "int",
    "list",
    "map",
    "null",
    "opaque",
    "param",
    "string",
    "struct",
    "timestamp",
    "type",
    "uint",
]

_NULLABLE = frozenset({"opaque", "struct", "any", "duration", "timestamp"})
_ONLY_NAMES = frozenset(
    {"bool", "bytes", "double", "int", "string", "uint", "duration", "timestamp", "struct", "any"}
)


@dataclass(frozen=True, slots=True)
class Type:
    """A type; `name` tells parameters, structures and opaque types apart."""

    kind: Kind
    name: str = ""
    params: tuple["Type", ...] = ()

    def __str__(self) -> str:
        """The type as complaints name it."""
        name = self.name or _WORDS.get(self.kind, self.kind)
        return f"{name}({', '.join(map(str, self.params))})" if self.params else name


_WORDS = {"error": "!error!"}
ANY, BOOL, BYTES, DOUBLE = Type("any"), Type("bool"), Type("bytes"), Type("double")
DURATION, DYN, ERROR, INT = Type("duration"), Type("dyn"), Type("error"), Type("int")
NULL, STRING, TIMESTAMP, UINT = Type("null"), Type("string"), Type("timestamp"), Type("uint")
OPTIONAL = "optional_type"


def list_of(item: Type) -> Type:
    """A list."""
    return Type("list", params=(item,))


def map_of(key: Type, value: Type) -> Type:
    """A map."""
    return Type("map", params=(key, value))


def type_of(inner: Type) -> Type:
    """The type of a type."""
    return Type("type", params=(inner,))


def optional_of(inner: Type) -> Type:
    """A value that may be absent."""
    return Type("opaque", OPTIONAL, (inner,))


def is_open(found: Type) -> bool:
    """Whether anything goes: unknown until evaluation, or wrong already."""
    return found.kind in ("dyn", "any", "error")


def is_dyn(found: Type) -> bool:
    """Whether the type is unknown until evaluation."""
    return found.kind in ("dyn", "any")


def unwrapped(found: Type) -> tuple[Type, bool]:
    """What is in an optional value, and whether it is one."""
    if found.kind == "opaque" and found.name == OPTIONAL:
        return found.params[0], True
    return found, False


class Bindings:
    """Which types the type parameters stand for."""

    __slots__ = ("_bound",)

    def __init__(self, bound: dict[Type, Type] | None = None) -> None:
        self._bound = bound or {}

    def copy(self) -> "Bindings":
        """Bindings that may be tried out."""
        return Bindings(dict(self._bound))

    def bind(self, parameter: Type, found: Type) -> None:
        """Let a parameter stand for a type."""
        self._bound[parameter] = found

    def resolve(self, found: Type, *, final: bool = False) -> Type:
        """The type with parameters replaced; unbound ones become `dyn` in the end."""
        if (bound := self._bound.get(found)) is not None:
            return self.resolve(bound, final=final)
        if found.kind == "param":
            return DYN if final else found
        if not found.params:
            return found
        params = tuple(self.resolve(param, final=final) for param in found.params)
        return Type(found.kind, found.name, params)

    def assignable(self, wanted: Type, given: Type) -> bool:
        """Whether one type goes for the other; binds parameters, also where it does not."""
        if given.kind == "param":
            fits, known = self._substitutes(wanted, given)
            if fits or known:
                return fits
        if wanted.kind == "param":
            return self._substitutes(given, wanted)[0]
        if is_open(wanted) or is_open(given):
            return True
        if wanted.kind == "null" or given.kind == "null":
            other = given if wanted.kind == "null" else wanted
            return other.kind in _NULLABLE or other.kind == "null"
        if wanted.kind in _ONLY_NAMES:
            return (wanted.kind, wanted.name) == (given.kind, given.name)
        if wanted.kind == "type":
            return given.kind == "type"
        same = (wanted.kind, wanted.name) == (given.kind, given.name)
        return same and self.all_assignable(wanted.params, given.params)

    def all_assignable(self, wanted: tuple[Type, ...], given: tuple[Type, ...]) -> bool:
        """Whether each type goes for the other at its place."""
        return len(wanted) == len(given) and all(map(self.assignable, wanted, given))

    def _substitutes(self, found: Type, parameter: Type) -> tuple[bool, bool]:
        """Whether a parameter can stand for a type, and whether it stands for one already."""
        if found == parameter:
            return True, True
        bound = self._bound.get(parameter)
        if bound is None:
            if self._within(parameter, found):
                return False, False
            self.bind(parameter, found)
            return True, False
        if found == bound:
            return True, True
        if not self.assignable(found, bound):
            return False, True
        wider = wider_of(found, bound)
        if not self._within(parameter, wider):
            self.bind(parameter, wider)
        return True, True

    def _within(self, parameter: Type, found: Type) -> bool:
        if parameter == found:
            return True
        if found.kind == "param":
            bound = self._bound.get(found)
            return bound is not None and self._within(parameter, bound)
        return any(self._within(parameter, param) for param in found.params)


def wider_of(one: Type, other: Type) -> Type:
    """The more general of two types that go for each other."""
    return one if _is_as_wide(one, other) else other


def _is_as_wide(one: Type, other: Type) -> bool:
    if is_dyn(one) or one.kind == "param":
        return True
    if is_dyn(other) or other.kind == "param" or one.kind != other.kind:
        return False
    if one.kind == "type":
        return True
    if one.kind not in ("opaque", "list", "map"):
        return one == other
    same = one.name == other.name and len(one.params) == len(other.params)
    return same and all(map(_is_as_wide, one.params, other.params))
