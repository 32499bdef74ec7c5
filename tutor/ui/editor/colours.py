"""Which parts of a line of YAML are what. Pure; one line at a time, so block texts are guesses."""

import re
from collections.abc import Iterator
from typing import Literal

Part = Literal["comment", "key", "word", "text"]
Span = tuple[int, int, Part]
"""From and to which character."""

_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$")
_KEY = re.compile(r"^\s*(?:- +)*(?P<key>\"[^\"]*\"|'[^']*'|[^\s#'\"{\[&*!|>-][^#]*?)(?=:(?:\s|$))")
_VALUE = re.compile(r"^\s*(?:true|false|null|~|[-+]?[0-9][0-9_.]*)\s*$")
_QUOTED = re.compile(r"^\s*(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*')\s*$")
_DASHES = re.compile(r"^\s*(?:- +)*")


def yaml_spans(line: str) -> Iterator[Span]:
    """The parts of a line that stand out."""
    comment = _COMMENT.search(line)
    end = len(line)
    if comment is not None and line[: comment.start()].count('"') % 2 == 0:
        end = comment.start()
        yield comment.start(), comment.end(), "comment"
    key = _KEY.match(line[:end])
    if key is not None:
        yield key.start("key"), key.end("key"), "key"
        begin = key.end() + 1
    else:
        dashes = _DASHES.match(line[:end])
        begin = dashes.end() if dashes else 0
    value = line[begin:end]
    if _VALUE.match(value):
        yield begin, end, "word"
    elif _QUOTED.match(value):
        yield begin, end, "text"


def comment_spans(line: str) -> Iterator[Span]:
    """What most other texts have: lines that begin with a number sign."""
    if line.lstrip().startswith("#"):
        yield 0, len(line), "comment"
