"""Paths to fields as rules and selectable fields name them: `.spec.host`, `.spec['a.b']`.

Source: apiextensions-apiserver (`pkg/apiserver/schema/cel/validation.go`, ValidFieldPath).
"""

import re
from dataclasses import dataclass

from tutor.sandbox.api.structural.schema import Schema

_WORD = re.compile(r"[.\[\]]|'.*?(?<!\\)'|'.*|[^.\[\]]+", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_NO_FIELD = "does not refer to a valid field"
_UNEXPECTED_END = "unexpected end of JSON path"


class FieldPathError(ValueError):
    """The path names nothing; the text is the server's."""


@dataclass(frozen=True, slots=True)
class FieldPath:
    """A path that names something in a schema."""

    root: str
    text: str
    """As complaints write it: `spec.host`."""
    schema: Schema
    """Of the value it names."""


def read_field_path(text: str, schema: Schema, *, brackets: bool = True) -> FieldPath:
    """Follow a path through a schema, which has names only and no indices.

    Raises:
        FieldPathError: it is not written as a path, or the schema has no such field.
    """
    words = iter(_WORD.findall(text))
    root, path, found = "", "", schema
    for word in words:
        if word == "[":
            if not brackets:
                raise FieldPathError("array notation is not allowed")
            name = _quoted(next(words, None))
        elif word == ".":
            name = next(words, None)
        else:
            raise FieldPathError(f"expected [ or . but got: {word}")
        if name is None:
            raise FieldPathError(_UNEXPECTED_END)
        step, found = _step(found, name)
        path += step
        root = root or name
        if word == "[":
            _close(next(words, None))
    return FieldPath(root, path.removeprefix("."), found)


def _quoted(word: str | None) -> str | None:
    if word is None:
        return None
    if len(word) < 2 or word[0] != "'" or word[-1] != "'":
        raise FieldPathError(f"expected single quoted string but got {word}")
    return _ESCAPED.sub(r"\1", word[1:-1])


def _close(word: str | None) -> None:
    if word is None:
        raise FieldPathError(_UNEXPECTED_END)
    if word != "]":
        raise FieldPathError(f"expected ] but got {word}")


def _step(schema: Schema, name: str) -> tuple[str, Schema]:
    if name in schema.properties:
        return f".{name}", schema.properties[name]
    if not schema.properties and schema.additional is not None:
        return f"[{name}]", schema.additional
    raise FieldPathError(_NO_FIELD)
