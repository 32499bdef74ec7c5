"""The steps of a lesson in one environment, and which of them are open to a learner. Pure."""

from dataclasses import replace
from typing import Literal, NamedTuple

from tutor.course.model import Environment, Lesson, meant_for
from tutor.session.record import Progress


class StepOutline(NamedTuple):
    """What the rules need to know of a step."""

    id: str
    title: str
    hints: int
    skip: Literal["allowed", "with-solution", "never"]


Outline = tuple[StepOutline, ...]
"""The steps of a lesson in one environment, in order."""


def outline_of(lesson: Lesson, environment: Environment) -> Outline:
    """The steps that a learner will meet."""
    return tuple(
        StepOutline(
            id=step.id,
            title=step.title,
            hints=len(meant_for(environment, step.hints)),
            skip=step.skip,
        )
        for step in lesson.steps_on(environment)
    )


def fitted(progress: Progress, outline: Outline) -> Progress:
    """Saved progress for a lesson that may have got other steps since."""
    known = {step.id for step in outline}
    if progress.current in known:
        return progress
    return replace(progress, current=next_step(progress, outline) or outline[-1].id)


def is_done(progress: Progress, step_id: str) -> bool:
    """Whether a step was passed or skipped."""
    return progress.step(step_id).done is not None


def open_steps(progress: Progress, outline: Outline) -> frozenset[str]:
    """The steps that may be turned to: those done, and the first that is not."""
    open_ids = {step.id for step in outline if is_done(progress, step.id)}
    return frozenset(open_ids | {next_step(progress, outline) or outline[-1].id})


def next_step(progress: Progress, outline: Outline) -> str | None:
    """The first step that is not done; None when all are."""
    return next((step.id for step in outline if not is_done(progress, step.id)), None)
