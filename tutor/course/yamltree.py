"""YAML text to a `Document`: the part of YAML that lessons need, and no surprises.

YAML 1.2 rules for plain words (`on`, `no` and dates are text; only `true` and `false` are
booleans), no duplicate keys, no anchors, aliases, tags or merge keys, one document a file.

Source: YAML 1.2.2, section 10.3 (core schema).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import yaml

from tutor.course.places import TREE_CHECK, Document, NodePath, Span
from tutor.errors import CourseError

DEPTH_LIMIT = 40
"""Deeper nesting is refused: the parser's time grows with the square of it."""

SIZE_LIMIT = 1_000_000
"""Characters a file may have."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_PLAIN_WORDS: dict[str, Any] = {
    "": None,
    "~": None,
    "null": None,
    "true": True,
    "false": False,
}
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")

_HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and line feed, and those that turn the direction of writing round."""

_IN_PLAIN_WORDS = {
    "mapping values are not allowed in this context": (
        "a colon and a blank inside plain text: put the text in quotes, or below a `|`"
    ),
    "did not find expected '-' indicator": "a list item was expected here, beginning with `- `",
    "did not find expected key": "a key was expected here: look at the indentation",
    "did not find expected <document start>": "this line is indented less than the ones above it",
}


def parse(text: str, file: Path) -> Document:
    """Read one file's text. Raises `CourseError` at the place of the first fault."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if len(text) > SIZE_LIMIT:
        raise CourseError(
            f"the file has more than {SIZE_LIMIT:,} characters",
            file=file,
            next_action="Move long texts into the lesson's files/ folder.",
        )
    builder = _Builder(file=file, text=text)
    try:
        events = cast("Iterator[yaml.Event]", yaml.parse(text, Loader=_Loader))  # pyright: ignore[reportUnknownMemberType] - untyped in its stubs
        for event in events:
            builder.take(event)
    except yaml.reader.ReaderError as error:
        raise builder.fault(
            f"a character that YAML does not allow (code {error.character:#x})", error.position
        ) from error
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(builder, error) from error
    return builder.document()


def _syntax_error(builder: "_Builder", error: yaml.MarkedYAMLError) -> CourseError:
    mark = error.problem_mark or error.context_mark
    offset = mark.index if mark else 0
    problem = error.problem or "the text is not YAML"
    if builder.text[offset : offset + 1] == "\t":
        return builder.fault("a tab where YAML wants blanks: indent with two blanks", offset)
    words = _IN_PLAIN_WORDS.get(problem, problem)
    began = error.context_mark
    if began is not None and mark is not None and began.line != mark.line:
        words += f" ({error.context}, which begins in line {began.line + 1})"
    return builder.fault(words, offset)


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being read."""

    path: NodePath
    start: int
    items: dict[str, Any] | list[Any]
    key: str | None = None
    key_offset: int | None = None


@dataclass(slots=True)
class _Builder:
    file: Path
    text: str
    spans: dict[NodePath, Span] = field(default_factory=dict[NodePath, Span])
    stack: list[_Open] = field(default_factory=list[_Open])
    roots: list[Any] = field(default_factory=list[Any])

    def document(self) -> Document:
        if not self.roots or self.roots[0] is None:
            raise self.fault("the file is empty", 0)
        return Document(self.file, self.text, self.roots[0], self.spans)

    def fault(self, message: str, offset: int) -> CourseError:
        place = Document(self.file, self.text, None, {}).place(offset)
        return CourseError(
            message,
            file=self.file,
            line=place.line,
            column=place.column,
            next_action=TREE_CHECK,
        )

    def take(self, event: yaml.Event) -> None:
        match event:
            case yaml.DocumentStartEvent() if self.roots:
                raise self.fault("a second document in one file", event.start_mark.index)
            case yaml.AliasEvent():
                raise self.fault("aliases are not used in lessons", event.start_mark.index)
            case yaml.ScalarEvent():
                self._refuse_extras(event)
                self._refuse_hidden(event)
                self._scalar(event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._refuse_extras(event)
                self._open(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._close(event)
            case _:
                pass

    def _refuse_extras(self, event: yaml.NodeEvent) -> None:
        if event.anchor is not None:
            raise self.fault("anchors are not used in lessons", event.start_mark.index)
        tag: str | None = getattr(event, "tag", None)
        if tag is not None:
            raise self.fault(f"tags such as {tag} are not used in lessons", event.start_mark.index)

    def _refuse_hidden(self, event: yaml.ScalarEvent) -> None:
        """Refuse what a terminal obeys and nobody sees: quoted text can spell any character."""
        found = _HIDDEN.search(event.value)
        if found is not None:
            code = f"U+{ord(found[0]):04X}"
            raise self.fault(
                f"the character {code} is not shown, but does something to the text around it",
                event.start_mark.index,
            )

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        top = self.stack[-1] if self.stack else None
        start = event.start_mark.index
        if top is not None and isinstance(top.items, dict) and top.key is None:
            self._take_key(top, event.value, start)
            return
        plain = not event.style
        value = _plain_value(event.value) if plain else event.value
        style = "plain" if plain else str(event.style)
        self._put(value, self._next_path(), Span(None, start, event.end_mark.index, style))

    def _take_key(self, top: _Open, key: str, offset: int) -> None:
        if key in top.items:
            first = self.spans[(*top.path, key)].key or 0
            line = self.text.count("\n", 0, first) + 1
            raise self.fault(f"the key `{key}` stands here twice: first in line {line}", offset)
        top.key, top.key_offset = key, offset

    def _open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        top = self.stack[-1] if self.stack else None
        start = event.start_mark.index
        if top is not None and isinstance(top.items, dict) and top.key is None:
            raise self.fault("a key has to be one word", start)
        if len(self.stack) == DEPTH_LIMIT:
            raise self.fault(f"more than {DEPTH_LIMIT} levels of nesting", start)
        path = self._next_path()
        items: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        self.stack.append(_Open(path, start, items))

    def _close(self, event: yaml.MappingEndEvent | yaml.SequenceEndEvent) -> None:
        done = self.stack.pop()
        value = done.items if isinstance(done.items, dict) else tuple(done.items)
        self._put(value, done.path, Span(None, done.start, event.end_mark.index, "node"))

    def _next_path(self) -> NodePath:
        if not self.stack:
            return ()
        top = self.stack[-1]
        if isinstance(top.items, list):
            return (*top.path, len(top.items))
        return (*top.path, top.key or "")

    def _put(self, value: Any, path: NodePath, span: Span) -> None:
        if not self.stack:
            self.roots.append(value)
            self.spans[path] = span
            return
        top = self.stack[-1]
        if isinstance(top.items, list):
            top.items.append(value)
            self.spans[path] = span
            return
        top.items[top.key or ""] = value
        self.spans[path] = span._replace(key=top.key_offset)
        top.key = top.key_offset = None


def _plain_value(word: str) -> Any:
    if word in _PLAIN_WORDS:
        return _PLAIN_WORDS[word]
    if _INTEGER.fullmatch(word):
        return int(word)
    if _NUMBER.fullmatch(word):
        return float(word)
    return word
