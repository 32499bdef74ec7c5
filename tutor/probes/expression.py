"""CEL: compile with a place for each fault, evaluate over plain data, say what is missing.

The one file that imports the engine. Never a traceback: a missing object, key or index is
*missing*, with words that name it; any other failure is *failed*, with the engine's reason.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from tutor.nearest import did_you_mean
from tutor.probes import functions
from tutor.probes.base import Absent, Blind, Reading, Seen
from tutor.probes.explain import why_false
from tutor.probes.functions import UNREADABLE_MARK, Unreadable
from tutor.probes.parts import Scope, blame, unreadable_part
from tutor.probes.syntax import Node, Program, free_names, read_program
from tutor.probes.wording import Bound, EvaluationFailed


class Fault(NamedTuple):
    """What is wrong with an expression, and at which character of it."""

    message: str
    offset: int


class ExpressionError(Exception):
    """An expression that cannot be compiled."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(fault.message for fault in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Value:
    """What an expression gave."""

    value: Any


@dataclass(frozen=True, slots=True)
class Missing:
    """Something the expression needs is not there yet."""

    text: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The expression cannot be evaluated, whatever the learner does."""

    text: str


Answer = Value | Missing | Failed

Wanted = Literal["bool", "string", "any"]


class Values:
    """What the names of a step stand for at one moment.

    It belongs to the thread that made it: the engine keeps its memory by thread.
    """

    def __init__(self, language: "Language", readings: Mapping[str, Reading]) -> None:
        self.readings = readings
        self._seen = {
            name: reading for name, reading in readings.items() if isinstance(reading, Seen)
        }
        self.activation = language.environment.Activation(
            {name: reading.value for name, reading in self._seen.items()}
        )

    def scope(self) -> Scope:
        """The values with their nouns, for explanations."""
        return {name: Bound(seen.value, seen.noun) for name, seen in self._seen.items()}


class Language:
    """CEL with our functions and the names of one step."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        self.environment = _engine().environment(self.names)

    def compile(self, text: str, *, wanted: Wanted = "any") -> "Expression":
        """Compile, and see that it can give what is wanted. Raises `ExpressionError`."""
        try:
            compiled = self.environment.compile(text)
        except RuntimeError as error:
            raise ExpressionError(tuple(_faults(text, str(error), self.names))) from error
        given: str = compiled.return_type().name()
        if wanted != "any" and given not in {wanted.upper(), "DYN"}:
            words = _TYPE_WORDS.get(given, given.lower())
            raise ExpressionError(
                (Fault(f"this gives {words}, where {_WANTED_WORDS[wanted]} is needed", 0),)
            )
        program = read_program(compiled.serialize())
        names = frozenset(free_names(program.root)) & set(self.names)
        return Expression(self, text, compiled, program, names)

    def values(self, readings: Mapping[str, Reading]) -> Values:
        """The values of one moment, to evaluate any number of expressions over."""
        return Values(self, readings)


class Expression:
    """A compiled expression."""

    def __init__(
        self,
        language: Language,
        text: str,
        compiled: Any,
        program: Program,
        names: frozenset[str],
    ) -> None:
        self.text = text
        self.names = names
        """The given names it uses."""
        self._language = language
        self._compiled = compiled
        self._program = program

    def evaluate(self, values: Values) -> Answer:
        """Evaluate over the values of one moment."""
        for name in sorted(self.names):
            match values.readings[name]:
                case Absent(text):
                    return Missing(text)
                case Blind(text):
                    return Failed(text)
                case Seen():
                    pass
        try:
            return Value(_plain_result(self._compiled, values.activation))
        except EvaluationFailed as error:
            return self._failure(str(error), values)

    def why_false(self, values: Values) -> str:
        """Which part of it is false, and what was seen there."""
        return why_false(self._program.root, values.scope(), self._part)

    def _failure(self, reason: str, values: Values) -> Answer:
        if (unreadable := reason.partition(UNREADABLE_MARK)[2]) != "":
            culprit = unreadable_part(self._program.root, values.scope(), self._part)
            return Missing(f"{culprit}: {unreadable}" if culprit else unreadable)
        missing = blame(self._program.root, values.scope(), self._part)
        if missing is not None and _speaks_of_absence(reason):
            return Missing(missing)
        return Failed(f"the expression `{self.text}` cannot be evaluated: {_in_words(reason)}")

    def _part(self, node: Node, scope: Scope) -> Any:
        """Evaluate one part of the tree. Raises `EvaluationFailed`."""
        environment = self._language.environment
        part = environment.deserialize(self._program.wrap(node))
        data = {name: bound.value for name, bound in scope.items()}
        return _plain_result(part, environment.Activation(data))


