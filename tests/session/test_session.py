import asyncio
import base64
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.fakes.waiting import until
from tests.fakes.world import Record, Stage
from tutor.clock import SystemClock
from tutor.course.loader import load_lesson
from tutor.probes.base import Collection, Object
from tutor.session.event import Latched, MistakeMade, Passed, Returned, Went
from tutor.session.journal import Journal
from tutor.session.session import Judged, News, Place, Progressed, Session
from tutor.session.shell import StepShell
from tutor.session.state import NotAllowed

ROOT = Path(__file__).resolve().parents[2]
LESSON = load_lesson(ROOT / "tests/course/data/lessons/10-first-secret")
SECRETS = Collection("v1", "Secret", "demo")


def secret(word: str) -> Object:
    return {
        "kind": "Secret",
        "metadata": {"name": "greeting", "namespace": "demo"},
        "type": "Opaque",
        "data": {"word": base64.b64encode(word.encode()).decode()},
    }


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A world without anything in it."""
    folder = tmp_path / "work"
    folder.mkdir()
    return Stage(folder)


def make(stage: Stage) -> Session:
    shell = StepShell()
    journal = Journal(stage.folder.parent / "progress.db")
    place = Place(environment="sandbox", name="sandbox", world=stage.world._replace(shell=shell))
    return Session(LESSON, place, shell=shell, journal=journal, clock=SystemClock())


@asynccontextmanager
async def running(stage: Stage) -> AsyncGenerator[tuple[Session, list[News]]]:
    session = make(stage)
    news: list[News] = []
    session.listen(news.append)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(session.run())
        yield session, news
        task.cancel()
    session._journal.close()


def happened(news: list[News], kind: type) -> list[object]:
    return [
        each.event for each in news if isinstance(each, Progressed) and isinstance(each.event, kind)
    ]


async def test_step_is_passed_when_all_its_facts_are_true(stage: Stage) -> None:
    async with running(stage) as (session, news):
        await until(lambda: session.findings)
        stage.cluster.put(SECRETS, secret("hello\n"))
        await until(lambda: "file word.txt" in session.findings.facts["word-file"].verdict.text)  # pyright: ignore[reportOptionalMemberAccess]
        assert not session.is_done("make-secret")
        (stage.folder / "word.txt").write_text("hello\n", encoding="utf-8")
        await until(lambda: session.is_done("make-secret"))
        assert session.open_steps == {"make-secret", "read-it-back"}
        assert session.step.id == "make-secret"
        assert len(happened(news, Passed)) == 1
        last = next(each for each in reversed(news) if isinstance(each, Judged))
        assert last.findings.are_all_true


async def test_mistake_is_recognised_once_and_saved(stage: Stage) -> None:
    async with running(stage) as (session, news):
        stage.cluster.put(SECRETS, secret("word.txt"))
        await until(lambda: happened(news, MistakeMade))
        stage.cluster.put(SECRETS, secret("x"))
        await until(lambda: session.findings and not session.findings.mistakes)
        stage.cluster.put(SECRETS, secret("word.txt"))
        await until(lambda: session.findings and session.findings.mistakes)
        assert session.progress.step("make-secret").mistakes == ("literal-name",)
        assert len(happened(news, MistakeMade)) == 1


async def test_command_of_an_earlier_step_does_not_count(stage: Stage) -> None:
    stage.cluster.put(SECRETS, secret("hello\n"))
    (stage.folder / "word.txt").write_text("hello\n", encoding="utf-8")
    look = "kubectl get secret greeting -n demo -o jsonpath='{.data.word}'"
    async with running(stage) as (session, news):
        await until(lambda: session.is_done("make-secret"))
        session.command_ended(Record(text=look, output="aGVsbG8K"))
        await session.go_to("read-it-back")
        await until(lambda: session.findings and session.step.id == "read-it-back")
        await asyncio.sleep(0.05)
        assert not session.is_done("read-it-back")
        session.command_ended(Record(text=f"echo {look}", output="aGVsbG8K"))
        session.command_ended(Record(text=look, output="aGVsbG8K"))
        await until(lambda: session.is_done("read-it-back"))
        assert session.progress.finished_at is not None
        assert [type(each) for each in happened(news, Went)] == [Went]
        assert len(happened(news, Latched)) == 1


async def test_session_goes_on_where_it_was(stage: Stage) -> None:
    (stage.folder / "word.txt").write_text("hello\n", encoding="utf-8")
    stage.cluster.put(SECRETS, secret("hello\n"))
    async with running(stage) as (session, _):
        await session.ask_hint()
        await session.answer("encoding", "As base64")
        await until(lambda: session.is_done("make-secret"))
        await session.go_to("read-it-back")
        before = session.progress
    async with running(stage) as (session, _):
        assert session.progress == before
        assert session.step.id == "read-it-back"
        assert session.progress.step("make-secret").hints_shown == 1
        assert session.progress.step("make-secret").answers == {"encoding": "As base64"}


async def test_what_happened_stays_true_after_a_restart(stage: Stage) -> None:
    (stage.folder / "word.txt").write_text("hello\n", encoding="utf-8")
    stage.cluster.put(SECRETS, secret("hello\n"))
    async with running(stage) as (session, _):
        await until(lambda: session.is_done("make-secret"))
        await session.go_to("read-it-back")
        look = "kubectl get secret greeting -o yaml"
        session.command_ended(Record(text=look, output="  word: aGVsbG8K"))
        await until(lambda: session.is_done("read-it-back"))
    async with running(stage) as (session, _):
        await until(lambda: session.findings)
        assert session.findings is not None
        assert session.findings.are_all_true


async def test_step_that_is_not_open_is_refused_and_nothing_is_saved(stage: Stage) -> None:
    async with running(stage) as (session, news):
        with pytest.raises(NotAllowed):
            await session.go_to("read-it-back")
        assert session.step.id == "make-secret"
        assert happened(news, Went) == []


async def test_going_back_judges_the_step_again(stage: Stage) -> None:
    (stage.folder / "word.txt").write_text("hello\n", encoding="utf-8")
    stage.cluster.put(SECRETS, secret("hello\n"))
    async with running(stage) as (session, news):
        await until(lambda: session.is_done("make-secret"))
        await session.go_to("read-it-back")
        stage.cluster.put(SECRETS)
        await session.return_to("make-secret")
        assert not session.is_done("make-secret")
        await until(lambda: session.findings)
        assert len(happened(news, Returned)) == 1
        stage.cluster.put(SECRETS, secret("hello\n"))
        await until(lambda: session.is_done("make-secret"))


async def test_skipping_opens_the_next_step(stage: Stage) -> None:
    async with running(stage) as (session, _):
        await session.skip()
        assert session.next_step == "read-it-back"


KILLED = """
    import asyncio, sys
    from pathlib import Path
    from tests.session.test_session import SECRETS, Stage, running, secret, until

    async def main(folder):
        stage = Stage(folder)
        (folder / "word.txt").write_text("hello\\n", encoding="utf-8")
        async with running(stage) as (session, news):
            session.listen(lambda each: print(type(each).__name__, flush=True))
            stage.cluster.put(SECRETS, secret("hello\\n"))
            await asyncio.sleep(60)

    asyncio.run(main(Path(sys.argv[1])))
"""


def test_what_was_told_is_there_after_a_kill(stage: Stage) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(stage.folder)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    while process.stdout.readline() != "Progressed\n":
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with Journal(stage.folder.parent / "progress.db") as journal:
        saved = journal.load("first-secret", "sandbox")
    assert saved is not None
    assert saved.step("make-secret").done == "passed"
