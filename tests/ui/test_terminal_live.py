"""A terminal with a real shell in it."""

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot

from tutor.clock import SystemClock
from tutor.terminal.engine import Choice
from tutor.terminal.launch import Launch, Program
from tutor.terminal.shell import Shell
from tutor.ui.widgets.terminal import Terminal
from tutor.ui.widgets.terminal_messages import CommandFinished, ShellEnded

pytestmark = pytest.mark.timeout(60)


class Host(App[None]):
    """Nothing but a terminal."""

    def compose(self) -> ComposeResult:
        yield Terminal()


class Stage:
    """What a person sees and does."""

    def __init__(self, pilot: Pilot[None], shell: Shell, seen: list[Message]) -> None:
        self.pilot = pilot
        self.shell = shell
        self.seen = seen
        self.terminal = pilot.app.query_one(Terminal)

    def text(self) -> str:
        rows = (self.terminal.render_line(y).text.rstrip() for y in range(24))
        return "\n".join(rows)

    async def until(self, happened: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not happened():
                await self.pilot.pause()

    async def shows(self, text: str) -> None:
        await self.until(lambda: text in self.text())

    async def type(self, text: str) -> None:
        await self.pilot.press(*("space" if each == " " else each for each in text))


@asynccontextmanager
async def staged(choice: Choice, home: Path) -> AsyncGenerator[Stage]:
    seen = list[Message]()
    path = shutil.which("bash")
    if path is None:
        pytest.skip("bash is not installed")
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8"}
    launch = Launch(
        program=Program(path, "bash"), folder=home, environment=environment, own_rc=False
    )
    app = Host()
    async with app.run_test(size=(80, 24), message_hook=seen.append) as pilot:
        shell = Shell(launch, clock=SystemClock(), choice=choice)
        terminal = app.query_one(Terminal)
        await shell.start(terminal.geometry)
        try:
            terminal.show(shell)
            terminal.focus()
            await shell.wait_prompt()
            yield Stage(pilot, shell, seen)
        finally:
            await shell.close()


@pytest.fixture(params=["libghostty-vt", "compatibility terminal"])
def choice(request: pytest.FixtureRequest) -> Choice:
    """Each engine."""
    return request.param


async def test_command_typed_is_run_shown_and_told(choice: Choice, tmp_path: Path) -> None:
    async with staged(choice, tmp_path) as stage:
        await stage.type("echo $((6*7))")
        await stage.pilot.press("enter")
        await stage.until(lambda: any(isinstance(each, CommandFinished) for each in stage.seen))
        await stage.shows("\n42\n")
        finished = next(each for each in stage.seen if isinstance(each, CommandFinished))
        assert finished.record.text == "echo $((6*7))"
        assert (finished.record.output, finished.record.exit_code) == ("42\n", 0)


async def test_command_run_by_the_screen_is_seen_as_if_typed(
    choice: Choice, tmp_path: Path
) -> None:
    async with staged(choice, tmp_path) as stage:
        record = await stage.shell.run("printf 'one\\ntwo\\n'")
        assert record is not None
        await stage.shows("printf 'one\\ntwo\\n'\none\ntwo\n")


async def test_editor_can_be_used(choice: Choice, tmp_path: Path) -> None:
    if shutil.which("vim") is None:
        pytest.skip("vim is not installed")
    async with staged(choice, tmp_path) as stage:
        await stage.type("vim -u NONE note")
        await stage.pilot.press("enter")
        await stage.shows("~\n~\n")
        await stage.type("ihello")
        await stage.shows("hello")
        await stage.pilot.press("escape", "colon", "w", "q", "enter")
        await stage.until(lambda: stage.shell.at_prompt)
        assert (tmp_path / "note").read_text() == "hello\n"


async def test_shell_that_ends_is_told_and_its_last_words_stay(
    choice: Choice, tmp_path: Path
) -> None:
    async with staged(choice, tmp_path) as stage:
        await stage.type("echo bye; exit 5")
        await stage.pilot.press("enter")
        await stage.until(lambda: any(isinstance(each, ShellEnded) for each in stage.seen))
        assert next(each for each in stage.seen if isinstance(each, ShellEnded)).status == 5
        await stage.shows("\nbye\n")


async def test_flood_does_not_stop_keys_from_coming_through(choice: Choice, tmp_path: Path) -> None:
    async with staged(choice, tmp_path) as stage:
        await stage.type("yes")
        await stage.pilot.press("enter")
        await stage.shows("y\ny\ny\ny\ny\n")
        await stage.pilot.press("ctrl+c")
        await stage.until(lambda: stage.shell.at_prompt)
        await stage.shows("^C")


async def test_history_of_a_long_output_ends_in_its_last_line(
    choice: Choice, tmp_path: Path
) -> None:
    async with staged(choice, tmp_path) as stage:
        record = await stage.shell.run("seq 1 3000")
        assert record is not None
        assert record.output.endswith("\n3000\n")
        await stage.shows("\n3000\n")
        await stage.pilot.press("ctrl+g", "home")
        assert stage.text()[1:].startswith(" seq 1 3000")
