"""Requests to the API server, beside the bare handler and a bare fdatasync."""

import asyncio
import itertools
import json
import re
import shutil
import subprocess
import time
from collections.abc import Awaitable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench.figure import Figure, median
from bench.home import Home, home
from bench.load import (
    CONFIG_MAPS,
    Call,
    Server,
    at_once,
    bare_process,
    client_context,
    config_map,
    one_by_one,
    sandbox,
    session,
    synced,
)

_LISTED = 200
_APART = "default"
"""The namespace of what is created, so that lists stay as long as they are."""
_MADE = f"/api/v1/namespaces/{_APART}/configmaps"
_ROUNDS = 12
_TRACED = 320
_SYNC = re.compile(r"fdatasync\(\d+<[^>]*log\.db(-wal)?>")


@dataclass
class _Pair:
    """The same call to both sides."""

    ours: Call
    bare: Call


@dataclass
class _Medians:
    """What each round gave."""

    ours: list[float] = field(default_factory=list[float])
    bare: list[float] = field(default_factory=list[float])
    fsync: list[float] = field(default_factory=list[float])

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios: both sides of one saw the same neighbours."""
        return median(a / b for a, b in zip(self.ours, self.bare, strict=True))


def measure() -> Iterator[Figure]:
    """The figures of this group."""
    with home() as place:
        place.up()
        place.until_quiet()
        with bare_process(place) as url:
            yield from asyncio.run(_figures(place, url))
        yield from _fsyncs(place)


async def _figures(place: Home, url: str) -> list[Figure]:
    async with sandbox(place) as ours, session(client_context(place)) as client:
        await _fill(ours)
        calls = await _calls(ours, Server(client, url))
        for pair in calls.values():
            await one_by_one(pair.ours, 100)
            await one_by_one(pair.bare, 100)
        return [
            *await _reads(calls),
            *await _writes(calls, place),
            *await _throughput(calls),
        ]


async def _fill(ours: Server) -> None:
    for number in range(_LISTED):
        await ours.send("POST", CONFIG_MAPS, config_map(f"listed-{number:03}"))


async def _calls(ours: Server, bare: Server) -> dict[str, _Pair]:
    numbers = itertools.count()
    one = f"{CONFIG_MAPS}/listed-000"
    every = f"{CONFIG_MAPS}?limit=500"

    def fresh() -> dict[str, object]:
        return config_map(f"made-{next(numbers)}", _APART)

    def patch() -> dict[str, object]:
        return {"data": {"key": f"{next(numbers):0100}"}}

    def patched() -> str:
        return f"{CONFIG_MAPS}/listed-{next(numbers) % 16:03}"

    await bare.send("PUT", "/one", await ours.send("GET", one))
    await bare.send("PUT", "/every", await ours.send("GET", every))
    return {
        "get": _Pair(lambda: ours.send("GET", one), lambda: bare.send("GET", "/one")),
        "list": _Pair(lambda: ours.send("GET", every), lambda: bare.send("GET", "/every")),
        "create": _Pair(
            lambda: ours.send("POST", _MADE, fresh()),
            lambda: bare.send("POST", "/one", fresh()),
        ),
        "patch": _Pair(lambda: ours.patch(patched(), patch()), lambda: bare.patch("/one", patch())),
    }


async def _alternating(pair: _Pair, count: int, place: Home | None = None) -> _Medians:
    found = _Medians()
    for _ in range(_ROUNDS):
        found.bare.append(median(await one_by_one(pair.bare, count)))
        found.ours.append(median(await one_by_one(pair.ours, count)))
        if place is not None:
            found.fsync.append(median(synced(place.root, count)))
    return found


async def _reads(calls: dict[str, _Pair]) -> list[Figure]:
    get = await _alternating(calls["get"], 60)
    every = await _alternating(calls["list"], 20)
    return [
        Figure(name="GET, p50", value=get.ratio, unit="x bare", bar=4),
        Figure(name="GET, p50", value=median(get.ours), unit="ms", real="3.6 ms"),
        Figure(name="GET, p50, bare", value=median(get.bare), unit="ms"),
        Figure(name="LIST 200, p50", value=every.ratio, unit="x bare", bar=3),
        Figure(name="LIST 200, p50", value=median(every.ours), unit="ms", real="8.0 ms"),
    ]


async def _writes(calls: dict[str, _Pair], place: Home) -> list[Figure]:
    create = await _alternating(calls["create"], 40, place)
    patch = await _alternating(calls["patch"], 40, place)
    return [
        _write("CREATE, durable, p50", create, 6, "7.4 ms"),
        _write("PATCH (merge), p50", patch, 7, "8.6 ms"),
        Figure(name="fsync of 4 KiB, p50", value=median(create.fsync + patch.fsync), unit="ms"),
    ]


def _write(name: str, found: _Medians, times: int, real: str) -> Figure:
    bare, fsync = median(found.bare), median(found.fsync)
    return Figure(
        name=name,
        value=median(found.ours),
        unit="ms",
        bar=times * bare + 1.5 * fsync,
        of=f"{times}x bare {bare:.2f} + 1.5x fsync {fsync:.2f}",
        real=real,
    )


async def _throughput(calls: dict[str, _Pair]) -> list[Figure]:
    get, create, bare = list[float](), list[float](), list[float]()
    for _ in range(_ROUNDS // 2):
        bare.append(await at_once(calls["get"].bare, 800))
        get.append(await at_once(calls["get"].ours, 400))
        create.append(await at_once(calls["create"].ours, 200))
    return [
        _rate("GET, 16 connections", get, bare, 0.35, "588 req/s, best 1325"),
        Figure(name="GET, 16 connections", value=median(get), unit="req/s"),
        _rate("CREATE, 16 connections", create, bare, 0.25, "347 req/s, best 475"),
        Figure(name="CREATE, 16 connections", value=median(create), unit="req/s"),
        Figure(name="GET, 16 connections, bare", value=median(bare), unit="req/s"),
    ]


def _rate(name: str, ours: list[float], bare: list[float], bar: float, real: str) -> Figure:
    ratio = median(a / b for a, b in zip(ours, bare, strict=True))
    return Figure(name=name, value=ratio, unit="x bare GET", bar=bar, at_least=True, real=real)


def _fsyncs(place: Home) -> Iterator[Figure]:
    """How often the log is synced for a write; needs strace, and the right to use it."""
    if shutil.which("strace") is None:
        print("fsyncs of a group: not measured, there is no strace")
        return
    for connections in (1, 16):
        name = f"fsyncs a write, {connections} connection{'s' * (connections > 1)}"
        yield Figure(name=name, value=_syncs_for(place, connections), unit="", bar=1)


def _syncs_for(place: Home, connections: int) -> float:
    with _traced(place) as syncs:
        writes = asyncio.run(_create(place, connections))
    return sum(syncs) / writes


async def _create(place: Home, connections: int) -> int:
    """Create many; the number of writes meanwhile, others' too."""
    async with sandbox(place) as ours:
        numbers = itertools.count()
        prefix = f"traced-{connections}"

        def create() -> Awaitable[bytes]:
            name = f"{prefix}-{next(numbers)}"
            return ours.send("POST", _MADE, config_map(name, _APART))

        first = await create()
        await at_once(create, _TRACED, connections)
        return _version(await create()) - _version(first) + 1


def _version(answer: bytes) -> int:
    return int(json.loads(answer)["metadata"]["resourceVersion"])


@contextmanager
def _traced(place: Home) -> Generator[list[int]]:
    """Fill the list with 1 for each sync of the log; without those of SQLite's checkpoints."""
    output = place.root / "strace"
    command = ["strace", "-f", "-y", "-qq", "-e", "trace=fdatasync,fsync", "-o", str(output)]
    process = subprocess.Popen([*command, "-p", str(place.pid)])
    syncs: list[int] = []
    try:
        time.sleep(1)
        yield syncs
    finally:
        process.terminate()
        process.wait()
    # A checkpoint syncs the database once, and for it the log and the head of the next log.
    syncs.extend(1 if found[1] else -2 for found in _SYNC.finditer(output.read_text()))
