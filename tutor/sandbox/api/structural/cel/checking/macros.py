"""Macros that Kubernetes has and the engine does not: loops over two variables, and `sortBy`.

Source: cel-go (`ext/comprehensions.go`, `ext/lists.go`).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count

from tutor.sandbox.api.structural.cel.checking.tree import (
    Call,
    Entries,
    Expr,
    Fold,
    ListOf,
    Literal,
    Name,
    Tree,
    mapped,
    walk,
)

_RESULT = "@result"
_ACCUMULATORS = (_RESULT, "__result__")
_SORTED = "@__sortBy_input__"
_NOT_SIMPLE, _NOT_A_NAME = "argument must be a simple name", "argument is not an identifier"
_OVERWRITES = "iteration variable overwrites accumulator variable"
_LOOPS = {
    "all": (3,),
    "exists": (3,),
    "existsOne": (3,),
    "exists_one": (3,),
    "transformList": (3, 4),
    "transformMap": (3, 4),
    "transformMapEntry": (3, 4),
}
"""Each with how many arguments it may have."""


class MacroError(Exception):
    """A macro is used in another way than it can be; `at` is the id of what is wrong."""

    def __init__(self, at: int, text: str) -> None:
        super().__init__(text)
        self.at = at


def expand(tree: Tree) -> Tree:
    """The expression with those macros written out; the same tree when there are none.

    Raises:
        MacroError: an argument is wrong.
    """
    numbers = [one.id for one in walk(tree.root)]
    if not any(_is_macro(one) for one in walk(tree.root)):
        return tree
    offsets = dict(tree.offsets)
    root = _Expansion(count(max(numbers) + 1_000), offsets).expand(tree.root)
    return Tree(tree.text, root, offsets)


def _is_macro(expr: Expr) -> bool:
    if not isinstance(expr, Call) or expr.target is None:
        return False
    if expr.function == "sortBy":
        return len(expr.args) == 2
    return len(expr.args) in _LOOPS.get(expr.function, ())


class _Expansion:
    def __init__(self, numbers: "count[int]", offsets: dict[int, int]) -> None:
        self._numbers = numbers
        self._offsets = offsets
        self._at = 0

    def expand(self, expr: Expr) -> Expr:
        inside = mapped(expr, self.expand)
        return self._call(inside) if isinstance(inside, Call) else inside

    def _call(self, call: Call) -> Expr:
        target = call.target
        if target is None or not _is_macro(call):
            return call
        self._at = self._offsets.get(call.id, 0)
        if call.function == "sortBy":
            return self._sort_by(call, target)
        names = [_name(arg, _NOT_SIMPLE) for arg in call.args[:2]]
        if names[0] == names[1]:
            raise MacroError(call.args[1].id, f"duplicate variable name: {names[0]}")
        for name, arg in zip(names, call.args, strict=False):
            if name in _ACCUMULATORS:
                raise MacroError(arg.id, _OVERWRITES)
        start, condition, step, result = _BY_NAME[call.function](self, call.args)
        return self._fold(names, target, (start, condition, step, result))

    def _fold(
        self, names: list[str], over: Expr, parts: tuple[Expr, Expr, Expr, Expr], to: str = _RESULT
    ) -> Fold:
        start, condition, step, result = parts
        return Fold(
            id=self._number(),
            variable=names[0],
            second=names[1] if len(names) > 1 else "",
            over=over,
            result_name=to,
            start=start,
            condition=condition,
            step=step,
            result=result,
        )

    def _number(self) -> int:
        number = next(self._numbers)
        self._offsets[number] = self._at
        return number

    def literal(self, type_: str, value: object) -> Literal:
        return Literal(id=self._number(), type=type_, value=value)

    def name(self, name: str = _RESULT) -> Name:
        return Name(id=self._number(), name=name)

    def call(self, function: str, *args: Expr) -> Call:
        return Call(id=self._number(), function=function, target=None, args=args)

    def list(self, *items: Expr) -> ListOf:
        return ListOf(id=self._number(), items=items, optional=frozenset())

    def map(self) -> Entries:
        return Entries(id=self._number(), type="", entries=())

    def filtered(self, args: tuple[Expr, ...], step: Expr) -> Expr:
        """A step that is taken where the condition among the arguments holds."""
        return self.call("_?_:_", args[2], step, self.name()) if len(args) == 4 else step

    def _sort_by(self, call: Call, target: Expr) -> Expr:
        name = _name(call.args[0], _NOT_A_NAME)
        if name in _ACCUMULATORS:
            raise MacroError(call.args[0].id, _OVERWRITES)
        step = self.call("_+_", self.name(), self.list(call.args[1]))
        parts = (self.list(), self.literal("bool", True), step, self.name())
        keys = self._fold([name], self.name(_SORTED), parts)
        sorted_ = replace(self.call("@sortByAssociatedKeys", keys), target=self.name(_SORTED))
        bound = (target, self.literal("bool", False), self.name(_SORTED), sorted_)
        return self._fold(["#unused"], self.list(), bound, _SORTED)


_Parts = tuple[Expr, Expr, Expr, Expr]
"""Start, condition, step and result."""


def _all(new: _Expansion, args: tuple[Expr, ...]) -> _Parts:
    return (
        new.literal("bool", True),
        new.call("@not_strictly_false", new.name()),
        new.call("_&&_", new.name(), args[2]),
        new.name(),
    )


def _exists(new: _Expansion, args: tuple[Expr, ...]) -> _Parts:
    return (
        new.literal("bool", False),
        new.call("@not_strictly_false", new.call("!_", new.name())),
        new.call("_||_", new.name(), args[2]),
        new.name(),
    )


def _exists_one(new: _Expansion, args: tuple[Expr, ...]) -> _Parts:
    more = new.call("_+_", new.name(), new.literal("int", 1))
    return (
        new.literal("int", 0),
        new.literal("bool", True),
        new.call("_?_:_", args[2], more, new.name()),
        new.call("_==_", new.name(), new.literal("int", 1)),
    )


def _transform_list(new: _Expansion, args: tuple[Expr, ...]) -> _Parts:
    step = new.call("_+_", new.name(), new.list(args[-1]))
    return new.list(), new.literal("bool", True), new.filtered(args, step), new.name()


def _transform_map(new: _Expansion, args: tuple[Expr, ...]) -> _Parts:
    key = new.name(_name(args[0], _NOT_SIMPLE))
    step = new.call("cel.@mapInsert", new.name(), key, args[-1])
    return new.map(), new.literal("bool", True), new.filtered(args, step), new.name()


def _transform_entry(new: _Expansion, args: tuple[Expr, ...]) -> _Parts:
    step = new.call("cel.@mapInsert", new.name(), args[-1])
    return new.map(), new.literal("bool", True), new.filtered(args, step), new.name()


_BY_NAME: Mapping[str, Callable[[_Expansion, tuple[Expr, ...]], _Parts]] = {
    "all": _all,
    "exists": _exists,
    "existsOne": _exists_one,
    "exists_one": _exists_one,
    "transformList": _transform_list,
    "transformMap": _transform_map,
    "transformMapEntry": _transform_entry,
}


def _name(expr: Expr, complaint: str) -> str:
    if not isinstance(expr, Name):
        raise MacroError(expr.id, complaint)
    return expr.name
