"""The functions that rules may call, read from `functions.txt`.

A line has the name (with a dot where the first parameter is the receiver), the overload's name in
cel-go and its signature. Source: cel-go (`common/stdlib`, `ext`), apiserver (`pkg/cel/library`), in
the environment of Kubernetes 1.36.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from tutor.sandbox.api.structural.cel.checking.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NULL,
    OPTIONAL,
    STRING,
    TIMESTAMP,
    UINT,
    Type,
    list_of,
    map_of,
    optional_of,
    type_of,
)

_PLAIN: Mapping[str, Type] = {
    str(one): one for one in (BOOL, BYTES, DOUBLE, DURATION, DYN, INT, STRING, TIMESTAMP, UINT)
}
_PART = re.compile(r"[^,() ]+(?:\((?:[^()]|\([^()]*\))*\))?")
_PACKAGE = "tutor.sandbox.api.structural.cel.checking"
_OPAQUE = ("net.IP", "net.CIDR")
_TYPE_NAMES: Mapping[str, Type] = {
    "bool": BOOL,
    "bytes": BYTES,
    "double": DOUBLE,
    "duration": DURATION,
    "google.protobuf.Duration": DURATION,
    "google.protobuf.Timestamp": TIMESTAMP,
    "int": INT,
    "list": list_of(DYN),
    "map": map_of(DYN, DYN),
    "null_type": NULL,
    "optional_type": optional_of(DYN),
    "string": STRING,
    "timestamp": TIMESTAMP,
    "type": Type("type"),
    "uint": UINT,
}


@dataclass(frozen=True, slots=True)
class Overload:
    """One signature of a function."""

    id: str
    is_member: bool
    takes: tuple[Type, ...]
    """The receiver first, where there is one."""
    result: Type
    parameters: tuple[Type, ...]
    """The type parameters in it."""


@cache
def overloads() -> Mapping[str, tuple[Overload, ...]]:
    """Every function's signatures by its name, in the order of their declaration."""
    found: dict[str, list[Overload]] = {}
    text = files(_PACKAGE).joinpath("functions.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        name, rest = line.split(" ", 1)
        id_, signature = rest.split("(", 1)
        takes, result = signature.rsplit(") -> ", 1)
        types = [_read(one) for one in _PART.findall(takes)]
        into = _read(result)
        parameters = dict.fromkeys(one for type_ in (*types, into) for one in _parameters(type_))
        overload = Overload(id_, name[0] == ".", tuple(types), into, tuple(parameters))
        found.setdefault(name.removeprefix("."), []).append(overload)
    return {name: tuple(signatures) for name, signatures in found.items()}


def named_type(name: str) -> Type | None:
    """What a type's name in an expression is: the type of that type."""
    found = _TYPE_NAMES.get(name)
    return type_of(found) if found is not None else None


def _read(text: str) -> Type:
    name, bracket, inner = text.partition("(")
    params = tuple(map(_read, _PART.findall(inner[:-1]))) if bracket else ()
    if name in _PLAIN:
        return _PLAIN[name]
    match name:
        case "list" | "map" | "type":
            return Type(name, "", params)
        case _:
            pass
    if name == OPTIONAL:
        return Type("opaque", name, params)
    if name in _OPAQUE:
        return Type("opaque", name)
    return Type("param" if len(name) == 1 else "struct", name)


def _parameters(found: Type) -> list[Type]:
    if found.kind == "param":
        return [found]
    return [one for param in found.params for one in _parameters(param)]
