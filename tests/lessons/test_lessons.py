"""Every lesson is solved from nothing, and every mistake that it knows is made."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lessons.rehearsal import PLACE, go_back, keep, rehearsing
from tutor import paths
from tutor.cli.check import check
from tutor.course.loader import load_course
from tutor.course.model import Lesson, Mistake, Step, meant_for

LESSONS = load_course(paths.lessons_dir()).lessons
MISTAKES = [
    pytest.param(lesson, step, mistake, id=f"{lesson.id}:{step.id}:{mistake.id}")
    for lesson in LESSONS
    for step in lesson.steps_on(PLACE)
    for mistake in meant_for(PLACE, step.mistakes)
]

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


@dataclass(frozen=True, slots=True)
class Road:
    """A lesson that was walked, and the moments before the steps that know mistakes."""

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


@pytest.fixture(scope="module")
def roads(tmp_path_factory: pytest.TempPathFactory) -> Roads:
    return Roads(tmp_path_factory.mktemp("roads"))


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
            if meant_for(PLACE, step.mistakes):
                moments[step.id] = folder / step.id
                keep(root, moments[step.id])
            await player.solve(step)
            await player.pass_(step)
        steps = [step.id for step in lesson.steps_on(PLACE)]
        done = tuple(step for step in steps if rehearsal.session.is_done(step))
        made = {step: rehearsal.session.progress.step(step).mistakes for step in steps}
    return Road(root, moments, first, done, made)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)
def test_lesson_when_checked_has_no_fault(lesson: Lesson) -> None:
    assert check([lesson.folder]) == 0


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)
def test_lesson_when_played_from_nothing_passes_every_step(lesson: Lesson, roads: Roads) -> None:
    road = roads.of(lesson)
    assert road.passed == tuple(step.id for step in lesson.steps_on(PLACE))
    for step, facts in road.found_first.items():
        assert "not yet" in facts.values(), step
        assert "cannot look" not in facts.values(), step
    assert not any(road.mistakes.values()), "a solution is taken for a mistake"


@pytest.mark.parametrize(("lesson", "step", "mistake"), MISTAKES)
def test_mistake_when_made_is_told_alone_and_can_be_mended(
    lesson: Lesson, step: Step, mistake: Mistake, roads: Roads
) -> None:
    road = roads.of(lesson)
    go_back(road.root, road.moments[step.id])
    asyncio.run(_make(lesson, step, mistake, road.root))


async def _make(lesson: Lesson, step: Step, mistake: Mistake, root: Path) -> None:
    async with rehearsing(lesson, root) as rehearsal:
        await rehearsal.player.begin(step)
        await rehearsal.player.err(step, mistake)
        await rehearsal.player.repair(mistake)
        await rehearsal.player.solve(step)
        await rehearsal.player.pass_(step)
        assert rehearsal.session.progress.step(step.id).mistakes == (mistake.id,)
