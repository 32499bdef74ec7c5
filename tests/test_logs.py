"""The log file: what it holds, and what becomes of a line for which there is no room."""

import json
import logging
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import pytest

from tutor import logs
from tutor.errors import TutorError

log = logging.getLogger("tests.logs")


@pytest.fixture(autouse=True)
def handlers() -> Generator[None]:
    """Give the root logger back what it had."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    for handler in root.handlers:
        if handler not in before:
            with suppress(OSError):  # what had no room
                handler.close()
    root.handlers[:] = before
    root.setLevel(level)


def test_line_is_json_with_the_fields_that_came_along(tmp_path: Path) -> None:
    logs.configure(tmp_path / "logs" / "a.log")
    log.info("begun", extra={"step": "one"})
    entry = json.loads((tmp_path / "logs" / "a.log").read_text())
    assert (entry["event"], entry["step"], entry["level"]) == ("begun", "one", "info")


def test_line_without_room_is_lost_and_says_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    full = tmp_path / "a.log"
    full.symlink_to("/dev/full")
    logs.configure(full)
    log.warning("lost")
    assert capsys.readouterr() == ("", "")


def test_log_that_cannot_be_made_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TutorError, match=r"The log .*a\.log cannot be written: File exists"):
        logs.configure(tmp_path / "file" / "a.log")
