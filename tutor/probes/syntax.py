"""The tree of a compiled CEL expression, read from the engine's own serialisation.

The engine names a missing key, but not of what, and a false expression, but not which part of it:
for that the tree has to be seen. Nodes keep their bytes, so that any part can be handed back to the
engine and evaluated by itself.

Source: cel-spec, `cel/expr/syntax.proto` and `cel/expr/checked.proto` (field numbers); protobuf
encoding, *Wire types*.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

CELL = tuple[int, int | bytes]


@dataclass(frozen=True, slots=True)
class Const:
    """A literal."""

    raw: bytes
    value: bool | int | float | str | bytes | None


@dataclass(frozen=True, slots=True)
class Ident:
    """A name."""

    raw: bytes
    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """`operand.field`; `has(operand.field)` when it is a test."""

    raw: bytes
    operand: "Node"
    field: str
    is_test: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A function, an operator (`_==_`, `_[_]`) or, with a target, a method."""

    raw: bytes
    function: str
    target: "Node | None"
    args: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    """`[a, b]`."""

    raw: bytes
    elements: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Struct:
    """`{a: b}`."""

    raw: bytes
    entries: tuple[tuple["Node", "Node"], ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """What `exists`, `all`, `map`, `filter` and `cel.bind` become."""

    raw: bytes
    variable: str
    over: "Node"
    result_name: str
    start: "Node"
    condition: "Node"
    step: "Node"
    result: "Node"


Node = Const | Ident | Select | Call | ListOf | Struct | Loop


class Macro(NamedTuple):
    """A loop as it was written."""

    name: str
    """`exists`, `all`, `exists_one`, `map`, `filter` or `bind`."""
    variable: str
    over: Node
    body: Node
    """The condition; of `map` what each element becomes; of `bind` what is done with the name."""
    keep: Node | None = None
    """The condition of a `map` that has one."""


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled expression as a tree."""

    root: Node
    type_url: bytes
    before: bytes
    """The checked expression's references and types, without its tree."""

    def wrap(self, node: Node) -> bytes:
        """One part of the tree, for the engine to evaluate by itself."""
        return _field(1, self.type_url) + _field(2, self.before + _field(4, node.raw))


def read_program(serialized: bytes) -> Program:
    """Read the engine's serialisation: an `Any` with a checked expression."""
    envelope = dict(_cells(serialized))
    checked = list(_cells(_bytes(envelope[2])))
    tree = next(_bytes(value) for number, value in checked if number == 4)
    before = b"".join(
        _field(number, value)
        for number, value in checked
        if isinstance(value, bytes) and number in {2, 3}
    )
    return Program(_node(tree), _bytes(envelope[1]), before)


def children(node: Node) -> Iterator[Node]:
    """The nodes right below a node, in the order in which they are evaluated."""
    match node:
        case Const() | Ident():
            pass
        case Select():
            yield node.operand
        case Call():
            if node.target is not None:
                yield node.target
            yield from node.args
        case ListOf():
            yield from node.elements
        case Struct():
            for key, value in node.entries:
                yield key
                yield value
        case Loop():
            yield from (node.over, node.start, node.condition, node.step, node.result)


def free_names(node: Node, bound: frozenset[str] = frozenset()) -> Iterator[str]:
    """The names an expression takes from outside."""
    if isinstance(node, Ident):
        if node.name not in bound:
            yield node.name
        return
    if isinstance(node, Loop):
        bound |= {node.variable, node.result_name}
    for child in children(node):
        yield from free_names(child, bound)


def macro_of(loop: Loop) -> Macro | None:
    """The macro that a loop was written as; None for one this module does not know."""
    if isinstance(loop.over, ListOf) and not loop.over.elements and loop.variable.startswith("#"):
        return Macro("bind", loop.result_name, loop.start, loop.result)
    match loop.start, loop.step:
        case Const(value=False), Call(function="_||_", args=(_, body)):
            return Macro("exists", loop.variable, loop.over, body)
        case Const(value=True), Call(function="_&&_", args=(_, body)):
            return Macro("all", loop.variable, loop.over, body)
        case Const(value=0), Call(function="_?_:_", args=(body, _, _)):
            return Macro("exists_one", loop.variable, loop.over, body)
        case ListOf(), Call(function="_+_", args=(_, ListOf(elements=(body,)))):
            return Macro("map", loop.variable, loop.over, body)
        case ListOf(), Call(
            function="_?_:_", args=(keep, Call(args=(_, ListOf(elements=(body,)))), _)
        ):
            if isinstance(body, Ident) and body.name == loop.variable:
                return Macro("filter", loop.variable, loop.over, keep)
            return Macro("map", loop.variable, loop.over, body, keep)
        case _:
            return None


def _node(raw: bytes) -> Node:
    number, body = next(((number, value) for number, value in _cells(raw) if number != 2), (3, b""))
    return _READERS[number](raw, _bytes(body))


def _const(raw: bytes, body: bytes) -> Node:
    for number, value in _cells(body):
        match number, value:
            case 2, int():
                return Const(raw, bool(value))
            case 3, int():
                return Const(raw, value - (1 << 64) if value >> 63 else value)
            case 4, int():
                return Const(raw, value)
            case 5, bytes():
                return Const(raw, struct.unpack("<d", value)[0])
            case 6, bytes():
                return Const(raw, value.decode())
            case 7, bytes():
                return Const(raw, value)
            case _:
                pass
    return Const(raw, None)


def _ident(raw: bytes, body: bytes) -> Node:
    return Ident(raw, _bytes(dict(_cells(body))[1]).decode())


def _select(raw: bytes, body: bytes) -> Node:
    cells = dict(_cells(body))
    field = _bytes(cells[2]).decode()
    return Select(raw, _node(_bytes(cells[1])), field, bool(cells.get(3)))


def _call(raw: bytes, body: bytes) -> Node:
    target, function, args = None, "", list[Node]()
    for number, value in _cells(body):
        if number == 1:
            target = _node(_bytes(value))
        elif number == 2:
            function = _bytes(value).decode()
        else:
            args.append(_node(_bytes(value)))
    return Call(raw, function, target, tuple(args))


def _list(raw: bytes, body: bytes) -> Node:
    elements = (_node(_bytes(value)) for number, value in _cells(body) if number == 1)
    return ListOf(raw, tuple(elements))


def _struct(raw: bytes, body: bytes) -> Node:
    entries = [dict(_cells(_bytes(value))) for number, value in _cells(body) if number == 2]
    pairs = ((_node(_bytes(entry[3])), _node(_bytes(entry[4]))) for entry in entries)
    return Struct(raw, tuple(pairs))


def _loop(raw: bytes, body: bytes) -> Node:
    cells = dict(_cells(body))
    over, start, condition, step, result = (_node(_bytes(cells[n])) for n in (2, 4, 5, 6, 7))
    return Loop(
        raw=raw,
        variable=_bytes(cells[1]).decode(),
        over=over,
        result_name=_bytes(cells[3]).decode(),
        start=start,
        condition=condition,
        step=step,
        result=result,
    )


_READERS = {3: _const, 4: _ident, 5: _select, 6: _call, 7: _list, 8: _struct, 9: _loop}


def _bytes(value: int | bytes) -> bytes:
    return value if isinstance(value, bytes) else b""


def _cells(data: bytes) -> Iterator[CELL]:
    """The fields of a protobuf message: number and value."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        match tag & 7:
            case 0:
                value, at = _varint(data, at)
                yield tag >> 3, value
            case 2:
                length, at = _varint(data, at)
                yield tag >> 3, data[at : at + length]
                at += length
            case wire:
                width = 8 if wire == 1 else 4
                yield tag >> 3, data[at : at + width]
                at += width


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def _field(number: int, value: bytes) -> bytes:
    return _encoded(number << 3 | 2) + _encoded(len(value)) + value


def _encoded(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
