"""Which shape the lesson has in a window of some size. Pure."""

from dataclasses import dataclass
from typing import Literal

SMALLEST = (60, 16)
"""Columns and lines that a lesson needs."""

NARROW = 100
"""Below so many columns the list of steps is a drawer."""

SHORT = 32
"""Below so many lines the facts are one line."""

ROOMY = 120
"""From so many columns on, the list of steps has room for their titles."""

WIDE = 150
"""From so many columns on, lesson and shell stand side by side."""

SMALLEST_SHARE = 0.15
"""Which part of the room a pane keeps, however far the edge is dragged."""

USUAL_SHARE = 5 / 9
"""Which part of the room the lesson has."""

Pane = Literal["lesson", "shell"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What is where."""

    is_tiny: bool
    is_narrow: bool
    is_short: bool
    is_roomy: bool
    is_wide: bool


def shape(width: int, height: int) -> Shape:
    """The shape for a window's size in characters."""
    return Shape(
        is_tiny=width < SMALLEST[0] or height < SMALLEST[1],
        is_narrow=width < NARROW,
        is_short=height < SHORT and width < WIDE,
        is_roomy=width >= ROOMY,
        is_wide=width >= WIDE,
    )
