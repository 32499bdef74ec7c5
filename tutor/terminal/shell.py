"""A shell on a screen, for a person or for a player: what it shows, and what was run in it.

The shell's output is read on a thread of its own; everything else happens on the event loop that
`start` was awaited on, listeners included.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from contextvars import copy_context

from tutor.clock import Clock
from tutor.errors import ShellError
from tutor.terminal.engine import Choice, engine
from tutor.terminal.keys import stroke
from tutor.terminal.launch import Launch, arguments, environment
from tutor.terminal.marks import Tap
from tutor.terminal.news import (
    CommandBegan,
    CommandRecord,
    Event,
    Exited,
    Listener,
    PromptShown,
    ScreenChanged,
)
from tutor.terminal.pty import Pty
from tutor.terminal.recorder import Recorder
from tutor.terminal.screen import Engine, Frame, Geometry

# Old line editors (bash 3.2) know no bracketed paste, and zsh asks for it just after its prompt.
# Ctrl+V then takes the next character literally, instead of completing or running.
_UNBRACKETED: dict[int, str] = {
    **dict.fromkeys((*range(32), 127), " "),
    ord("\t"): "\x16\t",
    ord("\n"): "\x16\n",
}

CTRL_C_S = 1.0
"""How long a Ctrl+C may go unheard before it is pressed again."""


class Shell:
    """One shell process from start to end."""

    def __init__(self, launch: Launch, *, clock: Clock, choice: Choice | None = None) -> None:
        self._launch = launch
        self._clock = clock
        self._choice: Choice | None = choice
        self._listeners: list[Listener] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._turn = asyncio.Lock()
        self._at_prompt = False
        self._prompts = 0
        self._last: CommandRecord | None = None
        self._running: CommandBegan | None = None
        self._told = False
        self._pty: Pty | None = None
        self._ending: asyncio.Future[None] | None = None
        self.received = 0
        """Bytes of output so far."""
        self.exit_status: int | None = None
        """How the shell ended; None while it runs."""

    async def start(self, geometry: Geometry | None = None) -> None:
        """Start the process, once. `wait_prompt` says when it is ready.

        Raises:
            ShellError: no terminal, no such folder.
        """
        self._loop = asyncio.get_running_loop()
        # What the reading thread sends runs in the context that we were started in.
        self._context = copy_context()
        await asyncio.to_thread(self._begin, geometry or Geometry())

    def _begin(self, geometry: Geometry) -> None:
        key = os.urandom(8).hex()
        self._engine = engine(geometry, self._choice)
        self._recorder = Recorder(self._engine, Tap(key), self._clock)
        self._pty = Pty(
            arguments(self._launch.program),
            environment=environment(self._launch, key),
            folder=self._launch.folder,
            size=(geometry.columns, geometry.lines),
            receive=self._receive,
            ended=self._end,
        )
        self._pty.start()

    async def close(self) -> None:
        """End the shell and everything that was started in it. The screen stays readable."""
        if self._pty is not None:
            await asyncio.wait((self.end(),))

    def end(self) -> asyncio.Future[None]:
        """Begin to close it, which goes on though nobody waits for it. It has been started."""
        if self._ending is None:
            assert self._pty is not None  # noqa: S101 - there is one from the start on
            self._ending = self._loop.run_in_executor(None, self._pty.close)
        return self._ending

    @property
    def engine(self) -> Engine:
        """The screen."""
        return self._engine

    @property
    def at_prompt(self) -> bool:
        """Whether the shell waits for a command line, empty or begun."""
        return self._at_prompt

    @property
    def has_prompted(self) -> bool:
        """Whether it has ever waited for a command line."""
        return self._prompts > 0

    @property
    def running(self) -> CommandBegan | None:
        """What runs now."""
        return self._running

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Have a function called with every event, on the event loop; call the result to end it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def frame(self, *, through_hold: bool = False, whole: bool = False) -> Frame:
        """What changed on the screen since the last time, or all of it."""
        self._told = False
        return self._engine.frame(through_hold=through_hold, whole=whole)

    def screen_text(self) -> str:
        """The screen as text, without empty lines at its end."""
        return self._engine.text().rstrip()

    def resize(self, columns: int, lines: int) -> None:
        """Give screen and program another size."""
        self._engine.resize(columns, lines)
        self._process.resize(columns, lines)

    def write(self, data: bytes) -> None:
        """Send encoded input: what a person pressed, pasted or clicked."""
        self._process.write(data)

    def type(self, text: str) -> None:
        """Type characters as they are; a line end is the Enter key."""
        self.write(text.replace("\n", "\r").encode())

    def press(self, name: str) -> None:
        """Press a key by its name, as in `tutor.terminal.keys`."""
        pressed = stroke(name)
        if pressed is None:
            raise ValueError(f"there is no key {name!r}")
        self.write(self._engine.encode_key(pressed))

    async def wait_prompt(self) -> None:
        """Wait until the shell waits for a command line.

        Raises:
            ShellError: the shell has ended.
        """
        await self._until(lambda: self._at_prompt)

    async def run(self, command: str) -> CommandRecord | None:
        """Paste one command line (it may have several lines), press Enter, wait for its end.

        What stood half typed on the line is given up first, with Ctrl+C. None when the shell ran
        nothing: a comment, a syntax error.

        Raises:
            ShellError: the shell has ended.
        """
        async with self._turn:
            await self.wait_prompt()
            if self._engine.text_since_mark().strip():
                await self._give_up_line()
            self._recorder.pasted, self._last = command, None
            await self._send(self._paste(command.rstrip("\n")) + b"\r")
            self._recorder.pasted = None
            return self._last

    async def _give_up_line(self) -> None:
        # bash may take the signal while it goes to read, and then looks at it with the next key.
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CTRL_C_S):
                    return await self._send(b"\x03")

    async def _send(self, data: bytes) -> None:
        """Write, and wait for the new prompt that comes of it."""
        prompts, self._at_prompt = self._prompts, False
        self.write(data)
        await self._until(lambda: self._prompts > prompts)

    def _paste(self, command: str) -> bytes:
        if self._engine.modes().bracketed_paste:
            return self._engine.encode_paste(command)
        return command.translate(_UNBRACKETED).encode()

    @property
    def _process(self) -> Pty:
        if self._pty is None:
            raise RuntimeError("the shell has not been started")
        return self._pty

    async def _until(self, happened: Callable[[], bool]) -> None:
        while not happened():
            if self.exit_status is not None:
                raise ShellError(
                    f"The shell has ended, with exit status {self.exit_status}.",
                    next_action="Start a new shell and run the step again.",
                )
            waiter = self._loop.create_future()
            self._waiting.append(waiter)
            await waiter

    def _receive(self, data: bytes) -> None:
        """On the reading thread."""
        self.received += len(data)
        news: list[Event] = [*self._recorder.feed(data)]
        if replies := self._engine.replies():
            self._process.write(replies)
        if not self._told:
            self._told = True
            news.append(ScreenChanged())
        if news:
            self._post(news)

    def _end(self, process_status: int) -> None:
        """On the reading thread, last."""
        status = process_status if process_status >= 0 else 128 - process_status
        self._post([*self._recorder.end(status), ScreenChanged(), Exited(status)])

    def _post(self, events: Sequence[Event]) -> None:
        # When the loop is closed, nobody is left to be told.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._deliver, events, context=self._context)

    def _deliver(self, events: Sequence[Event]) -> None:
        for event in events:
            self._note(event)
            for listener in tuple(self._listeners):
                listener(event)
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._waiting.clear()

    def _note(self, event: Event) -> None:
        match event:
            case PromptShown(again=False):
                self._at_prompt = True
                self._prompts += 1
            case CommandBegan():
                self._at_prompt, self._running = False, event
            case CommandRecord():
                self._last, self._running = event, None
            case Exited(status):
                self._at_prompt, self.exit_status = False, status
            case _:
                pass
