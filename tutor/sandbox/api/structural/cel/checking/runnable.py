"""Expressions made ready for the engine, where it does not take them as they are.

It has no loops over two variables, and takes times and durations from functions only: objects have
them as texts, so every expression that is one by its type reads it.
"""

from dataclasses import replace

from tutor.sandbox.api.structural.cel.checking.checker import Checked, check
from tutor.sandbox.api.structural.cel.checking.complaints import told
from tutor.sandbox.api.structural.cel.checking.declared import Declared
from tutor.sandbox.api.structural.cel.checking.encode import encode
from tutor.sandbox.api.structural.cel.checking.rule import read_rule_tree, variables_of
from tutor.sandbox.api.structural.cel.checking.tree import (
    Call,
    Entries,
    Expr,
    Fold,
    ListOf,
    Literal,
    Name,
    Select,
)
from tutor.sandbox.api.structural.cel.errors import SyntaxFailure

READERS = {"timestamp": "kubernetes.time", "duration": "kubernetes.span"}
"""The functions that read such values, by the kind of the value."""
_PASSING_ON = frozenset({"_[_]", "min", "max", "value", "orValue", "_?_:_"})
"""Functions whose values may come from the object."""


def prepare(text: str, declared: Declared, *, optional_old: bool) -> bytes:
    """The expression as the engine loads it.

    Raises:
        SyntaxFailure: it is none, or makes no sense for these values.
    """
    tree = read_rule_tree(text)
    checked = check(tree, variables_of(declared, optional_old=optional_old), declared)
    if checked.problems:
        raise SyntaxFailure(told(tree, checked.problems))
    root = _Rewriting(checked).rewrite(tree.root)
    return encode(_with_optional_old(root) if optional_old else root)


class _Rewriting:
    def __init__(self, checked: Checked) -> None:
        self._checked = checked

    def rewrite(self, given: Expr) -> Expr:
        """An expression with what reads times in it."""
        expr = self._inside(self._checked.resolved.get(given.id, given))
        if isinstance(expr, Call) and expr.function == "validate":
            # The engine's function gives a list, which is an optional one in Kubernetes.
            name = Name(id=expr.id, name="optional")
            return Call(id=expr.id, function="ofNonZeroValue", target=name, args=(expr,))
        type_ = self._checked.types.get(given.id)
        reader = READERS.get(type_.kind) if type_ is not None else None
        if reader is not None and _may_be_text(expr):
            return Call(id=expr.id, function=reader, target=None, args=(expr,))
        return expr

    def _inside(self, expr: Expr) -> Expr:
        match expr:
            case Select():
                return replace(expr, operand=self.rewrite(expr.operand))
            case Call():
                target = self.rewrite(expr.target) if expr.target is not None else None
                return replace(expr, target=target, args=tuple(map(self.rewrite, expr.args)))
            case ListOf():
                return replace(expr, items=tuple(map(self.rewrite, expr.items)))
            case Entries():
                entries = (
                    replace(
                        entry,
                        key=entry.key if isinstance(entry.key, str) else self.rewrite(entry.key),
                        value=self.rewrite(entry.value),
                    )
                    for entry in expr.entries
                )
                return replace(expr, entries=tuple(entries))
            case Fold():
                return replace(
                    expr,
                    over=self.rewrite(expr.over),
                    start=self.rewrite(expr.start),
                    condition=self.rewrite(expr.condition),
                    step=self.rewrite(expr.step),
                    result=self.rewrite(expr.result),
                )
            case _:
                return expr


def _may_be_text(expr: Expr) -> bool:
    match expr:
        case Name() | Select(tests=False):
            return True
        case Call():
            return expr.function in _PASSING_ON
        case _:
            return False


def _with_optional_old(root: Expr) -> Expr:
    """The expression with `oldSelf` bound to an optional value."""
    old, library = Name(id=1, name="oldSelf"), Name(id=1, name="optional")
    some = Call(id=1, function="of", target=library, args=(old,))
    none = Call(id=1, function="none", target=library, args=())
    given = Name(id=1, name="hasOldSelf")
    return Fold(
        id=1,
        variable="#unused",
        second="",
        over=ListOf(id=1, items=(), optional=frozenset()),
        result_name="oldSelf",
        start=Call(id=1, function="_?_:_", target=None, args=(given, some, none)),
        condition=Literal(id=1, type="bool", value=False),
        step=old,
        result=root,
    )
