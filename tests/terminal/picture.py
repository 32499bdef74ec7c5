"""What a terminal shows, cell by cell, in terms that terminals can be compared in."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.color import Color
from rich.style import Style as RichStyle
from textual.strip import Strip

from tutor.terminal.screen import DEFAULT_COLOUR, TRUE_COLOUR, Attribute, Engine, Row, Style

NEAR = 12
"""How far apart two shades may be: terminals have other palettes."""

_BASIC = (
    *((0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0)),
    *((0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229)),
    *((127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0)),
    *((92, 92, 255), (255, 0, 255), (0, 255, 255), (255, 255, 255)),
)
_WORDS = {
    "bold": Attribute.BOLD,
    "faint": Attribute.FAINT,
    "italic": Attribute.ITALIC,
    "blink": Attribute.BLINK,
    "inverse": Attribute.INVERSE,
    "invisible": Attribute.HIDDEN,
    "strikethrough": Attribute.STRIKE,
    "overline": Attribute.OVERLINE,
}

Rgb = tuple[int, int, int] | None
"""None is the terminal's own colour."""


class Cell(NamedTuple):
    """One column of a row. The second column of a wide character has no text."""

    text: str = " "
    foreground: Rgb = None
    background: Rgb = None
    attributes: frozenset[str] = frozenset()

    def differs(self, other: "Cell") -> str:
        """In what, as a person sees it; empty when in nothing."""
        if (self.text or " ") != (other.text or " "):
            return f"text {self.text!r}, not {other.text!r}"
        if not _near(self.background, other.background):
            return f"background {self.background}, not {other.background}"
        if not other.text.strip():
            only = {"inverse"} & (self.attributes ^ other.attributes)
            return "inverse" if only else ""
        if not _near(self.foreground, other.foreground):
            return f"foreground {self.foreground}, not {other.foreground}"
        if self.attributes != other.attributes:
            return f"{sorted(self.attributes)}, not {sorted(other.attributes)}"
        return ""


class Picture(NamedTuple):
    """A screen."""

    rows: Sequence[Sequence[Cell]]
    cursor: tuple[int, int]

    def differs(self, other: "Picture") -> str:
        """The first difference; empty when there is none."""
        for y, (ours, theirs) in enumerate(zip(self.texts(), other.texts(), strict=True)):
            if ours != theirs:
                return f"row {y} {ours!r}, not {theirs!r}"
        if self.cursor != other.cursor:
            return f"cursor {self.cursor}, not {other.cursor}"
        for y, row in enumerate(self.rows):
            for x, cell in enumerate(row):
                if difference := cell.differs(other.rows[y][x]):
                    return f"{x},{y}: {difference}"
        return ""

    def texts(self) -> list[str]:
        """The rows, without the blanks at their ends."""
        return ["".join(cell.text for cell in row).rstrip() for row in self.rows]


def picture(terminal: Engine) -> Picture:
    """What an engine shows now."""
    columns, lines = terminal.size
    frame = terminal.frame(whole=True, through_hold=True)
    rows = [list(_cells(frame.rows.get(y, ()), columns)) for y in range(lines)]
    return Picture(rows, (min(frame.cursor.x, columns - 1), frame.cursor.y))


def _cells(row: Row, columns: int) -> Iterator[Cell]:
    seen = 0
    for run in row:
        look = _look(run.style)
        texts = [run.text] if run.cluster else [*run.text]
        width = run.columns // max(len(texts), 1)
        for text in texts:
            yield Cell(text, *look)
            yield from (Cell("", *look) for _ in range(width - 1))
        seen += run.columns
    yield from (Cell() for _ in range(columns - seen))


def _look(style: Style) -> tuple[Rgb, Rgb, frozenset[str]]:
    words = {word for word, bit in _WORDS.items() if style.attributes & bit}
    if style.underline:
        words.add("underline")
    return _rgb(style.foreground), _rgb(style.background), frozenset(words)


def _rgb(colour: int) -> Rgb:
    if colour == DEFAULT_COLOUR:
        return None
    if colour & TRUE_COLOUR:
        return colour >> 16 & 0xFF, colour >> 8 & 0xFF, colour & 0xFF
    return palette(colour)


def palette(number: int) -> tuple[int, int, int]:
    """A colour by its number, as xterm has it."""
    if number < 16:
        return _BASIC[number]
    if number < 232:
        parts = ((number - 16) // 36, (number - 16) // 6 % 6, (number - 16) % 6)
        red, green, blue = (55 + 40 * part if part else 0 for part in parts)
        return red, green, blue
    grey = 8 + 10 * (number - 232)
    return grey, grey, grey


def _near(ours: Rgb, theirs: Rgb) -> bool:
    if ours is None or theirs is None:
        return ours == theirs
    return all(abs(a - b) <= NEAR for a, b in zip(ours, theirs, strict=True))


def painted(strips: Sequence[Strip], cursor: tuple[int, int], *, own: Sequence[Color]) -> Picture:
    """What strips of the widget show. `own` are the colours of cells that have none."""
    rows: list[list[Cell]] = []
    for strip in strips:
        row: list[Cell] = []
        for text, style, _ in strip:
            look = _painted_look(style or RichStyle.null(), own)
            for character in text:
                width = cell_len(character)
                if width == 0 and row:
                    row[-1] = row[-1]._replace(text=row[-1].text + character)
                else:
                    row.append(Cell(character, *look))
                    row.extend(Cell("", *look) for _ in range(width - 1))
        rows.append(row)
    return Picture(rows, cursor)


def _painted_look(style: RichStyle, own: Sequence[Color]) -> tuple[Rgb, Rgb, frozenset[str]]:
    words = {
        "bold": style.bold,
        "faint": style.dim,
        "italic": style.italic,
        "blink": style.blink,
        "inverse": style.reverse,
        "invisible": style.conceal,
        "strikethrough": style.strike,
        "overline": style.overline,
        "underline": style.underline or style.underline2,
    }
    shown = frozenset(word for word, is_on in words.items() if is_on)
    return _painted_rgb(style.color, own), _painted_rgb(style.bgcolor, own), shown


def _painted_rgb(colour: Color | None, own: Sequence[Color]) -> Rgb:
    if colour is None or colour.is_default or colour in own:
        return None
    if colour.triplet is not None:
        red, green, blue = colour.triplet
        return red, green, blue
    return palette(colour.number or 0)
