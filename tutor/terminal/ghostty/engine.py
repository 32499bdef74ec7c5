"""The engine over libghostty-vt."""

# ruff: noqa: D102 - the methods are documented in tutor.terminal.screen.Engine

import itertools
import threading
from collections.abc import Sequence
from typing import Any, Literal

from tutor.terminal.ghostty import encode
from tutor.terminal.ghostty.binding import (
    CELL_HEIGHT_PX,
    CELL_WIDTH_PX,
    Tracked,
    active_screen,
    check,
    ffi,
    grid_ref,
    lib,
    new,
    scroll_viewport,
    sized,
    terminal_size,
)
from tutor.terminal.ghostty.cells import CellReader
from tutor.terminal.ghostty.inbox import Inbox
from tutor.terminal.ghostty.selecting import Finder, Selector
from tutor.terminal.keys import Stroke
from tutor.terminal.screen import (
    Colours,
    Cursor,
    Frame,
    Geometry,
    Modes,
    Mouse,
    Row,
    Scroll,
    Search,
    Signal,
    Span,
    Unit,
)

# Measured: with these the lines are kept that were asked for.
_BYTES_PER_CELL, _BYTES_PER_ROW = 8, 120

_SHAPES: dict[int, Literal["block", "underline", "bar"]] = {
    lib.GHOSTTY_RENDER_STATE_CURSOR_VISUAL_STYLE_BAR: "bar",
    lib.GHOSTTY_RENDER_STATE_CURSOR_VISUAL_STYLE_UNDERLINE: "underline",
}

_DELETE = b"\x7f"
_LINK_SIZE = 4096
_APC_BYTES = 4096


