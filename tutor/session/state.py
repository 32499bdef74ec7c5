"""The rules of a lesson: what an event changes, and what it may not. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Literal, assert_never

from tutor.errors import TutorError
from tutor.session.event import (
    Answered,
    Event,
    HintAsked,
    Latched,
    MistakeMade,
    Passed,
    Returned,
    Skipped,
    SolutionAsked,
    Went,
)
from tutor.session.outline import Outline, StepOutline, next_step, open_steps
from tutor.session.record import Progress


class NotAllowed(TutorError):
    """The rules of the lesson do not allow that now."""


def begin(lesson_id: str, environment: str, outline: Outline, at: datetime) -> Progress:
    """The progress of somebody who has just opened the lesson."""
    first = outline[0].id
    progress = Progress(lesson=lesson_id, environment=environment, current=first)
    return progress.with_step(first, opened_at=at)


def advance(progress: Progress, event: Event, *, outline: Outline) -> Progress:
    """What an event makes of the progress. Raises `NotAllowed`."""
    step = _outlined(event.step, outline)
    match event:
        case Went():
            return _went(progress, step, event.at, outline)
        case Passed():
            return _done(progress, step, "passed", event.at, outline)
        case Skipped():
            return _skipped(progress, step, event.at, outline)
        case Returned():
            return _returned(progress, step, event.at, outline)
        case _:
            return _noted(progress, step, event)


def _noted(
    progress: Progress,
    step: StepOutline,
    event: Latched | HintAsked | SolutionAsked | MistakeMade | Answered,
) -> Progress:
    """Events that are kept with their step and move nothing."""
    record = progress.step(step.id)
    match event:
        case Latched():
            return progress.with_step(step.id, latched=_added(record.latched, event.facts))
        case HintAsked():
            return progress.with_step(step.id, hints_shown=min(record.hints_shown + 1, step.hints))
        case SolutionAsked():
            _after_the_hints(step, record.hints_shown)
            return progress.with_step(step.id, solution_shown=True)
        case MistakeMade():
            return progress.with_step(step.id, mistakes=_added(record.mistakes, (event.mistake,)))
        case Answered():
            answers = {**record.answers, event.question: event.answer}
            return progress.with_step(step.id, answers=answers)
        case _:
            assert_never(event)


def _outlined(step_id: str, outline: Outline) -> StepOutline:
    for step in outline:
        if step.id == step_id:
            return step
    raise NotAllowed(
        f"The lesson has no step {step_id!r} here.",
        next_action=f"Its steps are: {', '.join(step.id for step in outline)}.",
    )


def _went(progress: Progress, step: StepOutline, at: datetime, outline: Outline) -> Progress:
    if step.id not in open_steps(progress, outline):
        waiting = _outlined(next_step(progress, outline) or step.id, outline)
        raise NotAllowed(
            f"The step {step.title!r} is not open yet.",
            next_action=f"Do {waiting.title!r} first.",
        )
    opened_at = progress.step(step.id).opened_at or at
    return replace(progress, current=step.id).with_step(step.id, opened_at=opened_at)


def _skipped(progress: Progress, step: StepOutline, at: datetime, outline: Outline) -> Progress:
    if step.skip == "never":
        raise NotAllowed(
            f"The step {step.title!r} cannot be left out: later steps build on it.",
            next_action="Do it, or look at its solution.",
        )
    return _done(progress, step, "skipped", at, outline)


def _done(
    progress: Progress,
    step: StepOutline,
    how: Literal["passed", "skipped"],
    at: datetime,
    outline: Outline,
) -> Progress:
    """A step that was skipped can still be passed; one that was passed stays so."""
    if progress.step(step.id).done in {"passed", how}:
        return progress
    progress = progress.with_step(step.id, done=how, done_at=at)
    if next_step(progress, outline) is None and progress.finished_at is None:
        return replace(progress, finished_at=at)
    return progress


def _after_the_hints(step: StepOutline, shown: int) -> None:
    if shown < step.hints:
        raise NotAllowed(
            "There are hints left.",
            next_action=f"Look at hint {shown + 1} of {step.hints} first.",
        )


def _returned(progress: Progress, step: StepOutline, at: datetime, outline: Outline) -> Progress:
    forgotten = {each.id for each in outline[outline.index(step) :]}
    kept = {name: record for name, record in progress.steps.items() if name not in forgotten}
    back = replace(progress, steps=kept, current=step.id, finished_at=None)
    return back.with_step(step.id, opened_at=at)


def _added(known: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*known, *more]))
