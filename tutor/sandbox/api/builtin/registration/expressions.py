"""Whether the expressions of policies and webhooks make sense.

What is asked of an authorizer is only parsed. Source: apiserver's `admission/plugin/cel`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.status import invalid
from tutor.sandbox.api.structural.cel.errors import SyntaxFailure

_STRING = re.compile(r"""r?('''|\"\"\"|'|")(?:\\.|(?!\1).)*\1""", re.DOTALL)
_VARIABLE = re.compile(r"(?<![\w.])variables(\.)([_a-zA-Z]\w*)")
_AUTHORIZER = re.compile(r"(?<![\w.])authorizer\b")
_ALWAYS_THERE = ("object", "oldObject", "request", "namespaceObject", "authorizer")
_UNTYPED = re.compile(r"(?<![\w.])(request|namespaceObject)\b")
_TYPE_NAME = re.compile("[A-Z]+")
_TYPES = {
    "NULL": "null_type",
    "DURATION": "google.protobuf.Duration",
    "TIMESTAMP": "google.protobuf.Timestamp",
}
_TEXTS = ("name", "namespace", "operation", "uid", "subResource", "requestSubResource")
_OF_REQUEST = {f"request.{name}": "string" for name in _TEXTS} | {
    "request.dryRun": "bool",
    "request.userInfo": "kubernetes.UserInfo",
    "request.userInfo.username": "string",
    "request.userInfo.uid": "string",
    "request.userInfo.groups": "list(string)",
}
"""The types below `request`, which is compiled as a value of any type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What an expression may look at. `variables` is None where there are none at all.

    Each variable has its type in the engine, None where it is not known.
    """

    params: bool = False
    variables: Mapping[str, object] | None = None

    @property
    def names(self) -> list[str]:
        """The names of the values that are there."""
        return [
            *_ALWAYS_THERE,
            *(("params",) if self.params else ()),
            *(("variables",) if self.variables is not None else ()),
        ]


def failure(expression: str, path: str, scope: Scope, *types: str) -> Errors:
    """The complaint about an expression that makes no sense, or is of none of the types."""
    why = _broken(expression, scope) or _undefined(expression, scope.variables or {})
    if why:
        return [invalid(path, expression, f"compilation failed: {why}")]
    found = _type_of(expression, scope)
    if not types or found in (*types, ""):
        return []
    wanted = types[0] if len(types) == 1 else f"one of [{' '.join(types)}]"
    return [invalid(path, expression, f"must evaluate to {wanted} but got {found}")]


def value_failure(expression: str, path: str, names: Sequence[str], wanted: str) -> Errors:
    """The complaint about an expression over values of these names that makes no sense."""
    from tutor.sandbox.api.builtin.registration import compiler  # noqa: PLC0415 - as below
    from tutor.sandbox.api.structural.cel import engine  # noqa: PLC0415 - as below

    try:
        engine.parse(expression)
        kind = compiler.compiled(expression, names).return_type().name().lower()
    except (SyntaxFailure, ValueError) as error:
        # Nothing at all has no first column.
        why = str(error) if expression else str(error).replace("<input>:1:1:", "<input>:1:0:")
        return [invalid(path, expression, f"compilation failed: {why}")]
    if kind in (wanted, "dyn"):
        return []
    return [invalid(path, expression, f"must evaluate to {wanted}")]


def _broken(expression: str, scope: Scope) -> str:
    # The engine takes 15 MB, which clusters without expressions need not pay.
    from tutor.sandbox.api.builtin.registration import compiler  # noqa: PLC0415
    from tutor.sandbox.api.structural.cel import engine  # noqa: PLC0415

    try:
        engine.parse(expression)
        if not _asks_authorizer(expression):
            compiler.compiled(expression, scope.names, scope.variables or {})
    except (SyntaxFailure, ValueError) as error:
        return str(error)
    return ""


def _type_of(expression: str, scope: Scope) -> str:
    """The type of a good expression; empty when it is not known."""
    from tutor.sandbox.api.builtin.registration import compiler  # noqa: PLC0415

    if _asks_authorizer(expression):
        return ""
    if told := _OF_REQUEST.get(expression.strip()):
        return told
    variables = scope.variables or {}
    kind = compiler.compiled(expression, scope.names, variables).return_type().name()
    if "DYN" in kind and _looks_at_unknown(expression, variables):
        return ""
    named = _TYPE_NAME.sub(lambda found: _TYPES.get(found[0], found[0].lower()), kind)
    return named.replace("<", "(").replace(">", ")")


def type_of_variable(expression: str, scope: Scope, *, is_any: bool = False) -> object:
    """The type of a good expression as the engine has it; None where it is not known."""
    from tutor.sandbox.api.builtin.registration import compiler  # noqa: PLC0415 - as above

    if is_any:
        return compiler.type_named("dyn")
    if _asks_authorizer(expression):
        return None
    variables = scope.variables or {}
    if told := _OF_REQUEST.get(expression.strip()):
        return compiler.type_named(told)
    found = compiler.compiled(expression, scope.names, variables).return_type()
    return None if "DYN" in found.name() and _looks_at_unknown(expression, variables) else found


def _looks_at_unknown(expression: str, variables: Mapping[str, object]) -> bool:
    code = _code(expression)
    used = (use[2] for use in _VARIABLE.finditer(code))
    return bool(_UNTYPED.search(code)) or any(variables.get(name) is None for name in used)


def _code(expression: str) -> str:
    """The expression with its texts blanked out."""
    return _STRING.sub(lambda found: " " * len(found[0]), expression)


def _asks_authorizer(expression: str) -> bool:
    return bool(_AUTHORIZER.search(_code(expression)))


def _undefined(expression: str, variables: Mapping[str, object]) -> str:
    """The first use of a variable that is not there."""
    for use in _VARIABLE.finditer(_code(expression)):
        if use[2] not in variables:
            return _located(expression, use.start(1), f"undefined field '{use[2]}'")
    return ""


def _located(expression: str, offset: int, message: str) -> str:
    before = expression[:offset]
    line, column = before.count("\n") + 1, offset - (before.rfind("\n") + 1)
    shown = expression.split("\n")[line - 1]
    return f"ERROR: <input>:{line}:{column + 1}: {message}\n | {shown}\n | {'.' * column}^"
