"""The process killed with -9 at any moment: what was acknowledged is there when it runs again."""

import asyncio
import itertools
import json
import random
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.fakes.sandbox_process import Client, SandboxProcess, client_of, order, sandbox_process
from tutor import paths

KILLS = 50
WRITERS = 6
NAMES = 8
MERGE = "application/merge-patch+json"
WHERE = "/api/v1/namespaces/default/configmaps"
LOST = (aiohttp.ClientError, OSError, json.JSONDecodeError)
"""What a client sees of a server that is killed."""


def whole(number: int) -> dict[str, str]:
    """Data that cannot be half there unnoticed."""
    return {"number": str(number), "filler": sha256(str(number).encode()).hexdigest() * 10}


@dataclass
class Ledger:
    """What clients know of their objects: the number in each, None when it is not there."""

    known: dict[str, int | None] = field(default_factory=dict[str, int | None])
    under_way: dict[str, int | None] = field(default_factory=dict[str, int | None])
    """What an object may be as well: the write was sent, and never answered."""
    acknowledged: int = 0
    version: int = 0
    """The newest resourceVersion of an answer."""
    checkpoint: tuple[int, dict[str, int | None]] = (0, {})
    """The resourceVersion of a list near the end, and what was in it: histories are not endless."""
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def write_until_lost(self, client: Client, writer: int, chance: random.Random) -> None:
        """Create, patch, replace and delete objects, until the server has gone."""
        try:
            while True:
                await self._write(client, f"w{writer}-{chance.randrange(NAMES)}", chance)
        except LOST:
            return

    async def _write(self, client: Client, name: str, chance: random.Random) -> None:
        before = self.known.get(name)
        number = next(self.numbers)
        body: dict[str, Any] = {"metadata": {"name": name}, "data": whole(number)}
        path = f"{WHERE}/{name}"
        asked: tuple[str, str, Any, str]
        after: int | None = number
        if before is None:
            asked = ("POST", WHERE, body, "application/json")
        elif (kind := chance.random()) < 0.2:
            asked, after = ("DELETE", path, None, "application/json"), None
        elif kind < 0.6:
            asked = ("PATCH", path, {"data": whole(number)}, MERGE)
        else:
            asked = ("PUT", path, body, "application/json")
        self.under_way[name] = after
        method, target, content, media = asked
        status, answer = await client.ask(method, target, content, media)
        assert status in (200, 201), answer
        self._acknowledge(name, after, answer)

    def _acknowledge(self, name: str, after: int | None, answer: Any) -> None:
        self.acknowledged += 1
        self.known[name] = after
        del self.under_way[name]
        if after is not None:
            version = int(answer["metadata"]["resourceVersion"])
            assert answer["data"] == whole(after)
            self.version = max(self.version, version)

    async def compare(self, client: Client) -> tuple[int, dict[str, int | None]]:
        """Find every object as it was acknowledged, or as it was to become."""
        status, found = await client.ask("GET", WHERE)
        assert status == 200, found
        assert int(found["metadata"]["resourceVersion"]) >= self.version
        present = {o["metadata"]["name"]: o for o in found["items"] if "number" in o["data"]}
        for name in self.known.keys() | self.under_way.keys() | present.keys():
            obj = present.get(name)
            number = None if obj is None else int(obj["data"]["number"])
            assert obj is None or obj["data"] == whole(int(obj["data"]["number"]))
            allowed = {self.known.get(name), self.under_way.get(name, self.known.get(name))}
            assert number in allowed, f"{name} is {number}, not one of {allowed}"
            self.known[name] = number
        self.under_way.clear()
        return int(found["metadata"]["resourceVersion"]), dict(self.known)


async def replayed(
    client: Client, version: int, state: dict[str, int | None]
) -> dict[str, int | None]:
    """What the history of all writes since a version ends in."""
    query = f"watch=1&resourceVersion={version}&timeoutSeconds=1"
    async with client.session.get(f"{client.url}{WHERE}?{query}") as answer:
        assert answer.status == 200
        async for line in answer.content:
            event = json.loads(line)
            assert event["type"] in ("ADDED", "MODIFIED", "DELETED"), event
            obj = event["object"]
            if "number" in obj["data"]:
                gone = event["type"] == "DELETED"
                assert obj["data"] == whole(int(obj["data"]["number"]))
                state[obj["metadata"]["name"]] = None if gone else int(obj["data"]["number"])
    return state


async def write_until_killed(
    process: SandboxProcess, ledger: Ledger, chance: random.Random, folder: Path, life: int
) -> None:
    """One life of the process: compare what is there, and write until it is killed."""
    await process.start()
    made = await order(process.root, "up")
    assert made["ok"], made
    async with client_of(made["kubeconfig"], folder) as client, asyncio.TaskGroup() as group:
        found = await ledger.compare(client)
        if not ledger.checkpoint[0] and life > KILLS * 3 // 4:
            ledger.checkpoint = found
        for writer in range(WRITERS):
            own = random.Random(chance.random())
            group.create_task(ledger.write_until_lost(client, writer, own))
        moment = chance.uniform(0, 0.25)
        asyncio.get_running_loop().call_later(moment, process.kill)


@pytest.mark.timeout(240)
async def test_sandbox_killed_50_times_while_clients_write_has_every_acknowledged_write(
    tmp_path: Path,
) -> None:
    chance = random.Random(50)
    ledger = Ledger()
    with sandbox_process(tmp_path / "home") as process:
        for life in range(KILLS):
            await write_until_killed(process, ledger, chance, tmp_path, life)
        await process.start()
        made = await order(process.root, "up")
        async with client_of(made["kubeconfig"], tmp_path) as client:
            _, found = await ledger.compare(client)
            assert await replayed(client, *ledger.checkpoint) == found
        process.kill()
        logged = process.log()
    # Writes went on between the kills; how many depends on the machine.
    assert ledger.acknowledged > KILLS
    assert "traceback" not in logged
    file = paths.sandbox_dir(process.root) / "clusters" / "sandbox" / "log.db"
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.timeout(120)
async def test_sandbox_killed_while_it_makes_a_cluster_has_it_whole_or_not_at_all(
    tmp_path: Path,
) -> None:
    chance = random.Random(7)
    with sandbox_process(tmp_path / "home") as process:
        for number in range(12):
            await process.start()
            _, writer = await asyncio.open_unix_connection(paths.socket_path(process.root))
            writer.write(json.dumps({"do": "create-cluster", "name": "a"}).encode() + b"\n")
            await asyncio.sleep(chance.uniform(0, 0.35))
            process.kill()
            writer.close()
            await process.start()
            known = (await order(process.root, "clusters"))["clusters"]
            folders = paths.sandbox_dir(process.root) / "clusters"
            assert [folder.name for folder in folders.iterdir()] == known
            made = await order(process.root, "kubeconfig" if known else "create-cluster", name="a")
            assert made["ok"], (number, made)
            async with client_of(made["kubeconfig"], tmp_path) as client:
                assert (await client.ask("GET", "/api/v1/nodes"))[0] == 200
            assert (await order(process.root, "delete-cluster", name="a"))["ok"]
            process.kill()
