"""Selecting in a terminal with the keyboard: arrow keys move the selection's end."""

from typing import Literal

from tutor.terminal.screen import Engine

KEYS = "arrows, page up/down, home, end: select · Enter or Y: copy · Esc: leave"


class Marking:
    """One keyboard selection, begun at the cursor."""

    def __init__(self, engine: Engine, x: int, y: int) -> None:
        self._engine = engine
        self._x, self._y = x, y
        engine.select(x, y)

    def press(self, key: str) -> Literal["more", "copy", "leave"]:
        """Take a key; others than these are ignored."""
        key = key.removeprefix("shift+")
        if key in ("enter", "y"):
            return "copy"
        if key in ("escape", "q"):
            return "leave"
        self._move(key)
        return "more"

    def _move(self, key: str) -> None:
        columns, lines = self._engine.size
        match key:
            case "up":
                self._y -= 1
            case "down":
                self._y += 1
            case "left":
                self._x -= 1
            case "right":
                self._x += 1
            case "pageup":
                self._y -= lines
            case "pagedown":
                self._y += lines
            case "home":
                self._x = 0
            case "end":
                self._x = columns - 1
            case _:
                return
        self._follow(columns, lines)

    def _follow(self, columns: int, lines: int) -> None:
        """Bring the end into view, where there is more, and select up to it."""
        beyond = min(self._y, 0) + max(self._y - lines + 1, 0)
        if beyond:
            self._engine.scroll(beyond)
        self._x = min(max(self._x, 0), columns - 1)
        self._y = min(max(self._y, 0), lines - 1)
        self._engine.extend(self._x, self._y)
