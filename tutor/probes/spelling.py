"""A part of an expression as text again, for messages that name it."""

import json

from tutor.probes.syntax import Call, Const, Ident, ListOf, Loop, Node, Select, Struct, macro_of

_BINARY = {
    "_||_": ("||", 1),
    "_&&_": ("&&", 2),
    "_==_": ("==", 3),
    "_!=_": ("!=", 3),
    "_<_": ("<", 3),
    "_<=_": ("<=", 3),
    "_>_": (">", 3),
    "_>=_": (">=", 3),
    "@in": ("in", 3),
    "_+_": ("+", 4),
    "_-_": ("-", 4),
    "_*_": ("*", 5),
    "_/_": ("/", 5),
    "_%_": ("%", 5),
}
_TIGHT = 9
"""Binds as tight as a name: no brackets around it."""

COMPARISONS = frozenset({"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"})


def operator_sign(function: str) -> str:
    """The sign of a binary operator."""
    return _BINARY[function][0]


def spell(node: Node) -> str:
    """The text of an expression, in one line."""
    return _spell(node)[0]


def _spell(node: Node) -> tuple[str, int]:
    """The text, and how tight its outermost operator binds."""
    match node:
        case Const():
            return _literal(node.value), _TIGHT
        case Ident():
            return node.name, _TIGHT
        case Select():
            text = f"{_within(node.operand, _TIGHT)}.{node.field}"
            return (f"has({text})" if node.is_test else text), _TIGHT
        case ListOf():
            return f"[{', '.join(spell(element) for element in node.elements)}]", _TIGHT
        case Struct():
            pairs = (f"{spell(key)}: {spell(value)}" for key, value in node.entries)
            return f"{{{', '.join(pairs)}}}", _TIGHT
        case Loop():
            return _loop(node), _TIGHT
        case Call():
            return _call(node)


def _within(node: Node, tightness: int) -> str:
    text, own = _spell(node)
    return text if own >= tightness else f"({text})"


def _call(node: Call) -> tuple[str, int]:
    args = node.args
    if node.function in _BINARY:
        sign, tightness = _BINARY[node.function]
        left, right = _within(args[0], tightness), _within(args[1], tightness + 1)
        return f"{left} {sign} {right}", tightness
    match node.function, args:
        case "_?_:_", (condition, yes, no):
            return f"{_within(condition, 1)} ? {_within(yes, 1)} : {spell(no)}", 0
        case ("!_" | "-_") as function, (operand,):
            return f"{function[0]}{_within(operand, 8)}", 8
        case "_[_]", (container, key):
            return f"{_within(container, _TIGHT)}[{spell(key)}]", _TIGHT
        case "_[?_]", (container, key):
            return f"{_within(container, _TIGHT)}[?{spell(key)}]", _TIGHT
        case "_?._", (operand, Const(value=str() as field)):
            return f"{_within(operand, _TIGHT)}.?{field}", _TIGHT
        case _:
            owner = f"{_within(node.target, _TIGHT)}." if node.target else ""
            return f"{owner}{node.function}({', '.join(spell(arg) for arg in args)})", _TIGHT


def _loop(node: Loop) -> str:
    macro = macro_of(node)
    if macro is None:
        return f"{_within(node.over, _TIGHT)}.…"
    if macro.name == "bind":
        return f"cel.bind({macro.variable}, {spell(macro.over)}, {spell(macro.body)})"
    keep = f"{spell(macro.keep)}, " if macro.keep else ""
    over = _within(macro.over, _TIGHT)
    return f"{over}.{macro.name}({macro.variable}, {keep}{spell(macro.body)})"


def _literal(value: bool | float | str | bytes | None) -> str:
    if isinstance(value, bytes):
        return f"b{json.dumps(value.decode('latin-1'), ensure_ascii=False)}"
    return json.dumps(value, ensure_ascii=False)
