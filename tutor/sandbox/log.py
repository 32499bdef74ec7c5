"""The durable half of a cluster's state: a SQLite log, written in groups.

Writes that are made while one transaction is under way share the next one. SQLite runs in WAL mode
with synchronous=FULL, so that an acknowledged write outlives a crash of the machine; the commit
runs in a thread of its own and never holds the event loop.

The thread and the loop take turns with Python's lock, and each turn costs as much as the reading of
a request. So a group is one statement where it can be, and it begins when the loop has no more to
add to it: then the loop mostly waits, and lets the thread work.
"""

import asyncio
import json
import logging
import sqlite3
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Any

from tutor.errors import ClusterError
from tutor.sandbox.kinds import Key
from tutor.sandbox.store import Past, Store, Stored

log = logging.getLogger(__name__)

_FORMAT = 1
_HISTORY_ROWS = 10_000
_DRAIN_S = 10.0
_ROWS = 64
"""Of one statement; SQLite keeps the last 128 statements prepared."""
_STILL_TURNS = 2
"""Of the loop: what arrives in one is a write in the next."""
_INSERT = "INSERT INTO history VALUES "
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS current (
  grp TEXT NOT NULL, resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
  revision INTEGER NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY (grp, resource, namespace, name)
);
CREATE TABLE IF NOT EXISTS history (
  revision INTEGER PRIMARY KEY, change TEXT NOT NULL,
  grp TEXT NOT NULL, resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
  data BLOB NOT NULL
);
CREATE TRIGGER IF NOT EXISTS put AFTER INSERT ON history WHEN NEW.change <> 'DELETED' BEGIN
  INSERT OR REPLACE INTO current
  VALUES (NEW.grp, NEW.resource, NEW.namespace, NEW.name, NEW.revision, NEW.data);
END;
CREATE TRIGGER IF NOT EXISTS remove AFTER INSERT ON history WHEN NEW.change = 'DELETED' BEGIN
  DELETE FROM current WHERE grp = NEW.grp AND resource = NEW.resource
  AND namespace = NEW.namespace AND name = NEW.name;
