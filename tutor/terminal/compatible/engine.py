"""The engine over bittty."""

# ruff: noqa: D102 - the methods are documented in tutor.terminal.screen.Engine

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any, Literal

from bittty import Board
from bittty.caps import TerminalCaps
from bittty.keyboard import KeyEvent, KeyModifiers
from bittty.terminals import Terminal
from bittty.terminals.scrollback import MemoryScrollback
from bittty.video import Line

from tutor.terminal.compatible.grid import row
from tutor.terminal.compatible.lines import Finder, Lines, Place, Selection
from tutor.terminal.keys import Mods, Stroke
from tutor.terminal.screen import (
    CLIPBOARD_LIMIT,
    Bell,
    ClipboardSet,
    Colours,
    Cursor,
    Frame,
    Geometry,
    Modes,
    Mouse,
    Scroll,
    Search,
    Signal,
    Titled,
    Unit,
)

log = logging.getLogger(__name__)

_REPLIES_LIMIT = 1024 * 1024
_TITLES = ("\x1b]l", "\x1b]L")
"""How reports of titles begin."""
_DECCOLM = 80, 132
"""Columns that a program may choose between, in the other engine too."""
_REFUSALS = ("\x1bP0$r", "\x1bP0+r")
"""How answers to questions begin that have none; what was asked follows."""
_SIGNALS_LIMIT = 1000
_MARKS_KEPT = 1000
_PIECE = 1024
_MOMENT_S, _MOMENTS = 0.0005, 10
_CELL_PX = 8, 16

_BUTTONS = {"left": 0, "middle": 1, "right": 2, "none": 3, "up": 64, "down": 65}
_MODS = (
    (Mods.SHIFT, KeyModifiers.SHIFT),
    (Mods.CTRL, KeyModifiers.CTRL),
    (Mods.ALT, KeyModifiers.ALT),
    (Mods.SUPER, KeyModifiers.SUPER),
)
_NOT_PASTED = dict.fromkeys((*range(9), 11, 12, *range(14, 32), *range(127, 160)), " ")
_SHAPES: dict[str, Literal["block", "underline", "bar"]] = {
    "block": "block",
    "underline": "underline",
    "bar": "bar",
}


