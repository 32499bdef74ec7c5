"""A terminal window with a program in it, driven through tmux as by a person."""

import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]

LIMIT_S = 60.0
_AGAIN_S = 0.05
_CLOSE_S = 10.0


@dataclass(frozen=True, slots=True)
class Window:
    """One tmux server of its own, with one window."""

    server: str
    ending: Path
    """Has the exit code of the program when that has ended."""

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self.server, "-f", "/dev/null", *words],
            capture_output=True,
            text=True,
            check=True,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        )
        return done.stdout

    def start(self, command: str, *, size: tuple[int, int], environment: Mapping[str, str]) -> None:
        columns, lines = size
        variables = [word for pair in environment.items() for word in ("-e", "=".join(pair))]
        shell = f"{command}; echo $? >{self.ending}; exec cat"
        self._tmux(
            *("new-session", "-d", "-x", str(columns), "-y", str(lines)),
            *variables,
            *("sh", "-c", shell),
        )

    def hang_up(self) -> None:
        """Close the window from outside, whatever runs in it."""
        self._tmux("kill-server")

    def text(self) -> str:
        """What is to be seen."""
        return self._tmux("capture-pane", "-p")

    def sees(self, *texts: str, within_s: float = LIMIT_S) -> str:
        """Wait until all of the texts are to be seen, and give the whole."""
        self.until(lambda: all(text in self.text() for text in texts), texts, within_s)
        return self.text()

    def until(
        self, happened: Callable[[], object], what: object, within_s: float = LIMIT_S
    ) -> None:
        """Wait for something; `what` is for the message when it does not happen."""
        deadline = time.monotonic() + within_s
        while not happened():
            if time.monotonic() > deadline:
                raise AssertionError(f"not to be seen: {what}\n{self.text()}")
            time.sleep(_AGAIN_S)

    def press(self, *keys: str) -> None:
        """Press keys by their tmux names."""
        self._tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type a text as it is, and Enter."""
        self.write(text)
        self.press("Enter")

    def write(self, text: str) -> None:
        """Type a text as it is."""
        if text:
            self._tmux("send-keys", "-l", text)

    def resize(self, columns: int, lines: int) -> None:
        self._tmux("resize-window", "-x", str(columns), "-y", str(lines))

    def ended(self) -> int:
        """Wait for the end of the program; its exit code."""
        self.until(lambda: self.ending.exists() and self.ending.read_text(), "the end")
        return int(self.ending.read_text())

    def modes(self) -> str:
        """Of the window: alternate screen, cursor, mouse; `0 1 0` is sane."""
        return self._tmux(
            "display-message", "-p", "#{alternate_on} #{cursor_flag} #{mouse_any_flag}"
        ).strip()

    def close(self) -> None:
        """Close the window, and wait for what ran in it: an app that ends keeps its sandbox up."""
        asked = ["tmux", "-L", self.server, "list-panes", "-F", "#{pane_pid}"]
        shown = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
        running: list[psutil.Process] = []
        for pid in map(int, shown.split()):
            with suppress(psutil.NoSuchProcess):
                running += psutil.Process(pid).children(recursive=True)
        subprocess.run(["tmux", "-L", self.server, "kill-server"], capture_output=True, check=False)
        psutil.wait_procs(running, timeout=_CLOSE_S)


@contextmanager
def window(folder: Path) -> Generator[Window]:
    """A window; the folder is for its own files."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    name = uuid.uuid4().hex[:12]
    opened = Window(f"tutor-{name}", folder / f"ending-{name}")
    try:
        yield opened
    finally:
        opened.close()


def environment(home: Path, **more: str) -> dict[str, str]:
    """What a learner's terminal has, with a home of its own."""
    user = home / "user"
    user.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(user),
        "PYTHONPATH": str(ROOT),
        "TUTOR_HOME": str(home),
        "COLORTERM": "truecolor",
        "LC_ALL": "C.UTF-8",
        "SHELL": "/bin/bash",
    } | more
