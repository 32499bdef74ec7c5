"""Looks at a cluster from a process that knows nothing but a kubeconfig.

    python -m tests.lessons.elsewhere LESSON KUBECONFIG FOLDER

Prints one JSON object: `facts`, for each step those about the cluster and what they are found to
be; and `rooms`, the parts of the program that were needed for it.
FOLDER is empty; it is all of the machine that a probe could read.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from tests.lessons.looking import PLACE, look
from tutor.clock import SystemClock
from tutor.course.loader import load_lesson
from tutor.course.model import Grants, Step, meant_for
from tutor.probes.base import Verdict, World
from tutor.probes.binding import BoundFact, BoundStep, bind
from tutor.probes.cluster import Cluster
from tutor.probes.dial import Dialer, Getter
from tutor.probes.hosts import HostsFile
from tutor.probes.process import GrantedCommands
from tutor.probes.watch import Findings, Watch
from tutor.session.folder import WorkingFolder
from tutor.session.shell import StepShell

OF_THE_CLUSTER = {"object", "objects", "x509", "password"}
"""Sources whose values come from the cluster, or are computed from such values."""

LOOK_S = 20.0


def cluster_facts(bound: BoundStep) -> list[BoundFact]:
    """The facts of a step that look at nothing but the cluster."""
    sources = {
        name: source
        for owner in (bound.step, *bound.step.facts, *bound.step.mistakes)
        for name, given in owner.given.items()
        for source in given
    }
    return [
        fact for fact in bound.facts if {sources[name] for name in fact.names} <= OF_THE_CLUSTER
    ]


async def _found(step: Step, world: World, grants: Grants) -> dict[str, Verdict]:
    """The facts about the cluster, once everything was read."""
    bound = bind(step, grants=grants, environment=PLACE)
    wanted = [fact.fact.id for fact in cluster_facts(bound)]
    settled = asyncio.Event()

    def told(findings: Findings) -> None:
        if all(findings.facts[name].verdict.state == "true" for name in wanted):
            settled.set()

    watch = Watch(bound, world, latched=frozenset(), clock=SystemClock(), told=told)
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(watch.run())
        try:
            async with asyncio.timeout(LOOK_S if wanted else 0):
                await settled.wait()
        except TimeoutError:
            pass
        found = await look(step, world, grants)
        watching.cancel()
    return {name: found[name] for name in wanted}


async def main(lesson_folder: Path, kubeconfig: Path, folder: Path) -> None:
    lesson = load_lesson(lesson_folder)
    environment = dict(os.environ)
    with Cluster(kubeconfig, keys=folder / "keys", environment=environment) as cluster:
        world = World(
            cluster=cluster,
            shell=StepShell(),
            files=WorkingFolder(folder),
            hosts=HostsFile(folder / "hosts"),
            tls=Dialer(""),
            http=Getter(environment, ""),
            commands=GrantedCommands(folder, environment),
            environment=environment,
        )
        grants = lesson.header.grants
        steps = meant_for(PLACE, lesson.steps)
        found = {step.id: await _found(step, world, grants) for step in steps}
    verdicts = {
        step: {name: verdict._asdict() for name, verdict in facts.items()}
        for step, facts in found.items()
    }
    print(json.dumps({"facts": verdicts, "rooms": sorted(_rooms())}))


def _rooms() -> set[str]:
    """The rooms of the program that were needed."""
    return {name.split(".")[1] for name in sys.modules if name.startswith("tutor.")}


if __name__ == "__main__":
    asyncio.run(main(*(Path(word) for word in sys.argv[1:])))
