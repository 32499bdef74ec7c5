"""Records the first two minutes: the program on a terminal, and the hands of a learner.

    python .ci/recording.py RECORDING.cast

The recording is an asciinema cast, version 2: what the program wrote, and when.
"""

import codecs
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pexpect

from tutor.cli.cluster import stop
from tutor.terminal.engine import engine
from tutor.terminal.screen import Geometry

COLUMNS, LINES = 112, 38
LIMIT_S = 60.0
KEY_S = 0.07
"""Between two keys of somebody who types."""

ENTER, HINT, RUN, NEXT = "\r", "\x1b[12~", "\x1b[15~", "\x1b[20~"


class Recorder:
    """A terminal with the program in it, that keeps what it reads."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.child: pexpect.spawn[bytes] = pexpect.spawn(
            sys.executable, ["-m", "tutor"], env=environment, dimensions=(LINES, COLUMNS)
        )
        self.child.delaybeforesend = None
        self.screen = engine(Geometry(columns=COLUMNS, lines=LINES, scrollback=0))
        self.events: list[tuple[float, str, str]] = []
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._began = time.monotonic()

    def read(self) -> None:
        """Take what there is."""
        with suppress(pexpect.TIMEOUT):
            data = self.child.read_nonblocking(65536, timeout=0.02)
            self.screen.feed(data)
            at = round(time.monotonic() - self._began, 3)
            self.events.append((at, "o", self._decoder.decode(data)))

    def until(self, happened: Callable[[], bool], what: str) -> None:
        """Wait for something."""
        deadline = time.monotonic() + LIMIT_S
        while not happened():
            if time.monotonic() > deadline:
                raise SystemExit(f"not to be seen: {what}\n{self.screen.text()}")
            self.read()

    def sees(self, text: str) -> None:
        """Wait until that is on the screen."""
        self.until(lambda: text in self.screen.text(), text)

    def at_prompt(self) -> bool:
        """Whether nothing runs in the shell."""
        rows = [row.partition("▕")[2].strip() for row in self.screen.text().splitlines()]
        return [row for row in rows if row][-1] == "$"

    def pause(self, seconds: float) -> None:
        """Let the learner read."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.read()

    def type(self, text: str) -> None:
        """Type a command line as people do."""
        for each in text:
            self.child.send(each)
            self.pause(KEY_S)
        self.pause(4 * KEY_S)
        self.child.send(ENTER)

    def press(self, keys: str) -> None:
        """Press a key."""
        self.child.send(keys)


def play(hands: Recorder) -> None:
    """The welcome, the lesson that shows how it works, and the beginning of the next one."""
    hands.sees("show me how it works")
    hands.pause(3)
    hands.press(ENTER)
    hands.sees("1 · Run a command")
    hands.sees("greeting.txt says hello")
    hands.pause(3)
    hands.type("echo hello > greeting.txt")
    _go_on(hands, "2 · See a fact move")
    _type_all(hands, 2)
    _go_on(hands, "3 · Make a mistake, on purpose")
    hands.type("echo id > me.txt")
    hands.sees("A known wrong turn")
    hands.pause(4)
    hands.type("id > me.txt")
    _go_on(hands, "4 · Use a hint")
    hands.press(HINT)
    hands.sees("Hint 1 of 2")
    hands.pause(3)
    hands.type("cp me.txt copy.txt")
    hands.sees("F9 ends it")
    hands.pause(2)
    hands.press(NEXT)
    hands.sees("You have finished")
    hands.pause(3)
    hands.press(ENTER)
    hands.sees("1 · Look around")
    hands.sees("sandbox ○")
    hands.pause(2)
    _type_all(hands, 3)
    _go_on(hands, "2 · Create the kind cluster")
    _type_all(hands, 2)
    _go_on(hands, "3 · Install Contour")
    _type_all(hands, 2)
    hands.sees("F9 goes on")
    hands.pause(3)


def _type_all(hands: Recorder, blocks: int) -> None:
    """Have the blocks of a step typed, one after the other."""
    hands.pause(2)
    for _ in range(blocks):
        hands.press(RUN)
        hands.pause(1.2)
        hands.until(hands.at_prompt, "a prompt")


def _go_on(hands: Recorder, title: str) -> None:
    hands.sees("F9 goes on")
    hands.pause(2)
    hands.press(NEXT)
    hands.sees(title)
    hands.pause(2.5)


def recorded() -> str:
    """The cast of a learner who has never been here."""
    with tempfile.TemporaryDirectory(prefix="tutor-") as folder:
        (Path(folder) / ".bashrc").write_text("PS1='$ '\n", encoding="utf-8")
        environment = {
            "HOME": folder,
            "PATH": os.environ["PATH"],
            "SHELL": "/bin/bash",
            "LC_ALL": "C.UTF-8",
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "TUTOR_HOME": f"{folder}/tutor",
        }
        hands = Recorder(environment)
        try:
            play(hands)
        finally:
            hands.child.close(force=True)
            stop(Path(environment["TUTOR_HOME"]))
    header = {
        "version": 2,
        "width": COLUMNS,
        "height": LINES,
        "title": "The first two minutes of tutor",
        "env": {"TERM": environment["TERM"], "SHELL": environment["SHELL"]},
    }
    lines = [header, *hands.events]
    return "\n".join(json.dumps(line, ensure_ascii=False) for line in lines) + "\n"


def main() -> None:
    """Write it."""
    Path(sys.argv[1]).write_text(recorded(), encoding="utf-8")


if __name__ == "__main__":
    main()
