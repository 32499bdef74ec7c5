"""Compiles the expressions of policies and webhooks, in the environment they have.

Importing this module costs some 15 MB: only expressions import it. Every value but variables is of
unknown type to the compiler. Source: apiserver's `admission/plugin/cel`, `cel/environment`.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType

from cel_expr_python import cel
from cel_expr_python.ext.ext_optional import ExtOptional

from tutor.sandbox.api.structural.cel.functions import functions

_QUALIFIED = re.compile(
    r"ERROR: <input>:(\d+):(\d+): undeclared reference to '(\w+)((?:\.\w+)*)\.\w+'"
    r" \(in container ''\)\n( \| .*)\n \| \.*\^"
)

_NAMED = {
    "bool": cel.Type.BOOL,
    "dyn": cel.Type.DYN,
    "string": cel.Type.STRING,
    "list(string)": cel.Type.List(cel.Type.STRING),
}
_ASKED = re.compile(r"\bhas\(\s*variables\.(\w+)\s*\)")


def compiled(
    expression: str, names: Sequence[str], variables: Mapping[str, object] = MappingProxyType({})
) -> cel.Expression:
    """An expression that may look at the values of these names. Variables have types.

    Raises:
        ValueError: It makes no sense; the text is cel-go's.
    """
    try:
        return _environment_of(expression, names, variables).compile(expression)
    except RuntimeError as error:
        message = str(error).removeprefix("INVALID_ARGUMENT: ")
        message = message.removesuffix(" [INVALID_ARGUMENT]")
        raise ValueError(_QUALIFIED.sub(_unqualified, message)) from error


def type_named(name: str) -> cel.Type | None:
    """A type that is not made of others, and lists of texts; None for others."""
    return _NAMED.get(name)


def _unqualified(found: re.Match[str]) -> str:
    """Blame the first name of a path, where it begins, as cel-go does."""
    line, column, name, rest, shown = found.groups()
    first = int(column) - len(name) - len(rest)
    complaint = f"undeclared reference to '{name}' (in container '')"
    return f"ERROR: <input>:{line}:{first}: {complaint}\n{shown}\n | {'.' * (first - 1)}^"


def _environment_of(
    expression: str, names: Sequence[str], variables: Mapping[str, object]
) -> cel.Env:
    # `has` of a name with dots is of its type to the engine.
    asked = _ASKED.findall(expression)
    typed = {
        f"variables.{name}": type_
        for name, type_ in variables.items()
        if isinstance(type_, cel.Type) and name not in asked
    }
    if not typed:
        return _environment(tuple(names))
    return _new_environment(dict.fromkeys(names, cel.Type.DYN) | typed)


@cache
def _environment(names: tuple[str, ...]) -> cel.Env:
    return _new_environment(dict.fromkeys(names, cel.Type.DYN))


def _new_environment(variables: dict[str, cel.Type]) -> cel.Env:
    return cel.NewEnv(
        variables=variables,
        extensions=[cel.CelExtension("kubernetes", functions()), ExtOptional()],
    )
