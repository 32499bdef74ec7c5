"""Somebody who has never been here, from the first screen to the map."""

from pathlib import Path

import pytest

from tests.e2e.outside import Outside, outside
from tutor.cli.control import is_running

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

F2, F5, F9, F10 = b"\x1bOQ", b"\x1b[15~", b"\x1b[20~", b"\x1b[21~"


def test_first_start_shows_how_it_works_without_a_sandbox(tmp_path: Path) -> None:
    with outside(tmp_path) as app:
        app.sees("New here?", "show me how it works")
        app.press(b"\r")
        app.sees("step 1 of 4", "there is no file greeting.txt")
        _run_a_command(app)
        _make_a_mistake(app)
        _use_hints(app)
        app.press(F9)
        app.sees("You have finished", "4 steps done", "next lesson")
        app.press(F10)
        assert app.ended() == 0
    assert not is_running(tmp_path)
    with outside(tmp_path) as app:
        app.sees("✓ How this works", "0 of 25", "Enter begins")
        app.press(F10)
        assert app.ended() == 0


def _run_a_command(app: Outside) -> None:
    app.press(b"echo Hello > greeting.txt\r")
    app.sees("A known wrong turn", "the file says Hello")
    app.press(F5)
    app.sees("✓ greeting.txt says hello", "Done: what just happened")
    app.press(F9)
    app.sees("step 2 of 4")
    app.press(F5 + F5)
    app.sees("2 of 2 hold")
    app.press(F9)
    app.sees("step 3 of 4")


def _make_a_mistake(app: Outside) -> None:
    app.press(F5)
    app.sees("A known wrong turn", "the file says id")
    app.press(F5)
    app.sees("1 of 1 hold")
    app.press(F9)
    app.sees("step 4 of 4")


def _use_hints(app: Outside) -> None:
    for told in ("Hint 1 of 2", "Hint 2 of 2", "The solution"):
        app.press(F2)
        app.sees(told)
    app.press(F5)
    app.sees("F9 ends it", "F1 shows every key")
