"""A lesson that is right, to break in one place at a time."""

import shutil
from pathlib import Path

import pytest

LESSONS = Path(__file__).parent / "data" / "lessons"


@pytest.fixture
def lesson_folder(tmp_path: Path) -> Path:
    """A copy of the small lesson, free to be changed."""
    folder = tmp_path / "lessons" / "10-first-secret"
    shutil.copytree(LESSONS / "10-first-secret", folder)
    return folder
