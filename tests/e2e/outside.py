"""The program on a pseudo-terminal of pexpect's, looked at through a terminal engine of its own."""

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pexpect
import psutil

from tests.e2e.window import environment
from tutor.cli.cluster import stop
from tutor.terminal.engine import engine
from tutor.terminal.screen import Engine, Geometry

COLUMNS, LINES = 120, 40
LIMIT_S = 30.0
_CLOSE_S = 10.0
_READ_S = 0.02
_CHUNK_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Outside:
    """A terminal with the program in it. It answers no question, as the plainest terminals do."""

    child: "pexpect.spawn[bytes]"
    screen: Engine
    started: dict[int, psutil.Process]
    """What ran below the program when somebody looked."""

    def read(self) -> None:
        """Draw what the program has written; waits for a moment if that is nothing."""
        with suppress(pexpect.TIMEOUT, pexpect.EOF):
            self.screen.feed(self.child.read_nonblocking(_CHUNK_BYTES, timeout=_READ_S))

    def until(
        self, happened: Callable[[], object], what: object, within_s: float = LIMIT_S
    ) -> None:
        """Wait for something; `what` is for the message when it does not happen."""
        deadline = time.monotonic() + within_s
        while not happened():
            if time.monotonic() > deadline:
                raise AssertionError(f"not to be seen: {what}\n{self.screen.text()}")
            self.read()

    def sees(self, *texts: str) -> None:
        """Wait until all of the texts are on the screen."""
        self.until(lambda: all(text in self.screen.text() for text in texts), texts)
        self._look_below()

    def press(self, keys: bytes) -> None:
        """Send what a terminal sends for keys."""
        self.child.send(keys)

    def ended(self) -> int | None:
        """Wait for the end of the program; its exit code, None when a signal ended it."""
        self._look_below()
        self.until(self._is_over, "the end")
        self.child.close()
        return self.child.exitstatus

    def _is_over(self) -> bool:
        return self.child.flag_eof and not self.child.isalive()

    def _look_below(self) -> None:
        with suppress(psutil.NoSuchProcess):
            for each in psutil.Process(self.child.pid).children(recursive=True):
                self.started[each.pid] = each

    def close(self) -> None:
        """End what still runs."""
        self._look_below()
        self.child.close(force=True)
        for each in self.started.values():
            with suppress(psutil.NoSuchProcess):
                each.terminate()
        for each in psutil.wait_procs(self.started.values(), timeout=_CLOSE_S)[1]:
            with suppress(psutil.NoSuchProcess):
                each.kill()


@contextmanager
def outside(home: Path, *words: str) -> Generator[Outside]:
    """Run `tutor` with a home folder of its own; app, shell and sandbox end with the block."""
    variables = environment(home, TERM="xterm-256color", TUTOR_PACE="instant")
    child: pexpect.spawn[bytes] = pexpect.spawn(
        sys.executable,
        ["-m", "tutor", *words],
        env=variables,  # pyright: ignore[reportArgumentType] -- the stub wants os.environ itself
        dimensions=(LINES, COLUMNS),
    )
    child.delaybeforesend = None
    opened = Outside(child, engine(Geometry(columns=COLUMNS, lines=LINES, scrollback=0)), {})
    try:
        yield opened
    finally:
        opened.close()
        stop(home)  # Not before: an app that misses its sandbox starts another.
