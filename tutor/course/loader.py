"""Folders of YAML to lessons and courses. Every fault is a `CourseError` with its place.

course.yaml                          optional: the title of it all
<order>-<id>/lesson.yaml             one folder a lesson
<order>-<id>/steps/<id>.yaml         one file a step
<order>-<id>/files/                  what `file` blocks write
"""

import errno
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from tutor.course.forms import read
from tutor.course.model import FORMAT, Course, Header, Lesson, Part, Step, Title
from tutor.course.places import Document, Where
from tutor.course.rules import broken_in, broken_in_course
from tutor.course.yamltree import parse
from tutor.errors import CourseError
from tutor.nearest import did_you_mean

_FOLDER_NAME = re.compile(r"([0-9]+)-(.+)")

P = TypeVar("P", bound=Part)


def load_course(folder: Path) -> Course:
    """All lessons below a folder. Raises the first `CourseError`."""
    course, faults = read_course(folder)
    if faults:
        raise faults[0]
    return course


def load_lesson(folder: Path) -> Lesson:
    """One lesson. Raises the first `CourseError`."""
    lesson, faults = read_lesson(folder)
    if faults or lesson is None:
        raise faults[0]
    return lesson


def read_course(folder: Path) -> tuple[Course, list[CourseError]]:
    """All lessons below a folder that can be read, and all faults."""
    faults: list[CourseError] = []
    title = _title(folder, faults)
    lessons: list[Lesson] = []
    for entry in _entries(folder, faults):
        if entry.is_dir():
            lesson, below = read_lesson(entry)
            faults.extend(below)
            lessons.extend([lesson] if lesson else [])
        elif entry.name != "course.yaml":
            faults.append(_stray(entry, "A course has course.yaml and one folder for each lesson."))
    course = Course(
        folder=folder,
        title=title.title,
        summary=title.summary,
        lessons=tuple(lessons),
        welcome=next((lesson for lesson in lessons if lesson.id == title.welcome), None),
    )
    faults.extend(broken_in_course(course, title))
    return course, faults


def read_lesson(folder: Path) -> tuple[Lesson | None, list[CourseError]]:
    """One lesson and all its faults; None when it cannot be read at all."""
    faults: list[CourseError] = []
    faults += [
        _stray(entry, "A lesson has lesson.yaml, steps/ and files/.")
        for entry in _entries(folder, faults)
        if entry.name not in {"lesson.yaml", "steps", "files"}
    ]
    header = _read(Header, folder / "lesson.yaml", faults)
    steps = _steps(folder, header, faults)
    if header is None:
        return None, faults
    faults.extend(_misnamed(header, folder))
    lesson = Lesson(folder=folder, header=header, steps=tuple(steps), files=_files(folder, faults))
    faults.extend(broken_in(lesson))
    return lesson, faults


def _title(folder: Path, faults: list[CourseError]) -> Title:
    file = folder / "course.yaml"
    title = _read(Title, file, faults) if file.exists() else None
    return title or Title(title="Lessons")


def _steps(folder: Path, header: Header | None, faults: list[CourseError]) -> list[Step]:
    """The steps that can be read, in the lesson's order."""
    found: dict[str, Step | None] = {}
    steps_folder = folder / "steps"
    for file in _entries(steps_folder, faults) if steps_folder.is_dir() else ():
        if file.suffix != ".yaml" or not file.is_file():
            faults.append(_stray(file, "steps/ has one .yaml file for each step."))
            continue
        step = found[file.stem] = _read(Step, file, faults)
        if step is not None and step.id != file.stem:
            faults.append(
                (step.where / "id").error(
                    f"the step's id is `{step.id}` and its file is {file.name}",
                    next_action=f"Rename the file to {step.id}.yaml; ids never change.",
                )
            )
    if header is None:
        return []
    faults.extend(_missing_steps(header, found))
    faults.extend(_unlisted_steps(header, found, steps_folder))
    return [step for name in header.order if (step := found.get(name)) is not None]


def _missing_steps(header: Header, found: Iterable[str]) -> Iterator[CourseError]:
    known = list(found)
    for index, name in enumerate(header.order):
        if name not in known:
            yield (header.where / "steps" / index).error(
                f"there is no steps/{name}.yaml{did_you_mean(name, known)}",
                next_action="Write that file, or take the step out of the list.",
            )


def _unlisted_steps(header: Header, found: Iterable[str], folder: Path) -> Iterator[CourseError]:
    for name in found:
        if name not in header.order:
            yield CourseError(
                f"the step `{name}` is not in the `steps` list of lesson.yaml",
                file=folder / f"{name}.yaml",
                next_action="Add it to the list, or delete the file.",
            )


def _misnamed(header: Header, folder: Path) -> Iterator[CourseError]:
    name = _FOLDER_NAME.fullmatch(folder.name)
    if name is None or name[2] != header.id:
        yield (header.where / "id").error(
            f"the lesson's id is `{header.id}` and its folder is {folder.name}",
            next_action=f"Name the folder with a number and the id, such as 10-{header.id}.",
        )
    if header.format != FORMAT:
        yield (header.where / "format").error(
            f"this program reads format {FORMAT} of lessons, not {header.format}",
            next_action="Use the version of the program that the lesson was written for.",
        )


def _files(folder: Path, faults: list[CourseError]) -> tuple[str, ...]:
    root = folder / "files"
    names: list[str] = []
    pending = [root] if root.is_dir() else []
    while pending:
        for entry in _entries(pending.pop(), faults):
            if entry.is_dir():
                pending.append(entry)
            else:
                names.append(entry.relative_to(root).as_posix())
    return tuple(sorted(names))


def _read(kind: type[P], file: Path, faults: list[CourseError]) -> P | None:
    """One file as a part; None when it cannot be, with the reasons in `faults`."""
    try:
        document = parse(_text(file), file)
    except CourseError as fault:
        faults.append(fault)
        return None
    return read(kind, Where(document), faults)


def _text(file: Path) -> str:
    try:
        # A pipe or a device would be read for ever.
        if file.is_fifo() or file.is_char_device() or file.is_block_device():
            raise OSError(errno.EINVAL, "it is no regular file")
        data = file.read_bytes()
    except FileNotFoundError as error:
        raise CourseError(
            "the file is missing", file=file, next_action="Write it, or check the path."
        ) from error
    except OSError as error:
        raise CourseError(
            f"the file cannot be read: {error.strerror}",
            file=file,
            next_action="Look at what it is and who may read it.",
        ) from error
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = Document(file, data[: error.start].decode(), None, {})
        place = before.place(len(before.text))
        raise CourseError(
            f"the byte {data[error.start]:#04x} is not UTF-8",
            file=file,
            line=place.line,
            column=place.column,
            next_action="Save the file as UTF-8.",
        ) from error


def _entries(folder: Path, faults: list[CourseError]) -> Iterator[Path]:
    """What a folder has, by name. Names with a dot in front belong to editors and systems."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        faults.append(
            CourseError(
                f"the folder cannot be read: {error.strerror}",
                file=folder,
                next_action="Check the path: it should be a folder of lessons, or one lesson.",
            )
        )
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_symlink():
            faults.append(_stray(entry, "Copy what it points to: a lesson is whole by itself."))
        else:
            yield entry


def _stray(entry: Path, next_action: str) -> CourseError:
    return CourseError(f"{entry.name} does not belong here", file=entry, next_action=next_action)