def _plain_result(compiled: Any, activation: Any) -> Any:
    """Raises `EvaluationFailed` for both of the engine's ways to fail."""
    try:
        result = compiled.eval(activation)
        value = result.plain_value()
    except (RuntimeError, TypeError) as error:
        raise EvaluationFailed(str(error)) from error
    if result.type().name() == "ERROR":
        raise EvaluationFailed(str(value))
    return bytes(value) if isinstance(value, bytearray) else value


_ABSENCE = (
    "NOT_FOUND: Key not found",
    "Index error: index=",
    "SELECT to non-message",
    "container type: 'null_type'",
)


def _speaks_of_absence(reason: str) -> bool:
    return any(words in reason for words in _ABSENCE)


_CODE = re.compile(r"^[A-Z_]+: ")


def _in_words(reason: str) -> str:
    """The engine's reason without its code and without where it keeps its sources."""
    words = _CODE.sub("", reason.splitlines()[0]).strip()
    return words[:1].lower() + words[1:]


_TYPE_WORDS = {
    "STRING": "a text",
    "INT": "a number",
    "UINT": "a number",
    "DOUBLE": "a number",
    "BOOL": "true or false",
    "NULL": "null",
    "BYTES": "bytes",
    "TIMESTAMP": "a time",
    "DURATION": "a length of time",
}
_WANTED_WORDS = {"bool": "true or false", "string": "a text"}

_COMPILE_FAULT = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_UNDECLARED = re.compile(r"undeclared reference to '([^']*)'")


def _faults(text: str, message: str, names: Iterable[str]) -> Iterable[Fault]:
    """The engine's faults, in words, each at a character of the text."""
    found = list(_COMPILE_FAULT.finditer(message))
    lines = text.splitlines(keepends=True)
    told = set[str]()
    for match in found or [re.match("()()(.*)", message)]:
        if match is None:
            continue
        line, column = int(match[1] or 1), int(match[2] or 1)
        offset = sum(len(each) for each in lines[: line - 1]) + column - 1
        fault = _fault(text, match[3], offset, names)
        if fault.message not in told:
            told.add(fault.message)
            yield fault
        if "Syntax error" in match[3]:
            return  # the ones that follow speak of the same place


def _fault(text: str, message: str, offset: int, names: Iterable[str]) -> Fault:
    undeclared = _UNDECLARED.search(message)
    if undeclared is None:
        return Fault(_syntax_words(message), offset)
    if text[offset : offset + 1] == "(":
        name = undeclared[1].rpartition(".")[2]
        known = (*FUNCTIONS, *_STANDARD)
        start = text.rfind(name, 0, offset)
        if name in known:
            return Fault(f"`{name}` is not called like this", max(start, 0))
        return Fault(f"unknown function `{name}`{did_you_mean(name, known)}", max(start, 0))
    name = undeclared[1].partition(".")[0]
    start = max(text.rfind(name, 0, offset + len(name)), 0)
    return Fault(f"unknown name `{name}`{did_you_mean(name, names)}", start)


def _syntax_words(message: str) -> str:
    words = message.removeprefix("Syntax error: ").partition(" expecting {")[0]
    if words.startswith("token recognition error"):
        return "a character that has no meaning here, or a quote that does not end"
    if "'<EOF>'" in words and "extraneous" not in words:
        return "the expression ends too early"
    if quoted := re.match(r"(?:mismatched|extraneous) input '(.*?)'(?: expecting|$)", words):
        return f"`{quoted[1]}` was not expected here"
    return words.removesuffix(" [INVALID_ARGUMENT]")


