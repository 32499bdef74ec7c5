"""What the interface needs from outside. `cli` supplies it; tests have fakes."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import NamedTuple, Protocol

from tutor.course.model import Course, Edit, Environment, File, Lesson
from tutor.probes.base import ClusterReader, CommandRecord, Unfollow
from tutor.session.outline import Outline
from tutor.session.record import Progress
from tutor.settings import Settings
from tutor.terminal.news import CommandBegan
from tutor.terminal.news import CommandRecord as EndedCommand
from tutor.terminal.screen import Geometry
from tutor.ui.scene import Findings
from tutor.ui.widgets.terminal_view import ShellPort


class Session(Protocol):
    """One learner in one lesson; `tutor.session.session.Session` but for what only it needs."""

    lesson: Lesson
    outline: Outline

    @property
    def findings(self) -> Findings | None:
        """What was last found of the current step, or, just after a move, of the one before."""
        ...

    @property
    def progress(self) -> Progress:
        """What has happened so far."""
        ...

    def listen(self, listener: Callable[[object], None]) -> Unfollow:
        """Be told of all news."""
        ...

    async def run(self) -> None:
        """Judge facts until cancelled. Raises `TutorError`s in a group."""
        ...

    def command_ended(self, record: CommandRecord) -> None:
        """The learner ran something."""
        ...

    def look_now(self) -> None:
        """Look at everything again."""
        ...

    async def go_to(self, step_id: str) -> None:
        """Turn to a step. Raises `NotAllowed`, `ProgressError`."""
        ...

    async def ask_hint(self) -> None:
        """Show one hint more."""
        ...

    async def ask_solution(self) -> None:
        """Show the solution."""
        ...

    async def skip(self) -> None:
        """Leave the step out."""
        ...

    async def answer(self, question: str, text: str) -> None:
        """Keep an answer."""
        ...


class Shell(ShellPort, Protocol):
    """The learner's shell: what its widget needs, and what types into it."""

    @property
    def exit_status(self) -> int | None:
        """How it ended; None while it runs."""
        ...

    @property
    def at_prompt(self) -> bool:
        """Whether it waits for a command line."""
        ...

    @property
    def has_prompted(self) -> bool:
        """Whether it has ever waited for one."""
        ...

    @property
    def running(self) -> CommandBegan | None:
        """What runs now."""
        ...

    async def start(self, geometry: Geometry | None = None) -> None:
        """Start the process, once. Raises `ShellError`."""
        ...

    async def wait_prompt(self) -> None:
        """Wait until it waits for a command line. Raises `ShellError`."""
        ...

    def type(self, text: str) -> None:
        """Type characters as they are; a line end is the Enter key."""
        ...

    async def run(self, command: str) -> EndedCommand | None:
        """Type one command and wait for its end. Raises `ShellError`."""
        ...

    async def close(self) -> None:
        """End it."""
        ...

    def end(self) -> asyncio.Future[None]:
        """Begin to close it, which goes on though nobody waits for it."""
        ...


class Stage(NamedTuple):
    """What a lesson needs besides its shells; its session does not run yet."""

    session: Session
    write: Callable[[File], Path]
    """Writes the file of a block. Raises `TutorError`, `OSError`."""
    cluster: ClusterReader
    edit_by_itself: Callable[[Edit], str]
    """The command of an `edit` block with an editor in it that makes the changes."""


class Ground(NamedTuple):
    """Where a lesson is done. Its shells can be started before the rest is loaded."""

    folder: Path
    """The working folder."""
    new_shell: Callable[[], Shell]
    stage: Callable[[], AbstractAsyncContextManager[Stage]]
    """The rest, and its end. Raises `TutorError`."""


class Visit(NamedTuple):
    """A lesson to open, and where."""

    lesson: Lesson
    environment: Environment
    on: str
    """`sandbox`, `kind` or `context:NAME`."""
    step: str = ""
    """The step to turn to; empty for where the learner was."""

    def to(self, step: str) -> "Visit":
        """The same, to another step."""
        return self._replace(step=step)


class Desk(Protocol):
    """Where lessons come from."""

    @property
    def course(self) -> Course:
        """All lessons."""
        ...

    @property
    def settings(self) -> Settings:
        """What the learner has chosen."""
        ...

    @property
    def settings_file(self) -> Path:
        """Where that is saved."""
        ...

    def save_setting(self, key: str, value: str | Mapping[str, str]) -> None:
        """Keep another value, for what is started from now on. Raises `SettingsError`."""
        ...

    def progress(self, lesson: str, on: str) -> Progress | None:
        """What is saved of a lesson; None when nothing is. Raises `ProgressError`."""
        ...

    @property
    def newcomers(self) -> Lesson | None:
        """The lesson to offer to somebody who was never here; None for anybody else."""
        ...

    def note_visitor(self) -> None:
        """Offer that lesson never again. Raises `ProgressError`."""
        ...

    def begin_anew(self, lesson: Lesson) -> Sequence[str]:
        """Forget what was done in a lesson; what that took, in sentences. Raises `TutorError`."""
        ...

    def visit(self, lesson: Lesson) -> Visit:
        """How to open a lesson from the course map."""
        ...

    def ground(self, visit: Visit) -> AbstractAsyncContextManager[Ground]:
        """Start where a lesson is done, and take that down again. Raises `TutorError`."""
        ...
