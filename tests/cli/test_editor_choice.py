"""Which editor the lesson's shell has."""

import os
import subprocess
from pathlib import Path

import pytest

from tutor.cli.editor import EDITOR, last_editor, write_editor
from tutor.errors import TutorError


def programs(folder: Path, *names: str) -> str:
    """A PATH with these on it."""
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return str(folder)


@pytest.mark.parametrize(
    ("there", "editor"),
    [(["vi", "nano"], ""), (["vim", "nano"], "vim"), (["nano"], "nano"), (["ed"], EDITOR)],
)
def test_last_editor_is_what_the_machine_has_and_ours_where_it_has_none(
    tmp_path: Path, there: list[str], editor: str
) -> None:
    assert last_editor("own", programs(tmp_path, *there)) == editor


def test_last_editor_is_ours_when_that_is_chosen(tmp_path: Path) -> None:
    assert last_editor("bundled", programs(tmp_path, "vi")) == EDITOR


def test_command_of_our_editor_runs_it_from_any_folder(tmp_path: Path) -> None:
    home = tmp_path / "a home"
    folder = write_editor(home)
    assert write_editor(home) == folder
    (tmp_path / "textual.py").write_text("raise SystemExit('the wrong module')\n")
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [EDITOR, "some", "files"],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (
        2,
        "tutor-edit edits one file: tutor-edit [+LINE] FILE\n",
    )


def test_home_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file\n")
    with pytest.raises(TutorError, match="cannot be written: Not a directory"):
        write_editor(tmp_path / "home")
