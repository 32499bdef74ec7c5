"""What a terminal tells its screen. `Terminal` has each of these as an attribute."""

from textual.message import Message
from textual.widget import Widget

from tutor.terminal.news import CommandBegan, CommandRecord
from tutor.value import filled


@filled
class TerminalMessage(Message):
    """Any of them; `control` is the terminal, so that handlers can select by it."""

    terminal: Widget

    @property
    def control(self) -> Widget:
        return self.terminal


class ShellShown(TerminalMessage, namespace="terminal"):
    """It shows a shell."""


@filled
class CommandStarted(TerminalMessage, namespace="terminal"):
    """The shell runs a command line."""

    began: CommandBegan


@filled
class CommandFinished(TerminalMessage, namespace="terminal"):
    """It ended."""

    record: CommandRecord


@filled
class TitleChanged(TerminalMessage, namespace="terminal"):
    """The program named its window."""

    title: str


class Rang(TerminalMessage, namespace="terminal"):
    """The program rang the bell."""


@filled
class Copied(TerminalMessage, namespace="terminal"):
    """Text is for the clipboard: the learner selected it, or the program sent it."""

    text: str
    by_program: bool


@filled
class PasteQuestion(TerminalMessage, namespace="terminal"):
    """Lines were pasted into a program that would run them at once: `paste` them, or not."""

    text: str


@filled
class LinkOpened(TerminalMessage, namespace="terminal"):
    """The learner followed a link, to http or https."""

    url: str


@filled
class PrefixPressed(TerminalMessage, namespace="terminal"):
    """A key came after the prefix that means nothing to the terminal."""

    key: str


@filled
class ShellEnded(TerminalMessage, namespace="terminal"):
    """The shell is gone, with this exit status."""

    status: int
