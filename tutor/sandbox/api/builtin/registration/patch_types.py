"""Expressions that make objects and patches: `Object{...}`, `JSONPatch{...}`.

The engine knows no types but its own, so that such literals are read as maps with text keys, in
which the name of the type stands.
Source: apiserver's `admission/plugin/policy/mutating/patch`, `pkg/cel/mutation`.
"""

import re
from collections.abc import Iterator
from typing import Any

from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.registration.expressions import Scope, failure, type_of_variable
from tutor.sandbox.api.status import FieldError, invalid
from tutor.sandbox.api.values import is_list, is_map

_TOKEN = re.compile(
    r"""(?P<text>r?(?:'''(?:\\.|[^\\])*?'''|\"\"\"(?:\\.|[^\\])*?\"\"\"|'(?:\\.|[^'\\])*'"""
    r"""|"(?:\\.|[^"\\])*"))"""
    r"|(?P<type>(?<![\w.])(?:Object(?:\.[_a-zA-Z]\w*)*|JSONPatch)\s*\{)"
    r"|(?P<name>[_a-zA-Z]\w*|`[^`]*`)|(?P<sign>.)",
    re.DOTALL,
)
_OPEN, _CLOSE = "{[(", "}])"
_TYPE = "@type"
_STARTS_TYPED = re.compile(r"(\[?)\s*((?:Object(?:\.[_a-zA-Z]\w*)*|JSONPatch))\s*\{")
_PLACE = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)\n \| .*\n \| \.*\^")
_OPERATION_FIELDS = ("op", "path", "from", "value")
_PATCH_FIELD = re.compile(r"(?<![\w.])JSONPatch\s*\{\s*\??([_a-zA-Z]\w*)\s*:")


def as_maps(expression: str) -> str:
    """The expression with typed literals as maps."""
    return "".join(written for written, _ in _rewritten(expression))


def _rewritten(expression: str) -> Iterator[tuple[str, int]]:
    """The pieces of the expression as maps, each with where it was."""
    typed: list[bool] = []
    before_key = False
    for token in _TOKEN.finditer(expression):
        written = token[0]
        if token["type"]:
            typed.append(True)
            name = written[:-1].strip()
            is_empty = expression[token.end() :].lstrip().startswith("}")
            written, before_key = f'{{"{_TYPE}": "{name}"{"" if is_empty else ", "}', True
        elif token["name"] and before_key:
            written, before_key = f'"{written.strip("`")}"', False
        elif token["sign"] and written in _OPEN:
            typed.append(False)
            before_key = False
        elif token["sign"] and written in _CLOSE:
            if typed:
                typed.pop()
            before_key = False
        elif written == ",":
            before_key = bool(typed) and typed[-1]
        yield written, token.start()


def patch_failure(expression: str, path: str, scope: Scope) -> Errors:
    """The complaint about an expression that makes no list of operations."""
    for field in _PATCH_FIELD.findall(expression):
        if field not in _OPERATION_FIELDS:
            why = f"compilation failed: undefined field '{field}'"
            return [invalid(path, expression, why)]
    return _failure(expression, path, scope, "list(JSONPatch)")


def object_failure(expression: str, path: str, scope: Scope) -> Errors:
    """The complaint about an expression that makes no object."""
    return _failure(expression, path, scope, "Object")


def variable(expression: str, path: str, scope: Scope) -> tuple[Errors, object]:
    """The complaint about an expression for a variable, and its type.

    Those that make objects are of any type to those that look at the variable.
    """
    made = as_maps(expression)
    wrong = [_as_written(error, expression) for error in failure(made, path, scope)]
    if wrong:
        return wrong, None
    return [], type_of_variable(made, scope, is_any=_TYPE in made)


def _failure(expression: str, path: str, scope: Scope, wanted: str) -> Errors:
    made = as_maps(expression)
    found = failure(made, path, scope, wanted)
    other = f"must evaluate to {wanted} but got "
    return [_as_written(error, expression) for error in found if not _fits(error, other, made)] or (
        _named(expression, path, wanted)
    )


def _fits(error: FieldError, other: str, made: str) -> bool:
    """Whether the complaint is only of a map where a type was named."""
    got = error.detail.removeprefix(other)
    return got != error.detail and _TYPE in made and got.startswith(("map(", "list("))


def _named(expression: str, path: str, wanted: str) -> Errors:
    """The complaint about an expression that names another type at its very start."""
    start = _STARTS_TYPED.match(expression)
    if start is None:
        return []
    got = f"list({start[2]})" if start[1] else start[2]
    return (
        []
        if got == wanted
        else [invalid(path, expression, f"must evaluate to {wanted} but got {got}")]
    )


def _as_written(error: FieldError, expression: str) -> FieldError:
    def located(found: re.Match[str]) -> str:
        line, column, what = int(found[1]), int(found[2]), found[3]
        before = as_maps(expression).split("\n")[: line - 1]
        at = _origin(expression, sum(len(one) + 1 for one in before) + column - 1)
        shown, start = expression.split("\n")[line - 1], expression.rfind("\n", 0, at) + 1
        return (
            f"ERROR: <input>:{line}:{at - start + 1}: {what}\n | {shown}\n | {'.' * (at - start)}^"
        )

    return invalid(error.path, expression, _PLACE.sub(located, error.detail))


def _origin(expression: str, offset: int) -> int:
    """Where in the expression stands what its form as maps has there."""
    reached = 0
    for written, start in _rewritten(expression):
        if offset < reached + len(written):
            return start + (offset - reached if expression.startswith(written, start) else 0)
        reached += len(written)
    return len(expression)


def mismatches(value: Any, expected: str = "") -> Iterator[str]:
    """What is wrong with the names of types: each is the path of the field it stands in."""
    if is_list(value):
        for item in value:
            yield from mismatches(item, expected)
    if not is_map(value) or _TYPE not in value:
        return
    name = value[_TYPE]
    root = expected or name
    if name != root:
        yield (
            f'unexpected type name "{name}", expected "{root}", which matches field name path from'
            f" root {root.partition('.')[0]} type"
        )
    for field, inner in value.items():
        yield from mismatches(inner, f"{root}.{field}")


def plain(value: Any) -> Any:
    """The value without the names of types."""
    if is_list(value):
        return [plain(item) for item in value]
    if is_map(value):
        return {name: plain(inner) for name, inner in value.items() if name != _TYPE}
    return value
