"""Looks for a text in all that the shell has shown."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from tutor.terminal.screen import Search
from tutor.ui.keys import bind


class FindLine(Horizontal):
    """A line below a terminal. Enter and Up go to older places, Down to newer, Escape ends it."""

    HELP = "Type a text. Enter and Up go to older places, Down to newer ones, Escape ends it."

    BINDINGS = [  # noqa: RUF012 - as the library has it
        bind("search.older", "up,enter", "older", "Go to an older place"),
        bind("search.newer", "down", "newer", "Go to a newer place"),
        bind("search.end", "escape", "end", "End the search"),
    ]

    DEFAULT_CSS = """
    FindLine {
        height: 1;
        display: none;
        background: $panel;
        & > .sign { width: 8; padding: 0 1; color: $primary; text-style: bold; }
        & > Input { width: 1fr; height: 1; border: none; padding: 0; background: $panel; }
        & > .count { width: auto; padding: 0 1; color: $quiet; }
        &.-open { display: block; }
    }
    """

    class Looked(Message):
        """The learner looks for a text; empty to show all as it is."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Turned(Message):
        """The learner wants another place."""

        def __init__(self, *, older: bool) -> None:
            super().__init__()
            self.older = older

    class Ended(Message):
        """The learner has seen enough."""

    @property
    def is_open(self) -> bool:
        """Whether it is to be seen."""
        return self.has_class("-open")

    def _parts(self) -> ComposeResult:
        yield Static("search", classes="sign", markup=False)
        box = Input(placeholder="Enter: older · Down: newer · Esc: end", compact=True)
        box.cursor_blink = False
        yield box
        yield Static(classes="count", markup=False)

    def open(self) -> None:
        """Begin anew."""
        self.add_class("-open")
        # Not before they are wanted: a lesson is there sooner without them.
        if not self.children:
            self.mount(*self._parts())
        box = self.query_one(Input)
        box.value = ""
        box.focus()

    def close(self) -> None:
        """Be gone."""
        self.remove_class("-open")

    def tell(self, found: Search) -> None:
        """Say how many places there are."""
        wanted = self.query_one(Input).value
        count = f"{found.current} of {found.total}" if found.total else "nowhere"
        self.query_one(".count", Static).update(count if wanted else "")

    @on(Input.Changed)
    def _look(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Looked(event.value))

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_older()

    def action_older(self) -> None:
        """Go to the place before."""
        self.post_message(self.Turned(older=True))

    def action_newer(self) -> None:
        """Go to the place after."""
        self.post_message(self.Turned(older=False))

    def action_end(self) -> None:
        """Look for nothing any more."""
        self.post_message(self.Ended())
