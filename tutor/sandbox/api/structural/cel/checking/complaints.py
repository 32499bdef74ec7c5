"""What is wrong with an expression, as cel-go writes it: with the line and a pointer.

Source: cel-go (`common/error.go`, `common/errors.go`).
"""

from collections.abc import Iterable

from tutor.sandbox.api.structural.cel.checking.checker import Problem
from tutor.sandbox.api.structural.cel.checking.tree import Tree

_MOST = 100
_LONGEST_LINE = 16384
_NOWHERE = (-1, -1)
_DOT, _POINTER = ".", "^"
_WIDE_DOT, _WIDE_POINTER = "\uff0e", "\uff3e"


def told(tree: Tree, problems: Iterable[Problem]) -> str:
    """All problems in the order of their places."""
    found = list(problems)
    placed = sorted(((_place(tree, one.id), one.text) for one in found[:_MOST]), key=_by_place)
    texts = [_shown(tree.text, *place, text) for place, text in placed]
    if len(found) > _MOST:
        texts.append(f"{len(found) - _MOST} more errors were truncated")
    return "\n".join(texts)


def _by_place(placed: tuple[tuple[int, int], str]) -> tuple[int, int]:
    return placed[0]


def _place(tree: Tree, number: int) -> tuple[int, int]:
    """Line from 1 and column from 0."""
    offset = tree.offsets.get(number)
    if offset is None:
        return _NOWHERE
    before = tree.text[:offset]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1)


def _shown(text: str, line: int, column: int, told_: str) -> str:
    head = f"ERROR: <input>:{line}:{column + 1}: {told_}"
    lines = text.split("\n")
    if line < 1 or len(lines[line - 1]) > _LONGEST_LINE:
        return head
    shown = lines[line - 1].replace("\t", " ")
    dots = "".join(_DOT if char.isascii() else _WIDE_DOT for char in shown[:column])
    at = shown[column : column + 1]
    pointer = _POINTER if not at or at.isascii() else _WIDE_POINTER
    return f"{head}\n | {shown}\n | {dots}{pointer}"
