"""A learner who goes on with the lesson from wherever it is, and tries a step again that fails.

    python -m tests.e2e.playing HOME

Prints `at STEP` for where the lesson is when it opens, and `passed STEP` for each step that passes.
"""

import asyncio
import sys
from pathlib import Path

from tests.lessons.looking import PLACE
from tests.lessons.rehearsal import Rehearsal, rehearsing
from tests.lessons.roads import FIRST
from tutor.course.model import Step
from tutor.session.player import Unproved

TRIES = 6
PATIENCE_S = 15.0


async def play(root: Path) -> None:
    lesson = FIRST
    async with rehearsing(lesson, root) as rehearsal:
        print("at", rehearsal.session.step.id, flush=True)
        for step in lesson.steps_on(PLACE):
            if not rehearsal.session.is_done(step.id):
                await _pass(rehearsal, step)
                print("passed", step.id, flush=True)


async def _pass(rehearsal: Rehearsal, step: Step) -> None:
    """Do a step, as often as it takes."""
    for _ in range(TRIES):
        try:
            await rehearsal.player.begin(step)
            await rehearsal.player.solve(step)
        except Unproved as unproved:
            # It was done before, or its commands met a sandbox that had just been killed.
            print("#", step.id, unproved, file=sys.stderr, flush=True)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await rehearsal.player.pass_(step)
        except TimeoutError:
            print("#", step.id, "once more", file=sys.stderr, flush=True)
            continue
        return
    raise AssertionError(f"{step.id} does not pass")


if __name__ == "__main__":
    asyncio.run(play(Path(sys.argv[1])))
