"""`tutor demo --headless`: the lesson plays itself, through the shell and the engine of the app.

It has a home folder of its own below the learner's, so that it begins with nothing and leaves the
learner's work alone.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from tutor import logs, paths, settings
from tutor.cli.cluster import stop
from tutor.cli.ground import Wanted
from tutor.cli.run import Stage, clear, find_lesson, scripted_editor, stage
from tutor.course.model import Environment, Step, meant_for
from tutor.errors import TutorError
from tutor.session.player import Player, Unproved
from tutor.session.typist import Typist
from tutor.terminal.screen import Geometry

_SIZE = Geometry(columns=120, lines=40)


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What came of a step. Durations are seconds."""

    number: int
    id: str
    title: str
    passed: bool
    took_s: float
    commands_s: float
    """In the commands of the solution."""
    waited_s: float
    """From the end of the last command until all facts held."""
    settle_s: float
    """The longest settle time of the step's facts; part of the wait."""
    problem: str = ""
    """The fact that did not hold, or what else went wrong."""
    saw: str = ""
    screen: str = ""


def demo(lesson: str, *, as_json: bool, on: str, pace: str) -> int:
    """Play a lesson; 0 when every step is passed."""
    home = paths.home(os.environ)
    kubectl = settings.load(os.environ, home).kubectl
    root = home / "demo"
    chosen = find_lesson(lesson)
    stop(root)
    clear(root)
    logs.configure(paths.logs_dir(root) / "demo.log")
    script = root / "edit.json"
    editor = scripted_editor(script, paths.work_dir(root, chosen.id, on))
    wanted = Wanted(
        lesson=chosen,
        on=on,
        root=root,
        own_rc=False,
        pace=pace,
        kubectl=kubectl,
        extra=dict.fromkeys(("EDITOR", "KUBE_EDITOR", "VISUAL"), editor),
    )
    try:
        return asyncio.run(_play(wanted, script, _json if as_json else _line, as_json))
    finally:
        stop(root)


Report = Callable[[Played], None]


async def _play(wanted: Wanted, script: Path, report: Report, as_json: bool) -> int:
    began = time.monotonic()
    played: list[Played] = []
    async with stage(wanted) as found, asyncio.TaskGroup() as group:
        await found.shell.start(_SIZE)
        await found.shell.wait_prompt()
        running = group.create_task(found.session.run(), name="session")
        show = _Show(found, script)
        for step in found.lesson.steps_on(found.session.place.environment):
            played.append(await show.play(step, len(played) + 1))
            report(played[-1])
            if not played[-1].passed:
                break
        running.cancel()
        steps = len(found.session.outline)
    _close(played, steps, time.monotonic() - began, as_json)
    return 0 if len(played) == steps and played[-1].passed else 1


class _Show:
    """Plays one step after the other."""

    def __init__(self, found: Stage, script: Path) -> None:
        self._shell = found.shell
        self._environment: Environment = found.session.place.environment
        typist = Typist(shell=found.shell, lesson=found.lesson, folder=found.folder, script=script)
        self._player = Player(found.session, found.shell, typist)

    async def play(self, step: Step, number: int) -> Played:
        """Solve one step and see whether it is passed."""
        began = ended = time.monotonic()
        commands_s, problem, saw = 0.0, "", ""
        try:
            await self._player.begin(step)
            commands_s = await self._player.solve(step)
            ended = time.monotonic()
            await self._player.pass_(step)
        except Unproved as unproved:
            problem, saw = unproved.problem, unproved.saw
        except TutorError as error:
            problem, saw = error.message, error.next_action
        now = time.monotonic()
        facts = meant_for(self._environment, step.facts)
        return Played(
            number=number,
            id=step.id,
            title=step.title,
            passed=not problem,
            took_s=now - began,
            commands_s=commands_s,
            waited_s=now - ended,
            settle_s=max(fact.settle.total_seconds() for fact in facts),
            problem=problem,
            saw=saw,
            screen=self._shell.screen_text() if problem else "",
        )


def _line(played: Played) -> None:
    mark = "✓" if played.passed else "✗"
    print(
        f"{mark} {played.number:02} {played.id}  {played.title}  {played.took_s:.1f} s", flush=True
    )
    if not played.passed:
        print(f"  {played.problem}")
        if played.saw:
            print(f"  {played.saw}")
        for line in played.screen.splitlines():
            print(f"  | {line}")


def _json(played: Played) -> None:
    print(json.dumps(asdict(played), ensure_ascii=False), flush=True)


def _close(played: list[Played], steps: int, took_s: float, as_json: bool) -> None:
    passed = sum(each.passed for each in played)
    commands_s = sum(each.commands_s for each in played)
    waited_s = sum(each.waited_s for each in played)
    settle_s = sum(each.settle_s for each in played)
    if as_json:
        total = {"steps": steps, "passed": passed, "took_s": took_s, "commands_s": commands_s}
        print(json.dumps(total | {"waited_s": waited_s, "settle_s": settle_s}))
        return
    print(f"{passed} of {steps} steps passed in {took_s:.1f} s")
    sys.stdout.flush()
