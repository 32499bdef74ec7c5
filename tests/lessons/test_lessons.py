"""Every lesson is solved from nothing, and every mistake that it knows is made."""

import asyncio
import re
from pathlib import Path

import pytest

from tests.lessons.looking import PLACE
from tests.lessons.rehearsal import go_back, rehearsing
from tests.lessons.roads import LESSONS, Roads
from tutor.cli.check import check
from tutor.course.model import Lesson, Mistake, Step, meant_for
from tutor.session.player import Unproved

MISTAKES = [
    pytest.param(lesson, step, mistake, id=f"{lesson.id}:{step.id}:{mistake.id}")
    for lesson in LESSONS
    for step in lesson.steps_on(PLACE)
    for mistake in meant_for(PLACE, step.mistakes)
]

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)
def test_lesson_when_checked_has_no_fault(lesson: Lesson) -> None:
    assert check([lesson.folder]) == 0


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)
def test_lesson_names_keys_by_their_actions(lesson: Lesson) -> None:
    for file in lesson.folder.rglob("*.yaml"):
        named = re.sub(r"\[[^]]*\]\(key:\w+\)", "", file.read_text(encoding="utf-8"))
        assert not re.findall(r"\bF(?:1[0-2]|[1-9])\b", named), file


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
        await rehearsal.until_login()
        await rehearsal.player.begin(step)
        try:
            await rehearsal.player.err(step, mistake)
        except Unproved:
            # A cluster that has come back starts its pods again: who meets that tries once more.
            await rehearsal.player.repair(mistake)
            await rehearsal.until_login()
            await rehearsal.player.err(step, mistake)
        await rehearsal.player.repair(mistake)
        await rehearsal.player.solve(step)
        await rehearsal.player.pass_(step)
        assert rehearsal.session.progress.step(step.id).mistakes == (mistake.id,)
