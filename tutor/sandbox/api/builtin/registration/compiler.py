"""Compiles the expressions of policies and webhooks, in the environment they have.

Importing this module costs some 15 MB: only expressions import it. Every value is of unknown type
to the compiler. Source: apiserver's `admission/plugin/cel`, `cel/environment`.
"""

import re
from collections.abc import Sequence
from functools import cache

from cel_expr_python import cel
from cel_expr_python.ext.ext_optional import ExtOptional

from tutor.sandbox.api.structural.cel.functions import functions

_QUALIFIED = re.compile(
    r"ERROR: <input>:(\d+):(\d+): undeclared reference to '(\w+)((?:\.\w+)*)\.\w+'"
    r" \(in container ''\)\n( \| .*)\n \| \.*\^"
)


def compiled(expression: str, names: Sequence[str]) -> cel.Expression:
    """An expression that may look at the values of these names.

    Raises:
        ValueError: It makes no sense; the text is cel-go's.
    """
    try:
        return _environment(tuple(names)).compile(expression)
    except RuntimeError as error:
        message = str(error).removeprefix("INVALID_ARGUMENT: ")
        message = message.removesuffix(" [INVALID_ARGUMENT]")
        raise ValueError(_QUALIFIED.sub(_unqualified, message)) from error


def _unqualified(found: re.Match[str]) -> str:
    """Blame the first name of a path, where it begins, as cel-go does."""
    line, column, name, rest, shown = found.groups()
    first = int(column) - len(name) - len(rest)
    complaint = f"undeclared reference to '{name}' (in container '')"
    return f"ERROR: <input>:{line}:{first}: {complaint}\n{shown}\n | {'.' * (first - 1)}^"


@cache
def _environment(names: tuple[str, ...]) -> cel.Env:
    return cel.NewEnv(
        variables=dict.fromkeys(names, cel.Type.DYN),
        extensions=[cel.CelExtension("kubernetes", functions()), ExtOptional()],
    )