def _call(function: Any) -> Any:
    def call(*args: Any) -> Any:
        try:
            return function(*args)
        except Unreadable as error:
            raise Unreadable(f"{UNREADABLE_MARK}{error}") from error

    return call


_MEMBERS: dict[str, tuple[Any, str]] = {
    "isGreaterThan": (functions.is_greater, "BOOL"),
    "isLessThan": (functions.is_less, "BOOL"),
    "compareTo": (functions.compare, "INT"),
}
_GLOBALS: dict[str, tuple[Any, tuple[str, ...], str]] = {
    "pem": (functions.pem, ("STRING",), "STRING"),
    "x509": (functions.x509, ("STRING",), "DYN"),
    "signed_by": (functions.signed_by, ("STRING", "STRING"), "BOOL"),
    "b64d": (functions.b64d, ("STRING",), "DYN"),
    "yaml": (functions.from_yaml, ("STRING",), "DYN"),
    "json": (functions.from_json, ("STRING",), "DYN"),
    "bcrypt_matches": (functions.bcrypt_matches, ("STRING", "STRING"), "BOOL"),
    "shows": (functions.shows, ("DYN", "STRING"), "BOOL"),
    "quantity": (functions.quantity, ("STRING",), "DYN"),
    "sets.contains": (functions.contains_all, ("LIST", "LIST"), "BOOL"),
    "sets.equivalent": (functions.same_elements, ("LIST", "LIST"), "BOOL"),
    "sets.intersects": (functions.shares_element, ("LIST", "LIST"), "BOOL"),
}
FUNCTIONS: tuple[str, ...] = (*_GLOBALS, *_MEMBERS)
"""The functions beyond CEL's own."""

_STANDARD = (
    "all", "contains", "duration", "endsWith", "exists", "exists_one", "filter", "format", "has",
    "hasValue", "int", "join", "lowerAscii", "map", "matches", "orValue", "replace", "size",
    "split", "startsWith", "string", "substring", "timestamp", "trim", "upperAscii",
)  # fmt: skip
"""The engine's functions that a misspelt one may have meant."""


@lru_cache(maxsize=1)
def _engine() -> "_Engine":
    """The engine with our functions; loaded once, by the first expression."""
    # 13 MB that the first screen does not need, so not at the top of the file.
    from cel_expr_python import cel  # noqa: PLC0415
    from cel_expr_python.ext import (  # noqa: PLC0415
        ext_bindings,
        ext_encoders,
        ext_math,
        ext_optional,
        ext_strings,
    )

    def declared(name: str, takes: Iterable[str], gives: str, member: bool, call: Any) -> Any:
        parameters = [getattr(cel.Type, each) for each in takes]
        overload = cel.Overload(
            f"tutor_{name}", getattr(cel.Type, gives), parameters, member, _call(call)
        )
        return cel.FunctionDecl(name, [overload])

    ours = [declared(name, takes, gives, False, f) for name, (f, takes, gives) in _GLOBALS.items()]
    ours += [
        declared(name, ("DYN", "DYN"), gives, True, f) for name, (f, gives) in _MEMBERS.items()
    ]
    return _Engine(
        cel,
        (
            ext_strings.ExtStrings(),
            ext_encoders.ExtEncoders(),
            ext_optional.ExtOptional(),
            ext_bindings.ExtBindings(),
            ext_math.ExtMath(),
            cel.CelExtension("tutor", ours),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Engine:
    module: Any
    extensions: tuple[Any, ...]

    def environment(self, names: Iterable[str]) -> Any:
        """The engine's environment with these names, of any type."""
        variables = dict.fromkeys(names, self.module.Type.DYN)
        return self.module.NewEnv(variables=variables, extensions=list(self.extensions))
