"""What functions of the language itself cost. Source: cel-go (`checker/cost.go`)."""

from tutor.sandbox.api.structural.cel.checking.ranges import (
    ONE,
    REGEX,
    TRAVERSAL,
    UNLIMITED,
    CallCost,
    Range,
)

_COMPARED = frozenset(
    f"{word}_{kind}"
    for word in ("less", "greater", "less_equals", "greater_equals")
    for kind in ("string", "bytes")
) | {"equals", "not_equals"}


def plain_cost(overload: str, sizes: list[Range], *, has_target: bool) -> CallCost:
    """What a function of the language itself costs; `sizes` has the receiver's first."""
    match overload:
        case "string_format" if has_target:
            return CallCost(sizes[0].scaled(TRAVERSAL))
        case "string_to_bytes" | "bytes_to_string" | "strings_quote":
            return _converted(overload, sizes[0])
        case "starts_with_string" | "ends_with_string":
            return CallCost(sizes[1].scaled(TRAVERSAL))
        case "in_list":
            return CallCost(sizes[1].scaled(1))
        case "matches_string" if has_target:
            text = sizes[0].plus(ONE).scaled(TRAVERSAL)
            return CallCost(text.times(sizes[1].scaled(REGEX)))
        case "contains_string" if has_target:
            return CallCost(sizes[0].scaled(TRAVERSAL).times(sizes[1].scaled(TRAVERSAL)))
        case _ if overload in _COMPARED:
            most = min(sizes[0].most, sizes[1].most)
            return CallCost(Range(min(most, 1), most).scaled(TRAVERSAL))
        case _:
            return CallCost(ONE)


def _converted(overload: str, size: Range) -> CallCost:
    """What making one text of another costs."""
    wrap = UNLIMITED + 1
    into = {
        "string_to_bytes": Range(size.least, size.most * 4 % wrap),
        "bytes_to_string": Range(size.least // 4, size.most),
        "strings_quote": Range((size.least + 2) % wrap, (size.most * 2 + 2) % wrap),
    }
    return CallCost(size.scaled(TRAVERSAL), into[overload])