class GhosttyEngine:
    """A terminal of libghostty-vt. See `tutor.terminal.screen.Engine`."""

    name = "libghostty-vt"

    def __init__(self, geometry: Geometry) -> None:
        self._lock = threading.Lock()
        self._stale = True
        self._scrollback, self._kept_bytes = geometry.scrollback, 0
        self._mark: Tracked | None = None
        callbacks: list[Any] = []
        self._place = new(
            "GhosttyTerminal",
            lib.ghostty_terminal_new,
            geometry.columns,
            geometry.lines,
            free=lib.ghostty_terminal_free,
            owner=callbacks,
        )
        self._state = new(
            "GhosttyRenderState",
            lib.ghostty_render_state_new,
            free=lib.ghostty_render_state_free,
        )
        self._iterator = new(
            "GhosttyRenderStateRowIterator",
            lib.ghostty_render_state_row_iterator_new,
            free=lib.ghostty_render_state_row_iterator_free,
        )
        self._terminal = self._place[0]
        self._cells = CellReader()
        self._encoders = encode.Encoders()
        self._selector = Selector(self._place)
        self._finder = Finder(self._place)
        self._inbox = Inbox(self._state[0])
        self._configure(geometry)
        for option, callback in self._inbox.callbacks():
            callbacks.append(callback)
            self._set(option, callback)

    def _configure(self, geometry: Geometry) -> None:
        self._set("SCROLLBACK_MAX_LINES", ffi.NULL)
        self._keep(geometry.columns)
        self._set("KITTY_IMAGE_STORAGE_LIMIT", ffi.new("uint64_t*", 0))
        self._set("APC_MAX_BYTES", ffi.new("size_t*", _APC_BYTES))
        self._set_colours(geometry.colours)

    def _keep(self, columns: int) -> None:
        """Give the history room for rows of a width; never less than it had."""
        needed = self._scrollback * (columns * _BYTES_PER_CELL + _BYTES_PER_ROW)
        self._kept_bytes = max(self._kept_bytes, needed)
        self._set("SCROLLBACK_MAX_BYTES", ffi.new("size_t*", self._kept_bytes))

    @property
    def size(self) -> tuple[int, int]:
        with self._lock:
            return terminal_size(self._terminal)

    def feed(self, data: bytes) -> None:
        if _DELETE in data:
            # The library draws it; xterm and all others ignore it.
            data = data.replace(_DELETE, b"")
        with self._lock:
            lib.ghostty_terminal_vt_write(self._terminal, data, len(data))

    def replies(self) -> bytes:
        if not self._inbox.replies:
            return b""
        with self._lock:
            return self._inbox.take_replies()

    def signals(self) -> Sequence[Signal]:
        if not self._inbox.signals:
            return ()
        with self._lock:
            return self._inbox.take_signals()

    def resize(self, columns: int, lines: int) -> None:
        with self._lock:
            self._keep(columns)
            result = lib.ghostty_terminal_resize(
                self._terminal, columns, lines, CELL_WIDTH_PX, CELL_HEIGHT_PX
            )
            check(result, "resize")
            self._stale = True

    def frame(self, *, through_hold: bool = False, whole: bool = False) -> Frame:
        with self._lock:
            self._stale = self._stale or whole
            if not self._inbox.held or through_hold:
                lib.ghostty_render_state_update(self._state[0], self._terminal)
            rows = self._changed_rows()
            searching, size = self._finder.active, terminal_size(self._terminal)
            if searching:
                self._finder.result()
            return Frame(
                rows=rows,
                cursor=self._cursor(),
                scroll=self._scroll(),
                selection=self._selection(),
                hits=self._finder.spans(size) if searching else (),
                current_hit=self._finder.current_span(size) if searching else None,
                held=self._inbox.held,
            )

    def _changed_rows(self) -> dict[int, Row]:
        dirty = ffi.new("GhosttyRenderStateDirty*")
        lib.ghostty_render_state_get(self._state[0], lib.GHOSTTY_RENDER_STATE_DATA_DIRTY, dirty)
        full = self._stale or dirty[0] == lib.GHOSTTY_RENDER_STATE_DIRTY_FULL
        if not full and dirty[0] == lib.GHOSTTY_RENDER_STATE_DIRTY_FALSE:
            return {}
        self._rewind()
        iterator = self._iterator[0]
        view, y = ffi.new("GhosttyCellsView*"), ffi.new("uint16_t*")
        rows: dict[int, Row] = {}
        while (
            lib.ghostty_render_state_row_iterator_next(iterator)
            if full
            else lib.ghostty_render_state_row_iterator_next_dirty(iterator, y)
        ):
            lib.ghostty_render_state_row_get(
                iterator, lib.GHOSTTY_RENDER_STATE_ROW_DATA_CELLS_RAW, view
            )
            packed = bytes(ffi.buffer(view.ptr, view.len * 8))
            rows[len(rows) if full else y[0]] = self._cells.row(iterator, packed)
        lib.ghostty_render_state_clean(self._state[0])
        self._stale = False
        return rows

    def _rewind(self) -> None:
        lib.ghostty_render_state_get(
            self._state[0], lib.GHOSTTY_RENDER_STATE_DATA_ROW_ITERATOR, self._iterator
        )

    def _cursor(self) -> Cursor:
        found = sized("GhosttyRenderStateCursor")
        lib.ghostty_render_state_get(self._state[0], lib.GHOSTTY_RENDER_STATE_DATA_CURSOR, found)
        if not found.viewport_has_value:
            return Cursor(0, 0, visible=False)
        return Cursor(
            found.viewport_x - found.wide_tail,
            found.viewport_y,
            visible=found.visible,
            shape=_SHAPES.get(found.visual_style, "block"),
        )

    def _scroll(self) -> Scroll:
        bar = self._get("SCROLLBAR", "GhosttyTerminalScrollbar")
        return Scroll(bar.total, bar.offset, bar.len)

    def _selection(self) -> Sequence[Span]:
        selection = sized("GhosttySelection")
        if lib.ghostty_terminal_get(self._terminal, lib.GHOSTTY_TERMINAL_DATA_SELECTION, selection):
            return ()
        self._rewind()
        spans: list[Span] = []
        part = sized("GhosttyRenderStateRowSelection")
        for y in itertools.count():
            if not lib.ghostty_render_state_row_iterator_next(self._iterator[0]):
                break
            if not lib.ghostty_render_state_row_get(
                self._iterator[0], lib.GHOSTTY_RENDER_STATE_ROW_DATA_SELECTION, part
            ):
                spans.append(Span(y, part.start_x, part.end_x + 1))
        return spans

    def text(self) -> str:
        with self._lock:
            columns, lines = terminal_size(self._terminal)
            everything = sized("GhosttySelection")
            active = lib.GHOSTTY_POINT_TAG_ACTIVE
            everything.start = grid_ref(self._terminal, 0, 0, active)[0]
            everything.end = grid_ref(self._terminal, columns - 1, lines - 1, active)[0]
            return self._selector.text(everything, unwrap=False)

    def modes(self) -> Modes:
        with self._lock:
            return Modes(
                alternate_screen=active_screen(self._terminal)
                == lib.GHOSTTY_TERMINAL_SCREEN_ALTERNATE,
                bracketed_paste=self._mode(2004),
                mouse=self._get("MOUSE_TRACKING", "bool"),
                alternate_scroll=self._mode(1007),
            )

    def set_colours(self, colours: Colours) -> None:
        with self._lock:
            self._set_colours(colours)

    def _set_colours(self, colours: Colours) -> None:
        for option, rgb in (
            ("COLOR_FOREGROUND", colours.foreground),
            ("COLOR_BACKGROUND", colours.background),
        ):
            parts = {"r": rgb >> 16, "g": rgb >> 8 & 0xFF, "b": rgb & 0xFF}
            self._set(option, ffi.new("GhosttyColorRgb*", parts))

    def encode_key(self, stroke: Stroke) -> bytes:
        with self._lock:
            return self._encoders.key(self._terminal, stroke)

    def encode_mouse(self, mouse: Mouse) -> bytes:
        with self._lock:
            return self._encoders.mouse(self._terminal, mouse, terminal_size(self._terminal))

    def encode_paste(self, text: str) -> bytes:
        with self._lock:
            return encode.paste(text, bracketed=self._mode(2004))

    def encode_focus(self, *, gained: bool) -> bytes:
        with self._lock:
            return encode.focus(gained=gained) if self._mode(1004) else b""

    def scroll(self, rows: int) -> None:
        with self._lock:
            scroll_viewport(self._terminal, lib.GHOSTTY_SCROLL_VIEWPORT_DELTA, rows)

    def scroll_to(self, row: int | None) -> None:
        with self._lock:
            if row is None:
                scroll_viewport(self._terminal, lib.GHOSTTY_SCROLL_VIEWPORT_BOTTOM)
            else:
                scroll_viewport(self._terminal, lib.GHOSTTY_SCROLL_VIEWPORT_ROW, row)

    def select(self, x: int, y: int, unit: Unit = "cell") -> None:
        with self._lock:
            self._selector.begin(x, y, unit)

    def extend(self, x: int, y: int) -> None:
        with self._lock:
            self._selector.extend(x, y)

    def select_output(self, x: int, y: int) -> bool:
        with self._lock:
            return self._selector.select_output(x, y)

    def unselect(self) -> None:
        with self._lock:
            self._selector.clear()

    def selected(self) -> str:
        with self._lock:
            return self._selector.text()

    def search(self, needle: str) -> Search:
        with self._lock:
            return self._finder.begin(needle)

    def search_next(self, step: Literal[1, -1]) -> Search:
        with self._lock:
            return self._finder.step(step)

    def link(self, x: int, y: int) -> str | None:
        with self._lock:
            place = grid_ref(self._terminal, x, y, lib.GHOSTTY_POINT_TAG_VIEWPORT)
            address, length = ffi.new("uint8_t[]", _LINK_SIZE), ffi.new("size_t*")
            if lib.ghostty_grid_ref_hyperlink_uri(place, address, _LINK_SIZE, length):
                return None
            return bytes(ffi.buffer(address, length[0])).decode("utf-8", "replace") or None

    def mark(self) -> None:
        with self._lock:
            x, y = self._get("CURSOR_X", "uint16_t"), self._get("CURSOR_Y", "uint16_t")
            self._mark = Tracked(self._place, x, y, lib.GHOSTTY_POINT_TAG_ACTIVE)

    def text_since_mark(self) -> str:
        with self._lock:
            since = sized("GhosttySelection")
            begin = self._mark.now() if self._mark else None
            if begin is None:
                return ""
            x, y = self._get("CURSOR_X", "uint16_t"), self._get("CURSOR_Y", "uint16_t")
            since.start = begin[0]
            since.end = grid_ref(self._terminal, x, y, lib.GHOSTTY_POINT_TAG_ACTIVE)[0]
            return self._selector.text(since)

    def _set(self, option: str, value: Any) -> None:
        number = getattr(lib, f"GHOSTTY_TERMINAL_OPT_{option}")
        check(lib.ghostty_terminal_set(self._terminal, number, value), option)

    def _get(self, what: str, kind: str) -> Any:
        place = ffi.new(f"{kind}*")
        number = getattr(lib, f"GHOSTTY_TERMINAL_DATA_{what}")
        check(lib.ghostty_terminal_get(self._terminal, number, place), what)
        return place[0]

    def _mode(self, number: int) -> bool:
        mode = ffi.new("GhosttyTerminalModeConfig*", {"mode": number})
        check(
            lib.ghostty_terminal_get(self._terminal, lib.GHOSTTY_TERMINAL_DATA_MODE, mode),
            f"mode {number}",
        )
        return mode.value
