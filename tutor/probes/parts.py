"""The parts of an expression, evaluated one by one, and the one that is missing or cannot be read.

Pure but for `evaluate`, which is given.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tutor.probes.functions import UNREADABLE_MARK
from tutor.probes.spelling import spell
from tutor.probes.syntax import Call, Ident, Loop, Macro, Node, Select, children, macro_of
from tutor.probes.wording import Bound, EvaluationFailed, Gap

Scope = Mapping[str, Bound]
Evaluate = Callable[[Node, Scope], Any]
"""The value of a part. Raises `EvaluationFailed`."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the names stand for, and a way to evaluate any part of the expression."""

    scope: Scope
    evaluate: Evaluate

    def value(self, node: Node) -> Any:
        """The value of a part. Raises `Gap` or `EvaluationFailed`."""
        found = self.named(node)
        return self.evaluate(node, self.scope) if found is None else found.value

    def named(self, node: Node) -> Bound | None:
        """The value of a name with fields and items behind it; None for anything else.

        Raises `Gap` when one of them is not there.
        """
        match node:
            case Ident():
                return self.scope.get(node.name)
            case Select(is_test=False):
                owner = self.named(node.operand)
                return None if owner is None else owner.field(node.field)
            case Call(function="_[_]", args=(container, key)):
                owner = self.named(container)
                return None if owner is None else owner.item(self.value(key))
            case _:
                return None

    def bound(self, node: Node) -> Bound:
        """The value of any part, with the words for it. Raises as `value` does."""
        return self.named(node) or Bound(self.evaluate(node, self.scope), f"`{spell(node)}`")

    def words(self, node: Node) -> str:
        """What to call the value of a part in a sentence."""
        found = self.named(node)
        return f"`{spell(node)}`" if found is None else found.words

    def is_known(self, node: Node, value: bool) -> bool:
        """Whether a part has this value; a part without a value has not."""
        try:
            return self.value(node) is value
        except (Gap, EvaluationFailed):
            return False

    def inside(self, name: str, bound: Bound) -> "Parts":
        """The same with one name more."""
        return Parts({**self.scope, name: bound}, self.evaluate)

    def inside_bind(self, macro: Macro) -> "Parts":
        """What is seen inside `cel.bind`."""
        return self.inside(macro.variable, self.bound(macro.over))

    def rounds(self, variable: str, over: Node) -> "Iterator[Parts]":
        """What is seen in each round of a loop."""
        for item in self.bound(over).items():
            yield self.inside(variable, item)


def blame(node: Node, scope: Scope, evaluate: Evaluate) -> str | None:
    """The first thing an expression needs that is not there, in words; None when all is there."""
    try:
        _search(Parts(scope, evaluate), node)
    except Gap as gap:
        return str(gap)
    except EvaluationFailed:
        return None
    return None


def unreadable_part(node: Node, scope: Scope, evaluate: Evaluate) -> str | None:
    """What to call the value that a function could not read; None when it cannot be told."""
    try:
        return _unreadable(Parts(scope, evaluate), node)
    except (Gap, EvaluationFailed):
        return None


def _search(parts: Parts, node: Node) -> None:
    """Raise `Gap` for the first thing that is missing where it would be looked at."""
    match node:
        case Select():
            _search(parts, node.operand)
            owner = parts.bound(node.operand)
            if not node.is_test or owner.value is None:
                owner.field(node.field)
        case Call(function="_[_]", args=(container, key)):
            _search(parts, container)
            _search(parts, key)
            parts.bound(container).item(parts.value(key))
        case Call(function="_&&_" | "_||_" as operator, args=args):
            for arg in args:
                _search(parts, arg)
                if parts.is_known(arg, operator == "_||_"):
                    return
        case Call(function="_?_:_", args=(condition, yes, no)):
            _search(parts, condition)
            _search(parts, yes if parts.is_known(condition, True) else no)
        case Loop():
            _search_loop(parts, node)
        case _:
            for child in children(node):
                _search(parts, child)


def _search_loop(parts: Parts, node: Loop) -> None:
    macro = macro_of(node)
    if macro is not None and macro.name == "bind":
        _search(parts, macro.over)
        _search(parts.inside_bind(macro), macro.body)
        return
    _search(parts, node.over)
    bodies = (node.step,) if macro is None else (macro.keep, macro.body)
    for inner in parts.rounds(node.variable, node.over):
        for body in bodies:
            if body is not None:
                _search(inner, body)


def _unreadable(parts: Parts, node: Node) -> str | None:
    """The words for the argument of the innermost function that refused to read it."""
    for inner, part in _below(parts, node):
        if words := _unreadable(inner, part):
            return words
    if not (isinstance(node, Call) and node.args):
        return None
    try:
        parts.value(node)
    except EvaluationFailed as error:
        return parts.words(node.args[0]) if UNREADABLE_MARK in str(error) else None
    return None


def _below(parts: Parts, node: Node) -> Iterator[tuple[Parts, Node]]:
    if not isinstance(node, Loop):
        yield from ((parts, child) for child in children(node))
        return
    yield parts, node.over
    for inner in parts.rounds(node.variable, node.over):
        yield inner, node.step
