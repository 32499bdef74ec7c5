"""The log behind a store: durable before acknowledged, in groups, and honest when it fails."""

import asyncio
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tutor.errors import ClusterError
from tutor.sandbox.kinds import GroupResource, Key, Object
from tutor.sandbox.log import Log, Unwritable
from tutor.sandbox.store import Event, Store

MAPS = GroupResource("", "configmaps")
ROOT = Path(__file__).resolve().parents[2]
KILLS = 50


def encode(obj: Object) -> bytes:
    return json.dumps(obj).encode()


@asynccontextmanager
async def opened(folder: Path) -> AsyncGenerator[tuple[Store, Log]]:
    store = Store()
    log = Log(folder / "log.db", store)
    async with log.opened():
        yield store, log


def write(store: Store, log: Log, name: str, data: str = "") -> int:
    obj: Object = {"metadata": {"name": name}, "data": data}
    return logged(log, store.put(Key("", "configmaps", "here", name), obj, encode))


def remove(store: Store, log: Log, name: str) -> int:
    key = Key("", "configmaps", "here", name)
    return logged(log, store.delete(key, {"metadata": {"name": name}}, encode))


def logged(log: Log, event: Event) -> int:
    log.append(event.past)
    return event.stored.revision


async def under_way(log: Log) -> None:
    """Let what was written be on its way to the file."""
    for _ in range(10):
        if not log._group:
            return
        await asyncio.sleep(0)
    raise AssertionError("nothing begins to write")


def limit_pages(log: Log, pages: int) -> None:
    """Let the file have no more than so many pages, as on a full disk; 0 for no limit."""
    database = log._database
    assert database is not None
    database.execute(f"PRAGMA max_page_count={pages or 1_000_000}").fetchone()


async def test_acknowledged_writes_are_there_after_a_new_start(tmp_path: Path) -> None:
    async with opened(tmp_path) as (store, log):
        write(store, log, "a", "1")
        write(store, log, "b")
        write(store, log, "a", "2")
        await log.durable(remove(store, log, "b"))
        before = store.objects(MAPS)
        history = store.since(0, MAPS)
    async with opened(tmp_path) as (store, log):
        assert store.objects(MAPS) == before
        assert [one.object["data"] for one in before] == ["2"]
        assert store.since(0, MAPS) == history
        assert [past.previous is None for past in history] == [True, True, False, False]
        assert write(store, log, "c") == 5


async def test_writes_of_one_turn_share_a_transaction(tmp_path: Path) -> None:
    async with opened(tmp_path) as (store, log):
        for number in range(50):
            write(store, log, f"a{number}")
        assert store.published == 0
        await log.durable(1)
        assert store.published == 50


