"""Screen and history as rows with numbers that stay, and what can be selected and found in them.

Rows are numbered from 0, the first that ever left the screen; a number means the same text until
the width changes.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from bittty.terminals import Terminal
from bittty.terminals.scrollback import ScrollbackView
from bittty.video import Cell

from tutor.terminal.screen import Search, Span, Unit

# Ghostty's own word boundaries.
_WORD_ENDS = frozenset(" \t'\"│`|:;,()[]{}<>$")


class Place(NamedTuple):
    """A cell of a numbered row."""

    row: int
    x: int


class Lines:
    """The numbered rows of one terminal."""

    def __init__(self, chrome: Terminal) -> None:
        self._chrome = chrome
        self.left = 0
        """How many rows have left the screen so far."""
        self.last_wrapped = False
        """Whether the last row that left goes on in the screen's first."""

    @property
    def kept(self) -> int:
        """Rows of history there are; the alternate screen has none."""
        if self._chrome.board.blitter.in_alt_screen:
            return 0
        assert self._chrome.scrollback is not None  # noqa: S101 - it was given one
        return len(self._chrome.scrollback.width(self._chrome.port.width))

    @property
    def first(self) -> int:
        """The number of the oldest row."""
        return self.left - self.kept

    @property
    def end(self) -> int:
        """One past the number of the last row."""
        return self.left + self._chrome.port.height

    def cells(self, row: int) -> Sequence[Cell]:
        """A row's cells; none when the row is no longer kept, or not there yet."""
        if row < self.first or row >= self.end:
            return ()
        if row >= self.left:
            return self._chrome.port.page.grid[row - self.left]
        return self._history()[row - self.first]

    def text(self, row: int, start: int = 0, end: int | None = None) -> str:
        """What stands in some columns of a row, blanks included."""
        return "".join(character for _, character in self.cells(row)[start:end])

    def wraps(self, row: int) -> bool:
        """Whether a row goes on in the next."""
        if row >= self.left:
            return self._chrome.port.page.is_line_wrapped(row - self.left)
        if row == self.left - 1:
            return self.last_wrapped
        history, index = self._history(), row - self.first
        return history.line_at(index)[0] == history.line_at(index + 1)[0]

    def _history(self) -> ScrollbackView:
        assert self._chrome.scrollback is not None  # noqa: S101 - it was given one
        return self._chrome.scrollback.width(self._chrome.port.width)

    def between(self, start: Place, end: Place) -> str:
        """The text from one cell to another, both included; wrapped rows are joined."""
        text = ""
        for row in range(max(start.row, self.first), min(end.row + 1, self.end)):
            begin = start.x if row == start.row else 0
            part = self.text(row, begin, end.x + 1 if row == end.row else None)
            joined = self.wraps(row) and row != end.row
            text += part if joined else part.rstrip() + "\n"
        return text.removesuffix("\n")

    def unit(self, place: Place, unit: Unit) -> tuple[Place, Place]:
        """The first and last cell of the word or line at a place."""
        match unit:
            case "cell":
                return place, place
            case "word":
                return self._word(place)
            case "line":
                first, last = place.row, place.row
                while first > self.first and self.wraps(first - 1):
                    first -= 1
                while last < self.end - 1 and self.wraps(last):
                    last += 1
                return Place(first, 0), Place(last, self._chrome.port.width - 1)

    def _word(self, place: Place) -> tuple[Place, Place]:
        cells = self.cells(place.row)
        inside = [character not in _WORD_ENDS for _, character in cells]
        if place.x >= len(cells) or not inside[place.x]:
            return place, place
        first, last = place.x, place.x
        while first > 0 and inside[first - 1]:
            first -= 1
        while last < len(cells) - 1 and inside[last + 1]:
            last += 1
        return Place(place.row, first), Place(place.row, last)


class Selection:
    """What is selected."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._unit: Unit = "cell"
        self._anchor: Place | None = None
        self.range: tuple[Place, Place] | None = None
        """First and last cell."""

    def begin(self, place: Place, unit: Unit) -> None:
        """Anchor it."""
        self._unit, self._anchor = unit, place
        self.extend(place)

    def extend(self, place: Place) -> None:
        """Move the other end."""
        if self._anchor is not None:
            first, last = sorted((self._anchor, place))
            self.range = (
                self._lines.unit(first, self._unit)[0],
                self._lines.unit(last, self._unit)[1],
            )

    def clear(self) -> None:
        """Select nothing."""
        self._anchor = self.range = None

    def text(self) -> str:
        """The selected text."""
        return self._lines.between(*self.range) if self.range else ""

    def spans(self, top: int, height: int, width: int) -> Iterator[Span]:
        """Where it is in view, when row `top` is the first shown."""
        if self.range is None:
            return
        first, last = self.range
        for row in range(max(first.row, top), min(last.row + 1, top + height)):
            start = first.x if row == first.row else 0
            yield Span(row - top, start, last.x + 1 if row == last.row else width)


class Finder:
    """A search; matches do not reach over the end of a row."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._needle = ""
        self._current: Place | None = None

    def begin(self, needle: str) -> Search:
        """Look for a text, or for nothing more."""
        self._needle, self._current = needle, None
        return Search(len(self._matches()), 0)

    def step(self, step: Literal[1, -1]) -> tuple[Search, Place | None]:
        """Go to the next older or newer match."""
        matches = [Place(row, start) for row, start, _ in self._matches()][::-1]
        if not matches:
            return Search(0, 0), None
        if self._current is not None and self._current in matches:
            at = matches.index(self._current)
        else:
            at = -1 if step > 0 else 0
        at = (at + step) % len(matches)
        self._current = matches[at]
        return Search(len(matches), at + 1), self._current

    def spans(self, top: int, height: int) -> Sequence[Span]:
        """Where matches are in view."""
        shown = range(max(top, self._lines.first), min(top + height, self._lines.end))
        return [Span(row - top, start, end) for row, start, end in self._matches(shown)]

    def current_span(self, top: int, height: int) -> Span | None:
        """Where the current match is in view."""
        if self._current is None:
            return None
        here = (self._current.row - top, self._current.x)
        return next((span for span in self.spans(top, height) if span[:2] == here), None)

    def _matches(self, rows: range | None = None) -> list[tuple[int, int, int]]:
        """Row, first column, column behind, oldest first."""
        if not self._needle:
            return []
        pattern = re.compile(re.escape(self._needle), re.IGNORECASE)
        found: list[tuple[int, int, int]] = []
        for row in range(self._lines.first, self._lines.end) if rows is None else rows:
            cells = self._lines.cells(row)
            columns = [x for x, (_, character) in enumerate(cells) for _ in character]
            text = "".join(character for _, character in cells)
            for match in pattern.finditer(text):
                end = columns[match.end()] if match.end() < len(columns) else len(cells)
                found.append((row, columns[match.start()], end))
        return found
