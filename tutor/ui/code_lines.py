"""Lines of code where there is little room for them. Pure."""

from collections.abc import Sequence

from textual.content import Content

GLUE = "\ue000"
"""Stands for a blank at which no line ends; nothing that is typed has it."""

_ENDS = " \\"
_MOST = 4
"""Columns that all lines of a command move left at most, so that more of them fit."""


def glued(line: str) -> str:
    """A line whose backslash goes with its last word, however it is wrapped."""
    return f"{line.removesuffix(_ENDS)}{GLUE}\\" if line.endswith(_ENDS) else line


def unglued(line: Content) -> Content:
    """A wrapped line as it is shown."""
    before, glue, after = line.plain.partition(GLUE)
    at = len(before)
    return Content.assemble(line[:at], " ", line[at + 1 :]) if glue and after else line


def moved(lines: Sequence[str], room: int) -> int:
    """How many columns the indented lines of a command move left.

    So many that each fits, or that its longest word does, where that is not much. Lines of a text
    in a command stay, since what they mean depends on it.
    """
    if not all(line.endswith(_ENDS) for line in lines[:-1]):
        return 0
    indented = [line for line in lines if line.startswith(" ")]
    least = min((len(line) - len(line.lstrip()) for line in indented), default=0)
    return max((_wanted(line, room, min(least, _MOST)) for line in indented), default=0)


def _wanted(line: str, room: int, most: int) -> int:
    indent = len(line) - len(line.lstrip())
    whole = len(line) - room
    longest = max(len(word) for word in glued(line).split()) + indent - room
    return next((each for each in (whole, longest) if 0 < each <= most), 0)
