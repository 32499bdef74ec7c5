"""The Markdown of a lesson."""

from collections.abc import Iterator

from tutor.course.model import Lesson, Step
from tutor.course.places import Where


def texts_of(lesson: Lesson) -> Iterator[str]:
    """All that is shown as running text, step by step."""
    for step in lesson.steps:
        yield from (text for _, text in texts_of_step(step) if text)


def texts_of_step(step: Step) -> Iterator[tuple[Where, str]]:
    """What of a step is read as Markdown, each with its place; some are empty."""
    yield step.where / "say", step.say
    yield step.where / "debrief", step.debrief
    for question in step.ask:
        yield question.where / "question", question.question
    for told in (*step.hints, *step.mistakes):
        yield told.where / "say", told.say
    for block in (*step.do, *(() if step.solution == "do" else step.solution)):
        yield block.where / "note", block.note
