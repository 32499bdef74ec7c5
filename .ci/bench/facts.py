"""Facts: how soon after a write was acknowledged a fact about it is seen to be true."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from bench.figure import Figure, percentile
from bench.home import Broken, Home, home
from bench.load import CONFIG_MAPS, NAMESPACE, Server, config_map, sandbox
from tutor.clock import SystemClock
from tutor.course.forms import read
from tutor.course.model import Grants, Step
from tutor.course.places import Where
from tutor.course.yamltree import parse
from tutor.errors import CourseError
from tutor.probes.base import World
from tutor.probes.binding import bind
from tutor.probes.cluster import Cluster
from tutor.probes.dial import Dialer, Getter
from tutor.probes.hosts import HostsFile
from tutor.probes.process import GrantedCommands
from tutor.probes.watch import Findings, Watch
from tutor.session.folder import WorkingFolder
from tutor.session.shell import StepShell

_ROUNDS = 60
_LIMIT_S = 10.0
_PAUSE_S = 0.05
_TRUE, _FALSE = "yes", "no"
_STEP = f"""id: s
title: T
minutes: 1
say: x
solution: do
facts:
  - id: f
    label: L
    show: x
    given:
      found: {{object: {{apiVersion: v1, kind: ConfigMap, namespace: {NAMESPACE}, name: judged}}}}
    that: found.data.key == "{_TRUE}"
"""


def measure() -> Iterator[Figure]:
    """The figures of this group."""
    with home() as place:
        place.up()
        place.until_quiet()
        took = asyncio.run(_latencies(place))
    yield Figure(name="fact, write to true, p50", value=percentile(took, 0.5), unit="ms")
    yield Figure(name="fact, write to true, p95", value=percentile(took, 0.95), unit="ms", bar=250)


def _step() -> Step:
    faults: list[CourseError] = []
    found = read(Step, Where(parse(_STEP, Path("s.yaml"))), faults)
    if found is None or faults:
        raise Broken(f"the fact cannot be read: {faults}")
    return found


class _State:
    """Whether the fact is true, as the watch tells it."""

    def __init__(self) -> None:
        self.is_true = False
        self._news = asyncio.Event()

    def take(self, findings: Findings) -> None:
        self.is_true = findings.are_all_true
        self._news.set()

    async def wait(self, *, wanted: bool) -> None:
        async with asyncio.timeout(_LIMIT_S):
            while self.is_true is not wanted:
                self._news.clear()
                await self._news.wait()


async def _latencies(place: Home) -> list[float]:
    """Milliseconds from a write's answer to the true fact, once a round."""
    folder = place.root / "work"
    folder.mkdir()
    state = _State()
    keys = place.root / "probe-keys"
    environment = dict(place.environment)
    with Cluster(place.root / "kubeconfig", keys=keys, environment=environment) as cluster:
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
        bound = bind(_step(), grants=Grants(cluster=True), environment="sandbox")
        watch = Watch(bound, world, latched=frozenset(), clock=SystemClock(), told=state.take)
        took: list[float] = []
        async with sandbox(place) as server:
            await server.send("POST", CONFIG_MAPS, config_map("judged"))
            with suppress(asyncio.CancelledError):
                async with asyncio.TaskGroup() as group:
                    watching = group.create_task(watch.run(), name="watch")
                    took += [await _round(server, state) for _ in range(_ROUNDS)]
                    watching.cancel()
        return took


async def _round(server: Server, state: _State) -> float:
    path = f"{CONFIG_MAPS}/judged"
    await server.patch(path, {"data": {"key": _FALSE}})
    await state.wait(wanted=False)
    await asyncio.sleep(_PAUSE_S)
    await server.patch(path, {"data": {"key": _TRUE}})
    began = time.perf_counter()
    await state.wait(wanted=True)
    return (time.perf_counter() - began) * 1e3
