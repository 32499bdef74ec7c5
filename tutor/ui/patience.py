"""When to tell what is waited for: not before it has taken a moment, and since when."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from textual.timer import Timer

from tutor.clock import SystemClock
from tutor.ui.scene import clock_time
from tutor.ui.screens.staged import StagedScreen
from tutor.ui.waiting import Wait
from tutor.ui.widgets.topbar import Told

PATIENCE_S = 0.5
"""How long something may take before it is told."""

TICK_S = 1.0

SHORTEST_S = 0.01
"""A timer that rings early is not to ring at once again."""


class Begun(NamedTuple):
    """When a wait began."""

    at: float
    """In loop time."""
    on: datetime


def tell(
    waits: Sequence[Wait], begun: Mapping[str, Begun], *, now: float, is_still: bool
) -> tuple[Told | None, float | None]:
    """The first wait that has lasted, and in how many seconds there is something else to tell.

    `is_still`: what is told is not to move: it has the clock time of the beginning.
    """
    ages = [(each, now - begun[each.subject].at) for each in waits]
    due = [PATIENCE_S - age for _, age in ages if age < PATIENCE_S]
    told: Told | None = None
    for each, age in ages:
        if age >= PATIENCE_S and told is None:
            since = f"since {clock_time(begun[each.subject].on)}" if is_still else f"{int(age)} s"
            told = Told(each.words, since)
            due += [] if is_still else [TICK_S - age % TICK_S]
    return told, min(due, default=None)


class Patience:
    """Tells, on one screen. There is a timer only while something is waited for."""

    def __init__(self, screen: StagedScreen, show: Callable[[Told | None], None]) -> None:
        self._screen = screen
        self._show = show
        self._waits: Sequence[Wait] = ()
        self._begun: Mapping[str, Begun] = {}
        self._timer: Timer | None = None

    def wait_for(self, waits: Sequence[Wait]) -> None:
        """This is what is waited for now."""
        if waits == self._waits:
            return
        begun = Begun(asyncio.get_running_loop().time(), SystemClock().now())
        self._waits = waits
        self._begun = {each.subject: self._begun.get(each.subject, begun) for each in waits}
        self._tell()

    def _tell(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        now = asyncio.get_running_loop().time()
        is_still = self._screen.app.animation_level == "none"
        told, due = tell(self._waits, self._begun, now=now, is_still=is_still)
        self._show(told)
        self._timer = (
            None if due is None else self._screen.set_timer(max(due, SHORTEST_S), self._tell)
        )
