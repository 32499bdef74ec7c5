"""A course that was read before."""

import shutil
from pathlib import Path

import pytest

from tutor.course.loader import load_course
from tutor.course.model import Course
from tutor.course.shelf import on_shelf
from tutor.errors import CourseError

LESSONS = Path(__file__).parent / "data/lessons"


class Reader:
    """Reads, and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, folder: Path) -> Course:
        self.times += 1
        return load_course(folder)


@pytest.fixture
def lessons(tmp_path: Path) -> Path:
    """Lessons that a test may change."""
    return Path(shutil.copytree(LESSONS, tmp_path / "lessons"))


def test_course_when_nothing_changed_is_read_once(lessons: Path, tmp_path: Path) -> None:
    reader, file = Reader(), tmp_path / "cache/course"
    courses = [on_shelf(lessons, file, reader) for _ in range(3)]
    assert reader.times == 1
    assert courses == [load_course(lessons)] * 3


def test_course_when_a_file_changed_is_read_again(lessons: Path, tmp_path: Path) -> None:
    reader, file = Reader(), tmp_path / "course"
    on_shelf(lessons, file, reader)
    title = lessons / "course.yaml"
    title.write_text("title: Other lessons\n")
    assert on_shelf(lessons, file, reader).title == "Other lessons"
    assert reader.times == 2


@pytest.mark.parametrize("damage", [b"", b"nothing of the kind", None])
def test_course_when_what_is_kept_is_damaged_is_read_again(
    lessons: Path, tmp_path: Path, damage: bytes | None
) -> None:
    reader, file = Reader(), tmp_path / "course"
    course = on_shelf(lessons, file, reader)
    file.write_bytes(file.read_bytes()[:-1] if damage is None else damage)
    assert on_shelf(lessons, file, reader) == course
    assert reader.times == 2


def test_course_when_it_cannot_be_kept_is_read(lessons: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert on_shelf(lessons, tmp_path / "file/course", load_course) == load_course(lessons)


def test_course_with_a_fault_is_not_kept(lessons: Path, tmp_path: Path) -> None:
    (lessons / "course.yaml").write_text("titel: x\n")
    for _ in range(2):
        with pytest.raises(CourseError):
            on_shelf(lessons, tmp_path / "course", load_course)
    assert not (tmp_path / "course").exists()


def test_course_with_a_file_that_cannot_be_read_is_told_in_words(
    lessons: Path, tmp_path: Path
) -> None:
    (lessons / "course.yaml").unlink()
    (lessons / "course.yaml").symlink_to("nowhere")
    with pytest.raises(CourseError):
        on_shelf(lessons, tmp_path / "course", load_course)
