"""Types commands into the learner's shell, one after the other."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from tutor.errors import TutorError
from tutor.terminal.news import CommandRecord
from tutor.ui.blocks import INTERRUPTED
from tutor.ui.ports import Shell

WORDS_LIMIT = 48
"""Characters of a command in a notice."""


class Busy(TutorError):
    """Nothing can be typed into the shell now."""


Hands = Callable[[Shell, str], Awaitable[CommandRecord | None]]
"""How one command gets into the shell; what it came to, when it has ended."""


async def at_once(shell: Shell, command: str) -> CommandRecord | None:
    """Paste it."""
    return await shell.run(command)


class Runner:
    """The program's hands on the shell. It never types while the learner's command runs there."""

    def __init__(self) -> None:
        self.shell: Shell | None = None
        self.hands: Hands = at_once
        self._turn = asyncio.Lock()
        self._interrupted = 0
        """How often ctrl+c has ended what was typed."""

    @property
    def is_typing(self) -> bool:
        """Whether commands are being typed."""
        return self._turn.locked()

    def check(self) -> Shell:
        """The shell, if it takes a command now or after what is being typed. Raises `Busy`."""
        shell = self.shell
        if shell is None:
            raise Busy("The shell is not there yet.", next_action="Try again in a moment.")
        if shell.exit_status is not None:
            raise Busy("The shell has ended.", next_action="Press Enter there for a new one.")
        if shell.running is not None and not self.is_typing:
            raise Busy(
                f"`{abridged(shell.running.text)}` still runs in the shell.",
                next_action="Wait for its end, or end it, and then run this.",
            )
        return shell

    async def run(self, commands: Sequence[str]) -> bool:
        """Type each command when the one before has ended; False when ctrl+c ended one of them.

        What is asked for meanwhile waits for its turn, which does not come after a ctrl+c.

        Raises:
            Busy: The learner runs something.
            ShellError: The shell ended meanwhile.
        """
        interrupted = self._interrupted
        async with self._turn:
            for command in commands:
                if self._interrupted != interrupted:
                    return False
                record = await self.hands(self._free(), command)
                if record is not None and record.exit_code == INTERRUPTED:
                    self._interrupted += 1
        return self._interrupted == interrupted

    def _free(self) -> Shell:
        """The shell, with nothing running in it. Raises `Busy`."""
        shell = self.check()
        if shell.running is not None:
            raise Busy(
                f"`{abridged(shell.running.text)}` runs in the shell now.",
                next_action="What was to come after it is left out: run it again later.",
            )
        return shell


def abridged(command: str) -> str:
    """A command in a few words."""
    words = " ".join(command.replace("\\\n", " ").split())
    return words if len(words) <= WORDS_LIMIT else f"{words[: WORDS_LIMIT - 1]}…"
