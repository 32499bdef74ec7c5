"""Types commands into the learner's shell, one after the other, for one asker at a time."""

from collections.abc import Sequence

from tutor.errors import TutorError
from tutor.ui.blocks import INTERRUPTED
from tutor.ui.ports import Shell

WORDS_LIMIT = 48
"""Characters of a command in a notice."""


class Busy(TutorError):
    """Nothing can be typed into the shell now."""


class Runner:
    """The program's hands on the shell. It never types while something runs there."""

    def __init__(self) -> None:
        self.shell: Shell | None = None
        self._is_typing = False

    @property
    def is_typing(self) -> bool:
        """Whether commands are being typed."""
        return self._is_typing

    def check(self) -> Shell:
        """The shell, if it takes a command now. Raises `Busy`."""
        shell = self.shell
        if shell is None:
            raise Busy("The shell is not there yet.", next_action="Try again in a moment.")
        if shell.exit_status is not None:
            raise Busy("The shell has ended.", next_action="Press Enter there for a new one.")
        if shell.running is not None:
            raise Busy(
                f"`{abridged(shell.running.text)}` still runs in the shell.",
                next_action="Wait for its end, or end it, and then run this.",
            )
        if self._is_typing:
            raise Busy("Something else is being typed.", next_action="Wait until that has ended.")
        return shell

    async def run(self, commands: Sequence[str]) -> bool:
        """Type each command when the one before has ended; False when ctrl+c ended one of them.

        Raises:
            Busy: Something runs.
            ShellError: The shell ended meanwhile.
        """
        shell = self.check()
        self._is_typing = True
        try:
            for command in commands:
                record = await shell.run(command)
                if record is not None and record.exit_code == INTERRUPTED:
                    return False
        finally:
            self._is_typing = False
        return True


def abridged(command: str) -> str:
    """A command in a few words."""
    words = " ".join(command.replace("\\\n", " ").split())
    return words if len(words) <= WORDS_LIMIT else f"{words[: WORDS_LIMIT - 1]}…"
