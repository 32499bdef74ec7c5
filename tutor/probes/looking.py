"""Keeps the readings of a step's names up to date, and says which have changed.

Sources that can tell of changes are read when they do; peers and commands, of which nobody tells,
when anything else of the step changed and at intervals.
"""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress

from tutor.errors import ProbeError
from tutor.probes.base import (
    Absent,
    Blind,
    Collection,
    CommandLine,
    FilePath,
    HostNames,
    OwnCommands,
    Peer,
    Reading,
    Topic,
    Unfollow,
    World,
)
from tutor.probes.binding import BoundGiven, BoundStep, topics_of
from tutor.probes.expression import Failed, Missing, Value, Values

log = logging.getLogger(__name__)

STAMP_INTERVAL_S = 0.1
"""How often files are compared with what they were."""

PEER_INTERVAL_S = 2.0
COMMAND_INTERVAL_S = 10.0
"""How often those are visited, at least, of which nobody tells that they have changed."""

SHORTEST_INTERVAL_S = 0.2
"""Between two visits, however much else changes."""

NOT_LOOKED = Absent("nobody has looked yet")


class Looking:
    """The readings of one step, kept up to date while `run` runs."""

    def __init__(self, bound: BoundStep, world: World) -> None:
        self._bound = bound
        self._world = world
        self._readings: dict[str, Reading] = dict.fromkeys(
            (given.name for given in bound.givens), NOT_LOOKED
        )
        self._dirty: set[str] = set()
        self._visited: set[str] = set()
        self._asked: set[str] = set()
        """Names whose next reading is told even when it is as before."""
        self._wake = asyncio.Event()
        self._kicks = {
            given.name: asyncio.Event() for given in bound.givens if _interval_s(given) is not None
        }

    def readings(self) -> Mapping[str, Reading]:
        """What was read of each name, as it is now."""
        return dict(self._readings)

    def look_now(self) -> None:
        """Read everything again, and tell of it, changed or not."""
        self._asked |= self._readings.keys()
        self._mark(self._readings)

    async def run(self) -> None:
        """Follow, visit and compare, until cancelled."""
        loop = asyncio.get_running_loop()
        with ExitStack() as followed:
            for topic in topics_of(self._bound):
                followed.callback(self._follow(topic, loop))
            self._mark(self._readings.keys() - self._kicks.keys())
            async with asyncio.TaskGroup() as group:
                group.create_task(self._compare_stamps(), name="stamps")
                for given in self._bound.givens:
                    if (interval_s := _interval_s(given)) is not None:
                        group.create_task(self._revisit(given, interval_s), name=given.name)
                await asyncio.Event().wait()  # what is followed is followed until cancelled

    async def changes(self, deadline: float | None) -> frozenset[str]:
        """Wait until some names have other values; none of them at the deadline (loop time)."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                await self._wake.wait()
        self._wake.clear()
        return await self._read_dirty()

    async def _read_dirty(self) -> frozenset[str]:
        dirty, changed = self._dirty, self._visited
        self._dirty, self._visited = set[str](), set[str]()
        for given in self._bound.givens:
            if given.name not in self._kicks and (given.name in dirty or given.needs & changed):
                await self._read(given, changed)
        for name, kick in self._kicks.items():
            if changed - {name} or name in dirty:
                kick.set()
        return frozenset(changed)

    async def _read(self, given: BoundGiven, changed: set[str]) -> None:
        values = self._bound.language.values(self.readings())
        reading = await read_given(given, self._world, values)
        if reading != self._readings[given.name] or given.name in self._asked:
            self._asked.discard(given.name)
            self._readings[given.name] = reading
            changed.add(given.name)

    def _mark(self, names: Iterable[str]) -> None:
        self._dirty |= set(names)
        self._wake.set()

    def _names_of(self, topic: Topic) -> frozenset[str]:
        return frozenset(given.name for given in self._bound.givens if topic in given.topics)

    def _follow(self, topic: Topic, loop: asyncio.AbstractEventLoop) -> Unfollow:
        names = self._names_of(topic)

        def changed() -> None:
            loop.call_soon_threadsafe(self._mark, names)

        match topic:
            case Collection():
                return self._world.cluster.follow(topic, changed)
            case OwnCommands():
                return self._world.shell.follow(changed)
            case _:
                return lambda: None

    async def _compare_stamps(self) -> None:
        """Mark the names whose file may have changed."""
        stamps = dict(self._stamps())
        while stamps:
            await asyncio.sleep(STAMP_INTERVAL_S)
            now = dict(self._stamps())
            for topic, stamp in now.items():
                if stamps[topic] != stamp:
                    self._mark(self._names_of(topic))
            stamps = now

    def _stamps(self) -> Iterator[tuple[Topic, object]]:
        for topic in topics_of(self._bound):
            if isinstance(topic, FilePath):
                yield topic, self._world.files.stamp(topic.path)
            elif isinstance(topic, HostNames):
                yield topic, self._world.hosts.stamp()

    async def _revisit(self, given: BoundGiven, interval_s: float) -> None:
        """Visit often after a change, as one thing leads to another, then less and less."""
        kick = self._kicks[given.name]
        pause_s = SHORTEST_INTERVAL_S
        while True:
            # A set of its own: the one of all visits may be taken away during this one.
            changed = set[str]()
            await self._read(given, changed)
            if changed:
                self._visited |= changed
                self._wake.set()
            await asyncio.sleep(SHORTEST_INTERVAL_S)
            pause_s = min(2 * pause_s, interval_s)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s - SHORTEST_INTERVAL_S):
                    await kick.wait()
                    pause_s = SHORTEST_INTERVAL_S
            kick.clear()


def _interval_s(given: BoundGiven) -> float | None:
    """How often to visit it; None when its changes are told."""
    for topic in given.topics:
        match topic:
            case Peer():
                return PEER_INTERVAL_S
            case CommandLine():
                return COMMAND_INTERVAL_S
            case _:
                pass
    return None


async def read_given(given: BoundGiven, world: World, values: Values) -> Reading:
    """Read one name. Never raises: a look that fails is a reading too."""
    inputs: dict[str, object] = {}
    for field, expression in given.inputs.items():
        match expression.evaluate(values):
            case Value(value):
                inputs[field] = value
            case Missing(text):
                return Absent(text)
            case Failed(text):
                return Blind(text)
    try:
        return await given.source.read(given.spec, world, inputs)
    except ProbeError as error:
        return Blind(error.message)
    except Exception:
        # One of the three broad handlers: a source that fails must not take the lesson down.
        log.exception("a source failed", extra={"given": given.name})
        return Blind(f"looking at `{given.name}` failed: a fault of the program, and in its log")
