"""What Kubernetes' own functions cost at worst.

Source: apiserver (`pkg/cel/library/cost.go`).
"""

import re
from collections.abc import Callable, Mapping
from math import ceil

from tutor.sandbox.api.structural.cel.checking.cost import Part, SizeOf
from tutor.sandbox.api.structural.cel.checking.list_costs import list_cost
from tutor.sandbox.api.structural.cel.checking.ranges import (
    NOTHING,
    ONE,
    REGEX,
    TRAVERSAL,
    UNKNOWN,
    CallCost,
    Range,
)
from tutor.sandbox.api.structural.cel.checking.tree import Call, Literal
from tutor.sandbox.api.structural.cel.checking.types import Type

_FORMAT_PATTERN = 128
_LARGEST_FORMAT = 64
_ADDRESS = Range(4, 16)
"""Bytes of an address."""
_UNLIMITED = UNKNOWN.most
_TRIVIAL = re.compile(
    "serviceAccount|path|group|resource|subresource|namespace|name|allowed|reason|error|errored"
    "|masked|prefixLength|family|isUnspecified|isLoopback|isLinkLocalMulticast|isLinkLocalUnicast"
    "|isGlobalUnicast|format.named|sign|asInteger|isInteger|asApproximateFloat|isGreaterThan"
    "|isLessThan|compareTo|add|sub|major|minor|patch|getScheme|getHostname|getHost|getPort"
    "|getEscapedPath|getQuery"
)
_PARSING = frozenset(
    ["ip", "cidr", "isIP", "isCIDR", "quantity", "isQuantity", "semver", "isSemver"]
)
_ALIKE = frozenset({"kubernetes.Quantity", "kubernetes.Semver", "net.IP", "net.CIDR"}) | {
    f"kubernetes.authorization.{name}"
    for name in ("Authorizer", "PathCheck", "GroupCheck", "ResourceCheck", "Decision")
}
"""Types whose values are compared in one step."""

_Args = list[Part]
_OfTarget = Callable[[Part, _Args, SizeOf], CallCost]


def call_cost(
    call: Call, overload: str, target: Part | None, args: _Args, size_of: SizeOf
) -> CallCost | None:
    """What a call costs without its arguments; None for functions of the language itself."""
    name = call.function
    if overload.startswith("list"):
        listed = list_cost(overload, target, args, size_of)
        if listed is not None:
            return listed
    if _TRIVIAL.fullmatch(name) or overload == "cidr_ip":
        return CallCost(ONE)
    if name == "check":
        return CallCost(Range(350_000, 350_000))
    if name == "_==_":
        return _comparison(*args)
    if target is None:
        return _reading(name, args, size_of)
    own = _BY_NAME.get(name)
    return own(target, args, size_of) if own is not None else None


def _reading(name: str, args: _Args, size_of: SizeOf) -> CallCost | None:
    """What functions cost that have no receiver."""
    if name in _PARSING:
        return CallCost(size_of(args[0]).scaled(TRAVERSAL))
    if name == "url":
        size = size_of(args[0])
        return CallCost(size.scaled(TRAVERSAL), size)
    if name == "ip.isCanonical":
        return CallCost(size_of(args[0]).scaled(2 * TRAVERSAL))
    return None


def _comparison(left: Part, right: Part) -> CallCost | None:
    type_ = left.type
    if type_ != right.type:
        return None
    if type_.name in _ALIKE:
        return CallCost(ONE)
    if type_.name == "kubernetes.NamedFormat":
        return CallCost(Range(1, _LARGEST_FORMAT).scaled(TRAVERSAL))
    if type_.name == "kubernetes.URL":
        most = right.size.most if right.size is not None else 1
        return CallCost(Range(1, most).scaled(TRAVERSAL))
    return None


def _element(target: Part) -> Part | None:
    """What a list has in it; of a map its keys, as the real server has it."""
    if not target.type.params:
        return None
    path = (*target.path, "@items") if target.path else ()
    return Part(target.type.params[0], path, None)


