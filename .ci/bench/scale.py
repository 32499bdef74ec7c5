"""Many writes and many objects: memory, start, and whether reading gets slower."""

import asyncio
import itertools
import time
from collections.abc import Iterator

from bench.figure import Figure, median
from bench.home import Home, home, run
from bench.load import CONFIG_MAPS, Server, at_once, config_map, one_by_one, sandbox

_SMALL = 200
_WRITTEN = 5_000
_LARGE = 20_000
_ROUNDS = 8
_A_ROUND = 60


def measure() -> Iterator[Figure]:
    """The figures of this group."""
    with home() as small, home() as large:
        small.up()
        large.up()
        large.until_quiet()
        yield Figure(name="memory at rest", value=large.rss_mb, unit="MB", bar=90, real="440 MiB")
        asyncio.run(_write(large, _WRITTEN))
        yield Figure(
            name="memory after 5,000 writes", value=large.rss_mb, unit="MB", bar=120, real="570 MiB"
        )
        rate = asyncio.run(_create(large, _WRITTEN // 2, _LARGE))
        yield Figure(name="20,000 objects, while they are made", value=rate, unit="req/s")
        yield Figure(name="20,000 objects, made, memory", value=large.rss_mb, unit="MB", bar=300)
        asyncio.run(_create(small, 0, _SMALL))
        large.down()
        began = time.perf_counter()
        large.up()
        run([*large.kubectl, "get", "ns"], large.environment)
        yield Figure(
            name="20,000 objects, start", value=time.perf_counter() - began, unit="s", bar=3
        )
        large.until_quiet()
        yield Figure(name="20,000 objects, memory", value=large.rss_mb, unit="MB", bar=300)
        yield from asyncio.run(_compare(small, large))


async def _write(place: Home, count: int) -> None:
    """Make some objects and change them again and again."""
    numbers = itertools.count()
    async with sandbox(place) as server:
        await _make(server, numbers, count // 2)

        async def patch() -> bytes:
            number = next(numbers)
            body = {"data": {"key": f"{number:0100}"}}
            return await server.patch(f"{CONFIG_MAPS}/{_name(number % (count // 2))}", body)

        await at_once(patch, count - count // 2)


async def _create(place: Home, there: int, wanted: int) -> float:
    """Create until there are so many; creations a second."""
    async with sandbox(place) as server:
        return await _make(server, itertools.count(there), wanted - there)


async def _make(server: Server, numbers: "itertools.count[int]", count: int) -> float:
    async def create() -> bytes:
        return await server.send("POST", CONFIG_MAPS, config_map(_name(next(numbers))))

    return await at_once(create, count)


def _name(number: int) -> str:
    return f"made-{number:05}"


async def _compare(small: Home, large: Home) -> list[Figure]:
    """GET of one object among many, beside GET of one among few, in turns."""
    took: tuple[list[float], list[float]] = ([], [])
    path = f"{CONFIG_MAPS}/{_name(100)}"
    async with sandbox(small) as few, sandbox(large) as many:
        for server in (few, many):
            await one_by_one(lambda server=server: server.send("GET", path), 100)
        for _ in range(_ROUNDS):
            for server, found in zip((few, many), took, strict=True):
                calls = await one_by_one(lambda server=server: server.send("GET", path), _A_ROUND)
                found.append(median(calls))
    ratio = median(b / a for a, b in zip(*took, strict=True))
    return [Figure(name="20,000 objects, GET p50", value=ratio, unit="x of 200", bar=1.5)]
