"""`tutor` and `tutor learn`: the app, on this terminal."""

import asyncio
import codecs
import os
import shutil
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from importlib import import_module
from pathlib import Path

from tutor import logs, paths, settings
from tutor.cli.choice import chosen, environment_of
from tutor.course.model import Course, Lesson
from tutor.course.shelf import on_shelf
from tutor.course.texts import texts_of
from tutor.errors import TutorError
from tutor.session.journal import Journal
from tutor.session.record import Progress
from tutor.ui import reading
from tutor.ui.ports import Ground, Stage, Visit


class NoTerminal(TutorError):
    """There is nothing to draw on."""


def open_app(lesson: str, step: str, on: str) -> int:
    """Open a lesson, or go on with the last one. Raises `TutorError`."""
    _check_terminal()
    root = paths.home(os.environ)
    wishes = settings.load(os.environ, root)
    course = _course(root)
    desk = LocalDesk(root, wishes, course)
    last = None if lesson else _last(desk, course, on)
    visit = last if not lesson else _visit(chosen(course, lesson), on, step)
    return _show(desk, visit, root, shows_at=0)


def show_lesson(lesson: str, on: str, pace: str, speed: float) -> int:
    """Show a lesson that plays itself, from its beginning. Raises `TutorError`."""
    _check_terminal()
    own = paths.home(os.environ)
    wishes = replace(settings.load(os.environ, own), pace=pace)
    course = _course(own)
    visit = _visit(chosen(course, lesson), on, "")
    from tutor.cli.cluster import stop

    # A home folder of its own, as the headless demo's: the learner's work is left alone.
    root = own / "show"
    stop(root)
    shutil.rmtree(root, ignore_errors=True)
    try:
        return _show(LocalDesk(root, wishes, course), visit, root, shows_at=speed)
    finally:
        stop(root)


def _course(root: Path) -> Course:
    """Raises `CourseError`."""
    course, texts = on_shelf(
        paths.lessons_dir(), paths.course_file(root), _read, sources=reading.SOURCES
    )
    reading.remember(texts)
    return course


def _read(folder: Path) -> tuple[Course, reading.Read]:
    from tutor.course.loader import load_course

    course = load_course(folder)
    texts = (text for lesson in course.lessons for text in texts_of(lesson))
    return course, reading.read_all(texts)


def _show(desk: "LocalDesk", visit: Visit | None, root: Path, *, shows_at: float) -> int:
    logs.configure(paths.logs_dir(root) / "app.log")
    # It would believe these, and not the terminal, which changes its size.
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)
    from tutor.ui.app import TutorApp

    app = TutorApp(
        desk,
        visit,
        theme=desk.settings.theme,
        shows_at=shows_at,
        stylesheet=paths.stylesheet_file(root),
    )
    failure = app.run()
    if app.crash is not None:
        raise app.crash
    if failure is not None:
        raise failure
    return 0


def _check_terminal() -> None:
    """Raises `NoTerminal`."""
    without = "`tutor list`, `tutor progress` and `tutor demo --headless` need no terminal."
    # The interface library draws on the standard error stream.
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise NoTerminal("The app needs a terminal to draw on.", next_action=without)
    term = os.environ.get("TERM", "")
    if term in {"", "dumb", "unknown"}:
        raise NoTerminal(
            f"The terminal says that it is {term or 'nothing'} (TERM): nothing can be drawn on it.",
            next_action=f"Set TERM to what your terminal is, such as xterm-256color. {without}",
        )
    encoding = sys.stderr.encoding
    if codecs.lookup(encoding).name != "utf-8":
        raise NoTerminal(
            f"The locale is one of {encoding}: frames and signs cannot be drawn with that.",
            next_action=f"Set LC_ALL to one of UTF-8, such as C.UTF-8 (`locale -a`). {without}",
        )


def _last(desk: "LocalDesk", course: Course, on: str) -> Visit | None:
    """The lesson that was open last; None, which is the map, when none was. Raises `TutorError`.

    Whoever has seen how it works, and nothing else, has nothing to go on with.
    """
    if not course.lessons:
        chosen(course, "")
    opened: list[tuple[datetime, Lesson]] = []
    for each in course.lessons:
        progress = desk.progress(each.id, on)
        if progress and progress.finished_at and each == course.welcome:
            continue
        moments = [record.opened_at for record in progress.steps.values()] if progress else []
        opened.extend((moment, each) for moment in moments if moment)
    last = max(opened, key=lambda each: each[0], default=None)
    return None if last is None else _visit(last[1], on, "")


def _visit(lesson: Lesson, on: str, step: str) -> Visit:
    """Raises `NoSuchLesson`."""
    return Visit(lesson=lesson, environment=environment_of(lesson, on), on=on, step=step)


class LocalDesk:
    """The lessons and the progress of this machine."""

    def __init__(self, root: Path, wishes: settings.Settings, course: Course) -> None:
        self.course = course
        self.settings = wishes
        self.settings_file = paths.settings_file(root)
        self._root = root

    def save_setting(self, key: str, value: str | Mapping[str, str]) -> None:
        """Keep another value, for what is started from now on. Raises `SettingsError`."""
        self.settings = replace(self.settings, **{key: value})
        settings.save(self._root, key, value)

    def progress(self, lesson: str, on: str) -> Progress | None:
        """What is saved of a lesson. Raises `ProgressError`."""
        file = paths.progress_file(self._root)
        if not file.exists():
            return None
        with Journal(file) as journal:
            return journal.load(lesson, on)

    @property
    def newcomers(self) -> Lesson | None:
        """The lesson to offer to somebody who was never here; None for anybody else."""
        return None if paths.progress_file(self._root).exists() else self.course.welcome

    def note_visitor(self) -> None:
        """Offer that lesson never again. Raises `ProgressError`."""
        with Journal(paths.progress_file(self._root)):
            pass

    def begin_anew(self, lesson: Lesson) -> Sequence[str]:
        """Forget what was done in a lesson; what that took, in sentences. Raises `TutorError`."""
        from tutor.cli.reset import begin_anew

        told: list[str] = []
        begin_anew(self._root, lesson, told.append)
        return told

    def visit(self, lesson: Lesson) -> Visit:
        """How to open a lesson from the course map."""
        return _visit(lesson, lesson.header.environments[0], "")

    @asynccontextmanager
    async def ground(self, visit: Visit) -> AsyncGenerator[Ground]:
        """Start where a lesson is done. Raises `TutorError`."""
        # Not in the loop: the screen is there already, and should move.
        await asyncio.to_thread(import_module, "tutor.cli.ground")
        from tutor.cli.ground import Wanted, grounding

        wanted = Wanted(
            lesson=visit.lesson,
            on=visit.on,
            root=self._root,
            shell=self.settings.shell,
            pace=self.settings.pace,
            kubectl=self.settings.kubectl,
            editor=self.settings.editor,
            # The folder's name is long, and the pane is small.
            extra={"PROMPT_DIRTRIM": os.environ.get("PROMPT_DIRTRIM", "1")},
        )
        async with grounding(wanted) as found:

            @asynccontextmanager
            async def stage() -> AsyncGenerator[Stage]:
                # Not in the loop, as above.
                await asyncio.to_thread(import_module, "tutor.cli.staging")
                from tutor.cli.staging import staging

                with staging(found) as whole:
                    yield whole

            yield Ground(folder=found.folder.root, new_shell=found.new_shell, stage=stage)
