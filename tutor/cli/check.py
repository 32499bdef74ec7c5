"""`tutor check` and `tutor schema`: what a lesson's author needs at the keyboard."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from tutor.course.loader import read_course, read_lesson
from tutor.course.model import Lesson
from tutor.errors import CourseError

FAULTY = 2


def check(targets: Sequence[Path]) -> int:
    """Print every fault of the lessons at these paths; a course, a lesson, or a file of one."""
    faults: list[CourseError] = []
    lessons: list[Lesson] = []
    for folder in dict.fromkeys(_folder_of(target) for target in targets):
        found, of_files = _read(folder)
        lessons += found
        faults += of_files
        for lesson in found:
            faults += _unbound(lesson)
    for line in dict.fromkeys(_line(fault) for fault in _in_order(faults)):
        print(line)
    if faults:
        return FAULTY
    steps = sum(len(lesson.steps) for lesson in lessons)
    print(
        f"{_counted(len(lessons), 'lesson')}, {_counted(steps, 'step')}: nothing to complain about"
    )
    return 0


def print_schema(kind: Literal["lesson", "step"]) -> int:
    """Print the JSON Schema that an editor completes a file with."""
    from tutor.probes.schema import schema_of

    json.dump(schema_of(kind), sys.stdout, indent=2, ensure_ascii=False)
    print()
    return 0


def _folder_of(target: Path) -> Path:
    """The course or lesson that a path belongs to."""
    target = target.absolute()
    inside = (folder for folder in (target, *target.parents) if (folder / "lesson.yaml").is_file())
    return next(inside, target)


def _read(folder: Path) -> tuple[list[Lesson], list[CourseError]]:
    """The lessons that could be read, and all faults of their files."""
    if (folder / "lesson.yaml").is_file():
        lesson, faults = read_lesson(folder)
        return ([lesson] if lesson else []), faults
    course, faults = read_course(folder)
    if not course.lessons and not faults:
        faults = [CourseError("there is no lesson here", file=folder, next_action=_NO_LESSON)]
    return list(course.lessons), faults


_NO_LESSON = "Give the path of a lesson, or of a folder of lessons."


def _unbound(lesson: Lesson) -> list[CourseError]:
    """What the probes have against a lesson, in each of its environments."""
    from tutor.probes.binding import try_bind

    header = lesson.header
    faults: list[CourseError] = []
    for step in lesson.steps:
        for environment in header.environments:
            faults += try_bind(step, grants=header.grants, environment=environment)[1]
    return faults


def _in_order(faults: list[CourseError]) -> list[CourseError]:
    return sorted(faults, key=lambda fault: (fault.file, fault.line, fault.column))


def _line(fault: CourseError) -> str:
    file = fault.file
    if file.is_relative_to(Path.cwd()):
        file = file.relative_to(Path.cwd())
    return f"{file}:{fault.line}:{fault.column}: {fault.message}\n    {fault.next_action}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
