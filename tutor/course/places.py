"""Where something stands in a lesson's files: every message about a lesson names its line.

A `Document` is one YAML file as plain data (mappings, tuples, text, numbers, booleans, None) with
the place of every node. A `Where` is one node of it. Both are values: nothing here reads a file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tutor.errors import CourseError

NodePath = tuple[str | int, ...]
"""Keys and positions that lead from the root of a document to a node."""

TREE_CHECK = "Change that line, then run `tutor check` again."


class Place(NamedTuple):
    """A character of a file. Line and column count from 1."""

    file: Path
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Span(NamedTuple):
    """The characters of a node: offsets into the document's text."""

    key: int | None
    """Where its key begins; None for the root and for items of a list."""
    start: int
    end: int
    style: str
    """How a scalar is written: `plain`, `'`, `"`, `|` or `>`; `node` for a mapping or a list."""


@dataclass(frozen=True, slots=True)
class Document:
    """One file: its text, what it says, and where it says it."""

    file: Path
    text: str = field(repr=False)
    root: Any
    spans: Mapping[NodePath, Span] = field(repr=False)

    def place(self, offset: int) -> Place:
        """The line and column of a character of the text."""
        line = self.text.count("\n", 0, offset) + 1
        return Place(self.file, line, offset - self.text.rfind("\n", 0, offset))


@dataclass(frozen=True, slots=True)
class Where:
    """One node of a document."""

    document: Document = field(repr=False, compare=False)
    path: NodePath = ()

    def __truediv__(self, step: str | int) -> "Where":
        """The node below this one; this one again when there is none of that name."""
        below = (*self.path, step)
        return Where(self.document, below) if below in self.document.spans else self

    @property
    def value(self) -> Any:
        """What the file says here, as plain data."""
        value = self.document.root
        for step in self.path:
            value = value[step]
        return value

    @property
    def place(self) -> Place:
        """Where the value begins."""
        return self.document.place(self.document.spans[self.path].start)

    @property
    def key_place(self) -> Place:
        """Where its key begins; where the value begins when it has none."""
        span = self.document.spans[self.path]
        return self.document.place(span.start if span.key is None else span.key)

    def inside(self, offset: int) -> Place:
        """The place of one character of a text value, however the text is quoted or folded."""
        span = self.document.spans[self.path]
        raw = self.document.text[span.start : span.end]
        return self.document.place(
            span.start + _raw_offset(str(self.value), offset, raw, span.style)
        )

    def error(
        self,
        message: str,
        *,
        next_action: str = TREE_CHECK,
        offset: int | None = None,
        key: bool = False,
    ) -> CourseError:
        """A fault at this node: at a character of its text, at its key, or at its beginning."""
        place = self.key_place if key else self.place
        if offset is not None:
            place = self.inside(offset)
        return CourseError(
            message,
            file=place.file,
            line=place.line,
            column=place.column,
            next_action=next_action,
        )


NOWHERE = Where(Document(file=Path("-"), text="", root=None, spans={(): Span(None, 0, 0, "node")}))
"""The place of a model that was not read from a file."""


def _raw_offset(value: str, offset: int, raw: str, style: str) -> int:
    """Find a character of a value in the characters that spell it.

    Folding and indentation change white space only, so the n-th visible character of the value is
    the n-th visible character of the source.
    """
    wanted = sum(not c.isspace() for c in value[:offset])
    seen = 0
    at = _first_character(raw, style)
    while at < len(raw):
        width = _width(raw, at, style)
        if not raw[at].isspace() and not raw[at : at + width].startswith(("\\n", "\\t")):
            if seen == wanted:
                return at
            seen += 1
        at += width
    return len(raw.rstrip())


def _first_character(raw: str, style: str) -> int:
    if style in {"|", ">"}:
        return raw.find("\n") + 1
    return 0 if style == "plain" else 1


def _width(raw: str, at: int, style: str) -> int:
    """How many characters of the source spell one character of the value."""
    escaped = (style == '"' and raw[at] == "\\") or (style == "'" and raw[at : at + 2] == "''")
    return 2 if escaped else 1
