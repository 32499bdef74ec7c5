"""The Markdown of a lesson."""

from collections.abc import Iterator

from tutor.course.model import Lesson, Step


def texts_of(lesson: Lesson) -> Iterator[str]:
    """All that is shown as running text, step by step."""
    for step in lesson.steps:
        yield from filter(None, _of_step(step))


def _of_step(step: Step) -> Iterator[str]:
    yield step.say
    yield step.debrief
    for question in step.ask:
        yield question.question
    for told in (*step.hints, *step.mistakes):
        yield told.say
    for block in (*step.do, *(() if step.solution == "do" else step.solution)):
        yield block.note
