"""The shells of a lesson: one is shown, the others go on. What the pane's title says of them."""

from collections.abc import Sequence
from typing import NamedTuple

from tutor.ui.runner import Runner, abridged

LIMIT = 9
"""How many there can be; each has a history of its own."""

_NEW = "+ new"
_CLOSE = "[x]"
_SMALLEST = 8
"""Characters that a name keeps in a title."""
_FRAME = 5
"""Of a name in the title: its number, and what is between two."""


class Shells:
    """One runner a shell. There is always one, whose shell may still be to come."""

    def __init__(self) -> None:
        self._runners = [Runner()]
        self._at = 0

    @property
    def current(self) -> Runner:
        """That of the shell that is shown."""
        return self._runners[self._at]

    @property
    def all(self) -> Sequence[Runner]:
        """From left to right."""
        return tuple(self._runners)

    def add(self, runner: Runner) -> None:
        """Show another one, to the right of all."""
        self._runners.append(runner)
        self._at = len(self._runners) - 1

    def turn(self, number: int) -> None:
        """Show the one with a number, from 1; the first comes after the last."""
        self._at = (number - 1) % len(self._runners)

    def turn_on(self) -> None:
        """Show the next one."""
        self.turn(self._at + 2)

    def remove(self, runner: Runner) -> None:
        """Take one away, which is not the only one."""
        at = self._runners.index(runner)
        del self._runners[at]
        if at < self._at or self._at == len(self._runners):
            self._at -= 1

    def names(self) -> "Sequence[Name]":
        """What each is called."""
        return tuple(Name(_state(each), each is self.current) for each in self._runners)


class Name(NamedTuple):
    """What a shell is called."""

    runs: str
    """The command that runs in it; that it has ended; or nothing."""
    is_shown: bool


def _state(runner: Runner) -> str:
    shell = runner.shell
    if shell is None:
        return ""
    if shell.exit_status is not None:
        return "has ended"
    return abridged(shell.running.text) if shell.running else ""


def title(names: Sequence[Name], width: int) -> str:
    """The title of the pane, in the interface library's markup; its parts can be clicked."""
    new = _link("shell_new", _NEW)
    if len(names) == 1:
        return "   ".join([_escaped(" · ".join(filter(None, ("Shell", names[0].runs)))), new])
    room = max((width - len(f"  {_CLOSE}  {_NEW}  ")) // len(names) - _FRAME, _SMALLEST)
    parts = [_part(number, name, room) for number, name in enumerate(names, 1)]
    return "  ".join([*parts, new])


def _part(number: int, name: Name, room: int) -> str:
    words = name.runs or "shell"
    words = words if len(words) <= room else f"{words[: room - 1]}…"
    if name.is_shown:
        return f"▸{number} {_escaped(words)} {_link('shell_close', _CLOSE)}"
    return _link(f"shell_turn({number})", f" {number} {words}")


def _link(action: str, text: str) -> str:
    # A backslash at the end would make the closing tag a part of the text.
    shown = _escaped(text.rstrip("\\"))
    return f"[not bold @click=screen.{action}]{shown}[/]"


def _escaped(text: str) -> str:
    return text.replace("[", "\\[")
