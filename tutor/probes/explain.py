"""Why an expression is false, in words: the first part that decides, and what was seen there."""

from collections.abc import Iterator

from tutor.probes.parts import Evaluate, Parts, Scope
from tutor.probes.spelling import COMPARISONS, operator_sign, spell
from tutor.probes.syntax import Call, Const, Loop, Macro, Node, Select, macro_of
from tutor.probes.wording import Bound, EvaluationFailed, Gap, difference, show_value

_ELEMENTS_TOLD = 3

_MIRRORED = {"_<_": "_>_", "_>_": "_<_", "_<=_": "_>=_", "_>=_": "_<=_"}

_TESTS = {
    "contains": ("does not contain", "contain"),
    "startsWith": ("does not start with", "start with"),
    "endsWith": ("does not end with", "end with"),
    "matches": ("does not match", "match"),
}


def why_false(node: Node, scope: Scope, evaluate: Evaluate) -> str:
    """Which part of a false expression is false, and what was seen there."""
    try:
        return _false(Parts(scope, evaluate), node)
    except Gap as gap:
        return str(gap)
    except EvaluationFailed:
        return f"`{spell(node)}` is false"


def _false(parts: Parts, node: Node) -> str:
    match node:
        case Call(function="_&&_", args=args):
            known = (arg for arg in args if parts.is_known(arg, False))
            return _false(parts, next(known, args[-1]))
        case Call(function="_||_"):
            told = (_false(parts, part) for part in _alternatives(node))
            return "; and ".join(dict.fromkeys(told))
        case Call(function="_?_:_", args=(condition, yes, no)):
            return _false(parts, yes if parts.is_known(condition, True) else no)
        case Call(function="!_", args=(operand,)):
            return _holds(parts, operand)
        case Call():
            return _test(parts, node)
        case Select(is_test=True):
            owner = parts.named(node.operand) or Bound(None, f"`{spell(node.operand)}`")
            return owner.lack(node.field)
        case Loop():
            return _loop(parts, node)
        case _:
            return _told(parts, node)


def _test(parts: Parts, node: Call) -> str:
    """One comparison or call that is false."""
    match node:
        case Call(function=function, args=(left, right)) if function in COMPARISONS:
            return _comparison(parts, function, left, right)
        case Call(function="@in", args=(item, container)):
            return f"{_told(parts, container)}: {_shown(parts, item)} is not among them"
        case Call(function=function, target=owner, args=(arg,)) if owner and function in _TESTS:
            return f"{_told(parts, owner)}, which {_TESTS[function][0]} {_shown(parts, arg)}"
        case Call(function="shows", args=(command, value)):
            return _not_shown(parts.value(command), parts.value(value))
        case _:
            return _told(parts, node)


def _not_shown(command: dict[str, str], value: str) -> str:
    if value and value in command["text"]:
        return f"{show_value(value)} stands in the command that you typed, so it proves nothing"
    return f"`{command['text'].strip()}` did not print {show_value(value)}"


def _told(parts: Parts, node: Node) -> str:
    """`spec.mode of the X y is "auto"`."""
    if isinstance(node, Const):
        return show_value(node.value)
    return f"{parts.words(node)} is {show_value(parts.value(node))}"


def _shown(parts: Parts, node: Node) -> str:
    """A value alone, with its name when it is not written in the expression."""
    value = show_value(parts.value(node))
    return value if isinstance(node, Const) else f"{value} ({parts.words(node)})"


def _comparison(parts: Parts, function: str, left: Node, right: Node) -> str:
    if isinstance(left, Const) and not isinstance(right, Const):
        left, right, function = right, left, _MIRRORED.get(function, function)
    told = _told(parts, left)
    if function == "_==_":
        if isinstance(right, Const):
            return f"{told}, not {show_value(right.value)}"
        parting = difference(parts.value(left), parts.value(right))
        return f"{told}, and {_told(parts, right)}{parting}"
    if function == "_!=_":
        return told if isinstance(right, Const) else f"{told}, the same as {parts.words(right)}"
    return f"{told}, not {operator_sign(function)} {_shown(parts, right)}"


def _holds(parts: Parts, operand: Node) -> str:
    """What is there although it should not be."""
    match operand:
        case Select(is_test=True):
            return f"{parts.words(operand.operand)} still has {operand.field}"
        case Call(function="@in", args=(item, container)):
            return f"{_shown(parts, item)} is among {parts.words(container)}"
        case Call(function="_==_", args=(left, _)):
            return _told(parts, left)
        case Call(function=function, target=owner, args=(arg,)) if owner and function in _TESTS:
            should_not = f"it should not {_TESTS[function][1]} {_shown(parts, arg)}"
            return f"{_told(parts, owner)}: {should_not}"
        case Call() | Loop():
            return f"`{spell(operand)}` holds, and should not"
        case _:
            return _told(parts, operand)


def _loop(parts: Parts, node: Loop) -> str:
    macro = macro_of(node)
    if macro is None or macro.name in {"map", "filter"}:
        return _told(parts, node)
    if macro.name == "bind":
        return _false(parts.inside_bind(macro), macro.body)
    rounds = list(parts.rounds(macro.variable, macro.over))
    failing = [inner for inner in rounds if inner.is_known(macro.body, False)]
    if not rounds:
        return f"{parts.words(macro.over)} is empty"
    if not failing:
        return f"{len(rounds)} of {parts.words(macro.over)} fulfil `{spell(macro.body)}`, not one"
    if macro.name == "all":
        return _false(failing[0], macro.body)
    return _nearest(failing, macro)


def _nearest(failing: list[Parts], macro: Macro) -> str:
    """Of elements that all fail, tell those that came closest: one of them was meant."""
    best = max(_agreement(inner, macro.body) for inner in failing)
    near = [inner for inner in failing if _agreement(inner, macro.body) == best]
    told = [_false(inner, macro.body) for inner in near[:_ELEMENTS_TOLD]]
    more = [f"and {len(near) - len(told)} more"] if len(near) > len(told) else []
    return "; ".join([*dict.fromkeys(told), *more])


def _agreement(parts: Parts, body: Node) -> int:
    """How many conditions hold before the first that does not."""
    if not (isinstance(body, Call) and body.function == "_&&_"):
        return 0
    left, right = body.args
    if parts.is_known(left, False):
        return _agreement(parts, left)
    return _conditions(left) + _agreement(parts, right)


def _conditions(node: Node) -> int:
    if isinstance(node, Call) and node.function == "_&&_":
        return sum(_conditions(arg) for arg in node.args)
    return 1


def _alternatives(node: Node) -> Iterator[Node]:
    """`a || b || c` as its parts."""
    if isinstance(node, Call) and node.function == "_||_":
        for arg in node.args:
            yield from _alternatives(arg)
    else:
        yield node
