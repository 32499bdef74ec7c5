"""What a shell tells whoever listens: its prompts, what it runs, what there is to draw, its end."""

from collections.abc import Callable
from datetime import datetime

from tutor.terminal.screen import Signal
from tutor.value import value


@value
class PromptShown:
    """The shell waits for a command line. `again`: it only drew its prompt once more."""

    again: bool = False


@value
class CommandBegan:
    """The shell runs a command line."""

    text: str
    started: datetime


@value
class CommandRecord:
    """What was run, and what came of it.

    `output` is as `tutor.terminal.plain` says, and only its beginning if `truncated`. `exit_code`
    is None when the shell did not say.
    """

    text: str
    exit_code: int | None
    output: str
    truncated: bool
    started: datetime
    ended: datetime


News = PromptShown | CommandBegan | CommandRecord | Signal


@value
class ScreenChanged:
    """There is something new to draw. Told once; told again after the next `Shell.frame`."""


@value
class Exited:
    """The shell is gone, with this exit status; 128 and more is a signal."""

    status: int


Event = News | ScreenChanged | Exited
Listener = Callable[[Event], None]
