"""What functions on lists cost at worst. Source: cel-go (`ext/{lists,sets}.go`)."""

from tutor.sandbox.api.structural.cel.checking.cost import Part, SizeOf
from tutor.sandbox.api.structural.cel.checking.ranges import (
    ONE,
    TRAVERSAL,
    UNKNOWN,
    CallCost,
    Range,
)
from tutor.sandbox.api.structural.cel.checking.tree import Literal

_UNLIMITED = UNKNOWN.most
_LISTED = Range(10, 10)
_TEXTS = ("list_string_", "list_bytes_")


def list_cost(
    overload: str, target: Part | None, args: list[Part], size_of: SizeOf
) -> CallCost | None:
    """What a call costs without its arguments, None where lists do not say it."""
    if overload.startswith("list_sets_"):
        sizes = size_of(args[0]).times(size_of(args[1]))
        return CallCost(sizes.scaled(2 if "equivalent" in overload else 1).plus(ONE))
    if overload == "lists_range":
        count = _written(args[0], _UNLIMITED)
        return _new_list(1, Range(count, count))
    if target is None:
        return None
    size = size_of(target)
    match overload:
        case "list_slice":
            count = (_written(args[1], size.most) - _written(args[0], 0)) % (_UNLIMITED + 1)
            return _new_list(1, Range(count, count))
        case "list_reverse":
            return _new_list(1, size)
        case "list_flatten" | "list_flatten_int":
            return _new_list(_written(args[0], _UNLIMITED) if args else 1, size)
        case "list_distinct":
            return _new_list(2, size.times(size))
        case _ if overload.endswith(("_sort", "_sortByAssociatedKeys")):
            keys = size_of(args[0]) if args else size
            factor = 2 + TRAVERSAL if overload.startswith(_TEXTS) else 2
            return _new_list(factor, keys.times(keys))
        case _:
            return None


def _written(part: Part, otherwise: int) -> int:
    """An integer that is written out."""
    expr = part.expr
    if isinstance(expr, Literal) and expr.type == "int":
        return max(expr.value, 0)
    return otherwise


def _new_list(factor: float, size: Range) -> CallCost:
    return CallCost(size.scaled(factor).plus(ONE).plus(_LISTED), size)
