"""Read the bodies of built-in objects as the server's typed decoder does, and write objects again.

`parse` reads text, `decode` makes an object of it: a new one, in the form in which the server would
answer with it, before any defaults. `encode` writes objects. Other rooms need nothing but these.

Source: k8s.io/apimachinery v0.36 (serializer/json), sigs.k8s.io/json, Go 1.26 (encoding/json).
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from tutor.sandbox.kinds import GroupVersion, Object
from tutor.sandbox.schema import declarations
from tutor.sandbox.schema.body import Number, Parsed, Repeated, parse, parse_json
from tutor.sandbox.schema.encode import encode
from tutor.sandbox.schema.errors import DecodeError, UnrecognizedError
from tutor.sandbox.schema.plan import reader_of
from tutor.sandbox.schema.reading import Reader, Reading
from tutor.sandbox.schema.scalars import untyped
from tutor.sandbox.schema.yaml_body import parse_yaml

__all__ = [
    "DecodeError",
    "Decoded",
    "Number",
    "Parsed",
    "Repeated",
    "UnrecognizedError",
    "decode",
    "encode",
    "parse",
    "parse_json",
    "parse_yaml",
    "untyped",
]


@dataclass(frozen=True, slots=True)
class Decoded:
    """An object in the server's own form, and what a strict reader would have refused."""

    object: Object
    unknown: tuple[str, ...]
    """`unknown field "spec.x"` and `duplicate field "spec.y"` in the order of the body."""


def decode(group: str, version: str, kind: str, value: Any) -> Decoded:
    """Read a value as an object of a built-in kind.

    The object has `kind` and `apiVersion` first, fields in Go's order, maps sorted, no value that
    Go leaves out and each that it writes though empty (`"status":{}`, `"rules":null`); quantities,
    times and base64 are canonical. Nothing of `value` is in it.

    Raises:
        DecodeError: a value does not fit its type; the text is Go's.
        LookupError: there is no such built-in kind.
    """
    read, head = _reader(group, version, kind)
    reading = Reading()
    try:
        done = read(value, None, reading)
    except RecursionError:
        raise DecodeError("exceeded max depth") from None
    return Decoded({**head, **done, **head}, reading.finish())


@cache
def _reader(group: str, version: str, kind: str) -> tuple[Reader, Object]:
    """What reads a kind, and what its objects begin with."""
    type_ = declarations.find(group, version, kind)
    api_version = str(GroupVersion(group, version))
    if type_ is None:
        raise LookupError(f"{kind} in {api_version} is not built in")
    return reader_of(type_), {"kind": kind, "apiVersion": api_version}
