"""The engine that evaluates rules, with Kubernetes' functions in it.

Importing this module costs some 15 MB: only rules that are evaluated import it. The engine takes
plain JSON values; what it says of failures is put into the words of cel-go.
"""

import re
from functools import cache
from typing import Any

from cel_expr_python import cel
from cel_expr_python.ext.ext_optional import ExtOptional

from tutor.sandbox.api.structural.cel.errors import EvaluationError, SyntaxFailure
from tutor.sandbox.api.structural.cel.functions import functions

_WORDS = (
    (re.compile(r'Key not found in map : "?(.*?)"?'), r"no such key: \1"),
    (re.compile(r"Index error: index=(-?\d+) size=\d+"), r"index out of bounds: \1"),
    (re.compile(r"divide by zero"), "division by zero"),
    (
        re.compile(
            r"(?:cannot convert (string) to|Type conversion error from '(\w+)' to) '?(\w+)'?"
        ),
        r"type conversion error from '\1\2' to '\3'",
    ),
    (
        re.compile(r"String to (Timestamp|Duration) conversion failed"),
        r"type conversion error from 'string' to 'google.protobuf.\1'",
    ),
    (re.compile(r"No matching overloads found.*"), "no such overload"),
)
_SYNTAX_WORDS = (
    (re.compile(r"has\(\) argument must be a field selection"), "invalid argument to has() macro"),
    (
        re.compile(r"(all|exists|exists_one)\(\) variable name must be a simple identifier"),
        "argument must be a simple name",
    ),
    (
        re.compile(r"(map|filter)\(\) variable name must be a simple identifier"),
        "argument is not an identifier",
    ),
    (
        re.compile(r"\w+\(\) variable name cannot be \S+"),
        "iteration variable overwrites accumulator variable",
    ),
    (re.compile(r"\\u003F"), "?"),
)
_TOO_DEEP = re.compile(r"recursion (?:depth|limit)")
_TOO_LONG = re.compile(r"expression size exceeds codepoint limit. input size: (\d+), limit: (\d+)")
_COMPLAINT = re.compile(r"\n(?=ERROR: <input>:)")
_NOWHERE = "ERROR: <input>:4294967295:"
"""The engine's place of a part that is not there at all, which cel-go passes over."""
_CODE = re.compile(r"\A[A-Z_]+: ")


class Program:
    """A compiled expression over `self` and `oldSelf`."""

    __slots__ = ("_expression",)

    def __init__(self, expression: cel.Expression) -> None:
        self._expression = expression

    def run(self, self_value: Any, old: Any = None, *, has_old: bool = False) -> Any:
        """Evaluate to a plain value.

        Raises:
            EvaluationError: it has no value; the text is cel-go's.
        """
        data = {"self": self_value, "oldSelf": old, "hasOldSelf": has_old}
        try:
            result = self._expression.eval(data=data)
        except RuntimeError as error:
            raise EvaluationError(words(str(error))) from error
        value = result.plain_value()
        if result.type() == cel.Type.ERROR:
            raise EvaluationError(words(str(value)))
        return value


def load(prepared: bytes) -> Program:
    """Load an expression that has been prepared for this engine.

    Raises:
        SyntaxFailure: the engine does not take it.
    """
    try:
        return Program(_environment().deserialize(prepared))  # pyright: ignore[reportArgumentType]
    except RuntimeError as error:
        raise SyntaxFailure(str(error)) from error


def parse(text: str) -> bytes:
    """The expression's tree, macros expanded, as the engine serialises it.

    Raises:
        SyntaxFailure: it is no CEL; the text is that of cel-go.
    """
    try:
        return _parser().compile(text, disable_check=True).serialize()
    except RuntimeError as error:
        message = str(error).removeprefix("INVALID_ARGUMENT: ")
        raise SyntaxFailure(_syntax_words(message.removesuffix(" [INVALID_ARGUMENT]"))) from error


def _syntax_words(message: str) -> str:
    """Complaints of the parser as cel-go has them."""
    if _TOO_DEEP.search(message):
        # The engine's own limit is 32 and cannot be changed.
        return "ERROR: <input>:-1:0: expression recursion limit exceeded: 250"
    if size := _TOO_LONG.search(message):
        told = f"expression code point size exceeds limit: size: {size[1]}, limit {size[2]}"
        return f"ERROR: <input>:-1:0: {told}"
    found = [_translated(one) for one in _COMPLAINT.split(message) if _NOWHERE not in one]
    if len(found) > 1:
        found = [one for one in found if "invalid constant literal expression" not in one]
    return "\n".join(found)


def _translated(complaint: str) -> str:
    for pattern, replacement in _SYNTAX_WORDS:
        complaint = pattern.sub(replacement, complaint, count=1)
    return complaint


def words(message: str) -> str:
    """What the engine says of a failed evaluation, as cel-go says it."""
    text = _CODE.sub("", message)
    for pattern, replacement in _WORDS:
        if match := pattern.fullmatch(text):
            return match.expand(replacement)
    return text


@cache
def _parser() -> cel.Env:
    """What Kubernetes parses with: without macros of the engine's own."""
    return cel.NewEnv(extensions=[ExtOptional()])


@cache
def _environment() -> cel.Env:
    return cel.NewEnv(
        variables={
            "self": cel.Type.DYN,
            "oldSelf": cel.Type.DYN,
            "hasOldSelf": cel.Type.BOOL,
        },
        extensions=[
            cel.CelExtension("kubernetes", functions()),
            ExtOptional(),
        ],
    )
