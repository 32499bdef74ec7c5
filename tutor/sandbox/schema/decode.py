"""Read the bodies of built-in objects as the server's typed decoder does, and write objects again.

`parse` reads text, `decode` makes an object of it: a new one, in the form in which the server would
answer with it, before any defaults. `encode` writes objects. Other rooms need nothing but these.

Source: k8s.io/apimachinery v0.36 (serializer/json), sigs.k8s.io/json, Go 1.26 (encoding/json).
"""

from dataclasses import dataclass
from typing import Any

from tutor.sandbox.kinds import GroupVersion, Object
from tutor.sandbox.schema import declarations
from tutor.sandbox.schema.body import Number, Parsed, Repeated, parse, parse_json
from tutor.sandbox.schema.encode import encode
from tutor.sandbox.schema.errors import DecodeError, UnrecognizedError
from tutor.sandbox.schema.plan import reader_of
from tutor.sandbox.schema.reading import Reading
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
    type_ = declarations.find(group, version, kind)
    if type_ is None:
        raise LookupError(f"{kind} in {GroupVersion(group, version)} is not built in")
    reading = Reading()
    try:
        done = reader_of(type_)(value, None, reading)
    except RecursionError:
        raise DecodeError("exceeded max depth") from None
    unknown = reading.finish()
    head = {"kind": kind, "apiVersion": str(GroupVersion(group, version))}
    return Decoded({**head, **done, **head}, unknown)
