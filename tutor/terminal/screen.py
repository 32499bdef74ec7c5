"""What a terminal engine is to this program: bytes in, styled rows out, and what to send back.

An engine holds one screen with its history. It knows no process, no clock and no widget; two stand
behind this protocol (`tutor.terminal.engine` picks). Calls may come from any thread; each is
atomic.

Places on the screen are columns and rows of the *viewport*, both from 0: what is shown now, which
is the history when it is scrolled back.
"""

from collections.abc import Mapping, Sequence
from enum import IntFlag
from typing import Literal, NamedTuple, Protocol

from tutor.terminal.keys import Stroke
from tutor.value import value

DEFAULT_COLOUR = -1
"""The terminal's own foreground or background. 0 to 255 name a palette entry."""

TRUE_COLOUR = 1 << 24
"""Set in a colour that is red, green and blue: `TRUE_COLOUR | 0xRRGGBB`."""


class Attribute(IntFlag):
    """What SGR and OSC 8 can switch on for a cell."""

    BOLD = 1
    FAINT = 2
    ITALIC = 4
    BLINK = 8
    INVERSE = 16
    HIDDEN = 32
    STRIKE = 64
    OVERLINE = 128
    LINK = 256


class Style(NamedTuple):
    """How cells look.

    `attributes` is a set of `Attribute`s as a plain number. `underline` is the number of SGR 4:n:
    none, single, double, curly, dotted, dashed.
    """

    foreground: int = DEFAULT_COLOUR
    background: int = DEFAULT_COLOUR
    attributes: int = 0
    underline: int = 0
    underline_colour: int = DEFAULT_COLOUR


PLAIN = Style()


class Run(NamedTuple):
    """Neighbouring cells of one style and one width.

    `columns` is what they take on the screen. In a `cluster` the whole text is one character
    (a letter with its accents, an emoji); otherwise each code point is a character.
    """

    text: str
    style: Style
    columns: int
    cluster: bool = False


Row = Sequence[Run]
"""One row of the viewport, left to right; columns that it does not cover are blank."""


class Cursor(NamedTuple):
    """Where the next character goes. Not `visible` when hidden or scrolled out of view."""

    x: int
    y: int
    visible: bool
    shape: Literal["block", "underline", "bar"] = "block"


class Scroll(NamedTuple):
    """Rows there are, rows above the viewport, rows in the viewport."""

    total: int
    offset: int
    shown: int

    @property
    def at_bottom(self) -> bool:
        """Whether the newest rows are in view."""
        return self.offset + self.shown >= self.total


class Span(NamedTuple):
    """Columns `start` up to, not including, `end` of a row."""

    y: int
    start: int
    end: int


class Frame(NamedTuple):
    """What to draw: the rows that changed since the last frame, and all that lies over them."""

    rows: Mapping[int, Row]
    cursor: Cursor
    scroll: Scroll
    selection: Sequence[Span] = ()
    hits: Sequence[Span] = ()
    current_hit: Span | None = None
    held: bool = False
    """The program asked for no repaint until it has finished one (mode 2026)."""


class Modes(NamedTuple):
    """What the program in the terminal has asked for, as far as the keyboard and mouse care."""

    alternate_screen: bool = False
    bracketed_paste: bool = False
    mouse: bool = False
    alternate_scroll: bool = False
    """The wheel is arrow keys in the alternate screen (mode 1007)."""


@value
class Bell:
    """The program rang."""


@value
class Titled:
    """The program named its window."""

    title: str


@value
class ClipboardSet:
    """The program put text on the clipboard (OSC 52, write only)."""

    text: str


Signal = Bell | Titled | ClipboardSet

CLIPBOARD_LIMIT = 100_000
"""Characters a program may put on the clipboard at once; more is ignored."""

MouseAction = Literal["press", "release", "motion"]
MouseButton = Literal["none", "left", "middle", "right", "up", "down"]
"""`up` and `down` are the wheel."""


