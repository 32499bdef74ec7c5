"""Programs that take the whole screen, inside the pane of the real program."""

import os
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.e2e.outside import Outside, outside
from tests.e2e.window import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

F7 = b"\x1b[18~"
BACK = "back-at-the-prompt"


@pytest.fixture(scope="module")
def pane(tmp_path_factory: pytest.TempPathFactory) -> Generator[Outside]:
    """The lesson, with the whole window for its shell."""
    home = tmp_path_factory.mktemp("home")
    with outside(home, "learn", "pinniped-external-certificate") as opened:
        opened.sees("✗ You have seen which kind you run", "no cluster yet")
        opened.press(F7)
        opened.until(lambda: "You have seen which kubectl" not in opened.screen.text(), "the zoom")
        yield opened


def run(pane: Outside, program: str, *words: str, folder: Path = ROOT) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    command = " ".join((program, *words))
    pane.press(f"cd {folder}; clear; {command}; echo {BACK[:4]}''{BACK[4:]}\r".encode())


def is_back(pane: Outside) -> None:
    """Wait until the program has given the screen back."""
    shows(pane, f"\n{BACK}")


def text_of(pane: Outside) -> str:
    """What the pane shows."""
    rows = [row.partition("▕")[2].rstrip() for row in pane.screen.text().splitlines()]
    title = next(number for number, row in enumerate(rows) if row.startswith("━Shell"))
    return "\n".join(rows[title:])


def shows(pane: Outside, *texts: str) -> None:
    """Wait until all of the texts are in the pane."""
    pane.until(lambda: all(text in text_of(pane) for text in texts), texts)


def column_of(pane: Outside, text: str) -> int:
    """Where a text stands for the last time."""
    return next(row.rindex(text) for row in reversed(text_of(pane).splitlines()) if text in row)


def escape(pane: Outside) -> None:
    """Leave vim's insert mode: what came at once after an Escape would be Alt and that key."""
    shows(pane, "-- INSERT --")
    pane.press(b"\x1b")
    pane.until(lambda: "-- INSERT --" not in text_of(pane), "vim's other mode")


def test_vim_edits_a_file(pane: Outside, tmp_path: Path) -> None:
    note = tmp_path / "note"
    run(pane, "vim", "-u", "NONE", "-N", "note", folder=tmp_path)
    shows(pane, "\n~\n", "[New]")
    pane.press(b"ione\rtwo")
    escape(pane)
    pane.press(b":set number\r")
    shows(pane, "  1 one", "  2 two")
    pane.press(b"ggOnull")
    escape(pane)
    shows(pane, "  1 null", "  3 two")
    pane.press(b":wq\r")
    is_back(pane)
    assert note.read_text() == "null\none\ntwo\n"


def test_nano_edits_a_file(pane: Outside, tmp_path: Path) -> None:
    note = tmp_path / "note"
    run(pane, "nano", "--ignorercfiles", "note", folder=tmp_path)
    shows(pane, "GNU nano", "[ New File ]", "^X Exit")
    pane.press("größe 日本\x1b[D\x1b[D".encode())
    shows(pane, "größe 日本", "Modified")
    pane.press(b"\x7f-\x0f")
    shows(pane, "File Name to Write")
    pane.press(b"\r")
    shows(pane, "[ Wrote 1 line ]")
    pane.press(b"\x18")
    is_back(pane)
    assert note.read_text() == "größe-日本\n"


def test_less_shows_searches_and_gives_the_screen_back(pane: Outside, tmp_path: Path) -> None:
    lines = tmp_path / "lines"
    lines.write_text("".join(f"line {number}\n" for number in range(1, 201)))
    run(pane, "less", "lines", folder=tmp_path)
    shows(pane, "line 1\n", "line 30")
    pane.press(b"G")
    shows(pane, "line 200", "(END)")
    pane.press(b"?line 77\r")
    shows(pane, "line 77\n")
    pane.press(b"\x1b[6~")
    shows(pane, "line 120")
    pane.press(b"q")
    is_back(pane)
    pane.until(lambda: "line 120" not in text_of(pane), "the shell's screen")


def test_top_draws_its_table_and_leaves(pane: Outside) -> None:
    run(pane, "top")
    shows(pane, "load average", "PID USER", "COMMAND")
    pane.press(b"q")
    is_back(pane)


def test_tmux_splits_the_pane_and_runs_shells_in_it(pane: Outside) -> None:
    name = f"inner-{os.getpid()}"
    run(pane, "tmux", "-L", name, "-f", "/dev/null", "new-session", "sh")
    try:
        shows(pane, "[0] 0:sh*")
        pane.press(b"echo l$((40+2))eft\r")
        shows(pane, "l42eft")
        pane.press(b"\x02%")
        shows(pane, "│")
        pane.press(b"echo r$((40+2))ight\r")
        shows(pane, "r42ight", "l42eft")
        assert 20 < column_of(pane, "│") < column_of(pane, "r42ight")
        pane.press(b"\x02z")
        pane.until(lambda: "l42eft" not in text_of(pane), "one pane of tmux' only")
    finally:
        pane.press(b"tmux kill-server\r")
    is_back(pane)