END;
"""


class Unwritable(Exception):
    """The log could not be written; the writes of the group are taken back."""


class Log:
    """Makes a store's writes durable and publishes them."""

    def __init__(self, path: Path, store: Store) -> None:
        self._path = path
        self._store = store
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="log")
        self._database: sqlite3.Connection | None = None
        self._group: list[Past] = []
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []
        self._busy = False
        self._seen = 0
        self._still = 0
        self._trimmed = 0

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        """Open the file, load the store, and close the file at the end, when all is written.

        Raises:
            ClusterError: The file cannot be opened or is not a log.
        """
        loop = asyncio.get_running_loop()
        try:
            database = await loop.run_in_executor(self._thread, self._open)
        except (sqlite3.Error, ValueError) as error:
            self._thread.shutdown()
            raise ClusterError(
                f"The cluster's state in {self._path} cannot be opened: {error}.",
                next_action="Free space or mend the permissions, or remove the folder "
                f"{self._path.parent} to start with an empty cluster.",
            ) from error
        self._database = database
        try:
            yield
        finally:
            try:
                await self._drain()
            finally:
                self._database = None
                await loop.run_in_executor(self._thread, database.close)
                self._thread.shutdown()

    async def _drain(self) -> None:
        async with asyncio.timeout(_DRAIN_S):
            while self._busy:
                with suppress(Unwritable):
                    await self.durable(self._store.revision)

    def append(self, past: Past) -> None:
        """Queue a write that the store has already made; a closed log takes it back at once."""
        if self._database is None:
            self._take_back("the log is closed")
            return
        self._group.append(past)
        if not self._busy:
            self._busy = True
            asyncio.get_running_loop().call_soon(self._begin)

    async def durable(self, revision: int) -> None:
        """Wait until the write with that revision outlives a crash.

        Raises:
            Unwritable: It never will; the store has taken it back.
        """
        if revision <= self._store.published:
            return
        if not self._busy:
            raise Unwritable("the write was taken back")
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append((revision, waiter))
        await waiter

    def _begin(self) -> None:
        """Write the group, unless the loop may still add to it."""
        size = len(self._group)
        self._still = 0 if size > self._seen else self._still + 1
        self._seen = size
        if self._still < _STILL_TURNS and size < _ROWS:
            asyncio.get_running_loop().call_soon(self._begin)
            return
        self._seen = 0
        self._start()

    def _start(self) -> None:
        if self._database is None:
            self._take_back("the log is closed")
            return
        group, self._group = self._group, []
        loop = asyncio.get_running_loop()

        def written(done: Future[None]) -> None:
            loop.call_soon_threadsafe(self._finish, group, done.exception())

        self._thread.submit(self._write, self._database, group).add_done_callback(written)

    def _finish(self, group: list[Past], error: BaseException | None) -> None:
        if error is not None:
            log.error("log not written", exc_info=error, extra={"path": str(self._path)})
            self._take_back(str(error))
            return
        self._store.publish(group[-1].revision)
        self._release(self._store.published, None)
        if self._group:
            asyncio.get_running_loop().call_soon(self._begin)
        else:
            self._busy = False

    def _take_back(self, why: str) -> None:
        self._group.clear()
        self._busy = False
        last = self._store.revision
        self._store.rollback()
        self._release(last, Unwritable(why))

    def _release(self, revision: int, error: Unwritable | None) -> None:
        ready = [waiter for wanted, waiter in self._waiters if wanted <= revision]
        self._waiters = [pair for pair in self._waiters if pair[0] > revision]
        for waiter in ready:
            if waiter.done():
                continue
            if error is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(error)

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
        try:
            self._prepare(database)
            self._load(database)
        except (sqlite3.Error, ValueError):
            database.close()
            raise
        return database

    def _prepare(self, database: sqlite3.Connection) -> None:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.executescript(_SCHEMA)
        found = database.execute("SELECT value FROM meta WHERE name='format'").fetchone()
        if found is None:
            database.execute("INSERT INTO meta VALUES ('format', ?)", (_FORMAT,))
        elif found[0] != _FORMAT:
            raise sqlite3.DatabaseError(f"format {found[0]} is not format {_FORMAT}")

    def _load(self, database: sqlite3.Connection) -> None:
        objects = [
            Stored(Key(*row[:4]), json.loads(row[5]), row[4], row[5])
            for row in database.execute(
                "SELECT grp, resource, namespace, name, revision, data FROM current"
            )
        ]
        history: list[Past] = []
        before: dict[Key, bytes | None] = {}
        for row in database.execute(
            "SELECT revision, change, grp, resource, namespace, name, data"
            " FROM history ORDER BY revision"
        ):
            key = Key(*row[2:6])
            history.append(Past(row[1], key, row[0], row[6], before.get(key)))
            before[key] = None if row[1] == "DELETED" else row[6]
        newest = max((stored.revision for stored in objects), default=0)
        revision = history[-1].revision if history else newest
        self._trimmed = history[0].revision if history else revision
        self._store.load(objects, history, revision)

    def _write(self, database: sqlite3.Connection, group: list[Past]) -> None:
        rows = [(past.revision, past.change, *past.key, past.data) for past in group]
        trims = group[-1].revision - self._trimmed > _HISTORY_ROWS + 1_000
        if len(rows) <= _ROWS and not trims:
            _insert(database, rows)  # a transaction of its own
            return
        database.execute("BEGIN IMMEDIATE")
        try:
            for at in range(0, len(rows), _ROWS):
                _insert(database, rows[at : at + _ROWS])
            if trims:
                self._trimmed = group[-1].revision - _HISTORY_ROWS
                database.execute("DELETE FROM history WHERE revision < ?", (self._trimmed,))
            database.execute("COMMIT")
        except sqlite3.Error:
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise


def _insert(database: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Add to the history; what is current follows by the triggers."""
    one = f"({','.join('?' * len(rows[0]))})"
    database.execute(_INSERT + ",".join([one] * len(rows)), list(chain.from_iterable(rows)))
