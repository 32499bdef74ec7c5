"""Lessons played in a home folder of their own, and moments of it to come back to."""

import asyncio
import shutil
import signal
import subprocess
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.lessons.looking import PLACE
from tutor import paths
from tutor.cli.cluster import stop
from tutor.cli.control import ask, is_running
from tutor.cli.ground import Wanted
from tutor.cli.run import Stage, scripted_editor, stage
from tutor.course.model import Lesson
from tutor.session.player import Player
from tutor.session.session import Session
from tutor.session.typist import Typist
from tutor.terminal.screen import Geometry

SIZE = Geometry(columns=160, lines=40)
LOGIN = "pinniped-kubeconfig.yaml"
LOGIN_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A lesson that runs, and somebody who plays it."""

    stage: Stage
    player: Player

    @property
    def session(self) -> Session:
        return self.stage.session

    async def type(self, command: str) -> str:
        """Type a command as a learner would; what it printed."""
        record = await self.stage.shell.run(command)
        return "" if record is None else record.output

    async def until_login(self) -> None:
        """Wait until a login that the lesson has made works, or is refused by who should.

        A cluster that has come back starts its pods again: for a moment nobody answers.
        """
        folder = self.stage.folder.root
        if not (folder / LOGIN).exists():
            return
        async with asyncio.timeout(LOGIN_LIMIT_S):
            while "Unable to connect" in await self._ask_as_pinny(folder):
                pass

    async def _ask_as_pinny(self, folder: Path) -> str:
        environment = dict(self.stage.environment)
        program = shutil.which("kubectl", path=environment["PATH"])
        asked = await asyncio.create_subprocess_exec(
            *(str(program), "get", "namespaces", "--kubeconfig", LOGIN),
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return (await asked.communicate())[0].decode()


@asynccontextmanager
async def rehearsing(lesson: Lesson, root: Path) -> AsyncGenerator[Rehearsal]:
    """Go on with a lesson in a home folder, at the pace of tests, until the block ends."""
    work = paths.work_dir(root, lesson.id, PLACE)
    script = root / "edit.json"
    editor = scripted_editor(script, work)
    user = root / "user"
    user.mkdir(parents=True, exist_ok=True)
    wanted = Wanted(
        lesson=lesson,
        on=PLACE,
        root=root,
        shell="/bin/bash",
        own_rc=False,
        pace="instant",
        extra={"HOME": str(user), "EDITOR": editor, "KUBE_EDITOR": editor, "VISUAL": editor},
    )
    try:
        async with stage(wanted) as found, asyncio.TaskGroup() as group:
            await found.shell.start(SIZE)
            await found.shell.wait_prompt()
            typist = Typist(shell=found.shell, lesson=lesson, folder=found.folder, script=script)
            player = Player(found.session, found.shell, typist)
            running = group.create_task(found.session.run(), name="session")
            yield Rehearsal(found, player)
            running.cancel()
    finally:
        stop(root)


@contextmanager
def _frozen(root: Path) -> Generator[None]:
    """Nothing of the sandbox moves, as if it had just been killed."""
    if not is_running(root):
        yield
        return
    process = psutil.Process(ask(root, "status")["pid"])
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def keep(root: Path, moment: Path) -> None:
    """Copy the home folder of a lesson, whose sandbox may run."""
    with _frozen(root):
        shutil.copytree(root, moment, ignore=shutil.ignore_patterns("socket", "lock", "pid"))


def go_back(root: Path, moment: Path) -> None:
    """Bring the home folder back to a moment that was kept."""
    if is_running(root):
        stop(root)
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(moment, root)
