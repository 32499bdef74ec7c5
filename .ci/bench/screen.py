"""Programs on a pseudo-terminal: when they write what, and what they take meanwhile."""

import os
import signal
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Condition

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tutor.terminal.pty import Pty  # noqa: E402 - found beside this script

SIZE = (120, 40)


class Screen:
    """What a program has written so far."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], folder: Path
    ) -> None:
        self.first_s = 0.0
        self.bytes = 0
        self._text = b""
        self._news = Condition()
        self._began = time.perf_counter()
        self.pty = Pty(
            command,
            environment=environment,
            folder=folder,
            size=SIZE,
            receive=self._receive,
            ended=self._end,
        )
        self.pty.start()

    def _receive(self, data: bytes) -> None:
        with self._news:
            self.first_s = self.first_s or time.perf_counter() - self._began
            self.bytes += len(data)
            self._text += data
            self._news.notify_all()

    def _end(self, status: int) -> None:
        del status

    def until(self, wanted: bytes, limit_s: float = 60.0) -> float:
        """Seconds from the start until something was written; raises `TimeoutError`."""
        with self._news:
            if not self._news.wait_for(lambda: wanted in self._text, limit_s):
                raise TimeoutError(f"{wanted.decode()!r} was not written")
        return time.perf_counter() - self._began


@contextmanager
def screen(
    command: Sequence[str], environment: Mapping[str, str], folder: Path
) -> Generator[Screen]:
    """A program, as long as the block lasts."""
    shown = Screen(command, environment, folder)
    try:
        yield shown
    finally:
        os.kill(shown.pty.pid, signal.SIGTERM)
        time.sleep(0.2)
        shown.pty.close()
