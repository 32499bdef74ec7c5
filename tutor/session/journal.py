"""Progress and what led to it, in SQLite: one file for all lessons, one app for each lesson.

A change and its event are one transaction, on disk before anybody is told. Source: sqlite.org,
*Write-Ahead Logging* and *PRAGMA synchronous*.
"""

import json
import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, Self, cast

from tutor.errors import ProgressError
from tutor.session.record import Progress, Unreadable, read_record, write_record

BUSY_S = 5.0
"""How long to wait for another process that writes."""

_TABLES = """
CREATE TABLE IF NOT EXISTS progress (
    lesson TEXT NOT NULL,
    environment TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (lesson, environment)
) STRICT;
CREATE TABLE IF NOT EXISTS event (
    id INTEGER PRIMARY KEY,
    lesson TEXT NOT NULL,
    environment TEXT NOT NULL,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    details TEXT NOT NULL
) STRICT;
"""


class Happening(Protocol):
    """A dataclass of something that happened: `tutor.session.event` has them."""

    @property
    def at(self) -> datetime:
        """When."""
        ...


class Journal:
    """The saved progress of all lessons. Threads may share it."""

    def __init__(self, file: Path) -> None:
        """Open or make the file. Raises `ProgressError`."""
        self._file = file
        self._lock = threading.Lock()
        with self._failing():
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._database = _opened(file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def load(self, lesson: str, environment: str) -> Progress | None:
        """What is saved of a lesson; None when nothing is. Raises `ProgressError`."""
        query = "SELECT document FROM progress WHERE lesson = ? AND environment = ?"
        with self._failing(), self._lock:
            row = self._database.execute(query, (lesson, environment)).fetchone()
        return None if row is None else self._progress(row[0])

    def all(self) -> list[Progress]:
        """All that is saved, by lesson. Raises `ProgressError`."""
        query = "SELECT document FROM progress ORDER BY lesson, environment"
        with self._failing(), self._lock:
            rows = self._database.execute(query).fetchall()
        return [self._progress(row[0]) for row in rows]

    def save(self, progress: Progress, event: Happening | None = None) -> None:
        """Save progress together with the event that led to it. Raises `ProgressError`."""
        key = (progress.lesson, progress.environment)
        with self._failing(), self._lock, self._database:
            self._database.execute(
                "INSERT OR REPLACE INTO progress VALUES (?, ?, ?)",
                (*key, write_record(progress)),
            )
            if event is not None:
                self._database.execute(
                    "INSERT INTO event VALUES (NULL, ?, ?, ?, ?, ?)",
                    (*key, event.at.isoformat(), type(event).__name__, _details(event)),
                )

    def events(self, lesson: str, environment: str) -> list[dict[str, Any]]:
        """What happened in a lesson, first to last: `at`, `kind` and the event's own fields."""
        query = """
            SELECT at, kind, details FROM event WHERE lesson = ? AND environment = ? ORDER BY id
        """
        with self._failing(), self._lock:
            rows = self._database.execute(query, (lesson, environment)).fetchall()
        return [{"at": at, "kind": kind, **json.loads(details)} for at, kind, details in rows]

    def forget(self, lesson: str, environment: str) -> bool:
        """Delete what is saved of a lesson; its events stay. Whether there was something."""
        statement = "DELETE FROM progress WHERE lesson = ? AND environment = ?"
        with self._failing(), self._lock, self._database:
            return self._database.execute(statement, (lesson, environment)).rowcount > 0

    def _progress(self, document: str) -> Progress:
        try:
            return read_record(json.loads(document))
        except (ValueError, Unreadable) as error:
            if isinstance(error, Unreadable) and error.is_newer:
                raise ProgressError(
                    f"The progress in {self._file} cannot be used: {error}.",
                    next_action="Install the newer version again.",
                ) from error
            raise self._set_aside(str(error)) from error

    @contextmanager
    def _failing(self) -> Generator[None]:
        """Say what a failing file means for the learner."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise self._in_words(error) from error
        except OSError as error:
            raise _unwritable(self._file, error.strerror or str(error)) from error

    def _in_words(self, error: sqlite3.DatabaseError) -> ProgressError:
        match getattr(error, "sqlite_errorcode", 0) & 0xFF:
            case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
                return self._set_aside(str(error))
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return ProgressError(
                    f"Another program keeps {self._file} busy.",
                    next_action="Close whatever has that file open, and start tutor again.",
                )
            case sqlite3.SQLITE_FULL:
                return ProgressError(
                    f"Your progress cannot be saved: the disk of {self._file.parent} is full.",
                    next_action="Free some space there; nothing that was saved is lost.",
                )
            case _:
                return _unwritable(self._file, str(error))

    def _set_aside(self, why: str) -> ProgressError:
        """Keep a damaged file under another name, so that the next start begins anew."""
        with self._lock:
            if database := getattr(self, "_database", None):
                database.close()
        kept = _free_name(self._file)
        for suffix in ("", "-wal", "-shm"):
            part = self._file.with_name(self._file.name + suffix)
            if part.exists():
                part.rename(kept.with_name(kept.name + suffix))
        return ProgressError(
            f"The saved progress in {self._file} is damaged ({why}).",
            next_action=f"It is kept as {kept}. Start tutor again: it begins with no progress.",
        )


def _opened(file: Path) -> sqlite3.Connection:
    database = sqlite3.connect(file, timeout=BUSY_S, check_same_thread=False)
    try:
        file.chmod(0o600)
        database.execute("PRAGMA journal_mode = WAL")
        # FULL: what was told as done is done, also after a power cut.
        database.execute("PRAGMA synchronous = FULL")
        database.executescript(_TABLES)
        (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise _Damaged(found)
    except BaseException:
        database.close()
        raise
    return database


class _Damaged(sqlite3.DatabaseError):
    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


def _details(event: Happening) -> str:
    fields = {name: value for name, value in asdict(cast("Any", event)).items() if name != "at"}
    return json.dumps(fields)


def _unwritable(file: Path, why: str) -> ProgressError:
    return ProgressError(
        f"Your progress cannot be saved in {file}: {why}.",
        next_action=f"Make the folder {file.parent} writable, or set TUTOR_HOME to one that is.",
    )


def _free_name(file: Path) -> Path:
    number = 1
    while (kept := file.with_name(f"{file.name}.damaged-{number}")).exists():
        number += 1
    return kept
