"""Expressions made ready for the engine.

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
    Expr,
    Fold,
    ListOf,
    Literal,
    Name,
    Select,
    mapped,
)
from tutor.sandbox.api.structural.cel.errors import SyntaxFailure

_OPTIONAL = ("validate", "format.named")
"""Functions of ours that cannot give an optional value, as they do in Kubernetes."""
READERS = {"timestamp": "kubernetes.time", "duration": "kubernetes.span"}
"""The functions that read such values, by the kind of the value."""
_PASSING_ON = frozenset({"_[_]", "min", "max", "value", "orValue", "_?_:_"})
"""Functions whose values may come from the object."""
_TEXTS = {
    "timestamp": "kubernetes.timeText",
    "duration": "kubernetes.spanText",
    "net.IP": "kubernetes.addressText",
    "net.CIDR": "kubernetes.addressText",
}
"""What makes texts of values, which the engine does in another way, or not at all."""
_READING = {*READERS.values(), "timestamp", "duration"}
"""Functions that get along with texts: so do those that make texts again."""


def prepare(text: str, declared: Declared, *, optional_old: bool) -> bytes:
    """The expression as the engine loads it.

    Raises:
        SyntaxFailure: it is none, or makes no sense for these values.
    """
    tree = read_rule_tree(text)
    checked = check(tree, variables_of(declared, optional_old=optional_old), declared)
    if checked.problems:
        raise SyntaxFailure(f"compilation failed: {told(tree, checked.problems)}")
    root = _Rewriting(checked).rewrite(tree.root)
    return encode(_with_optional_old(root) if optional_old else root)


class _Rewriting:
    def __init__(self, checked: Checked) -> None:
        self._checked = checked

    def rewrite(self, given: Expr) -> Expr:
        """An expression with what the engine needs in it."""
        expr = mapped(self._checked.resolved.get(given.id, given), self.rewrite)
        match expr:
            case Call(function=name) if name in _OPTIONAL:
                library = Name(id=expr.id, name="optional")
                return Call(id=expr.id, function="ofNonZeroValue", target=library, args=(expr,))
            case Call(function="getMilliseconds", target=span) if span is not None:
                is_span = self._type(span) == "duration"
                return _own("kubernetes.milliseconds", expr, span) if is_span else expr
            case Call(function="string", args=(arg,)):
                return self._as_text(arg) if self._type(arg) in _TEXTS else expr
            case Call(function="format", args=(ListOf() as values,)):
                texts = replace(values, items=tuple(map(self._as_text, values.items)))
                return replace(expr, args=(texts,))
            case Name() | Select(tests=False):
                return self._read(expr)
            case Call(function=name) if name in _PASSING_ON:
                return self._read(expr)
            case _:
                return expr

    def _as_text(self, expr: Expr) -> Expr:
        function = _TEXTS.get(self._type(expr))
        return _own(function, expr, _unread(expr)) if function is not None else expr

    def _read(self, expr: Expr) -> Expr:
        """The value, with its text read where it may be one."""
        reader = READERS.get(self._type(expr))
        return _own(reader, expr, expr) if reader is not None else expr

    def _type(self, expr: Expr) -> str:
        """The name of a type of Kubernetes' own, else its kind; empty for what is added here."""
        found = self._checked.types.get(expr.id)
        return (found.name or found.kind) if found is not None else ""


def _own(function: str, place: Expr, arg: Expr) -> Call:
    return Call(id=place.id, function=function, target=None, args=(arg,))


def _unread(expr: Expr) -> Expr:
    """What a time was read from: its text may have a zone, which the engine forgets."""
    match expr:
        case Call(function=name, args=(text,)) if name in _READING:
            return text
        case _:
            return expr


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
