"""Real programs, recorded and replayed: two engines that share no code show the same."""

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tutor.terminal.engine import engine
from tutor.terminal.pty import Pty
from tutor.terminal.screen import Attribute, Engine, Geometry, Row, Style

SIZE = Geometry(columns=100, lines=30, scrollback=1000)
CHECKPOINTS = 25
DEADLINE_S = 40.0


class Recording:
    """A program under a terminal that answers it; what it wrote is kept."""

    def __init__(self, arguments: Sequence[str], folder: Path) -> None:
        self.data = bytearray()
        self._screen = engine(SIZE, "libghostty-vt")
        self._news = threading.Condition()
        self._ended = False
        self._pty = Pty(
            arguments,
            environment={
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "TERM": "xterm-256color",
                "LC_ALL": "C.UTF-8",
                "PS1": "$ ",
            },
            folder=folder,
            size=(SIZE.columns, SIZE.lines),
            receive=self._receive,
            ended=self._end,
        )
        self._pty.start()

    def _receive(self, data: bytes) -> None:
        with self._news:
            self.data += data
            self._screen.feed(data)
            self._pty.write(self._screen.replies())
            self._news.notify_all()

    def _end(self, status: int) -> None:
        del status
        with self._news:
            self._ended = True
            self._news.notify_all()

    def play(self, steps: Sequence[tuple[str, str | Callable[[], None]]]) -> bytes:
        """Wait for each text, then send its keys (or do what it says); then wait for the end."""
        for text, keys in steps:
            with self._news:
                shown = self._news.wait_for(lambda text=text: self._shows(text), DEADLINE_S)
                assert shown, f"waited for {text!r} on:\n{self._screen.text()}"
            if isinstance(keys, str):
                self._pty.write(keys.encode())
            else:
                keys()
        with self._news:
            self._news.wait_for(lambda: self._ended, DEADLINE_S)
        self._pty.close()
        return bytes(self.data)

    def _shows(self, text: str) -> bool:
        return self._ended or text in self._screen.text()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file with colours, long lines and wide characters for those who show it."""
    lines = [
        f"def function_{number}(argument):  # {'日本語 é ' * (number % 4)}{'x' * (number % 90)}"
        for number in range(300)
    ]
    path = tmp_path / "sample.py"
    path.write_text("\n".join(lines))
    return path


def program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def bash(source: Path) -> bytes:
    recording = Recording((program("bash"), "--norc", "--noprofile", "-i"), source.parent)
    return recording.play(
        [
            ("$", "ls --color=always /\r"),
            ("usr", "for i in 1 2 3; do printf '\\e[3%dmcolour %d\\e[m\\n' $i $i; done\r"),
            # An interrupt drops the keys before it that were not read yet: each waits for its own.
            ("colour 3", "echo " + "a long command line that wraps " * 5 + "to here"),
            ("to here", "\x01\x05\x17\x17and there"),
            ("and there", "\x0c\x05."),
            ("and there.", "\x03"),
            ("and there.^C", "seq 1 80; printf '\\ttab\\bX\\n'\r"),
            ("taX", "exit\r"),
        ]
    )


def vim(source: Path) -> bytes:
    recording = Recording(
        (program("vim"), "-u", "NONE", "-N", "--cmd", "syntax on | set nu hlsearch", str(source)),
        source.parent,
    )
    return recording.play(
        [
            ("function_0", "\x06"),
            ("function_28", "\x06jjjj"),
            ("function_56", "/_12\r"),
            ("function_12", ":split\r"),
            ("sample.py", "ggOhello world\x1b"),
            ("hello world", "dd\x04\x15u"),
            ("sample.py", ":qa!\r"),
        ]
    )


def less(source: Path) -> bytes:
    recording = Recording((program("less"), "-N", str(source)), source.parent)
    return recording.play(
        [
            ("function_0", " "),
            ("function_30", "b"),
            ("function_0", "/_99\r"),
            ("function_99", "G"),
            ("function_299", "q"),
        ]
    )


def top(source: Path) -> bytes:
    recording = Recording((program("top"), "-d", "1"), source.parent)
    return recording.play([("load average", "1"), ("PID", "q")])


def tmux(source: Path) -> bytes:
    tmux = program("tmux")
    command = (tmux, "-S", str(source.parent / "socket"), "-f", "/dev/null")

    def control(*arguments: str) -> None:
        subprocess.run([*command, *arguments], capture_output=True, check=False)

    recording = Recording((*command, "new-session", f"less -N {source}"), source.parent)
    try:
        return recording.play(
            [
                ("function_0", " "),
                ("function_30", lambda: control("split-window", "-h", "PS1=here: sh -i")),
                ("here:", "printf '\\033[1;31mred\\033[m %s\\n' inside\r"),
                ("red inside", lambda: control("split-window", "PS1=below: sh -i")),
                ("below:", lambda: control("resize-pane", "-Z")),
                ("below:", "seq 40; echo done\r"),
                ("40\ndone", lambda: control("resize-pane", "-Z")),
                ("red inside", lambda: control("kill-server")),
            ]
        )
    finally:
        # Its server is in a session of its own.
        control("kill-server")


@pytest.mark.parametrize("record", [bash, vim, less, top, tmux])
def test_recording_of_a_program_is_shown_alike_by_both_engines(
    record: Callable[[Path], bytes], source: Path
) -> None:
    data = record(source)
    assert len(data) > 1000
    first = engine(SIZE, "libghostty-vt")
    second = engine(SIZE, "compatibility terminal")
    step = len(data) // CHECKPOINTS + 1
    for at in range(0, len(data), step):
        for each in (first, second):
            each.feed(data[at : at + step])
        assert pictures(first) == pictures(second), f"after {at + step} of {len(data)} bytes"


def pictures(terminal: Engine) -> tuple[list[list[tuple[str, Style]]], tuple[int, int] | None]:
    frame = terminal.frame(whole=True, through_hold=True)
    cells = [list(cells_of(frame.rows[y])) for y in range(terminal.size[1])]
    cursor = frame.cursor
    if not cursor.visible:
        return cells, None
    return cells, (cursor.x, cursor.y)


def cells_of(row: Row) -> Iterator[tuple[str, Style]]:
    """Each character with its style; of blanks only what is seen of them."""
    for run in row:
        for character in (run.text,) if run.cluster else run.text:
            style = run.style
            if character == " ":
                inverse = style.attributes & Attribute.INVERSE
                style = Style(background=style.background, attributes=inverse)
            yield character, style
