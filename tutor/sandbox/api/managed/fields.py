"""Sets of fields, in the form in which they are stored: FieldsV1.

A set is a dict from path elements to what is owned below them. An element with an empty dict is a
member and owns nothing below; one that has both says so with the element `.`. Sets share their
parts and never change: every function returns another one, its elements in order.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tutor.sandbox.api.managed.elements import SELF, canonical, order, shown
from tutor.sandbox.api.values import is_map

Fields = dict[str, Any]
Pattern = Mapping[str, "Pattern"]
"""Elements to keep, `*` for any; an empty pattern keeps all there is."""

ANY = "*"
_MEMBER: Fields = {SELF: {}}
_BEYOND_FIELDS = "g"


def is_member(below: Fields) -> bool:
    """Whether an element is in the set itself, by what the set has below it."""
    return not below or SELF in below


def ordered(fields: Fields) -> Fields:
    """The same set with its first level in order."""
    names = sorted(fields)
    # Fields and the value itself stand in the order of their spelling; other kinds do not.
    if names and names[-1] >= _BEYOND_FIELDS:
        names.sort(key=order)
    return {element: fields[element] for element in names}


def member(below: Fields) -> Fields:
    """What a set has below an element that joins it as a member."""
    return below if is_member(below) else {SELF: {}, **below}


def union(left: Fields, right: Fields) -> Fields:
    """What is in either."""
    if not left or not right:
        return left or right
    joined = dict(left)
    for element, below in right.items():
        mine = joined.get(element)
        if mine is None:
            joined[element] = below
        elif mine != below:
            joined[element] = union(mine or _MEMBER, below or _MEMBER)
    return joined if len(joined) == len(left) else ordered(joined)


def difference(left: Fields, right: Fields) -> Fields:
    """What is in the left one only; what is below a member of the right one stays."""
    rest: Fields = {}
    for element, below in left.items():
        other = right.get(element)
        if other is None:
            rest[element] = below
        elif element != SELF and (kept := difference(below or _MEMBER, other or _MEMBER)):
            rest[element] = _tidy(kept)
    return rest


def deep_difference(left: Fields, right: Fields) -> Fields:
    """What is in the left one and neither in the right one nor below a member of it."""
    rest: Fields = {}
    for element, below in left.items():
        other = right.get(element)
        if other is None:
            rest[element] = below
        elif not is_member(other) and (kept := deep_difference(below or _MEMBER, other)):
            rest[element] = _tidy(kept)
    return rest


def intersection(left: Fields, right: Fields) -> Fields:
    """What is in both."""
    common: Fields = {}
    for element, below in left.items():
        other = right.get(element)
        if other is None:
            continue
        if element == SELF:
            common[element] = below
        elif shared := intersection(below or _MEMBER, other or _MEMBER):
            common[element] = _tidy(shared)
    return common


def matching(fields: Fields, pattern: Pattern) -> Fields:
    """What a pattern names: its elements at each level, and all that is below its ends."""
    if not pattern:
        return fields
    found: Fields = {}
    for element, below in fields.items():
        inner = pattern.get(ANY, pattern.get(element))
        if inner is None:
            continue
        kept = matching({step: sub for step, sub in below.items() if step != SELF}, inner)
        if is_member(below):
            found[element] = {SELF: {}, **kept} if kept else {}
        elif kept:
            found[element] = kept
    return found


def _tidy(below: Fields) -> Fields:
    return {} if len(below) == 1 and SELF in below else below


def fields_of(*paths: Sequence[str]) -> Fields:
    """The set of some paths, each a sequence of elements; no path is the start of another."""
    made: Fields = {}
    for path in paths:
        level = made
        for element in path:
            level = level.setdefault(element, {})
    return made


def has(fields: Fields, path: Sequence[str]) -> bool:
    """Whether a path is in the set."""
    level = fields
    for element in path:
        below = level.get(element)
        if below is None:
            return False
        level = below
    return is_member(level)


def paths(fields: Fields, start: str = "") -> Iterator[str]:
    """Every member as messages have it, those of a level before what is deeper."""
    for element, below in fields.items():
        if element != SELF and is_member(below):
            yield start + shown(element)
    for element, below in fields.items():
        if below:
            yield from paths(below, start + shown(element))


def read(value: Any) -> Fields:
    """A set that somebody else wrote, in its one spelling.

    Raises:
        ValueError: it is none.
    """
    if value is None:
        return {}
    if not is_map(value):
        raise ValueError("expected an object")
    found: Fields = {}
    for written, below in value.items():
        element = SELF if written == SELF else canonical(written)
        if element:
            found[element] = {} if element == SELF else _tidy(read(below))
    return ordered(found)
