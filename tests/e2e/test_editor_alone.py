"""The small editor on a terminal of its own: as git's, hung up, and at the smallest size."""

import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest

from tests.e2e.outside import Outside
from tests.e2e.window import environment
from tutor.cli.editor import EDITOR, write_editor
from tutor.terminal.engine import engine
from tutor.terminal.screen import Geometry

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

CTRL_S, CTRL_Q, ESCAPE = b"\x13", b"\x11", b"\x1b"


@contextmanager
def running(
    home: Path, *words: str, folder: Path, size: tuple[int, int] = (80, 24)
) -> Generator[Outside]:
    """A program whose `EDITOR` is ours."""
    path = f"{write_editor(home)}{os.pathsep}{os.environ['PATH']}"
    variables = environment(home, PATH=path, TERM="xterm-256color", EDITOR=EDITOR)
    columns, lines = size
    child: pexpect.spawn[bytes] = pexpect.spawn(
        words[0],
        [*words[1:]],
        env=variables,  # pyright: ignore[reportArgumentType] -- the stub wants os.environ itself
        dimensions=(lines, columns),
        cwd=str(folder),
    )
    child.delaybeforesend = None
    opened = Outside(child, engine(Geometry(columns=columns, lines=lines, scrollback=0)), {})
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository in which something is to be committed."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    folder = tmp_path / "repository"
    folder.mkdir()
    for words in (("init", "-q"), ("config", "user.name", "a"), ("config", "user.email", "a@b.c")):
        subprocess.run(["git", *words], cwd=folder, check=True)
    (folder / "file").write_text("text\n")
    subprocess.run(["git", "add", "file"], cwd=folder, check=True)
    return folder


def test_git_commit_takes_the_message(tmp_path: Path, repository: Path) -> None:
    with running(tmp_path, "git", "commit", folder=repository) as terminal:
        terminal.sees("# Please enter the commit message", "COMMIT_EDITMSG")
        terminal.press("Größer\r\rund länger".encode())
        terminal.sees("und länger")
        terminal.press(CTRL_S)
        terminal.sees("Saved ")
        terminal.press(CTRL_Q)
        assert terminal.ended() == 0
    said = subprocess.run(
        ["git", "log", "--format=%B"], cwd=repository, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "Größer\n\nund länger"


def test_git_commit_without_a_saved_message_is_given_up(tmp_path: Path, repository: Path) -> None:
    with running(tmp_path, "git", "commit", folder=repository) as terminal:
        terminal.sees("# Please enter the commit message")
        terminal.press(b"no")
        terminal.sees("changed")
        terminal.press(ESCAPE)
        terminal.sees("Not saved.")
        terminal.press(b"n")
        terminal.sees("Aborting commit due to empty commit message.")
        assert terminal.ended() == 1


ALONE = (EDITOR, "note")
BELOW_ANOTHER = ("sh", "-c", f"trap : HUP; {EDITOR} note; :")
"""Who waits for the editor is told of the end of the terminal, and tells nobody."""


@pytest.mark.parametrize("command", [ALONE, BELOW_ANOTHER], ids=["alone", "below another"])
def test_terminal_that_goes_away_leaves_what_was_not_saved_beside_the_file(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    note = tmp_path / "note"
    note.write_text("old\n")
    with running(tmp_path, *command, folder=tmp_path) as terminal:
        terminal.sees("old")
        terminal.press(b"new ")
        terminal.sees("new old")
        terminal.child.close(force=False)
        terminal.until((tmp_path / "note.save").exists, "the saved text")
    assert note.read_text() == "old\n"
    assert (tmp_path / "note.save").read_text() == "new old\n"


@pytest.mark.parametrize("size", [(20, 5), (200, 60)])
def test_editor_works_at_any_size(tmp_path: Path, size: tuple[int, int]) -> None:
    (tmp_path / "note").write_text("one two three four five six\n")
    with running(tmp_path, EDITOR, "note", folder=tmp_path, size=size) as terminal:
        terminal.sees("one two", "^S save")
        terminal.press(b"x\x13")
        terminal.sees("Saved")
        terminal.press(ESCAPE)
        assert terminal.ended() == 0
        assert not terminal.screen.modes().alternate_screen
    assert (tmp_path / "note").read_text().startswith("xone")
