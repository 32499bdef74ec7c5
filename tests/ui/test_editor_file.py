"""What the small editor makes of files."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tutor.ui.editor.file import ChangedMeanwhile, NotEditable, NotSaved, TextFile

SMALL_DISK = """
import resource, sys
from pathlib import Path
from tutor.ui.editor.file import NotSaved, TextFile
file = TextFile(Path(sys.argv[1]))
file.read()
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
try:
    file.write("x" * 20_000)
except NotSaved as error:
    print(error)
"""


def opened(path: Path, text: str = "") -> TextFile:
    if text:
        path.write_text(text)
    file = TextFile(path)
    assert file.read() == text
    return file


def test_write_keeps_the_mode(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_text("a\n")
    path.chmod(0o640)
    opened(path, "a\n").write("b\n")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("b\n", 0o640)
    assert list(tmp_path.iterdir()) == [path]


def test_file_that_is_not_there_is_made_when_it_is_saved(tmp_path: Path) -> None:
    file = opened(tmp_path / "new")
    assert not (tmp_path / "new").exists()
    file.write("text\n")
    assert (tmp_path / "new").read_text() == "text\n"


def test_link_stays_a_link_and_its_file_is_written(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "real").write_text("a\n")
    opened(tmp_path / "link", "a\n").write("b\n")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "b\n"


def test_file_with_two_names_stays_one(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("a longer text\n")
    second.hardlink_to(first)
    opened(first, "a longer text\n").write("b\n")
    assert second.read_text() == "b\n"


def test_file_that_somebody_else_has_changed_is_not_written_over_at_once(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    file = opened(path, "a\n")
    path.write_text("theirs\n")
    with pytest.raises(ChangedMeanwhile, match="changed by another program"):
        file.write("mine\n")
    assert path.read_text() == "theirs\n"
    file.write("mine\n", over_changes=True)
    file.write("mine again\n")
    assert path.read_text() == "mine again\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_read_only_file_is_told_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_text("a\n")
    path.chmod(0o444)
    file = opened(path, "a\n")
    assert file.is_read_only
    with pytest.raises(NotSaved, match="Permission denied") as raised:
        file.write("b\n")
    assert "Ctrl+O" in raised.value.next_action
    assert path.read_text() == "a\n"


@pytest.mark.parametrize("names", [1, 2])
def test_disk_that_takes_no_more_leaves_the_file_as_it_was(tmp_path: Path, names: int) -> None:
    path = tmp_path / "notes"
    path.write_text("all of it\n")
    if names == 2:
        (tmp_path / "other").hardlink_to(path)
    done = subprocess.run(
        [sys.executable, "-c", SMALL_DISK, str(path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert "notes cannot be written: File too large." in done.stdout
    assert "save a copy elsewhere with Ctrl+O" in done.stdout
    assert path.read_text() == "all of it\n"
    assert len(list(tmp_path.iterdir())) == names


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"caf\xe9\n", "is not UTF-8 text (at byte 3)"), (b"x" * 4_000_001, "has 4,000,001 bytes")],
)
def test_file_that_cannot_be_edited_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(NotEditable) as raised:
        TextFile(tmp_path / "file").read()
    assert told in raised.value.message


def test_folder_and_pipe_are_no_files_to_edit(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, told in ((tmp_path, "is a folder"), (tmp_path / "pipe", "not an ordinary file")):
        with pytest.raises(NotEditable, match=told):
            TextFile(path).read()
