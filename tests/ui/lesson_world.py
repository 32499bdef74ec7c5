"""A lesson on the screen: the real app, session and shell, in a world that a test changes."""

import asyncio
import base64
import os
import shutil
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widget import Widget

from tests.fakes.world import Stage as World
from tests.ui.seen import text_of, until
from tutor.clock import SystemClock
from tutor.course.loader import load_course
from tutor.course.model import Course, Edit, Lesson
from tutor.errors import TutorError
from tutor.paths import settings_file
from tutor.probes.base import Collection, Object
from tutor.session.folder import WorkingFolder
from tutor.session.journal import Journal
from tutor.session.record import Progress
from tutor.session.session import Place, Session
from tutor.session.shell import StepShell
from tutor.session.typist import write_file
from tutor.settings import Settings, load, save
from tutor.terminal.launch import Launch, Program
from tutor.terminal.shell import Shell
from tutor.ui.app import TutorApp
from tutor.ui.ports import Ground, Stage, Visit
from tutor.ui.screens.lesson import LessonScreen
from tutor.ui.widgets.sheet import Sheet

LESSONS = Path(__file__).resolve().parents[1] / "course/data/lessons"
SECRETS = Collection("v1", "Secret", "demo")


def secret(word: str) -> Object:
    """The Secret that the first step asks for."""
    return {
        "kind": "Secret",
        "metadata": {"name": "greeting", "namespace": "demo"},
        "type": "Opaque",
        "data": {"word": base64.b64encode(word.encode()).decode()},
    }


@dataclass
class FakeDesk:
    """A desk with the lesson of the course tests; `gate` holds the stage back until it is set."""

    home: Path
    world: World
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    failure: TutorError | None = None
    course: Course = field(default_factory=lambda: load_course(LESSONS))
    settings: Settings = field(default_factory=Settings)

    @property
    def settings_file(self) -> Path:
        return settings_file(self.home)

    def save_setting(self, key: str, value: str | Mapping[str, str]) -> None:
        self.settings = replace(self.settings, **{key: value})
        save(self.home, key, value)

    def progress(self, lesson: str, on: str) -> Progress | None:
        with Journal(self.home / "progress.db") as journal:
            return journal.load(lesson, on)

    @property
    def newcomers(self) -> Lesson | None:
        return None if (self.home / "progress.db").exists() else self.course.welcome

    def note_visitor(self) -> None:
        if self.failure is not None:
            raise self.failure
        Journal(self.home / "progress.db").close()

    def begin_anew(self, lesson: Lesson) -> Sequence[str]:
        if self.failure is not None:
            raise self.failure
        with Journal(self.home / "progress.db") as journal:
            journal.forget(lesson.id, "sandbox")
        return ["The files are kept."]

    def visit(self, lesson: Lesson) -> Visit:
        return Visit(lesson=lesson, environment="sandbox", on="sandbox")

    @asynccontextmanager
    async def ground(self, visit: Visit) -> AsyncGenerator[Ground]:
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        yield Ground(
            folder=self.world.folder, new_shell=self._shell, stage=partial(self._stage, visit)
        )

    @asynccontextmanager
    async def _stage(self, visit: Visit) -> AsyncGenerator[Stage]:
        steps, folder = StepShell(), WorkingFolder(self.world.folder)
        place = Place(
            environment="sandbox", name=visit.on, world=self.world.world._replace(shell=steps)
        )
        with Journal(self.home / "progress.db") as journal:
            yield Stage(
                session=Session(
                    visit.lesson, place, shell=steps, journal=journal, clock=SystemClock()
                ),
                write=partial(write_file, lesson=visit.lesson, folder=folder),
                cluster=self.world.cluster,
                edit_by_itself=_as_it_is,
            )

    def _shell(self) -> Shell:
        path = shutil.which("bash")
        if path is None:
            pytest.skip("bash is not installed")
        tools = f"{self.home / 'bin'}{os.pathsep}{os.environ['PATH']}"
        environment = {"PATH": tools, "HOME": str(self.home), "LC_ALL": "C.UTF-8"}
        program = Program(path, "bash")
        folder = self.world.folder
        launch = Launch(program=program, folder=folder, environment=environment)
        return Shell(launch, clock=SystemClock())


