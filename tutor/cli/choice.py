"""Which lesson, and where: what a command line names, or why there is no such thing."""

from difflib import get_close_matches

from tutor.course.model import Course, Environment, Lesson
from tutor.errors import TutorError


class NoSuchLesson(TutorError):
    """A lesson, or a place to do it, that there is not."""


def chosen(course: Course, name: str) -> Lesson:
    """The lesson of that id; the course's first for an empty name. Raises `NoSuchLesson`."""
    known = [lesson.id for lesson in course.lessons]
    if course.first is None:
        raise NoSuchLesson(
            f"There are no lessons in {course.folder}.", next_action="Install tutor again."
        )
    if not name:
        return course.first
    if name in known:
        return course.lesson(name)
    near = get_close_matches(name, known, 1, 0.4)
    hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known)}."
    raise NoSuchLesson(f"There is no lesson named {name}.", next_action=hint)


def environment_of(lesson: Lesson, on: str) -> Environment:
    """The kind of place that `--on` names. Raises `NoSuchLesson`: not for this lesson."""
    name = "context" if on.startswith("context:") and on != "context:" else on
    for each in lesson.header.environments:
        if each == name:
            return each
    places = ", ".join(
        "context:NAME" if each == "context" else each for each in lesson.header.environments
    )
    raise NoSuchLesson(
        f"The lesson {lesson.id} cannot be done on {on}.", next_action=f"It can be on: {places}."
    )