def _search(target: Part, _args: _Args, size_of: SizeOf) -> CallCost:
    size, element = size_of(target), _element(target)
    if element is None:
        return CallCost(size.scaled(TRAVERSAL))
    each = ONE
    if element.type.kind in {"string", "bytes"}:
        each = each.plus(size_of(element).scaled(TRAVERSAL))
    return CallCost(size.times(each))


def _same_length(target: Part, _args: _Args, size_of: SizeOf) -> CallCost:
    size = size_of(target)
    return CallCost(size.scaled(TRAVERSAL), size)


def _selector(_target: Part, args: _Args, size_of: SizeOf) -> CallCost:
    size = size_of(args[0])
    requirements = size.scaled(0.5).scaled(50)
    return CallCost(Range(10, 10).plus(size.scaled(TRAVERSAL)).plus(requirements))


def _replace(target: Part, args: _Args, size_of: SizeOf) -> CallCost:
    size, old, new = size_of(target), size_of(args[0]), size_of(args[1])
    if old.least == 0:
        most, kept_most = min(size.most + 1, _UNLIMITED), size.most
    elif new.most <= old.least:
        most, kept_most = 0, size.most
    else:
        most, kept_most = min(ceil(float(size.most) / float(old.least)), _UNLIMITED), 0
    if old.most == 0:
        least, kept_least = min(size.least + 1, _UNLIMITED), size.least
    elif old.most <= new.least:
        least, kept_least = 0, size.least
    else:
        least, kept_least = ceil(float(size.least) / float(old.most)), 0
    result = Range(least, most).times(new).plus(Range(kept_least, kept_most))
    return CallCost(size.scaled(2 * TRAVERSAL), result)


def _split(target: Part, args: _Args, size_of: SizeOf) -> CallCost:
    size = size_of(target)
    most = size.most
    limit = args[1].expr if len(args) > 1 else None
    if isinstance(limit, Literal) and limit.type == "int":
        most = limit.value % 2**64
    return CallCost(size.scaled(2 * TRAVERSAL), Range(0, most))


def _join(target: Part, args: _Args, size_of: SizeOf) -> CallCost:
    items, element = size_of(target), _element(target)
    size = items.times(size_of(element)) if element is not None else NOTHING
    if args:
        between = Range(max(items.least - 1, 0), max(items.most - 1, 0))
        size = size.plus(size_of(args[0]).times(between))
    return CallCost(size.scaled(TRAVERSAL), size)


def _find(target: Part, args: _Args, size_of: SizeOf) -> CallCost:
    size = size_of(target)
    text = size.plus(ONE).scaled(TRAVERSAL)
    return CallCost(text.times(size_of(args[0]).scaled(REGEX)), Range(0, size.most))


def _contains_ip(_target: Part, args: _Args, size_of: SizeOf) -> CallCost:
    cost = _ADDRESS.plus(_ADDRESS).scaled(TRAVERSAL)
    return CallCost(cost.plus(_text_of(args[0], size_of)))


def _contains_cidr(_target: Part, args: _Args, size_of: SizeOf) -> CallCost:
    cost = _ADDRESS.plus(_ADDRESS).scaled(TRAVERSAL).plus(_ADDRESS.scaled(TRAVERSAL)).plus(ONE)
    return CallCost(cost.plus(_text_of(args[0], size_of)))


def _text_of(arg: Part, size_of: SizeOf) -> Range:
    """What reading an address costs where it is a text."""
    return size_of(arg).scaled(TRAVERSAL) if arg.type == _STRING else NOTHING


def _validate(_target: Part, args: _Args, size_of: SizeOf) -> CallCost:
    return CallCost(size_of(args[0]).scaled(TRAVERSAL).scaled(_FORMAT_PATTERN * REGEX))


_STRING = Type("string")
_BY_NAME: Mapping[str, _OfTarget] = {
    **dict.fromkeys(("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"), _search),
    **dict.fromkeys(("lowerAscii", "upperAscii", "substring", "trim"), _same_length),
    "fieldSelector": _selector,
    "labelSelector": _selector,
    "replace": _replace,
    "split": _split,
    "join": _join,
    "find": _find,
    "findAll": _find,
    "containsIP": _contains_ip,
    "containsCIDR": _contains_cidr,
    "validate": _validate,
}