class Mouse(NamedTuple):
    """What the pointer did, where."""

    action: MouseAction
    button: MouseButton
    x: int
    y: int
    shift: bool = False
    alt: bool = False
    ctrl: bool = False


class Search(NamedTuple):
    """How many places match, and which (from 1, the newest first) is the current one; 0 is none."""

    total: int
    current: int


Unit = Literal["cell", "word", "line"]


class Colours(NamedTuple):
    """What the terminal's own colours are, as 0xRRGGBB: programs may ask (OSC 10, 11)."""

    foreground: int = 0xE5E5E5
    background: int = 0x000000


@value
class Geometry:
    """What an engine starts with. `scrollback` is in lines."""

    columns: int = 80
    lines: int = 24
    scrollback: int = 10_000
    colours: Colours = Colours()


class EngineError(Exception):
    """An engine cannot work here, or its library answered what it must not."""


class Engine(Protocol):
    """A terminal without a process."""

    @property
    def name(self) -> str:
        """What it is called in the status bar."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines."""
        ...

    def feed(self, data: bytes) -> None:
        """Take what the program wrote; sequences may be cut anywhere."""
        ...

    def replies(self) -> bytes:
        """Take what the terminal has to answer to the program since the last call."""
        ...

    def signals(self) -> Sequence[Signal]:
        """Take what happened since the last call, oldest first."""
        ...

    def resize(self, columns: int, lines: int) -> None:
        """Change the size; wrapped lines of the primary screen flow anew."""
        ...

    def frame(self, *, through_hold: bool = False, whole: bool = False) -> Frame:
        """What changed since the last frame, or all rows if `whole`.

        While held, nothing new is shown unless `through_hold`.
        """
        ...

    def text(self) -> str:
        """The screen (not the history) as text, a line each, without blanks at their ends."""
        ...

    def modes(self) -> Modes:
        """What the program has asked for."""
        ...

    def set_colours(self, colours: Colours) -> None:
        """Say what the terminal's own colours are."""
        ...

    def encode_key(self, stroke: Stroke) -> bytes:
        """What the program is sent for a key in the current modes; empty when nothing."""
        ...

    def encode_mouse(self, mouse: Mouse) -> bytes:
        """What the program is sent for a mouse event; empty when it did not ask."""
        ...

    def encode_paste(self, text: str) -> bytes:
        """What the program is sent for a paste: control characters out, bracketed if it asked."""
        ...

    def encode_focus(self, *, gained: bool) -> bytes:
        """What the program is sent when the focus moves; empty when it did not ask."""
        ...

    def scroll(self, rows: int) -> None:
        """Move the viewport down, or up when negative, as far as there are rows."""
        ...

    def scroll_to(self, row: int | None) -> None:
        """Make a row (from 0, the oldest) the viewport's first; None is the bottom, to stay."""
        ...

    def select(self, x: int, y: int, unit: Unit = "cell") -> None:
        """Begin a selection at a cell, with the word or line there when told so."""
        ...

    def extend(self, x: int, y: int) -> None:
        """Move the selection's other end, in the unit it was begun with."""
        ...

    def select_output(self, x: int, y: int) -> bool:
        """Select all that the command wrote whose output a cell is; False when it is none."""
        ...

    def unselect(self) -> None:
        """Select nothing."""
        ...

    def selected(self) -> str:
        """The selected text, wrapped lines joined; empty when nothing is selected."""
        ...

    def search(self, needle: str) -> Search:
        """Find a text, ignoring case, in screen and history; an empty one ends the search."""
        ...

    def search_next(self, step: Literal[1, -1]) -> Search:
        """Go to an older (1) or newer (-1) match and bring it into view."""
        ...

    def link(self, x: int, y: int) -> str | None:
        """The address a cell links to (OSC 8)."""
        ...

    def mark(self) -> None:
        """Remember the cursor's place, for `text_since_mark`."""
        ...

    def text_since_mark(self) -> str:
        """What stands from the remembered place up to the cursor; empty when it is gone."""
        ...