def _as_it_is(block: Edit) -> str:
    return block.edit.strip()


@dataclass
class Play:
    """The app, and the hands of a learner."""

    app: TutorApp
    pilot: Pilot[TutorError | None]
    desk: FakeDesk

    @property
    def world(self) -> World:
        return self.desk.world

    @property
    def screen(self) -> LessonScreen:
        """The screen of the lesson, also when another is above it."""
        return next(each for each in self.app.screen_stack if isinstance(each, LessonScreen))

    def text(self) -> str:
        """All that is to be seen."""
        return text_of(self.app)

    async def until(self, happened: Callable[[], object]) -> None:
        await until(self.pilot, happened)

    async def sees(self, *texts: str) -> None:
        await self.until(lambda: all(text in self.text() for text in texts))

    async def sees_not(self, text: str) -> None:
        await self.until(lambda: text not in self.text())

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def click_word(self, sheet: Sheet, word: str) -> None:
        """Click a word of a widget, where it stands."""
        lines = [line.plain for line in sheet.lines(sheet.content_size.width)]
        y = next(y for y, line in enumerate(lines) if word in line)
        left, top = sheet.gutter.left, sheet.gutter.top
        await self.pilot.click(sheet, offset=(lines[y].index(word) + left, y + top))

    async def type(self, text: str) -> None:
        """Type a command line."""
        names = {" ": "space", "\n": "enter"}
        await self.pilot.press(*(names.get(each, each) for each in f"{text}\n"))

    async def open(self) -> None:
        """Let the stage be set, and wait for the shell and the first look."""
        self.desk.gate.set()
        await self.prompt()
        await self.until(lambda: self.screen.scene.findings)

    async def prompt(self) -> None:
        """Wait until the shell waits for a command."""
        runner = self.screen.back.runner
        await self.until(lambda: runner.shell and runner.shell.at_prompt and not runner.is_typing)

    async def solve_first(self) -> None:
        """Make the facts of the first step hold."""
        (self.world.folder / "word.txt").write_text("hello\n", encoding="utf-8")
        self.world.cluster.put(SECRETS, secret("hello\n"))
        await self.until(lambda: self.screen.scene.is_done)

    def focused(self) -> Widget | None:
        return self.app.focused


def _desk(home: Path) -> FakeDesk:
    folder = home / "work"
    folder.mkdir(exist_ok=True)
    (home / "bin").mkdir(exist_ok=True)
    (home / ".bashrc").write_text("PS1='$ '\n", encoding="utf-8")  # root has another
    tool = home / "bin" / "kubectl"
    tool.write_text('#!/bin/sh\necho "secret/greeting created"\n', encoding="utf-8")
    tool.chmod(0o755)
    return FakeDesk(home, World(folder), settings=load({}, home))


@asynccontextmanager
async def playing(
    home: Path, *, size: tuple[int, int] = (120, 40), step: str = "", shows_at: float = 0
) -> AsyncGenerator[Play]:
    """Open the lesson in a home folder; the stage waits for `Play.open`."""
    desk = _desk(home)
    visit = desk.visit(desk.course.lessons[0]).to(step)
    app = TutorApp(desk, visit, shows_at=shows_at)
    async with app.run_test(size=size, notifications=True) as pilot:
        yield Play(app, pilot, desk)


@asynccontextmanager
async def mapping(
    home: Path, *, size: tuple[int, int] = (120, 40), welcome: bool = False
) -> AsyncGenerator[Play]:
    """Open the map of all lessons, or, if there is a lesson for that, a welcome before it."""
    desk = _desk(home)
    if welcome:
        desk.course = replace(desk.course, welcome=desk.course.lessons[0])
    app = TutorApp(desk, None)
    async with app.run_test(size=size, notifications=True) as pilot:
        yield Play(app, pilot, desk)
