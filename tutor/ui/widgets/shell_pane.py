"""The learner's terminal, and what takes its place when the shell has ended."""

from textual import on
from textual.app import ComposeResult
from textual.message import Message
from textual.widgets import Static

from tutor.ui.keys import bind
from tutor.ui.ports import Shell
from tutor.ui.widgets.edge import EdgePane
from tutor.ui.widgets.find import FindLine
from tutor.ui.widgets.terminal import Terminal
from tutor.value import filled


class EndedLine(Static, can_focus=True):
    """Says that the shell has ended. Enter starts another one."""

    HELP = "The shell has ended. Enter starts a new one."

    BINDINGS = [bind("shell.restart", "enter", "restart", "Start a new shell")]  # noqa: RUF012

    @filled
    class Restarted(Message):
        """The learner wants a new shell."""

        line: "EndedLine"

        @property
        def control(self) -> "EndedLine":
            return self.line

    def on_click(self) -> None:
        self.action_restart()

    def action_restart(self) -> None:
        """Ask for a new shell."""
        self.post_message(self.Restarted(self))


class ShellPane(EdgePane):
    """A terminal, a line to search it with, and one that is there only when the shell is not."""

    DEFAULT_CSS = """
    ShellPane {
        & > EndedLine {
            height: auto;
            padding: 0 1;
            display: none;
            background: $panel;
            text-style: bold;
            &:focus { background: $primary; color: $background; }
        }
        &.-ended > EndedLine { display: block; }
    }
    """

    def compose(self) -> ComposeResult:
        # The lines are made when they are wanted: a lesson is there sooner without them.
        yield Terminal(id="terminal")

    @property
    def _ended(self) -> EndedLine:
        line = self.query_one_optional(EndedLine)
        if line is None:
            line = EndedLine(id="ended", markup=False)
            self.mount(line)
        return line

    def find(self) -> None:
        """Have the learner look for a text."""
        line = self.query_one_optional(FindLine)
        if line is None:
            line = FindLine(id="find")
            self.mount(line, after=self.query_one(Terminal))
        line.open()

    @on(FindLine.Looked)
    def _look(self, event: FindLine.Looked) -> None:
        event.stop()
        terminal = self.query_one(Terminal)
        found = terminal.search(event.text)
        self.query_one(FindLine).tell(terminal.search_on(older=True) if found.total else found)

    @on(FindLine.Turned)
    def _turn(self, event: FindLine.Turned) -> None:
        event.stop()
        terminal = self.query_one(Terminal)
        found = terminal.search_on(older=event.older)
        self.query_one(FindLine).tell(found)

    @on(FindLine.Ended)
    def _end_search(self) -> None:
        terminal = self.query_one(Terminal)
        terminal.search("")
        self.query_one(FindLine).close()
        terminal.focus()

    def show(self, shell: Shell) -> None:
        """Show a shell, and that it has ended when it has."""
        line = self.query_one_optional(FindLine)
        if line is not None and line.is_open:
            self._end_search()
        self.query_one(Terminal).show(shell)
        if shell.exit_status is None:
            self.started()
        else:
            self.ended(shell)

    def ended(self, shell: Shell) -> None:
        """The shell is gone."""
        how = f" (exit status {shell.exit_status})" if shell.exit_status else ""
        line = self._ended
        line.update(
            f"The shell has ended{how}. Press Enter for a new one."
            if shell.has_prompted
            else f"The shell has ended before its first prompt{how}. Press Enter to try again, or "
            "start tutor with another one: SHELL=/bin/bash tutor."
        )
        had_focus = self.query_one(Terminal).has_focus
        self.set_class(True, "-ended")
        if had_focus:
            line.focus()

    def started(self) -> None:
        """There is a new one."""
        line = self.query_one_optional(EndedLine)
        had_focus = line is not None and line.has_focus
        self.set_class(False, "-ended")
        if had_focus:
            self.query_one(Terminal).focus()
