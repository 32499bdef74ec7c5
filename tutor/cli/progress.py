"""`tutor list` and `tutor progress`: what there is, and where the learner is."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tutor import paths
from tutor.cli.choice import NoSuchLesson, environment_of
from tutor.course.loader import load_course
from tutor.course.model import Course, Lesson, Step
from tutor.session.journal import Journal
from tutor.session.record import Progress


def print_lessons() -> int:
    """Print every lesson, and how far the learner is in it."""
    course = load_course(paths.lessons_dir())
    saved = saved_progress(paths.home(os.environ))
    for lesson in course.lessons:
        print(f"{lesson.id}  {lesson.header.title}")
        print(f"  {_extent(lesson)}")
        for progress in saved:
            if progress.lesson == lesson.id:
                print(f"  {_place(course, progress)}")
    print("\nOpen one with: tutor learn LESSON")
    return 0


def print_progress(*, as_json: bool) -> int:
    """Print where the learner is in each lesson that was begun."""
    course = load_course(paths.lessons_dir())
    saved = saved_progress(paths.home(os.environ))
    if as_json:
        lessons = [progress_document(course, progress) for progress in saved]
        print(json.dumps({"lessons": lessons}, indent=2, ensure_ascii=False))
        return 0
    for progress in saved:
        lesson = _lesson(course, progress.lesson)
        print(f"{progress.lesson}  {lesson.header.title}" if lesson else progress.lesson)
        print(f"  {_place(course, progress)}")
    if not saved:
        print("No lesson was begun yet. `tutor list` shows what there is, `tutor` opens the first.")
    return 0


def saved_progress(root: Path) -> list[Progress]:
    """All that is saved in a home folder. Raises `ProgressError`."""
    file = paths.progress_file(root)
    if not file.exists():
        return []
    with Journal(file) as journal:
        return journal.all()


def lesson_at_hand(root: Path) -> Lesson | None:
    """The lesson that was last turned to in the sandbox; None when there is none."""
    course = load_course(paths.lessons_dir())
    begun = [each for each in saved_progress(root) if each.environment == "sandbox"]
    turned_to = [
        (_last_turn(each), lesson)
        for each in begun
        if (lesson := _lesson(course, each.lesson)) and lesson.has_cluster
    ]
    return max(turned_to, key=lambda pair: pair[0], default=(None, None))[1]


def _last_turn(progress: Progress) -> datetime:
    moments = [step.opened_at for step in progress.steps.values() if step.opened_at is not None]
    return max(moments, default=datetime.min.replace(tzinfo=UTC))


def progress_document(course: Course, progress: Progress) -> dict[str, Any]:
    """Where the learner is in one lesson, for programs.

    `state` of a step is `passed`, `skipped`, `current` or `waiting`; times are ISO 8601. A lesson
    that there is no more has no `title` and no `steps`.
    """
    document: dict[str, Any] = {
        "lesson": progress.lesson,
        "on": progress.environment,
        "current": progress.current,
        "finished_at": _iso(progress.finished_at),
    }
    lesson = _lesson(course, progress.lesson)
    if lesson is None:
        return document
    steps = _steps(lesson, progress)
    document["title"] = lesson.header.title
    document["done"] = _done(steps, progress)
    document["steps"] = [_step_document(step, progress) for step in steps]
    return document


def _step_document(step: Step, progress: Progress) -> dict[str, Any]:
    record = progress.step(step.id)
    waiting = "current" if step.id == progress.current else "waiting"
    return {
        "id": step.id,
        "title": step.title,
        "state": record.done or waiting,
        "opened_at": _iso(record.opened_at),
        "done_at": _iso(record.done_at),
        "hints_shown": record.hints_shown,
        "solution_shown": record.solution_shown,
        "mistakes": list(record.mistakes),
    }


def _extent(lesson: Lesson) -> str:
    environments = lesson.header.environments
    steps = lesson.steps_on(environments[0])
    where = f"on {' or '.join(environments)}" if lesson.has_cluster else "without a cluster"
    return f"{len(steps)} steps, about {lesson.minutes_on(environments[0])} minutes, {where}"


def _place(course: Course, progress: Progress) -> str:
    lesson = _lesson(course, progress.lesson)
    if lesson is None:
        return f"on {progress.environment}: no longer one of the lessons; its progress is kept"
    steps = _steps(lesson, progress)
    where = f"on {progress.environment}: " if lesson.has_cluster else ""
    count = f"{where}{_done(steps, progress)} of {len(steps)} steps done"
    if progress.finished_at is not None:
        return f"{count}, finished {progress.finished_at.astimezone():%Y-%m-%d}"
    current = next((step for step in steps if step.id == progress.current), None)
    return f"{count}, now at {current.id}: {current.title}" if current else count


def _lesson(course: Course, lesson_id: str) -> Lesson | None:
    return next((lesson for lesson in course.lessons if lesson.id == lesson_id), None)


def _steps(lesson: Lesson, progress: Progress) -> tuple[Step, ...]:
    try:
        return lesson.steps_on(environment_of(lesson, progress.environment))
    except NoSuchLesson:
        return lesson.steps


def _done(steps: tuple[Step, ...], progress: Progress) -> int:
    return sum(progress.step(step.id).done is not None for step in steps)


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")
