"""The lesson behind its screen: session, shell, cluster and block logs, as far as they are there.

Before the stage is set there is only what was saved, so that the first picture need not wait.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from tutor.course.model import File
from tutor.errors import TutorError
from tutor.probes.base import Absent, Blind, Collection, CommandRecord, Objects, Unfollow
from tutor.session.outline import Outline, fitted, open_steps, outline_of
from tutor.session.record import Progress
from tutor.terminal.screen import Geometry
from tutor.ui.blocks import BlockLog
from tutor.ui.lost import lost
from tutor.ui.ports import Ground, Session, Stage, Visit
from tutor.ui.runner import Busy, Runner
from tutor.ui.scene import Findings, Notice, Scene
from tutor.ui.shells import Shells
from tutor.ui.waiting import Behind, Wait, pods_of, waits
from tutor.ui.widgets.topbar import Health

NAMESPACES = Collection("v1", "Namespace", None)
"""What every cluster has, and nearly everybody may list: whether the cluster answers."""


class Unwritten(TutorError):
    """A file of the lesson cannot be written."""


def health_of(reading: Objects | Absent | Blind) -> Health:
    """How a cluster is, by what is known of its namespaces."""
    match reading:
        case Objects():
            return "answers"
        case Absent():
            return "none"
        case Blind():
            return "silent"


class Backstage:
    """One visit to one lesson."""

    def __init__(self, visit: Visit, saved: Progress | None, changed: Callable[[], None]) -> None:
        """`changed` is called in the loop when the scene may be another."""
        self.visit = visit
        self.saved = saved
        self.changed = changed
        self.outline: Outline = outline_of(visit.lesson, visit.environment)
        self.ground: Ground | None = None
        self.stage: Stage | None = None
        self.shells = Shells()
        self._logs: dict[str, BlockLog] = {}
        self._before: Findings | None = None
        """What was found of the step that was left last."""
        self._early: list[CommandRecord] = []
        """What was run before the session was there."""
        self._step = ""
        self._is_followed = False
        """Whether somebody looks at the cluster."""
        self._ends: list[Unfollow] = []

    @property
    def runner(self) -> Runner:
        """The hands on the shell that is shown."""
        return self.shells.current

    @property
    def session(self) -> Session | None:
        """The session, when it is there."""
        return self.stage.session if self.stage else None

    @property
    def scene(self) -> Scene:
        """What there is to see now."""
        session = self.session
        found = session.findings if session else None
        return Scene(
            lesson=self.visit.lesson,
            environment=self.visit.environment,
            outline=self.outline,
            progress=session.progress if session else self._first(),
            findings=None if found is self._before else found,
        )

    def _first(self) -> Progress:
        """Where the lesson will open."""
        lesson, step = self.visit.lesson, self.visit.step
        blank = Progress(lesson=lesson.id, environment=self.visit.on, current=self.outline[0].id)
        progress = fitted(self.saved or blank, self.outline)
        if step in open_steps(progress, self.outline):
            return replace(progress, current=step)
        return progress

    @property
    def log(self) -> BlockLog:
        """The blocks of the current step."""
        scene = self.scene
        log = self._logs.setdefault(scene.step.id, BlockLog())
        log.add(scene.blocks(), done=scene.is_done)
        return log

    @property
    def runs_next(self) -> str | None:
        """The block that the run key types."""
        scene, log = self.scene, self.log
        if (key := log.upcoming()) is not None:
            return key
        if scene.is_done:
            return log.first() if scene.is_undone and not self.is_typing else None
        return log.again()

    @property
    def is_typing(self) -> bool:
        """Whether something is being typed, or about to be."""
        states = (each.state for each in self.log.standings().values())
        return self.runner.is_typing or "running" in states

    @property
    def lost(self) -> Notice | None:
        """What to say when the cluster that the step needs is gone."""
        return lost(self.scene, self.health)

    def notices(self) -> tuple[Notice, ...]:
        """What explains the facts."""
        gone = self.lost
        return (*([gone] if gone else []), *self.scene.mistakes())

    @property
    def health(self) -> Health:
        """How the cluster is."""
        if self.stage is None or not self._is_followed:
            return "starting"
        return health_of(self.stage.cluster.look(NAMESPACES))

    def waits(self) -> tuple[Wait, ...]:
        """What there is to wait for."""
        stage, shell = self.stage, self.runner.shell
        pods = [stage.cluster.look(each) for each in self._pods] if stage else []
        full = shell is not None and shell.engine.modes().alternate_screen
        runs = shell.running if shell and not full else None
        behind = Behind(
            is_set=stage is not None,
            health=self.health,
            pods=[pod for each in pods if isinstance(each, Objects) for pod in each.items],
            is_shell_ready=shell is not None
            and (shell.at_prompt or shell.running is not None or shell.exit_status is not None),
            running=runs.text if runs else "",
        )
        return waits(self.scene, behind)

    @property
    def _pods(self) -> tuple[Collection, ...]:
        return pods_of(self.visit.lesson.header.grants)

    def enter(self, stage: Stage) -> None:
        """The stage is set."""
        self.stage = stage
        self._step = stage.session.progress.current
        self._ends.append(stage.session.listen(self._note))
        for each in self._early:
            stage.session.command_ended(each)
        self._early.clear()
        self.changed()

    def follow(self, stage: Stage, cluster_changed: Callable[[], None]) -> None:
        """Begin to look at the cluster. `cluster_changed` is called from another thread."""
        followed = (NAMESPACES, *self._pods) if self.visit.lesson.has_cluster else ()
        for each in followed:
            self._ends.append(stage.cluster.follow(each, cluster_changed))
        self._is_followed = True
        self.changed()

    def leave(self) -> None:
        """It is taken down."""
        while self._ends:
            self._ends.pop()()

    def _note(self, news: object) -> None:
        del news
        session = self.session
        if session is not None and session.progress.current != self._step:
            self._step = session.progress.current
            self._before = session.findings
        self.changed()

    async def open_shell(self, runner: Runner, geometry: Geometry) -> bool:
        """Start a shell in place of the one before; False without ground. Raises `ShellError`."""
        if self.ground is None:
            return False
        if runner.shell is not None:
            await runner.shell.close()
        shell = self.ground.new_shell()
        await shell.start(geometry)
        runner.shell = shell
        return True

    async def close_shells(self) -> None:
        """End all of them, at once: who leaves does not wait for this to come to its end."""
        ends = [each.shell.end() for each in self.shells.all if each.shell is not None]
        if ends:
            await asyncio.wait(ends)

    def command_ended(self, record: CommandRecord) -> None:
        """Something was run in the shell."""
        self.log.note(record)
        if self.session is None:
            self._early.append(record)
        else:
            self.session.command_ended(record)
        self.changed()

    async def write(self, block: File) -> Path:
        """Write the file of a block. Raises `TutorError`."""
        if self.stage is None or self.ground is None:
            raise Busy("The lesson is still being prepared.", next_action="Try again in a moment.")
        try:
            return await asyncio.to_thread(self.stage.write, block)
        except OSError as error:
            raise Unwritten(
                f"{block.file} cannot be written: {error.strerror or error}.",
                next_action=f"Look at the folder {self.ground.folder}: its room, its permissions.",
            ) from error

    async def write_block(self, key: str, block: File) -> Path:
        """Write the file of a block, and note that. Raises `TutorError`."""
        log = self.log
        path = await self.write(block)
        log.began(key)
        log.ended(key, typed=True)
        self.changed()
        return path

    async def run(self, commands: Sequence[str]) -> bool:
        """Type commands; False when ctrl+c ended one of them. Raises `Busy`, `ShellError`."""
        try:
            return await self.runner.run(commands)
        finally:
            # The last command ended while it was still typing.
            self.changed()

    async def run_block(self, key: str, commands: Sequence[str]) -> None:
        """Type a block. Raises `Busy`, `ShellError`."""
        self.runner.check()
        log = self.log
        log.began(key)
        self.changed()
        typed = False
        try:
            typed = await self.run(commands)
        finally:
            log.ended(key, typed=typed)
            self.changed()
