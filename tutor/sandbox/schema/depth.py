"""How deep a document may be nested.

Go reads 10,000 levels. What is read here is copied, compared and written by functions that call
themselves for each level, several frames a level: the limit is where they all still can.
"""

import re
from collections.abc import Iterator

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


def _brackets(text: str) -> Iterator[str]:
    return (found for each in _TOKEN.finditer(text) if (found := each.group()) in _STEPS)
