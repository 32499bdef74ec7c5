"""How much an expression may cost at worst, and at best.

Source: cel-go (`checker/cost.go`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from tutor.sandbox.api.structural.cel.checking.checker import Checked
from tutor.sandbox.api.structural.cel.checking.declared import Declared, key_of
from tutor.sandbox.api.structural.cel.checking.plain_costs import plain_cost
from tutor.sandbox.api.structural.cel.checking.ranges import (
    NOTHING,
    ONE,
    TRAVERSAL,
    UNKNOWN,
    UNLIMITED,
    CallCost,
    Range,
)
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
from tutor.sandbox.api.structural.cel.checking.types import DYN, OPTIONAL, Type

_ACCUMULATORS = ("@result", "__result__")
_FIXED_SIZE = frozenset({"bool", "double", "duration", "int", "timestamp", "uint"})


class Entry(NamedTuple):
    """The sizes of what is in a list or a map."""

    is_list: bool
    key: Range
    value: Range


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an expression; without an expression what is in one."""

    type: Type
    path: tuple[str, ...]
    """From a variable: fields, `@items`, `@values`, `@keys`; empty when it is of no variable."""
    size: Range | None
    """None where nothing but the schema tells it."""
    expr: Expr | None = None


SizeOf = Callable[[Part], Range]
CostOf = Callable[[Call, str, Part | None, list[Part], SizeOf], CallCost | None]
"""(call, overload, receiver, arguments, sizes) -> what one call costs, None where it is plain."""


@dataclass(slots=True)
class _Local:
    path: tuple[str, ...]
    size: Range | None
    entry: Entry | None = None


