"""Colours for terminals that have 256: the nearest of those.

The library takes a fixed step for each of red, green and blue, which makes navy of dark grey.
"""

from functools import lru_cache

from rich.color import Color as RichColor
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

_STEPS = (0, 95, 135, 175, 215, 255)
"""Of red, green and blue in the palette's cube, which begins at colour 16."""
_CUBE, _GREYS = 16, 232
_GREY_STEPS, _DARKEST, _GREY_STEP = 24, 8, 10

_STYLES_KEPT = 4096


class FewerColours(LineFilter):
    """Of each line, when it is drawn."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        del background
        return [
            Segment(text, _with_fewer(style) if style else style, control)
            for text, style, control in segments
        ]


@lru_cache(_STYLES_KEPT)
def _with_fewer(style: Style) -> Style:
    return style + Style(color=_one_of_256(style.color), bgcolor=_one_of_256(style.bgcolor))


def _one_of_256(colour: RichColor | None) -> RichColor | None:
    if colour is None or colour.triplet is None:
        return colour
    return RichColor.from_ansi(nearest(colour.triplet))


def nearest(wanted: ColorTriplet) -> int:
    """The number of the palette's colour that looks most like one."""
    cube = [min(range(6), key=lambda step: abs(_STEPS[step] - part)) for part in wanted]
    red, green, blue = cube
    grey = min(max(round((sum(wanted) / 3 - _DARKEST) / _GREY_STEP), 0), _GREY_STEPS - 1)
    level = _DARKEST + _GREY_STEP * grey
    in_cube = ColorTriplet(*(_STEPS[step] for step in cube))
    if _apart(wanted, ColorTriplet(level, level, level)) < _apart(wanted, in_cube):
        return _GREYS + grey
    return _CUBE + 36 * red + 6 * green + blue


def _apart(one: ColorTriplet, other: ColorTriplet) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
