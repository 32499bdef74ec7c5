"""When a terminal is drawn: at once after a pause, then 60 times a second, in a flood 30 times."""

import asyncio
import time
from collections.abc import Callable

FRAME_S = 1 / 60
FLOOD_FRAME_S = 1 / 30
FLOOD_BYTES_PER_S = 250_000

HOLD_S = 0.15
"""How long a program may hold the picture back (mode 2026)."""


class Pacer:
    """Calls `paint` when it is time; its argument says whether to look through a hold."""

    def __init__(self, paint: Callable[[bool], None]) -> None:
        self._paint = paint
        self._next: asyncio.TimerHandle | None = None
        self._end_of_hold: asyncio.TimerHandle | None = None
        self._painted_at = 0.0
        self._painted_bytes = 0

    def stop(self) -> None:
        """Paint no more of what is due."""
        for handle in (self._next, self._end_of_hold):
            if handle is not None:
                handle.cancel()
        self._next = self._end_of_hold = None

    def wake(self, received: int) -> None:
        """There is something new to see, after so many bytes of output in all."""
        if self._next is not None:
            return
        since = time.monotonic() - self._painted_at
        flood = received - self._painted_bytes > FLOOD_BYTES_PER_S * max(since, FRAME_S)
        pause = (FLOOD_FRAME_S if flood else FRAME_S) - since
        if pause <= 0:
            self._paint(False)
        else:
            self._next = asyncio.get_running_loop().call_later(pause, self._due)

    def painted(self, received: int, *, held: bool) -> None:
        """It has been drawn, as far as the program lets it be seen."""
        self._painted_at, self._painted_bytes = time.monotonic(), received
        if held and self._end_of_hold is None:
            # A program that forgets to let go does not keep the picture for ever.
            self._end_of_hold = asyncio.get_running_loop().call_later(HOLD_S, self._look_through)
        elif not held and self._end_of_hold is not None:
            self._end_of_hold.cancel()
            self._end_of_hold = None

    def _due(self) -> None:
        self._next = None
        self._paint(False)

    def _look_through(self) -> None:
        self._end_of_hold = None
        self._paint(True)
