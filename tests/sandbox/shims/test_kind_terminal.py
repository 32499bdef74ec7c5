"""What kind draws on a terminal. Source: kind v0.20.0, pkg/internal/cli."""

import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from shim_kind import POST, SHOWN

from tutor.sandbox.shims.kind import cli
from tutor.sandbox.shims.kind.terminal import Terminal


def on_terminal(arguments: list[str], environment: dict[str, str]) -> str:
    """What kind writes to a terminal on stderr."""
    leader, follower = pty.openpty()
    folder = Path(cli.__file__).parent
    done = subprocess.Popen(
        [sys.executable, "-I", str(folder), *arguments],
        stderr=follower,
        env={**os.environ, **environment},
    )
    os.close(follower)
    written = b""
    while True:
        try:
            data = os.read(leader, 65536)
        except OSError:
            break
        if not data:
            break
        written += data
    os.close(leader)
    done.wait()
    return written.decode().replace("\r\n", "\n")


@pytest.mark.usefixtures("world")
def test_create_on_a_terminal_shows_coloured_marks_and_no_bullets() -> None:
    written = on_terminal([*POST], {"TERM": "xterm"})
    frames = r"(\x1b\[\?7l\r[⠁-⣿]{2} [^\x1b]* \x1b\[\?7h)*"
    steps = "".join(rf"{frames}\r \x1b\[32m✓\x1b\[0m {re.escape(step)}\n" for step in SHOWN)
    start = r'Creating cluster "kind-with-contour" \.\.\.\n'
    assert re.match(start + steps + "Set kubectl context", written), written


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("plain", [{"TERM": "dumb"}, {"TERM": "xterm", "NO_COLOR": ""}])
def test_create_on_a_terminal_without_colours_is_plain(plain: dict[str, str]) -> None:
    written = on_terminal([*POST], plain)
    assert "\x1b" not in written
    assert " • Preparing nodes 📦   ...\n ✓ Preparing nodes 📦 \n" in written


def test_create_spins_while_the_sandbox_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal(quiet=False)
    terminal.start("Installing CNI 🔌")
    monkeypatch.setattr("tutor.sandbox.shims.kind.terminal.FRAME_S", 0)
    terminal.tick()
    terminal.tick()
    terminal.end(good=False)
    assert screen.getvalue() == (
        "\x1b[?7l\r⠈⠁ Installing CNI 🔌 \x1b[?7h"
        "\x1b[?7l\r⠈⠑ Installing CNI 🔌 \x1b[?7h"
        "\r \x1b[31m✗\x1b[0m Installing CNI 🔌\n"
    )


def test_errors_on_a_terminal_are_red() -> None:
    assert on_terminal(["create", "foo"], {"TERM": "xterm"}) == (
        '\x1b[31mERROR\x1b[0m: unknown command "foo" for "kind create"\n'
    )