class _Turns:
    """A lock that the feeding thread leaves to others between two pieces of output.

    Without that it would take the lock again before they wake, as long as there is output.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._waiting = 0

    def __enter__(self) -> None:
        self._waiting += 1
        self._lock.acquire()
        self._waiting -= 1

    def __exit__(self, *raised: object) -> None:
        self._lock.release()

    def give_way(self) -> None:
        """Let others have it first, for at most a moment."""
        for _ in range(_MOMENTS):
            if not self._waiting:
                return
            time.sleep(_MOMENT_S)


class _Wire:
    """The line to the program: what the board answers and encodes."""

    closed = False

    def __init__(self) -> None:
        self.sent = bytearray()

    def write(self, data: str) -> int:
        # What a program chose would be typed into the shell: `cat` of a file may print both the
        # title and the question for it.
        if data.startswith(_TITLES):
            return len(data)
        refusal = next((each for each in _REFUSALS if data.startswith(each)), "")
        return self.write_bytes(
            (f"{refusal}\x1b\\" if refusal else data).encode("utf-8", "replace")
        )

    def write_bytes(self, data: bytes) -> int:
        if len(self.sent) < _REPLIES_LIMIT:
            self.sent += data
        return len(data)

    async def read_bytes_async(self, size: int) -> bytes:
        """The board is fed by others."""
        del size
        return b""

    def flush(self) -> None:
        """Nothing is held back."""

    def resize(self, rows: int, cols: int) -> None:
        """The process is told by others."""

    def configure_line(self, line: object) -> None:
        """It is not a serial line."""

    def close(self) -> None:
        """There is nothing to close."""


class _Chrome(Terminal):
    """What the board tells besides its screen."""

    def __init__(self, board: Board, cells: int) -> None:
        super().__init__(board, MemoryScrollback(cells))
        self.signals: list[Signal] = []
        self.held = False
        self.lines = Lines(self)
        self.marks: list[tuple[str, Place]] = []
        self.attach()

    def on_rows_scrolled_off(self, lines: tuple[Line, ...]) -> None:
        super().on_rows_scrolled_off(lines)
        self.lines.left += len(lines)
        self.lines.last_wrapped = lines[-1].wrapped

    def on_bell(self) -> None:
        self._signal(Bell())

    def on_title(self, title: str, icon_title: str) -> None:
        del icon_title
        self._signal(Titled(title))

    def on_clipboard(self, selection: str, text: str) -> None:
        del selection
        if text and len(text) <= CLIPBOARD_LIMIT:
            self._signal(ClipboardSet(text))

    def on_sync_output(self, enabled: bool) -> None:
        self.held = enabled

    def on_prompt_mark(self, mark: str, row: int) -> None:
        place = Place(self.lines.left + row, self.board.cursor.x)
        self.marks.append((mark[:1], place))
        del self.marks[:-_MARKS_KEPT]

    def _signal(self, signal: Signal) -> None:
        if len(self.signals) < _SIGNALS_LIMIT:
            self.signals.append(signal)


class CompatibleEngine:
    """A terminal of bittty. See `tutor.terminal.screen.Engine`."""

    name = "compatibility terminal"

    def __init__(self, geometry: Geometry) -> None:
        self._lock = _Turns()
        self._given = geometry.columns, geometry.lines
        self._board = Board(width=geometry.columns, height=geometry.lines)
        self._wire = _Wire()
        self._board.host.attach(self._wire)
        self._chrome = _Chrome(self._board, geometry.scrollback * geometry.columns)
        self._lines = self._chrome.lines
        self._selection = Selection(self._lines)
        self._finder = Finder(self._lines)
        self._shown: tuple[bool, bool] | None = None
        """Whether history, and whether the alternate screen, was in the last frame."""
        self._mark: Place | None = None
        self.set_colours(geometry.colours)
        self.feed(b"\x1b[?1007h")  # on in the other engine too

    @property
    def size(self) -> tuple[int, int]:
        return self._board.width, self._board.height

    def feed(self, data: bytes) -> None:
        for start in range(0, len(data), _PIECE):
            with self._lock:
                self._take(data[start : start + _PIECE])
            self._lock.give_way()

    def _take(self, data: bytes) -> None:
        try:
            self._board.feed_host_data(data)
        except ValueError as error:
            # Numbers of more digits than Python reads; the rest of the piece goes with them.
            log.debug("output that cannot be read", extra={"why": str(error)})
            self._board.parser.reset()
        columns, lines = self.size
        if lines != self._given[1] or columns not in (self._given[0], *_DECCOLM):
            # A program asked for another size; the pane is as large as it is.
            self._resize()

    def replies(self) -> bytes:
        with self._lock:
            return self._taken()

    def _taken(self) -> bytes:
        sent = bytes(self._wire.sent)
        self._wire.sent.clear()
        return sent

    def signals(self) -> Sequence[Signal]:
        with self._lock:
            signals, self._chrome.signals = self._chrome.signals, []
            return signals

    def resize(self, columns: int, lines: int) -> None:
        with self._lock:
            self._given = columns, lines
            self._resize()

    def _resize(self) -> None:
        # Row numbers mean other rows now.
        self._selection.clear()
        self._chrome.marks.clear()
        self._mark = None
        self._board.resize_from_frontend(*self._given)
        self._shown = None

    def frame(self, *, through_hold: bool = False, whole: bool = False) -> Frame:
        with self._lock:
            if whole:
                self._shown = None
            held = self._chrome.held
            top, (width, height) = self._top(), self.size
            rows = {}
            if not held or through_hold:
                rows = {y: row(self._lines.cells(top + y)) for y in self._changed(top, height)}
            return Frame(
                rows=rows,
                cursor=self._cursor(top),
                scroll=self._scroll(top),
                selection=list(self._selection.spans(top, height, width)),
                hits=self._finder.spans(top, height),
                current_hit=self._finder.current_span(top, height),
                held=held,
            )

    def _changed(self, top: int, height: int) -> Sequence[int]:
        damaged = self._chrome.damaged_rows()
        before = self._shown
        self._shown = (top != self._lines.left, self._board.blitter.in_alt_screen)
        return range(height) if self._shown[0] or self._shown != before else damaged

    def _top(self) -> int:
        """The number of the first row shown."""
        kept = self._lines.kept
        return self._lines.left - min(self._chrome.view_offset() if kept else 0, kept)

    def _cursor(self, top: int) -> Cursor:
        place = self._chrome.port.cursor
        shape = _SHAPES[self._board.cursor.shape]
        if place is None:
            return Cursor(0, 0, visible=False, shape=shape)
        x, y = place
        y += self._lines.left - top
        return Cursor(
            min(x, self._board.width - 1),
            y,
            visible=y < self._board.height,
            shape=shape,
        )

    def _scroll(self, top: int) -> Scroll:
        lines = self._lines
        return Scroll(lines.end - lines.first, top - lines.first, self._board.height)

    def text(self) -> str:
        with self._lock:
            left = self._lines.left
            rows = range(left, left + self._board.height)
            return "\n".join(self._lines.text(each).rstrip() for each in rows).rstrip("\n")

    def modes(self) -> Modes:
        with self._lock:
            # Mode flags are set on this object by a table, where no checker sees them.
            modes: Any = self._board.modes
            return Modes(
                alternate_screen=self._board.blitter.in_alt_screen,
                bracketed_paste=modes.bracketed_paste,
                mouse=self._board.mouse.protocol.name != "OFF",
                alternate_scroll=modes.alternate_scroll_mode,
            )

    def set_colours(self, colours: Colours) -> None:
        with self._lock:
            palette = self._board.palette
            palette.foreground = _rgb(colours.foreground)
            palette.background = _rgb(colours.background)
            # Without clusters, an accent that is a character of its own gets a cell of its own.
            caps = TerminalCaps(
                cell_px=_CELL_PX,
                background=palette.background,
                grapheme_mode="permanently-set",
            )
            self._board.set_caps(caps)

    def encode_key(self, stroke: Stroke) -> bytes:
        modifiers = KeyModifiers.NONE
        for ours, theirs in _MODS:
            if ours in stroke.mods:
                modifiers |= theirs
        with self._lock:
            if not self._board.keyboard.kitty_flags:
                modifiers &= ~KeyModifiers.SUPER  # xterm knows none
            before = self._taken()
            event = KeyEvent(stroke.key, modifiers, text=stroke.text or None)
            self._board.input_key_event(event)
            return self._encoded(before)

    def _encoded(self, before: bytes) -> bytes:
        """What was written since; replies that stood there before stay."""
        encoded = self._taken()
        self._wire.sent += before
        return encoded

    def encode_mouse(self, mouse: Mouse) -> bytes:
        held = (("shift", mouse.shift), ("meta", mouse.alt), ("ctrl", mouse.ctrl))
        action = "move" if mouse.action == "motion" else mouse.action
        with self._lock:
            before = self._taken()
            self._board.input_mouse(
                mouse.x + 1,
                mouse.y + 1,
                _BUTTONS[mouse.button],
                action,
                {name for name, down in held if down},
            )
            return self._encoded(before)

    def encode_paste(self, text: str) -> bytes:
        with self._lock:
            # As xterm does; this model of bittty's leaves it to us.
            text = text.translate(_NOT_PASTED)
            if not self.modes().bracketed_paste:
                text = text.replace("\n", "\r")
            before = self._taken()
            self._board.input_paste(text)
            return self._encoded(before)

    def encode_focus(self, *, gained: bool) -> bytes:
        with self._lock:
            before = self._taken()
            self._board.set_focus(gained)
            return self._encoded(before)

    def scroll(self, rows: int) -> None:
        with self._lock:
            if self._lines.kept:
                self._chrome.scroll_view(rows)

    def scroll_to(self, row: int | None) -> None:
        with self._lock:
            self._chrome.scroll_to_bottom()
            if row is not None and self._lines.kept:
                self._chrome.scroll_view(row - self._lines.kept)

    def select(self, x: int, y: int, unit: Unit = "cell") -> None:
        with self._lock:
            self._selection.begin(Place(self._top() + y, x), unit)

    def extend(self, x: int, y: int) -> None:
        with self._lock:
            self._selection.extend(Place(self._top() + y, x))

    def select_output(self, x: int, y: int) -> bool:
        with self._lock:
            here = Place(self._top() + y, x)
            began = ended = None
            for mark, place in self._chrome.marks:
                if mark == "C" and place <= here:
                    began, ended = place, None
                elif mark == "D" and began is not None and ended is None:
                    ended = place
            if began is None or (ended is not None and ended <= here):
                return False
            after = ended or Place(self._lines.end, 0)
            width = self._board.width
            last = Place(after.row, after.x - 1) if after.x else Place(after.row - 1, width - 1)
            self._selection.clear()
            self._selection.range = began, last
            return True

    def unselect(self) -> None:
        with self._lock:
            self._selection.clear()

    def selected(self) -> str:
        with self._lock:
            return self._selection.text()

    def search(self, needle: str) -> Search:
        with self._lock:
            return self._finder.begin(needle)

    def search_next(self, step: Literal[1, -1]) -> Search:
        with self._lock:
            result, place = self._finder.step(step)
            if (
                place is not None
                and not self._top() <= place.row < self._top() + self._board.height
            ):
                self.scroll_to(place.row - self._lines.first)
            return result

    def link(self, x: int, y: int) -> str | None:
        with self._lock:
            cells = self._lines.cells(self._top() + y)
            return cells[x][0].hyperlink if x < len(cells) else None

    def mark(self) -> None:
        with self._lock:
            self._mark = self._cursor_place()

    def text_since_mark(self) -> str:
        with self._lock:
            if self._mark is None:
                return ""
            return self._lines.between(self._mark, self._cursor_place())

    def _cursor_place(self) -> Place:
        cursor = self._board.cursor
        return Place(self._lines.left + cursor.y, min(cursor.x, self._board.width - 1))


def _rgb(colour: int) -> tuple[int, int, int]:
    return colour >> 16, colour >> 8 & 0xFF, colour & 0xFF