class Coster:
    """Counts the cost of one checked expression."""

    def __init__(self, checked: Checked, root: Declared, cost_of: CostOf) -> None:
        self._checked = checked
        self._root = root
        self._cost_of = cost_of
        self._paths: dict[int, tuple[str, ...]] = {}
        self._sizes: dict[int, Range] = {}
        self._entries: dict[int, Entry] = {}
        self._locals: dict[str, list[_Local]] = {}

    def cost(self, given: Expr) -> Range:
        """The cost of an expression with all in it."""
        expr = self._checked.resolved.get(given.id, given)
        match expr:
            case Literal():
                return NOTHING
            case Name():
                self._paths[expr.id] = self._path_of_name(expr.name)
                return ONE
            case Select():
                return self._select(expr)
            case Call():
                return self._call(expr)
            case ListOf():
                return self._list(expr)
            case Entries():
                return self._map(expr)
            case Fold():
                return self._bind(expr) if _is_bind(expr) else self._fold(expr)

    def size(self, part: Part) -> Range:
        """How large a part is."""
        if part.size is not None:
            return part.size
        return self._declared_size(part.path) or UNKNOWN

    def _path_of_name(self, name: str) -> tuple[str, ...]:
        local = self._local(name)
        return local.path if local is not None else (name,)

    def _local(self, name: str) -> _Local | None:
        stack = self._locals.get(name)
        return stack[-1] if stack else None

    def _select(self, expr: Select) -> Range:
        inside = self.cost(expr.operand)
        if expr.tests:
            return inside
        if self._type(expr.operand).kind in {"map", "struct", "param"}:
            inside = inside.plus(ONE)
        self._paths[expr.id] = (*self._path(expr.operand), expr.field)
        return inside

    def _call(self, expr: Call) -> Range:
        if expr.function == "dyn":
            inside = self.cost(expr.args[0])
            self._copy_sizes(expr, expr.args[0])
            return ONE.plus(inside)
        costs = [self.cost(arg) for arg in expr.args]
        args = [self._part(arg) for arg in expr.args]
        ids = self._checked.overloads.get(expr.id, ())
        if not ids:
            return NOTHING
        total, target = NOTHING, None
        if expr.target is not None:
            total = self.cost(expr.target)
            target = self._part(expr.target)
        cost, size = Range(UNLIMITED, 0), None
        for overload in ids:
            one = self._overload(expr, overload, target, args, costs)
            cost = cost.with_(one.cost)
            if one.size is not None:
                size = one.size if size is None else size.with_(one.size)
            if overload in _INDEX_STEPS and expr.args:
                entry = self._entry(expr.args[0])
                size = entry.value if entry else None
                self._paths[expr.id] = (*self._path(expr.args[0]), _INDEX_STEPS[overload])
            if size is None:
                size = self._size(expr)
        if size is not None:
            self._sizes[expr.id] = size
        return total.plus(cost)

    def _overload(
        self, expr: Call, overload: str, target: Part | None, args: list[Part], costs: list[Range]
    ) -> CallCost:
        before = NOTHING
        for one in costs:
            before = before.plus(one)
        own = self._cost_of(expr, overload, target, args, self.size)
        if own is not None:
            return CallCost(own.cost.plus(before), own.size)
        match overload:
            case "logical_or" | "logical_and":
                left, right = costs[0], costs[1]
                return CallCost(Range(left.least, left.plus(right).most))
            case "conditional":
                return self._conditional(expr, costs)
            case "add_string" | "add_bytes" | "add_list":
                size = self._joined(expr)
                cost = ONE if overload == "add_list" else size.scaled(TRAVERSAL)
                return CallCost(cost.plus(before), size)
            case _:
                sizes = [self._known(one.expr) for one in (target, *args) if one and one.expr]
                plain = plain_cost(overload, sizes, has_target=target is not None)
                return CallCost(plain.cost.plus(before), plain.size)

    def _conditional(self, expr: Call, costs: list[Range]) -> CallCost:
        _, yes, no = expr.args
        self._keep_entry(expr, _together(self._entry(yes), self._entry(no)))
        size = self._known(yes).with_(self._known(no))
        return CallCost(costs[0].plus(costs[1].with_(costs[2])), size)

    def _joined(self, expr: Call) -> Range:
        left, right = expr.args
        self._keep_entry(expr, _together(self._entry(left), self._entry(right)))
        return self._known(left).plus(self._known(right))

    def _list(self, expr: ListOf) -> Range:
        total = Range(10, 10)
        sizes = Range(UNLIMITED if expr.items else 0, 0)
        for item in expr.items:
            total = total.plus(self.cost(item))
            sizes = sizes.with_(self._known(item))
        self._entries[expr.id] = Entry(is_list=True, key=ONE, value=sizes)
        return total

    def _map(self, expr: Entries) -> Range:
        total = Range(40, 40) if expr.type else Range(30, 30)
        keys = values = Range(UNLIMITED if expr.entries else 0, 0)
        for entry in expr.entries:
            if not isinstance(entry.key, str):
                total = total.plus(self.cost(entry.key))
            total = total.plus(self.cost(entry.value))
            if not isinstance(entry.key, str):
                keys = keys.with_(self._known(entry.key))
            values = values.with_(self._known(entry.value))
        if not expr.type:
            self._entries[expr.id] = Entry(is_list=False, key=keys, value=values)
        return total

    def _fold(self, expr: Fold) -> Range:
        total = self.cost(expr.over).plus(self.cost(expr.start))
        self._push(expr.result_name, self._bound(expr.start))
        if expr.second:
            self._push(expr.variable, self._iterated(expr.over, keys=True))
            self._push(expr.second, self._iterated(expr.over, keys=False))
        else:
            self._push(expr.variable, self._iterated(expr.over, keys=None))
        turn = self.cost(expr.condition)
        turn = self.cost(expr.step).plus(turn)
        self._locals[expr.variable].pop()
        if expr.second:
            self._locals[expr.second].pop()
        total = total.plus(self.cost(expr.result))
        self._locals[expr.result_name].pop()
        count = self._known(expr.over)
        if isinstance(expr.start, Literal):
            if (size := self._size(expr.start)) is not None:
                self._sizes[expr.id] = size
        elif isinstance(expr.start, ListOf) or (
            isinstance(expr.start, Entries) and not expr.start.type
        ):
            self._sizes[expr.id] = count
            self._keep_entry(expr, self._entry(expr.step))
        return total.plus(count.times(turn))

    def _bind(self, expr: Fold) -> Range:
        total = self.cost(expr.over).plus(self.cost(expr.start))
        self._push(expr.result_name, self._bound(expr.start))
        total = total.plus(self.cost(expr.result))
        self._locals[expr.result_name].pop()
        self._copy_sizes(expr, expr.result)
        return total

    def _push(self, name: str, local: _Local) -> None:
        self._locals.setdefault(name, []).append(local)

    def _bound(self, expr: Expr) -> _Local:
        return _Local(self._path(expr), self._size(expr), self._entry(expr))

    def _iterated(self, over: Expr, *, keys: bool | None) -> _Local:
        """A loop's variable; without `keys` an item of a list or a key of a map."""
        entry = self._entry(over)
        is_list = entry.is_list if entry else self._type(over).kind == "list"
        if keys or (keys is None and not is_list):
            step, size = "@indices" if is_list else "@keys", entry.key if entry else None
        else:
            step, size = "@items" if is_list else "@values", entry.value if entry else None
        return _Local((*self._path(over), step), size)

    def _type(self, expr: Expr) -> Type:
        return self._checked.types.get(expr.id, DYN)

    def _path(self, given: Expr) -> tuple[str, ...]:
        expr = self._checked.resolved.get(given.id, given)
        if isinstance(expr, Name) and (local := self._local(expr.name)) is not None:
            return local.path
        return self._paths.get(expr.id, ())

    def _part(self, expr: Expr) -> Part:
        path = self._path(expr)
        own = () if path and path[0] in _ACCUMULATORS else path
        return Part(self._type(expr), own, self._size(expr), expr)

    def _known(self, expr: Expr) -> Range:
        return self._size(expr) or UNKNOWN

    def _copy_sizes(self, target: Expr, source: Expr) -> None:
        if (size := self._size(source)) is not None:
            self._sizes[target.id] = size
        self._keep_entry(target, self._entry(source))

    def _keep_entry(self, expr: Expr, entry: Entry | None) -> None:
        if entry is not None:
            self._entries[expr.id] = entry

    def _entry(self, given: Expr) -> Entry | None:
        expr = self._checked.resolved.get(given.id, given)
        if expr.id in self._entries:
            return self._entries[expr.id]
        local = self._local(expr.name) if isinstance(expr, Name) else None
        return local.entry if local is not None else None

    def _size(self, given: Expr) -> Range | None:
        expr = self._checked.resolved.get(given.id, given)
        if (kept := self._sizes.get(expr.id)) is not None:
            return kept
        if (own := _written_size(expr)) is not None:
            return own
        if (size := self._declared_size(self._path(expr))) is not None:
            self._sizes[expr.id] = size
            return size
        if _is_fixed(self._type(expr)):
            return ONE
        local = self._local(expr.name) if isinstance(expr, Name) else None
        return local.size if local is not None else None

    def _declared_size(self, path: tuple[str, ...]) -> Range | None:
        if not path:
            return None
        found: Declared | None = self._root
        for step in path[1:]:
            if found is None:
                return None
            if step in {"@items", "@values"}:
                found = found.element
            elif step == "@keys":
                found = key_of(found)
            else:
                found = found.fields.get(step)
        return None if found is None else Range(0, found.most)


_INDEX_STEPS: Mapping[str, str] = {"index_list": "@items", "index_map": "@values"}


def _together(one: Entry | None, other: Entry | None) -> Entry | None:
    if one is None or other is None:
        return None
    return Entry(one.is_list, one.key.with_(other.key), one.value.with_(other.value))


def _is_bind(expr: Fold) -> bool:
    never = isinstance(expr.condition, Literal) and expr.condition.value is False
    empty = isinstance(expr.over, ListOf) and not expr.over.items
    return never and empty and expr.result_name not in _ACCUMULATORS


def _written_size(expr: Expr) -> Range | None:
    """The size of what is written out."""
    match expr:
        case Literal(type="string" | "bytes"):
            return Range(len(expr.value), len(expr.value))
        case Literal():
            return ONE
        case ListOf():
            return Range(len(expr.items), len(expr.items))
        case Entries(type=""):
            return Range(len(expr.entries), len(expr.entries))
        case _:
            return None


def _is_fixed(found: Type) -> bool:
    if found.kind == "opaque" and found.name == OPTIONAL:
        return _is_fixed(found.params[0])
    return found.kind in _FIXED_SIZE
