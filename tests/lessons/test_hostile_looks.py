"""A step that asks for a look is passed by looking, and not by words about it."""

import asyncio
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lessons.looking import PLACE, look
from tests.lessons.rehearsal import go_back, rehearsing
from tests.lessons.roads import LESSONS, Roads
from tutor.course.model import Lesson, Run, Step, meant_for
from tutor.session.commands import commands_of

STEPS = [
    pytest.param(lesson, step, id=f"{lesson.id}:{step.id}")
    for lesson in LESSONS
    for step in lesson.steps_on(PLACE)
    if any(fact.edge for fact in meant_for(PLACE, step.facts))
]

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


@pytest.mark.parametrize(("lesson", "step"), STEPS)
def test_look_when_only_talked_about_does_not_count(
    lesson: Lesson, step: Step, roads: Roads
) -> None:
    road = roads.of(lesson)
    go_back(road.root, road.moments[step.id])
    asyncio.run(_cheat(lesson, step, road.root))


async def _cheat(lesson: Lesson, step: Step, root: Path) -> None:
    asked = {fact.id for fact in meant_for(PLACE, step.facts) if fact.edge}
    async with rehearsing(lesson, root) as rehearsal:
        await rehearsal.player.begin(step)
        world = rehearsal.session.place.world
        for trick in _tricks(step):
            await rehearsal.type(trick)
            found = await look(step, world, lesson.header.grants)
            passed = {name for name in asked if found[name].state == "true"}
            assert not passed, trick
        await rehearsal.player.solve(step)
        await rehearsal.player.pass_(step)


def _tricks(step: Step) -> Iterator[str]:
    """What prints the words of a look, or its output at second hand."""
    for block in meant_for(PLACE, step.do):
        if not isinstance(block, Run):
            continue
        for command in map(str.rstrip, commands_of(block)):
            yield f"echo {shlex.quote(command)}"
            yield f"cat << 'EOF'\n{command}\nEOF"
            yield f"{command} > typed.txt 2>&1"
            yield "cat typed.txt"
            yield f"cat typed.txt # {shlex.quote(command.splitlines()[0])}"
            yield f'printf "%s\\n" "$({command})"'
            yield f"{command} > typed.txt 2>&1; cat typed.txt"
            yield f"bash -c {shlex.quote(command)}"
