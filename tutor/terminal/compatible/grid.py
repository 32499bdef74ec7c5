"""Rows of bittty's cells to runs of text."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter

from bittty.style import Color
from bittty.style import Style as Look
from bittty.video import CONTINUATION, Cell

from tutor.terminal.screen import DEFAULT_COLOUR, TRUE_COLOUR, Attribute, Row, Run, Style

_ATTRIBUTES = (
    ("bold", Attribute.BOLD),
    ("dim", Attribute.FAINT),
    ("italic", Attribute.ITALIC),
    ("blink", Attribute.BLINK),
    ("reverse", Attribute.INVERSE),
    ("conceal", Attribute.HIDDEN),
    ("strike", Attribute.STRIKE),
    ("overline", Attribute.OVERLINE),
    ("hyperlink", Attribute.LINK),
)
_UNDERLINES = {None: 1, "double": 2, "curly": 3, "dotted": 4, "dashed": 5}

_look_of = itemgetter(0)


def row(cells: Sequence[Cell]) -> Row:
    """The runs of a row."""
    return [run for look, group in groupby(cells, _look_of) for run in _runs(look, group)]


def _runs(look: Look, cells: Iterator[Cell]) -> Iterator[Run]:
    style = _style(look)
    characters = [character for _, character in cells]
    text = "".join(characters)
    # A wide character is followed by an empty cell, a cluster has several code points: without
    # either, all lengths agree.
    if text.isascii() and len(text) == len(characters):
        yield Run(text, style, len(text))
        return
    for (wide, cluster), group in groupby(_glyphs(characters), itemgetter(1, 2)):
        glyphs = [glyph for glyph, _, _ in group]
        columns = 2 if wide else 1
        if cluster:
            yield from (Run(glyph, style, columns, cluster=True) for glyph in glyphs)
        else:
            yield Run("".join(glyphs), style, columns * len(glyphs))


def _glyphs(characters: Sequence[str]) -> Iterator[tuple[str, bool, bool]]:
    """Each glyph, whether it is wide, whether it is several code points."""
    followed = [*characters[1:], " "]
    for character, after in zip(characters, followed, strict=True):
        if character != CONTINUATION:
            yield character, after == CONTINUATION, len(character) > 1


@lru_cache(10_000)
def _style(look: Look) -> Style:
    attributes = sum(int(flag) for name, flag in _ATTRIBUTES if getattr(look, name))
    return Style(
        foreground=_colour(look.fg),
        background=_colour(look.bg),
        attributes=attributes,
        underline=_UNDERLINES[look.underline_style] if look.underline else 0,
        underline_colour=_colour(look.underline_color),
    )


def _colour(colour: Color | None) -> int:
    match colour:
        case Color(mode="indexed", value=int(number)):
            return number
        case Color(mode="rgb", value=(red, green, blue)):
            return TRUE_COLOUR | red << 16 | green << 8 | blue
        case _:
            return DEFAULT_COLOUR
