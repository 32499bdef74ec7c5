"""How deep a document may be nested.

Go reads 10,000 levels. What is read here is copied, compared and written by functions that call
themselves for each level, several frames a level: the limit is where they all still can.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, cast

MAX_DEPTH = 200
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[{\]}]', re.DOTALL)
_STEPS = {"{": 1, "[": 1, "}": -1, "]": -1}


def too_deep(text: str) -> str:
    """The bracket in a JSON text that goes too deep; empty when none does."""
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return ""
    depth = 0
    for bracket in _brackets(text):
        depth += _STEPS[bracket]
        if depth > MAX_DEPTH:
            return bracket
    return ""


def depth_of(value: Any) -> int:
    """How many objects and arrays are inside each other in a JSON value."""
    depth, level = -1, [value]
    while level:
        depth += 1
        level = [inner for each in level for inner in _inside(each)]
    return depth


def _inside(value: Any) -> Iterable[Any]:
    """What an object or array holds, and something in those that hold nothing."""
    if isinstance(value, dict):
        return cast("dict[str, Any]", value).values() or (None,)
    if isinstance(value, list):
        return cast("list[Any]", value) or (None,)
    return ()


def _brackets(text: str) -> Iterator[str]:
    return (found for each in _TOKEN.finditer(text) if (found := each.group()) in _STEPS)
