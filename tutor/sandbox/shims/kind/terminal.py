"""What kind writes on stderr: messages, errors, and the progress of steps.

Source: kind v0.20.0, pkg/internal/cli (logger, status, spinner) and pkg/internal/env.
"""

from __future__ import annotations

import os
import sys
import time

_FRAMES = ("⠈⠁", "⠈⠑", "⠈⠱", "⠈⡱", "⢀⡱", "⢄⡱", "⢄⡱", "⢆⡱", "⢎⡱", "⢎⡰", "⢎⡠", "⢎⡀", "⢎⠁", "⠎⠁", "⠊⠁")
FRAME_S = 0.1


class Terminal:
    """Stderr, in colour and with a spinner when it is a terminal that can show them."""

    def __init__(self, *, quiet: bool, verbosity: int = 0) -> None:
        self.quiet = quiet
        self.verbosity = verbosity
        self.smart = _is_smart()
        self._step = ""
        self._frame = 0
        self._drawn = 0.0

    def say(self, text: str) -> None:
        """Write one message."""
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)

    def warn(self, text: str) -> None:
        """Write a warning."""
        self.say(f"{self._paint('93', 'WARNING')}: {text}")

    def fail(self, text: str, output: str = "") -> None:
        """Write an error, and what the command behind it had printed."""
        self.say(f"{self._paint('31', 'ERROR')}: {text}")
        if output and self.smart:
            self.say(f"{self._paint('31', 'Command Output')}: {output}")
        elif output:
            self.say(f"\nCommand Output: {output}")

    def start(self, step: str) -> None:
        """Begin a step; one that still runs has then succeeded."""
        self.end(good=True)
        self._step = step
        self._drawn = time.monotonic()
        if not self.smart:
            self.say(f" • {step}  ...")

    def tick(self) -> None:
        """Draw the next frame of the spinner when it is due."""
        if not self._step or not self.smart or self.quiet:
            return
        now = time.monotonic()
        if now - self._drawn < FRAME_S:
            return
        frame = _FRAMES[self._frame % len(_FRAMES)]
        self._frame += 1
        self._drawn = now
        sys.stderr.write(f"\x1b[?7l\r{frame} {self._step} \x1b[?7h")
        sys.stderr.flush()

    def end(self, *, good: bool) -> None:
        """Finish the step at hand, if any."""
        if not self._step:
            return
        start = "\r" if self.smart else ""
        mark = self._paint("32", "✓") if good else self._paint("31", "✗")
        self.say(f"{start} {mark} {self._step}")
        self._step = ""

    def _paint(self, colour: str, text: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self.smart else text


def _is_smart() -> bool:
    if not sys.stderr.isatty() or "NO_COLOR" in os.environ:
        return False
    return os.environ.get("TERM") not in ("dumb", "st-256color")
