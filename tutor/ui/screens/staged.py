"""A screen that has a stage behind it: starts it, keeps it running, and says what goes wrong."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import cast

from textual import getters, work
from textual.app import App
from textual.message import Message
from textual.worker import Worker, WorkerCancelled

from tutor.errors import ProgressError, ShellError, TutorError
from tutor.keymap import Keymap
from tutor.terminal.news import CommandBegan, CommandRecord, Event, Exited
from tutor.ui.backstage import Backstage
from tutor.ui.keys import keymap_of, way_to
from tutor.ui.ports import Desk, Session, Shell, Stage, Visit
from tutor.ui.runner import Runner
from tutor.ui.screens.opening import question
from tutor.ui.screens.telling import TellingScreen
from tutor.ui.widgets.shell_pane import ShellPane
from tutor.ui.widgets.terminal import Terminal
from tutor.value import filled

Change = Callable[[Session], Awaitable[None]]

PROMPT_S = 1.0
"""How long the shell's first prompt is waited for before anything else is loaded."""


class StagedScreen(TellingScreen):
    """The life of one visit to a lesson.

    Dismissed with what has ended it, or with where to go from here; None for the map.
    """

    class ClusterChanged(Message):
        """The cluster may be another way."""

    @filled
    class ShellGone(Message):
        """A shell has ended."""

        runner: Runner

    # As the library declares it, it is an app of who knows what.
    app = getters.app(cast("type[App[object]]", App))

    def __init__(self, desk: Desk, visit: Visit) -> None:
        super().__init__()
        self.desk = desk
        self._life: Worker[None] | None = None
        self._is_over = False
        self.back = Backstage(visit, desk.progress(visit.lesson.id, visit.on), self.redraw)

    def redraw(self) -> None:
        """Show what is so now."""
        raise NotImplementedError

    def notice_shell(self, event: Event) -> None:
        """Something happened in the shell."""

    @property
    def keymap(self) -> Keymap:
        """The keys that hold now."""
        return keymap_of(self)

    def way_to(self, action: str) -> str:
        """The key of an action, as people write it."""
        return way_to(action, self)

    @property
    def terminal(self) -> Terminal:
        """The learner's terminal."""
        return self.query_one(Terminal)

    def on_mount(self) -> None:
        self.redraw()
        self._life = self._live()

    async def until_drawn(self) -> None:
        """Wait until everything has been on the screen once."""
        raise NotImplementedError

    async def leave(self, onward: Visit | None = None) -> None:
        """Take the stage down, and go when that is done."""
        if self._life is not None:
            self._life.cancel()
            with suppress(WorkerCancelled):
                await self._life.wait()
        self.dismiss(onward)

    @work(group="stage")
    async def _live(self) -> None:
        """Set the stage, and play until the screen goes."""
        # The first picture goes out before anything heavy is imported or started.
        await self.until_drawn()
        try:
            async with self.desk.ground(self.back.visit) as ground:
                self.back.ground = ground
                try:
                    if await self.open_shell(self.back.runner):
                        self.show_shell()
                    await self._until_prompt()
                    async with ground.stage() as stage:
                        await self._play(stage)
                finally:
                    await self._end()
        except* TutorError as group:
            self.dismiss(_first(group))

    async def _play(self, stage: Stage) -> None:
        self.back.enter(stage)
        try:
            wanted = self.back.visit.step
            if wanted and wanted != stage.session.progress.current:
                await stage.session.go_to(wanted)
            self.back.follow(stage, self._tell_of_cluster)
            await self._judge(stage.session)
        finally:
            await self._end()

    async def _end(self) -> None:
        self._is_over = True
        self.back.leave()
        await self.back.close_shells()

    async def _until_prompt(self) -> None:
        """Let the shell come first: what judges the lesson takes its time to load."""
        shell = self.back.runner.shell
        if shell is not None:
            with suppress(TimeoutError, ShellError):
                async with asyncio.timeout(PROMPT_S):
                    await shell.wait_prompt()
        await self.wait_for_refresh()

    def _tell_of_cluster(self) -> None:
        """From another thread."""
        self.post_message(self.ClusterChanged())

    async def open_shell(self, runner: Runner) -> bool:
        """Start a shell; False while there is no ground. Raises `ShellError`."""
        if await self.back.open_shell(runner, self.terminal.geometry) and runner.shell is not None:
            runner.shell.listen(partial(self._hear, runner))
            return True
        return False

    def show_shell(self) -> None:
        """Show the shell that is to be seen."""
        if (shell := self.back.runner.shell) is not None:
            self.query_one(ShellPane).show(shell)
        self.redraw()

    async def _judge(self, session: Session) -> None:
        """Judge facts; when saving fails, wait until the learner has made room."""
        while True:
            failed: TutorError | None = None
            try:
                await session.run()
            except* ProgressError as group:
                failed = _first(group)
            if failed is not None and not await self._try_again(failed):
                raise failed

    async def _try_again(self, failed: TutorError) -> bool:
        asked = question(failed.message, failed.next_action, yes="try again", no="leave tutor")
        return await self.app.push_screen_wait(asked)

    def _hear(self, runner: Runner, event: Event) -> None:
        match event:
            case CommandRecord():
                self.back.command_ended(event)
            case CommandBegan():
                self.redraw()
            case Exited() if not self._is_over:
                self.post_message(self.ShellGone(runner))
            case _ if runner is self.back.runner:
                self.notice_shell(event)
            case _:
                pass

    def change(self, how: Change) -> None:
        """Have the session change something; what it does not allow is told."""
        self._change(how)

    @work(group="moves")
    async def _change(self, how: Change) -> None:
        session = self.back.session
        if session is None:
            self.tell("The lesson is still being prepared.", "Try again in a moment.")
            return
        while True:
            try:
                await how(session)
            except ProgressError as error:
                if await self._try_again(error):
                    continue
                self.dismiss(error)
            except TutorError as error:
                self.tell_error(error)
            return

    def on_staged_screen_cluster_changed(self, event: ClusterChanged) -> None:
        event.stop()
        self.redraw()

    def on_staged_screen_shell_gone(self, event: ShellGone) -> None:
        event.stop()
        shell = event.runner.shell
        # A new one may be there already.
        if self._is_over or shell is None or shell.exit_status is None:
            return
        if event.runner is self.back.runner:
            self.query_one(ShellPane).ended(shell)
        self.redraw()
        self._bury(shell)

    @work(group="ends")
    async def _bury(self, shell: Shell) -> None:
        """End what the shell has left in the background."""
        await shell.close()


def _first(group: BaseExceptionGroup[TutorError]) -> TutorError:
    """What has to be told of several failures."""
    found = group.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found
