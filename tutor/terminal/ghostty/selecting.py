"""Selection and search over screen and history, by the library's own."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from tutor.terminal.ghostty.binding import (
    NO_VALUE,
    Tracked,
    check,
    ffi,
    fill,
    grid_ref,
    lib,
    new,
    sized,
)
from tutor.terminal.screen import EngineError, Search, Span, Unit

_MATCHES_SHOWN = 2000


class Selector:
    """The selection of one terminal. Its anchor moves along with the text."""

    def __init__(self, place: Any) -> None:
        self._place = place
        self._terminal = place[0]
        self._anchor: Tracked | None = None
        self._unit: Unit = "cell"

    def begin(self, x: int, y: int, unit: Unit) -> None:
        """Anchor a selection."""
        self._unit = unit
        self._anchor = Tracked(self._place, x, y, lib.GHOSTTY_POINT_TAG_VIEWPORT)
        self.extend(x, y)

    def extend(self, x: int, y: int) -> None:
        """Select from the anchor to a cell, whole units of both."""
        anchor = self._anchor.now() if self._anchor else None
        if anchor is None:
            return
        head = grid_ref(self._terminal, x, y, lib.GHOSTTY_POINT_TAG_VIEWPORT)
        selection = sized("GhosttySelection")
        selection.start, selection.end = anchor[0], head[0]
        if self._unit != "cell":
            first, last = anchor, head
            if self._order(anchor) > self._order(head):
                first, last = head, anchor
            selection.start, selection.end = first[0], last[0]
            if begins := self._unit_at(first):
                selection.start = begins.start
            if ends := self._unit_at(last):
                selection.end = ends.end
        self._set(selection)

    def select_output(self, x: int, y: int) -> bool:
        """Select the output of the command that a cell belongs to."""
        place = grid_ref(self._terminal, x, y, lib.GHOSTTY_POINT_TAG_VIEWPORT)
        selection = sized("GhosttySelection")
        if lib.ghostty_terminal_select_output(self._terminal, place[0], selection):
            return False
        self._set(selection)
        return True

    def clear(self) -> None:
        """Select nothing."""
        self._anchor = None
        self._set(ffi.NULL)

    def text(self, selection: Any = ffi.NULL, *, unwrap: bool = True) -> str:
        """The text of the selection, or of a given one; wrapped lines joined if `unwrap`."""
        options = sized("GhosttyTerminalSelectionFormatOptions")
        options.emit = lib.GHOSTTY_FORMATTER_FORMAT_PLAIN
        options.unwrap, options.trim = unwrap, True
        options.selection = selection
        length = ffi.new("size_t*")
        if (
            lib.ghostty_terminal_selection_format_buf(
                self._terminal, options[0], ffi.NULL, 0, length
            )
            == NO_VALUE
        ):
            return ""
        return fill(
            lambda out, size, length: lib.ghostty_terminal_selection_format_buf(
                self._terminal, options[0], ffi.cast("uint8_t*", out), size, length
            ),
            "selection",
        ).decode("utf-8", "replace")

    def _unit_at(self, place: Any) -> Any:
        """The word or line at a place; None where there is none."""
        selection = sized("GhosttySelection")
        if self._unit == "word":
            options = sized("GhosttyTerminalSelectWordOptions")
            select = lib.ghostty_terminal_select_word
        else:
            options = sized("GhosttyTerminalSelectLineOptions")
            select = lib.ghostty_terminal_select_line
        options.ref = place[0]
        return None if select(self._terminal, options, selection) else selection

    def _order(self, reference: Any) -> tuple[int, int]:
        place = ffi.new("GhosttyPointCoordinate*")
        lib.ghostty_terminal_point_from_grid_ref(
            self._terminal, reference, lib.GHOSTTY_POINT_TAG_SCREEN, place
        )
        return place.y, place.x

    def _set(self, selection: Any) -> None:
        check(
            lib.ghostty_terminal_set(self._terminal, lib.GHOSTTY_TERMINAL_OPT_SELECTION, selection),
            "selection",
        )


class Finder:
    """A search in one terminal; its matches follow what is written."""

    def __init__(self, place: Any) -> None:
        self._place = place
        self._terminal = place[0]
        self._search: Any = None

    @property
    def active(self) -> bool:
        """Whether there is anything to look for."""
        return self._search is not None

    def begin(self, needle: str) -> Search:
        """Look for a text, or for nothing more."""
        self._search = None
        if not needle:
            return Search(0, 0)
        self._search = new(
            "GhosttySearch",
            lib.ghostty_search_new,
            self._terminal,
            free=lib.ghostty_search_free,
            owner=self._place,
        )
        data = needle.encode()
        kept = ffi.new("char[]", data)
        text = ffi.new("GhosttyString*", {"ptr": ffi.cast("uint8_t*", kept), "len": len(data)})
        check(
            lib.ghostty_search_set(self._search[0], lib.GHOSTTY_SEARCH_OPT_NEEDLE, text), "needle"
        )
        return self.result()

    def step(self, step: Literal[1, -1]) -> Search:
        """Go on to the next match, older or newer."""
        if self._search is None:
            return Search(0, 0)
        self.result()
        option = (
            lib.GHOSTTY_SEARCH_OPT_SELECT_NEXT if step > 0 else lib.GHOSTTY_SEARCH_OPT_SELECT_PREV
        )
        lib.ghostty_search_set(self._search[0], option, ffi.NULL)
        return self.result()

    def result(self) -> Search:
        """Search to the end and count."""
        check(lib.ghostty_search_run(self._search[0]), "search")
        return Search(
            self._number(lib.GHOSTTY_SEARCH_DATA_TOTAL_MATCHES) or 0,
            1 + self._number(lib.GHOSTTY_SEARCH_DATA_SELECTED_INDEX, -1),
        )

    def _number(self, what: int, default: int = 0) -> int:
        number = ffi.new("size_t*")
        return default if lib.ghostty_search_get(self._search[0], what, number) else number[0]

    def spans(self, size: tuple[int, int]) -> Sequence[Span]:
        """Where matches are in view."""
        matches = ffi.new("GhosttySelection[]", _MATCHES_SHOWN)
        for match in matches:
            match.size = ffi.sizeof("GhosttySelection")
        buffer = ffi.new("GhosttySelectionBuffer*", {"ptr": matches, "cap": _MATCHES_SHOWN})
        if lib.ghostty_search_get(
            self._search[0], lib.GHOSTTY_SEARCH_DATA_VIEWPORT_MATCHES, buffer
        ):
            return ()
        return [
            span
            for index in range(min(buffer.len, _MATCHES_SHOWN))
            for span in self._spans(matches[index], size)
        ]

    def current_span(self, size: tuple[int, int]) -> Span | None:
        """Where the current match is in view."""
        match = sized("GhosttySelection")
        if lib.ghostty_search_get(self._search[0], lib.GHOSTTY_SEARCH_DATA_SELECTED_MATCH, match):
            return None
        return next(self._spans(match, size), None)

    def _spans(self, match: Any, size: tuple[int, int]) -> Iterator[Span]:
        columns, lines = size
        with contextlib.suppress(EngineError):
            (x, y), (end_x, end_y) = self._in_view(match.start), self._in_view(match.end)
            for row in range(y, min(end_y + 1, lines)):
                yield Span(row, x if row == y else 0, end_x + 1 if row == end_y else columns)

    def _in_view(self, reference: Any) -> tuple[int, int]:
        place = ffi.new("GhosttyPointCoordinate*")
        check(
            lib.ghostty_terminal_point_from_grid_ref(
                self._terminal,
                ffi.new("GhosttyGridRef*", reference),
                lib.GHOSTTY_POINT_TAG_VIEWPORT,
                place,
            ),
            "place in view",
        )
        return place.x, place.y