async def test_writes_made_while_one_is_under_way_share_the_next_transaction(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (store, log):
        rounds: list[int] = []
        write(store, log, "first")
        await under_way(log)
        for name in ("second", "third", "fourth"):
            write(store, log, name)
        for revision in (1, 2, 3, 4):
            await log.durable(revision)
            rounds.append(store.published)
        assert rounds == [1, 4, 4, 4]


async def test_writes_of_the_turns_that_follow_share_the_transaction_of_the_first(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (store, log):
        write(store, log, "first")
        for name in ("second", "third"):
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            write(store, log, name)
        await log.durable(1)
        assert store.published == 3


async def test_writes_that_come_in_every_turn_are_not_waited_for_for_ever(tmp_path: Path) -> None:
    async with opened(tmp_path) as (store, log):
        while not store.published:
            write(store, log, "a")
            await asyncio.sleep(0)


async def test_file_of_before_the_triggers_is_written_on(tmp_path: Path) -> None:
    async with opened(tmp_path) as (store, log):
        await log.durable(write(store, log, "a"))
    with sqlite3.connect(tmp_path / "log.db") as database:
        database.executescript("DROP TRIGGER put; DROP TRIGGER remove;")
    database.close()
    async with opened(tmp_path) as (store, log):
        remove(store, log, "a")
        await log.durable(write(store, log, "b"))
    async with opened(tmp_path) as (store, _):
        assert [one.key.name for one in store.objects(MAPS)] == ["b"]


async def test_listeners_hear_of_a_write_only_when_another_connection_could_read_it(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (store, log):
        seen: list[tuple[int, int]] = []

        def look(event: Event) -> None:
            with sqlite3.connect(tmp_path / "log.db") as other:
                (count,) = other.execute("SELECT count(*) FROM current").fetchone()
            other.close()
            seen.append((event.stored.revision, count))

        store.subscribe(None, look)
        for number in range(3):
            write(store, log, f"a{number}")
        await log.durable(3)
        assert [revision for revision, _ in seen] == [1, 2, 3]
        assert all(count == 3 for _, count in seen)


async def test_closing_writes_what_is_under_way_first(tmp_path: Path) -> None:
    async with opened(tmp_path) as (store, log):
        write(store, log, "a")
        await under_way(log)
        write(store, log, "b")
    assert store.published == 2
    async with opened(tmp_path) as (store, _):
        assert [one.key.name for one in store.objects(MAPS)] == ["a", "b"]


async def test_write_to_a_closed_log_is_taken_back(tmp_path: Path) -> None:
    async with opened(tmp_path) as (store, log):
        await log.durable(write(store, log, "a"))
    revision = write(store, log, "late")
    with pytest.raises(Unwritable):
        await log.durable(revision)
    assert [one.key.name for one in store.objects(MAPS)] == ["a"]


async def test_full_disk_takes_back_the_whole_group_and_later_writes_work_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(tmp_path) as (store, log):
        await log.durable(write(store, log, "kept"))
        limit_pages(log, 12)
        big = "x" * 200_000
        revisions = [write(store, log, "kept", big), write(store, log, "new", big)]
        with pytest.raises(Unwritable, match="database or disk is full"):
            await log.durable(revisions[0])
        with pytest.raises(Unwritable):
            await log.durable(revisions[1])
        assert [one.object["data"] for one in store.objects(MAPS)] == [""]
        assert "log not written" in caplog.messages
        limit_pages(log, 0)
        again = write(store, log, "after", big)
        assert again == revisions[0]
        await log.durable(again)
    async with opened(tmp_path) as (store, _):
        assert [one.key.name for one in store.objects(MAPS)] == ["after", "kept"]
        assert store.revision == again


async def test_writes_that_wait_behind_a_failed_group_fail_with_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as (store, log):
        limit_pages(log, 12)
        first = write(store, log, "a", "x" * 200_000)
        await under_way(log)
        second = write(store, log, "b")
        for revision in (first, second):
            with pytest.raises(Unwritable):
                await log.durable(revision)
        assert store.objects(MAPS) == []


async def test_old_history_is_trimmed_from_the_file_and_the_present_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tutor.sandbox.log._HISTORY_ROWS", 100)
    async with opened(tmp_path) as (store, log):
        await log.durable(write(store, log, "first"))
        for number in range(1_200):
            write(store, log, "other", str(number))
        await log.durable(write(store, log, "last"))
    async with opened(tmp_path) as (store, _):
        assert [one.key.name for one in store.objects(MAPS)] == ["first", "last", "other"]
        assert store.revision == 1_202
        assert store.oldest == 1_101


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"\x00" * 4_096])
async def test_file_that_is_no_log_is_refused_with_what_to_do(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "log.db").write_bytes(content)
    with pytest.raises(ClusterError) as caught:
        async with opened(tmp_path):
            pass
    assert str(tmp_path / "log.db") in caught.value.message
    assert str(tmp_path) in caught.value.next_action


async def test_log_of_another_format_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path) as (store, log):
        await log.durable(write(store, log, "a"))
    with sqlite3.connect(tmp_path / "log.db") as database:
        database.execute("UPDATE meta SET value=2")
    database.close()
    with pytest.raises(ClusterError, match="format 2 is not format 1"):
        async with opened(tmp_path):
            pass


async def test_log_with_a_row_that_is_no_json_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path) as (store, log):
        await log.durable(write(store, log, "a"))
    with sqlite3.connect(tmp_path / "log.db") as database:
        database.execute("UPDATE current SET data=x'7b'")
    database.close()
    with pytest.raises(ClusterError, match="cannot be opened"):
        async with opened(tmp_path):
            pass


async def test_file_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="unable to open database file"):
        async with opened(tmp_path / "nowhere"):
            pass


class Writers:
    """A process that starts writers, which are killed."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.sandbox.log_writer", str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def killed_after(self, acknowledgements: int) -> list[tuple[str, int]]:
        """Run a writer, kill it after so many acknowledgements; all that it acknowledged."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"go\n")
        self._process.stdin.flush()
        pid = int(self._line().removeprefix("pid "))
        seen = [self._acknowledged(self._line()) for _ in range(acknowledgements)]
        os.kill(pid, signal.SIGKILL)
        while (line := self._line()) != "dead":
            seen.append(self._acknowledged(line))
        return seen

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().decode().strip()

    def _acknowledged(self, line: str) -> tuple[str, int]:
        name, revision = line.split(" ")
        return name, int(revision)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


async def test_log_killed_50_times_while_writing_has_every_acknowledged_write(
    tmp_path: Path,
) -> None:
    writers = Writers(tmp_path)
    chance = random.Random(5)
    acknowledged: dict[str, int] = {}
    try:
        for _ in range(KILLS):
            for name, revision in writers.killed_after(chance.randrange(60)):
                acknowledged[name] = max(revision, acknowledged.get(name, 0))
            async with opened(tmp_path) as (store, _):
                stored = {one.key.name: one.revision for one in store.objects(MAPS)}
                history = [past.revision for past in store.since(store.oldest, MAPS)]
            assert all(stored.get(name, 0) >= rev for name, rev in acknowledged.items())
            assert history == list(range(1, store.revision + 1))
    finally:
        writers.close()
    assert len(acknowledged) > KILLS
