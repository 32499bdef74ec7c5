"""Trees in the form that the engine loads: `ParsedExpr` of CEL (`cel/expr/syntax.proto`)."""

from struct import pack

from tutor.sandbox.api.structural.cel.checking.tree import (
    Call,
    Entries,
    Entry,
    Expr,
    Fold,
    ListOf,
    Literal,
    Name,
    Select,
)

_TYPE_URL = "type.googleapis.com/cel.expr.ParsedExpr"
_LITERALS = ("null", "bool", "int", "uint", "double", "string", "bytes")


def encode(root: Expr) -> bytes:
    """The message, in an `Any`."""
    return _part(1, _TYPE_URL.encode()) + _part(2, _part(2, _expr(root)))


def _expr(expr: Expr) -> bytes:
    match expr:
        case Literal():
            kind, body = 3, _literal(expr)
        case Name():
            kind, body = 4, _text(1, expr.name)
        case Select():
            operand = _part(1, _expr(expr.operand)) + _text(2, expr.field)
            kind, body = 5, operand + _number(3, int(expr.tests))
        case Call():
            target = _part(1, _expr(expr.target)) if expr.target is not None else b""
            args = b"".join(_part(3, _expr(arg)) for arg in expr.args)
            kind, body = 6, target + _text(2, expr.function) + args
        case ListOf():
            items = b"".join(_part(1, _expr(item)) for item in expr.items)
            places = b"".join(map(_varint, sorted(expr.optional)))
            kind, body = 7, items + (_part(2, places) if places else b"")
        case Entries():
            entries = b"".join(_part(2, _entry(entry)) for entry in expr.entries)
            kind, body = 8, _text(1, expr.type) + entries
        case Fold():
            kind, body = 9, _fold(expr)
    return _number(2, expr.id) + _part(kind, body)


def _literal(expr: Literal) -> bytes:
    number = _LITERALS.index(expr.type) + 1
    if expr.type == "double":
        return _varint(number << 3 | 1) + pack("<d", expr.value)
    if expr.type in {"string", "bytes"}:
        return _part(number, expr.value.encode() if expr.type == "string" else expr.value)
    return _varint(number << 3) + _varint(int(expr.value or 0) % 2**64)


def _entry(entry: Entry) -> bytes:
    key = _text(2, entry.key) if isinstance(entry.key, str) else _part(3, _expr(entry.key))
    optional = _number(5, int(entry.optional))
    return _number(1, entry.id) + key + _part(4, _expr(entry.value)) + optional


def _fold(expr: Fold) -> bytes:
    parts = (expr.start, expr.condition, expr.step, expr.result)
    return (
        _text(1, expr.variable)
        + _part(2, _expr(expr.over))
        + _text(3, expr.result_name)
        + b"".join(_part(number, _expr(part)) for number, part in enumerate(parts, 4))
        + _text(8, expr.second)
    )


def _text(number: int, text: str) -> bytes:
    return _part(number, text.encode()) if text else b""


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value) if value else b""


def _part(number: int, body: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(body)) + body


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
