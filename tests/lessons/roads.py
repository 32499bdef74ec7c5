"""Lessons walked once for all tests, with the moments before each step."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from tests.lessons.looking import PLACE
from tests.lessons.rehearsal import keep, rehearsing
from tutor import paths
from tutor.cli.choice import chosen
from tutor.course.loader import load_course
from tutor.course.model import Lesson

_COURSE = load_course(paths.lessons_dir())
LESSONS = _COURSE.lessons
FIRST = chosen(_COURSE, "")
"""The first lesson about the matter itself."""


@dataclass(frozen=True, slots=True)
class Road:
    """A lesson that was walked, and the moments before its steps."""

    root: Path
    moments: dict[str, Path]
    found_first: dict[str, dict[str, str]]
    """By step and fact: the state when the step opened."""
    passed: tuple[str, ...]
    mistakes: dict[str, tuple[str, ...]]
    """By step: what the solution was taken for."""


class Roads:
    """Walks each lesson once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._walked: dict[str, Road | None] = {}

    def of(self, lesson: Lesson) -> Road:
        if lesson.id not in self._walked:
            self._walked[lesson.id] = None
            self._walked[lesson.id] = asyncio.run(_walk(lesson, self._folder / lesson.id))
        road = self._walked[lesson.id]
        assert road is not None, "the lesson does not play: another test says why"
        return road


async def _walk(lesson: Lesson, folder: Path) -> Road:
    root = folder / "home"
    moments: dict[str, Path] = {}
    first: dict[str, dict[str, str]] = {}
    async with rehearsing(lesson, root) as rehearsal:
        player = rehearsal.player
        for step in lesson.steps_on(PLACE):
            await player.begin(step)
            found = player.found(step)
            first[step.id] = {name: each.verdict.state for name, each in found.items()}
            moments[step.id] = folder / step.id
            keep(root, moments[step.id])
            await player.solve(step)
            await player.pass_(step)
        steps = [step.id for step in lesson.steps_on(PLACE)]
        done = tuple(step for step in steps if rehearsal.session.is_done(step))
        made = {step: rehearsal.session.progress.step(step).mistakes for step in steps}
    return Road(root, moments, first, done, made)
