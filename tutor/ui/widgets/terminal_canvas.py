"""The terminal's picture: rows of an engine to strips, and what lies over them.

A strip is made once, when its row changes. Widths are the engine's: where the interface library
counts another width for a character, it gets blanks or a stand-in, or everything to the right of
it would move, other panes included.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.strip import Strip

from tutor.terminal.screen import (
    DEFAULT_COLOUR,
    TRUE_COLOUR,
    Attribute,
    Cursor,
    Frame,
    Row,
    Run,
    Scroll,
    Span,
    Style,
)

_STYLES_KEPT = 20_000

_ZERO_WIDTH_JOINER = "\u200d"
_REGIONAL_INDICATORS = range(0x1F1E6, 0x1F200)
_FULL_WIDTH_A = 0xFF21
_UNKNOWN = "\ufffd"
_AS_EMOJI = "\ufe0f"

_LINKED = RichStyle(underline=True)
_DOUBLE = 2


class Look(NamedTuple):
    """What the stylesheet says of the picture."""

    text: Color
    """Of cells without a colour of their own."""
    ground: Color
    """Behind cells without one of their own."""
    selection: RichStyle
    hit: RichStyle
    current_hit: RichStyle
    bar: RichStyle

    @property
    def blank(self) -> RichStyle:
        """Where there is nothing."""
        return RichStyle(bgcolor=self.ground)

    @classmethod
    def plain(cls) -> "Look":
        """Before there is a stylesheet."""
        reverse = RichStyle(reverse=True)
        return cls(Color.default(), Color.default(), reverse, reverse, reverse, RichStyle())


class Canvas:
    """The strips of one terminal."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._styles: dict[Style, RichStyle] = {}
        self._rows: list[Row] = []
        self._strips: list[Strip] = []
        self._width = 0
        self._over: Mapping[int, Sequence[tuple[Span, RichStyle]]] = {}
        self._bar: Mapping[int, str] = {}
        self._hover: Span | None = None
        self.cursor = Cursor(0, 0, visible=False)

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        return self._width, len(self._strips)

    @property
    def blank(self) -> RichStyle:
        """Where there is nothing. A strip without a style breaks the filter for `NO_COLOR`."""
        return self._look.blank

    def resize(self, width: int, height: int) -> None:
        """Begin with an empty picture."""
        self._width = width
        self._rows = [()] * height
        self._strips = [Strip.blank(width, self.blank)] * height
        self._over, self._bar, self._hover = {}, {}, None

    def restyle(self, look: Look) -> None:
        """Draw the same picture in another look."""
        if look == self._look:
            return
        self._look = look
        self._styles.clear()
        self._strips = [self._strip(row) for row in self._rows]

    def draw(self, frame: Frame) -> Collection[int]:
        """Take over a frame; gives the rows that look different now."""
        height = len(self._strips)
        changed = {y for y in frame.rows if y < height}
        for y in changed:
            self._rows[y] = frame.rows[y]
            self._strips[y] = self._strip(frame.rows[y])
        over, bar = self._overlays(frame), _bar(frame.scroll, height)
        changed |= _different(over, self._over) | _different(bar, self._bar)
        self._over, self._bar = over, bar
        if frame.cursor != self.cursor:
            changed |= {frame.cursor.y, self.cursor.y}
            self.cursor = frame.cursor
        return changed

    def line(self, y: int, *, focused: bool) -> Strip:
        """One row of the picture."""
        if y >= len(self._strips):
            return Strip.blank(self._width, self.blank)
        strip = self._strips[y]
        for span, style in self._over.get(y, ()):
            strip = _styled(strip, span.start, min(span.end, self._width), style)
        if self._hover is not None and self._hover.y == y:
            strip = _styled(strip, self._hover.start, self._hover.end, _LINKED)
        if self.cursor.visible and self.cursor.y == y:
            strip = self._with_cursor(strip, focused=focused)
        if glyph := self._bar.get(y):
            end = Strip([Segment(glyph, self._look.bar)], 1)
            strip = Strip.join([strip.crop(0, self._width - 1), end])
        return strip

    def text(self, y: int) -> str:
        """What stands in a row, blanks included."""
        return self._strips[y].text

    def hover(self, x: int, y: int) -> Collection[int]:
        """The pointer is over a cell: underline it if it is a link. Gives the rows that change."""
        before, self._hover = self._hover, self._link_at(x, y)
        if self._hover == before:
            return ()
        return {span.y for span in (before, self._hover) if span is not None}

    def _link_at(self, x: int, y: int) -> Span | None:
        start, run = self._run_at(x, y)
        if run is None or not run.style.attributes & Attribute.LINK:
            return None
        return Span(y, start, start + run.columns)

    def _run_at(self, x: int, y: int) -> tuple[int, Run | None]:
        start = 0
        for run in self._rows[y] if 0 <= y < len(self._rows) else ():
            if start <= x < start + run.columns:
                return start, run
            start += run.columns
        return start, None

    def _strip(self, row: Row) -> Strip:
        segments = [Segment(fitted(run), self._style(run.style)) for run in row]
        columns = sum(run.columns for run in row)
        return Strip(segments, columns).adjust_cell_length(self._width, self.blank)

    def _style(self, style: Style) -> RichStyle:
        known = self._styles.get(style)
        if known is None:
            if len(self._styles) > _STYLES_KEPT:
                self._styles.clear()
            known = self._styles[style] = rich_style(style, self._look)
        return known

    def _overlays(self, frame: Frame) -> Mapping[int, Sequence[tuple[Span, RichStyle]]]:
        over: dict[int, list[tuple[Span, RichStyle]]] = {}
        look = self._look
        parts: Iterable[tuple[Span, RichStyle]] = (
            *((span, look.hit) for span in frame.hits),
            *((span, look.current_hit) for span in (frame.current_hit,) if span is not None),
            *((span, look.selection) for span in frame.selection),
        )
        for span, style in parts:
            over.setdefault(span.y, []).append((span, style))
        return over

    def _with_cursor(self, strip: Strip, *, focused: bool) -> Strip:
        x = min(self.cursor.x, self._width - 1)
        _, run = self._run_at(x, self.cursor.y)
        wide = run is not None and run.columns == 2 * (1 if run.cluster else len(run.text))
        end = min(x + (2 if wide else 1), self._width)
        inverse = run is not None and bool(run.style.attributes & Attribute.INVERSE)
        if not focused or self.cursor.shape == "underline":
            return _styled(strip, x, end, _LINKED)
        if self.cursor.shape == "bar" and not strip.crop(x, end).text.strip():
            bar = Strip([Segment("▏", RichStyle(color=self._look.text))], 1)
            return Strip.join([strip.crop(0, x), bar, strip.crop(x + 1)])
        return _styled(strip, x, end, RichStyle(reverse=not inverse))


