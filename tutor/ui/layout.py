"""Which shape the lesson has in a window of some size. Pure."""

from typing import Literal, NamedTuple

from tutor.settings import Layout

SMALLEST = (60, 16)
"""Columns and lines that a lesson needs."""

NARROW = 100
"""Below so many columns the list of steps is a drawer."""

SHORT = 32
"""Below so many lines the facts are one line."""

ROOMY = 120
"""From so many columns on, the list of steps has room for their titles."""

WIDE = 190
"""From so many columns on, lesson and shell stand side by side, with 80 for the shell or nearly."""

WIDE_AND_LOW = (150, 45)
"""From so many columns on they do in windows that have fewer lines than this."""

SMALLEST_SHARE = 0.15
"""Which part of the room a pane keeps, however far the edge is dragged."""

USUAL_SHARE = 5 / 9
"""Which part of the room the lesson has above the shell."""

USUAL_SHARE_BESIDE = 7 / 15
"""Which part it has beside the shell."""

Pane = Literal["lesson", "shell"]


class Shape(NamedTuple):
    """What is where."""

    is_tiny: bool
    is_narrow: bool
    is_short: bool
    is_roomy: bool
    is_large: bool
    is_wide: bool


def shape(width: int, height: int, layout: Layout = "fitting") -> Shape:
    """The shape for a window's size in characters."""
    columns, lines = WIDE_AND_LOW
    is_wide = width >= WIDE or (width >= columns and height < lines)
    if layout != "fitting":
        is_wide = layout == "beside" and width >= NARROW
    return Shape(
        is_tiny=width < SMALLEST[0] or height < SMALLEST[1],
        is_narrow=width < NARROW,
        is_short=height < SHORT and not is_wide,
        is_roomy=width >= ROOMY,
        is_large=width >= WIDE or (width >= columns and not is_wide),
        is_wide=is_wide,
    )
