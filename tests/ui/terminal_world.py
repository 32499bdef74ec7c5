"""A terminal alone on the screen, and a shell whose program is the test."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import ClassVar, TypeVar

from rich.style import Style
from textual import events
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Static

from tutor.terminal.engine import Choice, engine
from tutor.terminal.news import Event, Listener, ScreenChanged
from tutor.terminal.screen import Engine, Frame, Geometry
from tutor.ui.widgets.terminal import Terminal

WIDTH, HEIGHT = 40, 8

Said = TypeVar("Said", bound=Message)


class FakeShell:
    """A shell whose program is the test: it prints with `say`, and reads `written`."""

    def __init__(self, geometry: Geometry, choice: Choice) -> None:
        self.engine: Engine = engine(geometry, choice)
        self.received = 0
        self.written = bytearray()
        self.sizes: list[tuple[int, int]] = []
        self._listeners: list[Listener] = []
        self.unseen = False

    def frame(self, *, through_hold: bool = False, whole: bool = False) -> Frame:
        self.unseen = False
        return self.engine.frame(through_hold=through_hold, whole=whole)

    def write(self, data: bytes) -> None:
        self.written += data

    def resize(self, columns: int, lines: int) -> None:
        self.sizes.append((columns, lines))
        self.engine.resize(columns, lines)

    def listen(self, listener: Listener) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def tell(self, event: Event) -> None:
        for listener in self._listeners:
            listener(event)

    def say(self, data: bytes) -> None:
        self.received += len(data)
        self.engine.feed(data)
        for signal in self.engine.signals():
            self.tell(signal)
        if not self.unseen:
            self.unseen = True
            self.tell(ScreenChanged())

    def took(self) -> bytes:
        """What was sent since the last time."""
        taken = bytes(self.written)
        self.written.clear()
        return taken


class Host(App[None]):
    """An application around one terminal, with a neighbour to its right."""

    CSS = f"Horizontal {{ height: auto; }} Terminal {{ width: {WIDTH}; height: {HEIGHT}; }}"
    BINDINGS: ClassVar = [("f6", "leave", "Leave"), ("tab", "leave", "Leave")]

    def __init__(self) -> None:
        super().__init__()
        self.left = 0

    def compose(self) -> ComposeResult:
        yield Terminal(id="shell")
        yield Static("neighbour")

    def action_leave(self) -> None:
        self.left += 1


class Stage:
    """A running application, its terminal, and the shell in it."""

    def __init__(self, pilot: Pilot[None], shell: FakeShell, seen: list[Message]) -> None:
        self.pilot = pilot
        self.shell = shell
        self.seen = seen
        self.app = pilot.app
        self.terminal = pilot.app.query_one(Terminal)

    async def say(self, data: bytes | str) -> None:
        """The program prints; returns when it has been drawn."""
        self.shell.say(data.encode() if isinstance(data, str) else data)
        await self.until(lambda: not self.shell.unseen)

    def screen_row(self, y: int) -> str:
        """A row of the whole screen, as it was sent to the outer terminal."""
        return "".join(segment.text for segment in self.app.screen._compositor.render_strips()[y])

    async def until(self, happened: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not happened():  # noqa: ASYNC110 - there is no event for what a person sees
                await asyncio.sleep(0)
        await self.pilot.pause()

    def rows(self) -> list[str]:
        return [self.terminal.render_line(y).text.rstrip() for y in range(HEIGHT)]

    def told(self, kind: type[Said]) -> list[Said]:
        # A message is seen by each widget that it bubbles through.
        unique = {id(message): message for message in self.seen}
        return [message for message in unique.values() if isinstance(message, kind)]

    def style_at(self, x: int, y: int) -> Style:
        style = next(iter(self.terminal.render_line(y).crop(x, x + 1))).style
        assert style is not None
        return style


@asynccontextmanager
async def staged(choice: Choice, size: tuple[int, int] = (60, 12)) -> AsyncGenerator[Stage]:
    seen = list[Message]()
    app = Host()
    async with app.run_test(size=size, message_hook=seen.append) as pilot:
        terminal = app.query_one(Terminal)
        shell = FakeShell(terminal.geometry, choice)
        terminal.show(shell)
        terminal.focus()
        await pilot.pause()
        shell.took()
        yield Stage(pilot, shell, seen)


def numbered(count: int) -> bytes:
    return b"".join(b"line %d\r\n" % number for number in range(count))


def wheel(kind: type[events.MouseEvent], **held: bool) -> events.MouseEvent:
    return pointer(kind, 3, 2, 0, **held)


def pointer(
    kind: type[events.MouseEvent], x: int, y: int, button: int = 1, **held: bool
) -> events.MouseEvent:
    return kind(
        None,
        x,
        y,
        0,
        0,
        button,
        held.get("shift", False),
        held.get("meta", False),
        held.get("ctrl", False),
    )
