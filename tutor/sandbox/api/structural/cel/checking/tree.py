"""Expressions as trees, read from what the engine's parser serialises.

Macros are expanded already. Source: the messages `ParsedExpr` and `Expr` of CEL
(`cel/expr/syntax.proto`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from struct import unpack
from typing import Any

from tutor.sandbox.api.structural.cel import engine

_LITERALS = ("null", "bool", "int", "uint", "double", "string", "bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """A constant; `type` is one of null, bool, int, uint, double, string and bytes."""

    id: int
    type: str
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A variable."""

    id: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """A field; `tests` says that only its presence is asked for."""

    id: int
    operand: "Expr"
    field: str
    tests: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A function, an operator among them; `target` is None where there is no receiver."""

    id: int
    function: str
    target: "Expr | None"
    args: tuple["Expr", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf:
    """A list; `optional` has the places of items that may be absent."""

    id: int
    items: tuple["Expr", ...]
    optional: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a map or field of a structure; a field has its name for a key."""

    id: int
    key: "Expr | str"
    value: "Expr"
    optional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """A map, or with a type's name a structure."""

    id: int
    type: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """What macros over lists and maps become."""

    id: int
    variable: str
    second: str
    """The variable of values where `variable` is one of keys or indices, else empty."""
    over: "Expr"
    result_name: str
    start: "Expr"
    condition: "Expr"
    step: "Expr"
    result: "Expr"


Expr = Literal | Name | Select | Call | ListOf | Entries | Fold
Fields = dict[int, list[Any]]
"""Of a message: numbers and bytes by the number of their field."""


@dataclass(frozen=True, slots=True)
class Tree:
    """An expression and where in the text each of its nodes begins."""

    text: str
    root: Expr
    offsets: Mapping[int, int]
    """In characters."""


def read_tree(text: str) -> Tree:
    """Parse an expression.

    Raises:
        SyntaxFailure: it is no CEL.
    """
    parsed = _fields(_one(_fields(engine.parse(text)), 2, b""))
    source = _fields(_one(parsed, 3, b""))
    offsets: dict[int, int] = {}
    for pair in map(_fields, source.get(4, ())):
        offsets[_one(pair, 1, 0)] = _one(pair, 2, 0)
    root = _expr(_one(parsed, 2, b""))
    for one in walk(root):
        if isinstance(one, Entries) and one.type:
            # The engine has the place of the name here.
            offsets[one.id] = max(text.find("{", offsets.get(one.id, 0)), 0)
    return Tree(text, root, offsets)


def inner(expr: Expr) -> tuple[Expr, ...]:
    """The expressions directly in an expression."""
    match expr:
        case Select():
            return (expr.operand,)
        case Call():
            return (expr.target, *expr.args) if expr.target is not None else expr.args
        case ListOf():
            return expr.items
        case Entries():
            return tuple(
                part
                for entry in expr.entries
                for part in (entry.key, entry.value)
                if not isinstance(part, str)
            )
        case Fold():
            return (
                expr.over,
                expr.start,
                expr.condition,
                expr.step,
                expr.result,
            )
        case _:
            return ()


def mapped(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """The expression with each of its direct parts changed, in the order in which they stand."""
    match expr:
        case Select():
            return replace(expr, operand=change(expr.operand))
        case Call():
            target = change(expr.target) if expr.target is not None else None
            return replace(expr, target=target, args=tuple(map(change, expr.args)))
        case ListOf():
            return replace(expr, items=tuple(map(change, expr.items)))
        case Entries():
            entries = (
                replace(
                    entry,
                    key=entry.key if isinstance(entry.key, str) else change(entry.key),
                    value=change(entry.value),
                )
                for entry in expr.entries
            )
            return replace(expr, entries=tuple(entries))
        case Fold():
            return replace(
                expr,
                over=change(expr.over),
                start=change(expr.start),
                condition=change(expr.condition),
                step=change(expr.step),
                result=change(expr.result),
            )
        case _:
            return expr


def walk(expr: Expr) -> Iterator[Expr]:
    """An expression and all in it, from the outside."""
    yield expr
    for part in inner(expr):
        yield from walk(part)


def _expr(data: bytes) -> Expr:
    fields = _fields(data)
    number: int = _one(fields, 2, 0)
    kind = next(kind for kind in (*range(3, 10), 0) if kind in fields or not kind)
    body = _fields(_one(fields, kind, b""))
    match kind:
        case 3:
            return _literal(number, body)
        case 4:
            return Name(id=number, name=_text(body, 1))
        case 5:
            return Select(
                id=number,
                operand=_expr(_one(body, 1, b"")),
                field=_text(body, 2),
                tests=bool(_one(body, 3, 0)),
            )
        case 6:
            return Call(
                id=number,
                function=_text(body, 2),
                target=_expr(body[1][0]) if 1 in body else None,
                args=tuple(map(_expr, body.get(3, ()))),
            )
        case 7:
            places = body.get(2, [])
            packed = (place for one in places for place in _packed(one))
            items = tuple(map(_expr, body.get(1, ())))
            return ListOf(id=number, items=items, optional=frozenset(packed))
        case 8:
            entries = tuple(map(_entry, body.get(2, ())))
            return Entries(id=number, type=_text(body, 1), entries=entries)
        case 9:
            return Fold(
                id=number,
                variable=_text(body, 1),
                second=_text(body, 8),
                over=_expr(_one(body, 2, b"")),
                result_name=_text(body, 3),
                start=_expr(_one(body, 4, b"")),
                condition=_expr(_one(body, 5, b"")),
                step=_expr(_one(body, 6, b"")),
                result=_expr(_one(body, 7, b"")),
            )
        case _:
            raise AssertionError("an expression of no kind")


def _literal(number: int, body: Fields) -> Literal:
    ((kind, (value, *_)),) = body.items()
    type_ = _LITERALS[kind - 1]
    if type_ == "null":
        value = None
    elif type_ == "bool":
        value = bool(value)
    elif type_ == "int":
        value = value - 2**64 if value >= 2**63 else value
    elif type_ == "double":
        (value,) = unpack("<d", value)
    elif type_ == "string":
        value = value.decode()
    return Literal(id=number, type=type_, value=value)


def _entry(data: bytes) -> Entry:
    fields = _fields(data)
    return Entry(
        id=_one(fields, 1, 0),
        key=_expr(fields[3][0]) if 3 in fields else _text(fields, 2),
        value=_expr(_one(fields, 4, b"")),
        optional=bool(_one(fields, 5, 0)),
    )


def _one(fields: Fields, number: int, default: Any) -> Any:
    return fields.get(number, [default])[-1]


def _text(fields: Fields, number: int) -> str:
    return _one(fields, number, b"").decode()


def _packed(value: int | bytes) -> Iterator[int]:
    if isinstance(value, int):
        yield value
        return
    at = 0
    while at < len(value):
        number, at = _varint(value, at)
        yield number


def _fields(data: bytes) -> Fields:
    found: Fields = {}
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        if tag & 7 == 0:
            value, at = _varint(data, at)
        else:
            length, at = (8, at) if tag & 7 == 1 else _varint(data, at)
            value, at = data[at : at + length], at + length
        found.setdefault(tag >> 3, []).append(value)
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
