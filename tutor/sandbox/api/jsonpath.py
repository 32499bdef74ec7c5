r"""JSONPath as the API server evaluates it in printer columns and selectable fields.

The dialect is client-go's, which predates RFC 9535 and differs from it: `\.` escapes a dot in a
name, `['x']` is read as `.x`, and an index beyond a list is an error. A key that is missing selects
nothing.

Source: k8s.io/client-go v0.36, util/jsonpath, with missing keys allowed.
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tutor.sandbox.api.values import is_list, is_map

Step = Callable[[list[Any]], list[Any]]

_WORD = re.compile(r"[^ \t\r\n.,\[\]$@{}]+")
_FIELD = re.compile(r"(?:\\.?|[^ \t\r\n.,\[\]$@{}\\])*", re.DOTALL)
_NUMBER = re.compile(r"[+-]?[0-9.]*")
_QUOTED = re.compile(r"""(['"])(.*?)(?<!\\)\1""")
_ESCAPE = re.compile(r"\\(.?)")
_BRACKETS = re.compile(r"\[([^\]\n]*)\]")
_KEY = re.compile(r"'([^']*)'")
_SLICE = re.compile(r"(-?\d*)(?::(-?\d*))?(?::(-?\d*))?")
# A filter holds at most one quoted string; a parenthesis within it does not end the filter.
_FILTER = re.compile(r"""\[\?\(([^'")\n]*(?:(['"]).*?(?<!\\)\2[^)\n]*)?)\)""")
_COMPARISON = re.compile(r"([^!<>=]+)([!<>=]+)(.+)")

_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class JSONPathError(ValueError):
    """A path that cannot be read, or that cannot be applied to an object."""


@dataclass(frozen=True, slots=True)
class JSONPath:
    """A compiled path; make one with `compile_path`."""

    text: str
    steps: tuple[Step, ...] = field(repr=False, compare=False)

    def find(self, root: Any) -> list[Any]:
        """Everything the path selects, in order; empty when a key is missing.

        Raises:
            JSONPathError: An index out of bounds, a filter on something that is no list, or a
                comparison of values of different types.
        """
        return _run(self.steps, [root])


def compile_path(text: str) -> JSONPath:
    """Read a path without braces, such as `.status.conditions[?(@.type=="Ready")].status`.

    Raises:
        JSONPathError: The text is no path.
    """
    return JSONPath(text, _Parser(text).parse())


def _run(steps: tuple[Step, ...], values: list[Any]) -> list[Any]:
    for step in steps:
        values = step(values)
    return values


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._steps: list[Step] = []

    def parse(self) -> tuple[Step, ...]:
        while self._at < len(self._text):
            self._steps.append(self._step())
        return tuple(self._steps)

    def _step(self) -> Step:
        for prefix, read in (
            ("[?(", self._filter),
            ("[", self._brackets),
            ("..", self._recursive),
            (".", self._name),
            ("'", self._quoted),
            ('"', self._quoted),
        ):
            if self._text.startswith(prefix, self._at):
                return read()
        return self._bare()

    def _bare(self) -> Step:
        char = self._text[self._at]
        if char in " @$":
            self._at += 1
            return _same
        if char in "+-" or char.isdigit():
            return self._number()
        if char == "_" or char.isalpha():
            return self._word()
        if char in "\r\n":
            raise JSONPathError("unclosed action")
        raise JSONPathError(f"unrecognized character in action: U+{ord(char):04X} '{char}'")

    def _take(self, pattern: re.Pattern[str], complaint: str = "") -> re.Match[str]:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise JSONPathError(complaint)
        self._at = found.end()
        return found

    def _name(self) -> Step:
        self._at += 1
        name = self._take(_FIELD)[0]
        return _wildcard if name == "*" else _field(name.replace("\\", ""))

    def _word(self) -> Step:
        word = self._take(_WORD)[0]
        return _constant(word == "true") if word in ("true", "false") else _unknown(word)

    def _recursive(self) -> Step:
        if self._steps and self._steps[-1] is _descend:
            raise JSONPathError("invalid multiple recursive descent")
        self._at += 2
        following = self._text[self._at : self._at + 1]
        if following.isalnum() or following == "_":
            self._at -= 1  # the second dot begins the name
            self._steps.append(_descend)
            return self._name()
        return _descend

    def _number(self) -> Step:
        digits = self._take(_NUMBER)[0]
        try:
            return _constant(float(digits) if "." in digits else int(digits))
        except ValueError as error:
            raise JSONPathError(f"cannot parse number {digits}") from error

    def _quoted(self) -> Step:
        quote, body = self._take(_QUOTED, "unterminated quoted string").groups()

        def unescape(found: re.Match[str]) -> str:
            char = found[1]
            if char not in (*_ESCAPES, "\\", quote):
                raise JSONPathError(f"unquote string {quote}{body}{quote} error invalid syntax")
            return _ESCAPES.get(char, char)

        text = _ESCAPE.sub(unescape, body)
        return lambda _: [text]

    def _brackets(self) -> Step:
        inside = self._take(_BRACKETS, "unterminated array")[1]
        if "," in inside:
            return _union(
                tuple(_Parser(f"[{part.strip(' ')}]").parse() for part in inside.split(","))
            )
        if key := _KEY.fullmatch(inside):
            steps = _Parser(f".{key[1]}").parse()
            return lambda values: _run(steps, values)
        bounds = _SLICE.fullmatch(":" if inside == "*" else inside)
        if bounds is None or "-" in bounds.groups():
            raise JSONPathError(f"invalid array index {inside}")
        return _slice(bounds[1], bounds[2], bounds[3])

    def _filter(self) -> Step:
        inside = self._take(_FILTER, "unterminated filter")[1]
        if not self._text.startswith("]", self._at):
            raise JSONPathError("unclosed array expect ]")
        self._at += 1
        comparison = _COMPARISON.fullmatch(inside)
        if comparison is None:
            return _filtered(_exists(_Parser(inside).parse()))
        left, sign, right = comparison.groups()
        return _filtered(_compares(_Parser(left).parse(), sign, _Parser(right).parse()))


def _same(values: list[Any]) -> list[Any]:
    return values


def _constant(value: float) -> Step:
    return lambda values: [value] * len(values)


def _unknown(word: str) -> Step:
    def fail(_: list[Any]) -> list[Any]:
        raise JSONPathError(f"unrecognized identifier {word}")

    return fail


def _field(name: str) -> Step:
    return lambda values: [value[name] for value in values if is_map(value) and name in value]


def _children(value: Any) -> list[Any]:
    if is_map(value):
        return list(value.values())
    if isinstance(value, str):
        return list(value.encode())  # Go ranges over the bytes of a string
    return value if is_list(value) else []


def _wildcard(values: list[Any]) -> list[Any]:
    return [child for value in values for child in _children(value)]


def _descend(values: list[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if children := _children(value):
            found.append(value)
            found.extend(_descend(children))
    return found


def _union(branches: tuple[tuple[Step, ...], ...]) -> Step:
    return lambda values: [found for steps in branches for found in _run(steps, values)]


def _slice(first: str, last: str | None, step: str | None) -> Step:
    start = int(first or 0)
    stride = int(step or 1)
    alone = last is None
    # Without a colon one element is meant; `[-1]` then ends at 0, which stands for the length.
    end = start + 1 if alone else int(last) if last else None

    def select(values: list[Any]) -> list[Any]:
        found: list[Any] = []
        for value in values:
            if value is None:
                continue
            if not is_list(value):
                raise JSONPathError(f"{type(value).__name__} is not array or slice")
            size = len(value)
            begin = start + size if start < 0 else start
            until = size if end is None else end
            if until < 0 or (until == 0 and alone):
                until += size
            if begin == until:
                return found  # client-go leaves out the remaining lists too
            if not 0 <= begin < until <= size or stride < 1:
                raise JSONPathError(f"array index out of bounds: index {begin}, length {size}")
            found.extend(value[begin:until:stride])
        return found

    return select


def _filtered(passes: Callable[[Any], bool]) -> Step:
    def select(values: list[Any]) -> list[Any]:
        found: list[Any] = []
        for value in values:
            if not is_list(value):
                raise JSONPathError("not an array or slice and cannot be filtered")
            found.extend(item for item in value if passes(item))
        return found

    return select


def _exists(steps: tuple[Step, ...]) -> Callable[[Any], bool]:
    def passes(item: Any) -> bool:
        try:
            return bool(_run(steps, [item]))
        except JSONPathError:
            return True  # client-go ignores the error and counts what it had found before

    return passes


def _compares(left: tuple[Step, ...], sign: str, right: tuple[Step, ...]) -> Callable[[Any], bool]:
    def passes(item: Any) -> bool:
        lefts = _run(left, [item])
        rights = _run(right, [item]) if lefts else []
        if not rights:
            return False
        if len(lefts) > 1 or len(rights) > 1:
            raise JSONPathError("can only compare one element at a time")
        return _compare(lefts[0], sign, rights[0])

    return passes


def _compare(left: Any, sign: str, right: Any) -> bool:
    if sign not in _COMPARE:
        raise JSONPathError(f"unrecognized filter operator {sign}")
    if type(left) not in (bool, int, float, str):
        raise JSONPathError("invalid type for comparison")
    if type(left) is not type(right):
        raise JSONPathError("incompatible types for comparison")
    if isinstance(left, bool) and sign not in ("==", "!="):
        raise JSONPathError("invalid type for comparison")
    return _COMPARE[sign](left, right)
