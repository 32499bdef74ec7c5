import json
import os
import sqlite3
import subprocess
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tutor.errors import ProgressError
from tutor.session import record
from tutor.session.event import HintAsked, Latched, Passed
from tutor.session.journal import Journal
from tutor.session.lock import only_here
from tutor.session.record import Progress, Unreadable, read_record, write_record

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]


def progress(current: str = "a", environment: str = "sandbox") -> Progress:
    return Progress(lesson="l", environment=environment, current=current).with_step(
        "a", hints_shown=2, done="passed", done_at=AT, answers={"q": "größe"}
    )


def test_progress_is_the_same_after_it_was_saved(tmp_path: Path) -> None:
    with Journal(tmp_path / "deep" / "progress.db") as journal:
        assert journal.load("l", "sandbox") is None
        journal.save(progress(), Passed("a", AT))
        journal.save(progress("b"), HintAsked("b", AT))
        journal.save(progress("c", "kind"))
    with Journal(tmp_path / "deep" / "progress.db") as journal:
        assert journal.load("l", "sandbox") == progress("b")
        assert journal.all() == [progress("c", "kind"), progress("b")]
        assert journal.events("l", "sandbox") == [
            {"at": "2026-01-02T03:04:05+00:00", "kind": "Passed", "step": "a"},
            {"at": "2026-01-02T03:04:05+00:00", "kind": "HintAsked", "step": "b"},
        ]
        assert journal.forget("l", "sandbox")
        assert not journal.forget("l", "sandbox")
        assert journal.load("l", "sandbox") is None


def test_file_is_private(tmp_path: Path) -> None:
    with Journal(tmp_path / "home" / "progress.db") as journal:
        journal.save(progress())
    assert (tmp_path / "home" / "progress.db").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("damage", ["not a database at all " * 50, ""])
def test_damaged_file_is_kept_under_another_name(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "progress.db"
    with Journal(file) as journal:
        journal.save(progress())
    data = bytearray(file.read_bytes())
    if damage:
        data = bytearray(damage.encode())
    else:
        data[4096 + 100 : 4096 + 2000] = b"\x00" * 1900
        data[100:200] = b"\xff" * 100
    file.write_bytes(data)
    with pytest.raises(ProgressError, match="is damaged") as caught:
        Journal(file)
    kept = tmp_path / "progress.db.damaged-1"
    assert str(kept) in caught.value.next_action
    assert kept.read_bytes() == data
    with Journal(file) as journal:
        assert journal.load("l", "sandbox") is None
        journal.save(progress())
    file.write_bytes(data)
    with pytest.raises(ProgressError):
        Journal(file)
    assert (tmp_path / "progress.db.damaged-2").exists()


@pytest.mark.parametrize(
    "document", ["{", "[]", "{}", '{"version": 1}', '{"version": "x"}', '{"version": 1, "a": 2}']
)
def test_damaged_document_is_kept_with_its_file(tmp_path: Path, document: str) -> None:
    file = tmp_path / "progress.db"
    with Journal(file) as journal:
        journal.save(progress())
    with sqlite3.connect(file) as database:
        database.execute("UPDATE progress SET document = ?", (document,))
    database.close()
    with Journal(file) as journal, pytest.raises(ProgressError, match="is damaged"):
        journal.load("l", "sandbox")
    assert (tmp_path / "progress.db.damaged-1").exists()


def test_document_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "progress.db"
    with Journal(file) as journal:
        journal.save(progress())
    with sqlite3.connect(file) as database:
        database.execute("UPDATE progress SET document = ?", ('{"version": 99}',))
    database.close()
    with Journal(file) as journal, pytest.raises(ProgressError, match="newer version") as caught:
        journal.load("l", "sandbox")
    assert caught.value.next_action == "Install the newer version again."
    assert file.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o500)
    with pytest.raises(ProgressError, match="cannot be saved") as caught:
        Journal(folder / "progress.db")
    assert "TUTOR_HOME" in caught.value.next_action


def test_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("", encoding="utf-8")
    with pytest.raises(ProgressError, match="cannot be saved") as caught:
        Journal(tmp_path / "home" / "progress.db")
    assert "TUTOR_HOME" in caught.value.next_action


