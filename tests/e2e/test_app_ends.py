"""How the app begins and ends on a real terminal: sane, saved, and with a sentence."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.e2e.window import ROOT, Window, environment, window
from tutor.cli.cluster import stop

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

TUTOR = f"{sys.executable} -m tutor learn pinniped-external-certificate"
SANE = "0 1 0"


@pytest.fixture
def home(tmp_path: Path) -> Generator[Path]:
    """An empty home folder; its sandbox ends with the test."""
    root = tmp_path / "home"
    root.mkdir()
    yield root
    stop(root)


def open_lesson(terminal: Window, home: Path, **more: str) -> None:
    terminal.start(TUTOR, size=(120, 40), environment=environment(home, **more))
    terminal.sees("✗ You have seen which kind you run", "no cluster yet")


def app_of(home: Path) -> psutil.Process:
    """The process that holds the lesson."""
    for each in psutil.process_iter():
        with suppress(psutil.Error):
            inside = each.environ().get("TUTOR_HOME") == str(home)
            if inside and each.cmdline()[1:4] == ["-m", "tutor", "learn"]:
                return each
    raise AssertionError("the app does not run")


def test_quit_leaves_a_sane_terminal(home: Path) -> None:
    with window(home) as terminal:
        open_lesson(terminal, home)
        terminal.press("F10")
        assert terminal.ended() == 0
        assert terminal.modes() == SANE


def test_quit_ends_what_every_shell_has_in_the_background(home: Path) -> None:
    with window(home) as terminal:
        open_lesson(terminal, home)
        for number in range(3):
            if number:
                terminal.press("C-g", "c")
                terminal.sees(f"▸{number + 1} ")
            terminal.type(f"nohup sleep 60{number} & echo $((7000 + {number}))")
            terminal.sees(f"700{number}")
        behind = [
            each
            for shell in app_of(home).children()
            for each in shell.children()
            if each.name() == "sleep"
        ]
        assert len(behind) == 3
        terminal.press("F10")
        assert terminal.ended() == 0
        assert not psutil.wait_procs(behind, timeout=10)[1]


def test_end_from_outside_leaves_a_sane_terminal_and_no_shell(home: Path) -> None:
    with window(home) as terminal:
        open_lesson(terminal, home)
        app = app_of(home)
        shells = [each for each in app.children() if each.name() == "bash"]
        assert shells
        app.send_signal(signal.SIGTERM)
        assert terminal.ended() == 0
        assert terminal.modes() == SANE
        assert not psutil.wait_procs(shells, timeout=10)[1]


def test_terminal_that_goes_away_ends_the_app_and_the_shell(home: Path) -> None:
    with window(home) as terminal:
        # As make does: it waits for the app when the terminal hangs up, and tells it nothing.
        terminal.start(f"trap : HUP; {TUTOR}", size=(120, 40), environment=environment(home))
        terminal.sees("✗ You have seen which kind you run", "no cluster yet")
        terminal.type("yes")
        terminal.sees("y\n")
        app = app_of(home)
        processes = [app, *app.children(recursive=True)]
        terminal.hang_up()
        assert not psutil.wait_procs(processes, timeout=20)[1]


def test_killed_app_comes_back_to_its_step_and_hints(home: Path) -> None:
    with window(home) as terminal:
        open_lesson(terminal, home)
        for command in ("kind version", "kubectl version --client", "pinniped version"):
            terminal.type(command)
        terminal.sees("3 of 3 hold")
        terminal.press("F9")
        terminal.sees("Create the kind cluster", "✗ The configuration maps port 443")
        terminal.press("F2")
        terminal.sees("Hint 1 of")
        app = app_of(home)
        shells = app.children()
        app.kill()
        terminal.ended()
        assert not psutil.wait_procs(shells, timeout=10)[1]
    with window(home) as terminal:
        terminal.start(TUTOR, size=(120, 40), environment=environment(home))
        terminal.sees("step 2 of 25", "✗ The configuration maps port 443", "F2 hint 2 of")


def test_second_app_on_a_lesson_says_who_has_it(home: Path) -> None:
    with window(home) as first, window(home) as second:
        open_lesson(first, home)
        second.start(TUTOR, size=(120, 40), environment=environment(home))
        second.sees("is open in another tutor", "Go on there, or end it with: kill")
        assert second.ended() == 2


@pytest.mark.parametrize("name", ["", "/nowhere/zsh", "/usr/bin/fish"])
def test_shell_that_cannot_be_used_is_replaced_by_one_that_can(home: Path, name: str) -> None:
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed")
    with window(home) as terminal:
        open_lesson(terminal, home, SHELL=name)
        terminal.type("echo $((40+2))")
        terminal.sees("42")


def test_terminal_that_can_show_nothing_is_told(home: Path) -> None:
    with window(home) as terminal:
        variables = environment(home)
        terminal.start(f"env TERM=dumb {TUTOR}", size=(80, 24), environment=variables)
        terminal.sees("The terminal says that it is dumb (TERM)")
        assert terminal.ended() == 2


def test_terminal_that_is_not_of_utf_8_is_told(home: Path) -> None:
    with window(home) as terminal:
        variables = environment(home)
        command = f"env PYTHONIOENCODING=latin-1 {TUTOR}"
        terminal.start(command, size=(80, 24), environment=variables)
        terminal.sees("The locale is one of", "Set LC_ALL to one of UTF-8")
        assert terminal.ended() == 2


def test_pipe_gets_a_sentence_and_no_escape_codes(home: Path) -> None:
    done = subprocess.run(
        [*TUTOR.split()],
        env={**os.environ, **environment(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "The app needs a terminal to draw on." in done.stderr
    assert "\x1b" not in done.stderr
