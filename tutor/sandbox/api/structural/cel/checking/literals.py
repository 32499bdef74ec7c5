"""What is wrong with values written out in an expression whose types are right.

Source: cel-go (`cel/validator.go`).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date

from tutor.sandbox.api.structural.cel.checking.checker import Checked, Problem
from tutor.sandbox.api.structural.cel.checking.clauses import check_format
from tutor.sandbox.api.structural.cel.checking.tree import (
    Call,
    Entries,
    Expr,
    ListOf,
    Literal,
    Name,
    Tree,
    inner,
    walk,
)
from tutor.sandbox.api.structural.cel.checking.types import Type, unwrapped
from tutor.sandbox.api.structural.regex import RegexError, go_regex

_DURATION = re.compile(r"[+-]?(?:0|(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+)")
_TIMESTAMP = re.compile(
    r"(\d{4}-\d{2}-\d{2})T(\d{1,2}):(\d{2}):(\d{2})(?:[.,]\d+)?(?:Z|[+-](\d{2}):(\d{2}))",
    re.ASCII,
)
_ABSENT = ("duration", "timestamp")
"""Types that the checker knows under names which nothing else knows."""
_SEARCHES = ("find", "findAll")
_FREE = "format"
"""The function whose list may have items of several types."""


def check_literals(tree: Tree, checked: Checked) -> list[Problem]:
    """Everything that is wrong with what is written out."""
    return list(_check(tree.root, checked, free=False))


def check_program(tree: Tree, checked: Checked) -> str:
    """Why no program can be made of an expression in which all is right, empty when it can."""
    for given in walk(tree.root):
        expr = checked.resolved.get(given.id, given)
        if isinstance(expr, Name) and expr.name in _ABSENT and expr.name in checked.names:
            return f"reference to undefined type: {expr.name}"
        if not isinstance(expr, Call) or expr.function not in _SEARCHES:
            continue
        if expr.args and isinstance(pattern := expr.args[0], Literal):
            try:
                go_regex(pattern.value)
            except RegexError as error:
                return str(error)
    return ""


def _check(given: Expr, checked: Checked, *, free: bool) -> Iterator[Problem]:
    expr = checked.resolved.get(given.id, given)
    match expr:
        case Call():
            yield from _check_call(expr, checked)
            free = free or expr.function == _FREE
        case ListOf() if not free:
            types = [
                _given(checked, item, optional=index in expr.optional)
                for index, item in enumerate(expr.items)
            ]
            yield from list(_mismatches(list(expr.items), types))[:1]
        case Entries(type="") if not free:
            keys = [entry.key for entry in expr.entries if not isinstance(entry.key, str)]
            yield from _mismatches(keys, [checked.types[key.id] for key in keys])
            values = [entry.value for entry in expr.entries]
            types = [_given(checked, one.value, optional=one.optional) for one in expr.entries]
            yield from _mismatches(values, types)
        case _:
            pass
    for part in inner(expr):
        yield from _check(part, checked, free=free)


def _given(checked: Checked, expr: Expr, *, optional: bool) -> Type:
    found = checked.types[expr.id]
    return unwrapped(found)[0] if optional else found


def _mismatches(items: list[Expr], types: list[Type]) -> Iterator[Problem]:
    for item, found in zip(items, types, strict=True):
        if found != types[0]:
            yield Problem(item.id, f"expected type '{types[0]}' but found '{found}'")


def _check_call(expr: Call, checked: Checked) -> Iterator[Problem]:
    good = _GOOD.get(expr.function)
    match expr:
        case Call(args=(Literal(type="string") as arg, *_)) if good and not good(arg.value):
            yield Problem(arg.id, f"invalid {expr.function} argument")
        case Call(function="format", target=Literal(type="string") as text, args=(ListOf() as of,)):
            yield from check_format(expr, text.value, of, checked)
        case _:
            pass


def _is_duration(text: str) -> bool:
    return _DURATION.fullmatch(text) is not None


def _is_timestamp(text: str) -> bool:
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        return False
    day, *numbers = match.groups(default="0")
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    limits = (23, 59, 59, 24, 60)
    return all(int(number) <= limit for number, limit in zip(numbers, limits, strict=True))


def _is_pattern(text: str) -> bool:
    try:
        go_regex(text)
    except RegexError:
        return False
    return True


_GOOD: Mapping[str, Callable[[str], bool]] = {
    "duration": _is_duration,
    "timestamp": _is_timestamp,
    "matches": _is_pattern,
}