def fitted(run: Run) -> str:
    """A run's text, in exactly its columns, with nothing that a terminal would act on."""
    text = run.text
    if text.isprintable() and (text.isascii() or cell_len(text) == run.columns):
        return text
    if run.cluster:
        return _in_columns(text, run.columns)
    return "".join(map(partial(_in_columns, columns=run.columns // len(text)), text))


def _in_columns(text: str, columns: int) -> str:
    if columns == 2 and len(text) == 1 and ord(text) in _REGIONAL_INDICATORS:
        # Side by side, terminals make a flag of two, in half the width; letters stay apart.
        return chr(ord(text) - _REGIONAL_INDICATORS.start + _FULL_WIDTH_A)
    shown = "".join(filter(_is_shown, text)).removesuffix(_ZERO_WIDTH_JOINER)
    width = cell_len(shown)
    if width > columns and _AS_EMOJI in shown:
        # What asks for the picture in two columns also has a sign in one.
        shown = shown.replace(_AS_EMOJI, "")
        width = cell_len(shown)
    if width > columns:
        shown, width = _UNKNOWN, 1
    return shown + " " * (columns - width)


def _is_shown(character: str) -> bool:
    """Whether it is no control and no direction mark: those act on what is around them."""
    return (
        character.isprintable()
        or character in (_ZERO_WIDTH_JOINER, "\u00a0", "\u3000")
        or "\ue000" <= character <= "\uf8ff"  # the symbols of patched fonts
    )


def rich_style(style: Style, look: Look) -> RichStyle:
    """A style of the engine in the interface library's terms; it knows two kinds of underline."""
    attributes = Attribute(style.attributes)
    return RichStyle(
        color=_colour(style.foreground, look.text),
        bgcolor=_colour(style.background, look.ground),
        bold=Attribute.BOLD in attributes or None,
        dim=Attribute.FAINT in attributes or None,
        italic=Attribute.ITALIC in attributes or None,
        reverse=Attribute.INVERSE in attributes or None,
        conceal=Attribute.HIDDEN in attributes or None,
        strike=Attribute.STRIKE in attributes or None,
        overline=Attribute.OVERLINE in attributes or None,
        underline=style.underline not in (0, _DOUBLE) or None,
        underline2=style.underline == _DOUBLE or None,
    )


def _colour(colour: int, own: Color) -> Color:
    if colour == DEFAULT_COLOUR:
        return own
    if colour & TRUE_COLOUR:
        return Color.from_rgb(colour >> 16 & 0xFF, colour >> 8 & 0xFF, colour & 0xFF)
    # Palette colours stay numbers: the theme or the learner's own terminal says what they are.
    return Color.from_ansi(colour)


def _styled(strip: Strip, start: int, end: int, style: RichStyle) -> Strip:
    """A strip with a style laid over some of its cells."""
    if end <= start:
        return strip
    before, inside, after = strip.crop(0, start), strip.crop(start, end), strip.crop(end)
    over = Strip(list(Segment.apply_style(inside, post_style=style)), inside.cell_length)
    return Strip.join([before, over, after])


def _bar(scroll: Scroll, height: int) -> Mapping[int, str]:
    """The scroll bar, row by row, while the newest rows are out of view."""
    if scroll.at_bottom or not height:
        return {}
    size = max(1, height * scroll.shown // scroll.total)
    room = scroll.total - scroll.shown
    top = (height - size) * scroll.offset // room
    return {y: "┃" if top <= y < top + size else "│" for y in range(height)}


def _different(new: Mapping[int, object], old: Mapping[int, object]) -> set[int]:
    return {y for y in new.keys() | old.keys() if new.get(y) != old.get(y)}
