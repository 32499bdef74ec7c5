"""Expressions that make objects and patches: `Object{...}`, `JSONPatch{...}`.

The engine knows no types but its own, so that such literals are read as maps with text keys.
Source: apiserver's `admission/plugin/policy/mutating/patch`, `pkg/cel/mutation`.
"""

import re

from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.registration.expressions import Scope, failure
from tutor.sandbox.api.status import FieldError, invalid

_TOKEN = re.compile(
    r"""(?P<text>r?(?:'''(?:\\.|[^\\])*?'''|\"\"\"(?:\\.|[^\\])*?\"\"\"|'(?:\\.|[^'\\])*'"""
    r"""|"(?:\\.|[^"\\])*"))"""
    r"|(?P<type>(?<![\w.])(?:Object(?:\.[_a-zA-Z]\w*)*|JSONPatch)\s*\{)"
    r"|(?P<name>[_a-zA-Z]\w*|`[^`]*`)|(?P<sign>.)",
    re.DOTALL,
)
_OPEN, _CLOSE = "{[(", "}])"
_OPERATION_FIELDS = ("op", "path", "from", "value")
_PATCH_FIELD = re.compile(r"(?<![\w.])JSONPatch\s*\{\s*\??([_a-zA-Z]\w*)\s*:")


def as_maps(expression: str) -> str:
    """The expression with typed literals as maps."""
    out: list[str] = []
    typed: list[bool] = []
    before_key = False
    for token in _TOKEN.finditer(expression):
        written = token[0]
        if token["type"]:
            typed.append(True)
            written, before_key = "{", True
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
        out.append(written)
    return "".join(out)


def patch_failure(expression: str, path: str, scope: Scope) -> Errors:
    """The complaint about an expression that makes no list of operations."""
    for field in _PATCH_FIELD.findall(expression):
        if field not in _OPERATION_FIELDS:
            why = f"compilation failed: undefined field '{field}'"
            return [invalid(path, expression, why)]
    return _failure(expression, path, scope, "list(JSONPatch)", "list(")


def object_failure(expression: str, path: str, scope: Scope) -> Errors:
    """The complaint about an expression that makes no object."""
    return _failure(expression, path, scope, "Object", "map(")


def _failure(expression: str, path: str, scope: Scope, wanted: str, known_as: str) -> Errors:
    found = failure(as_maps(expression), path, scope, wanted)
    return [
        _as_written(error, expression)
        for error in found
        if f"must evaluate to {wanted} but got {known_as}" not in error.detail
        and not error.detail.endswith("but got dyn")
    ]


def _as_written(error: FieldError, expression: str) -> FieldError:
    return invalid(error.path, expression, error.detail)
