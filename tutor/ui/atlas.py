"""What the course map shows, as a function of the course and of what is saved. Pure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tutor.course.model import Course, Lesson, Step
from tutor.session.outline import is_done, open_steps, outline_of
from tutor.session.record import Progress
from tutor.ui.scene import StepMark

Saved = Callable[[Lesson], Progress | None]
"""What is saved of a lesson; None when it was not begun."""

LessonMark = Literal["done", "begun", "new"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonEntry:
    """A lesson on the map."""

    lesson: Lesson
    mark: LessonMark
    done: int
    """Steps that are done."""
    total: int
    minutes: int
    """That all of it takes."""
    minutes_left: int
    current: str
    """The title of the step that the learner is on; empty before the first visit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEntry:
    """A step below its lesson."""

    lesson: Lesson
    step: Step
    number: int
    mark: StepMark
    is_current: bool


Entry = LessonEntry | StepEntry


def entries(course: Course, saved: Saved, search: str = "") -> Iterator[Entry]:
    """Lessons, each with its steps; with a search, those that have all of its words."""
    words = search.casefold().split()
    for lesson in course.lessons:
        steps = [
            each for each in _steps(lesson, saved(lesson)) if _matches(words, _text(each.step))
        ]
        if steps or _matches(words, f"{lesson.header.title} {lesson.header.summary}"):
            yield _lesson(lesson, saved(lesson))
            yield from steps


def start(entries: Sequence[Entry], course: Course, here: str) -> int:
    """Where on the map somebody begins who comes from the lesson `here`; empty for from nowhere.

    That is the step they are on, there or in a lesson that is not done; else the first lesson
    about the matter itself.
    """
    begun = {each.lesson.id for each in entries if _is_begun(each)}
    wanted = {here} if here else begun
    for index, each in enumerate(entries):
        if isinstance(each, StepEntry) and each.is_current and each.lesson.id in wanted:
            return index
    lessons = [each.lesson if isinstance(each, LessonEntry) else None for each in entries]
    return lessons.index(course.first) if course.first in lessons else 0


def _is_begun(entry: Entry) -> bool:
    return isinstance(entry, LessonEntry) and entry.mark == "begun"


def spelled_minutes(minutes: float) -> str:
    """How long a step takes, as people write it."""
    return f"{int(minutes) or ''}{'½' if minutes % 1 else ''} min"


def _lesson(lesson: Lesson, progress: Progress | None) -> LessonEntry:
    environment = lesson.header.environments[0]
    steps = lesson.steps_on(environment)
    done = [step.id for step in steps if progress and is_done(progress, step.id)]
    known = {step.id: step.title for step in steps}
    mark: LessonMark = "new" if progress is None else "begun"
    return LessonEntry(
        lesson=lesson,
        mark="done" if len(done) == len(steps) else mark,
        done=len(done),
        total=len(steps),
        minutes=lesson.minutes_on(environment),
        minutes_left=lesson.minutes_on(environment, without=done),
        current=known.get(progress.current, "") if progress else "",
    )


def _steps(lesson: Lesson, progress: Progress | None) -> Iterator[StepEntry]:
    outline = outline_of(lesson, lesson.header.environments[0])
    first = outline[0].id
    opened = open_steps(progress, outline) if progress else {first}
    for number, step in enumerate(lesson.steps_on(lesson.header.environments[0]), 1):
        done = progress.step(step.id).done if progress else None
        yield StepEntry(
            lesson=lesson,
            step=step,
            number=number,
            mark=done or ("open" if step.id in opened else "closed"),
            is_current=progress is not None and progress.current == step.id,
        )


def _text(step: Step) -> str:
    return f"{step.title} {step.say} {step.debrief}"


def _matches(words: list[str], text: str) -> bool:
    folded = text.casefold()
    return all(word in folded for word in words)
