"""Watches: how soon after its answer a write is told, to one reader and to many."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager

from bench.figure import Figure, median, percentile
from bench.home import Broken, Home, home
from bench.load import CONFIG_MAPS, Server, client_context, config_map, sandbox, session

_CHANGES = 200
_MANY = 200
_CHANGES_TO_MANY = 20
_PAUSE_S = 0.01
_LIMIT_S = 10.0


def measure() -> Iterator[Figure]:
    """The figures of this group."""
    with home() as place:
        place.up()
        place.until_quiet()
        yield from asyncio.run(_figures(place))


async def _figures(place: Home) -> list[Figure]:
    async with sandbox(place) as ours:
        await ours.send("POST", CONFIG_MAPS, config_map("watched"))
        async with _watchers(place, ours.url, 1) as watchers:
            after = [late for _, late in await _changes(ours, watchers, _CHANGES)]
        quiet_mb = place.rss_mb
        async with _watchers(place, ours.url, _MANY) as watchers:
            told = await _changes(ours, watchers, _CHANGES_TO_MANY)
            more_mb = place.rss_mb - quiet_mb
    last = [late for _, late in told]
    last_from_sending = [late for late, _ in told]
    return [
        Figure(
            name="watch, answer to event, p50",
            value=percentile(after, 0.5),
            unit="ms",
            bar=1,
            real="0.05 ms",
        ),
        Figure(
            name="watch, answer to event, p99",
            value=percentile(after, 0.99),
            unit="ms",
            bar=6,
            real="5.7 ms",
        ),
        Figure(
            name="200 watchers, sending to last event, p50",
            value=median(last_from_sending),
            unit="ms",
            bar=100,
        ),
        Figure(name="200 watchers, answer to last event, p50", value=median(last), unit="ms"),
        Figure(name="200 watchers, more resident memory", value=more_mb, unit="MB", bar=80),
    ]


class _Watcher:
    """One reader of the watched object, with a connection of its own."""

    def __init__(self) -> None:
        self.version = 0
        self.at = 0.0
        self.news = asyncio.Event()

    async def read(self, server: Server, started: asyncio.Event) -> None:
        """Take events until cancelled."""
        url = f"{server.url}{CONFIG_MAPS}?watch=1&fieldSelector=metadata.name=watched"
        async with server.session.get(url) as answer:
            if answer.status >= 300:
                raise Broken(f"the watch was answered with {answer.status}")
            async for line in answer.content:
                self.at = time.perf_counter()
                event = json.loads(line)
                self.version = int(event["object"]["metadata"]["resourceVersion"])
                started.set()
                self.news.set()

    async def see(self, version: int) -> float:
        """When the event of that version came; raises `TimeoutError`."""
        async with asyncio.timeout(_LIMIT_S):
            while self.version < version:
                self.news.clear()
                await self.news.wait()
        return self.at


@asynccontextmanager
async def _watchers(place: Home, url: str, count: int) -> AsyncGenerator[list[_Watcher]]:
    made = [_Watcher() for _ in range(count)]
    async with session(client_context(place)) as client, asyncio.TaskGroup() as group:
        reading: list[asyncio.Task[None]] = []
        for watcher in made:
            started = asyncio.Event()
            reading.append(group.create_task(watcher.read(Server(client, url), started)))
            async with asyncio.timeout(_LIMIT_S):
                await started.wait()
        yield made
        for task in reading:
            task.cancel()


async def _changes(
    writer: Server, watchers: list[_Watcher], count: int
) -> list[tuple[float, float]]:
    """Milliseconds until the last reader has a change: from its sending, from its answer."""
    found: list[tuple[float, float]] = []
    for number in range(count):
        await asyncio.sleep(_PAUSE_S)
        sent = time.perf_counter()
        body = {"data": {"key": f"{number:0100}"}}
        answer = json.loads(await writer.patch(f"{CONFIG_MAPS}/watched", body))
        answered = time.perf_counter()
        version = int(answer["metadata"]["resourceVersion"])
        last = max([await watcher.see(version) for watcher in watchers])
        found.append(((last - sent) * 1e3, max(last - answered, 0.0) * 1e3))
    return found