def test_full_disk_is_said_and_loses_nothing(tmp_path: Path) -> None:
    file = tmp_path / "progress.db"
    with Journal(file) as journal:
        journal.save(progress())
        full(journal)
        with pytest.raises(ProgressError, match="is full") as caught:
            journal.save(progress("b").with_step("b", answers={"q": "x" * 100_000}))
        assert "Free some space" in caught.value.next_action
    with Journal(file) as journal:
        assert journal.load("l", "sandbox") == progress()


def full(journal: Journal) -> None:
    """Let the file grow no further, as on a full disk: SQLite reports both alike."""
    pages = journal._database.execute("PRAGMA page_count").fetchone()[0]
    journal._database.execute(f"PRAGMA max_page_count = {pages}")


def test_file_that_another_program_keeps_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tutor.session.journal.BUSY_S", 0.05)
    file = tmp_path / "progress.db"
    with Journal(file) as journal:
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ProgressError, match="Another program keeps"):
            journal.save(progress())
        other.execute("ROLLBACK")
        other.close()
        journal.save(progress())


WRITER = """
    import sys
    from datetime import UTC, datetime
    from pathlib import Path
    from tutor.session.event import HintAsked
    from tutor.session.journal import Journal
    from tutor.session.record import Progress
    at = datetime(2026, 1, 2, tzinfo=UTC)
    with Journal(Path(sys.argv[1])) as journal:
        n = 0
        while True:
            n += 1
            progress = Progress(lesson="l", environment="sandbox", current="a")
            journal.save(progress.with_step("a", hints_shown=n), HintAsked("a", at))
            print(n, flush=True)
"""


def test_nothing_that_was_saved_is_lost_when_the_program_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "progress.db"
    for acknowledged in (1, 7, 30):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WRITER), str(file)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert process.stdout is not None
        last = 0
        while last < acknowledged:
            last = int(process.stdout.readline())
        process.kill()
        rest = process.stdout.read().split("\n")
        last = max([last, *(int(line) for line in rest[:-1])])
        process.wait()
        process.stdout.close()
        with Journal(file) as journal:
            saved = journal.load("l", "sandbox")
            assert saved is not None
            assert last <= saved.step("a").hints_shown <= last + 1
            assert journal.forget("l", "sandbox")


def test_lesson_is_held_by_one_program_that_is_named(tmp_path: Path) -> None:
    holder = (
        "import sys, datetime, pathlib\nfrom tutor.session.lock import only_here\n"
        "now = datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.UTC)\n"
        "with only_here(pathlib.Path(sys.argv[1]), 'l', now=now):\n"
        "    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", holder, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == b"held\n"
    with pytest.raises(ProgressError, match="is open in another tutor") as caught:  # noqa: SIM117
        with only_here(tmp_path, "l", now=AT):
            pass
    assert f"process {process.pid}" in caught.value.message
    assert caught.value.next_action == f"Go on there, or end it with: kill {process.pid}"
    with only_here(tmp_path, "other", now=AT):
        pass
    process.kill()
    process.wait()
    process.stdout.close()
    process.stdin.close()
    for _ in range(2):
        with only_here(tmp_path, "l", now=AT):
            pass


def test_older_document_is_brought_to_the_version_of_today(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def from_zero(document: dict[str, Any]) -> dict[str, Any]:
        kept = {key: value for key, value in document.items() if key != "at"}
        return {**kept, "version": 1, "current": document["at"]}

    monkeypatch.setattr(record, "MIGRATIONS", {0: from_zero})
    old = {"version": 0, "lesson": "l", "environment": "sandbox", "at": "b"}
    assert read_record(old).current == "b"


def test_saved_document_is_read_back_whole() -> None:
    assert read_record(json.loads(write_record(progress()))) == progress()
    with pytest.raises(Unreadable, match="not a document"):
        read_record([])
    document = json.loads(write_record(progress()))
    wrong: tuple[Any, ...] = ([], {}, "perhaps")
    for done in wrong:
        with pytest.raises(Unreadable, match="`done` is"):
            read_record({**document, "steps": {"a": {"done": done}}})


def test_latched_event_keeps_its_facts(tmp_path: Path) -> None:
    with Journal(tmp_path / "progress.db") as journal:
        journal.save(progress(), Latched("a", ("f", "g"), AT))
        assert journal.events("l", "sandbox")[0]["facts"] == ["f", "g"]
