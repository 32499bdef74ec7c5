"""The lines below the text: a question, and an entry for a name."""

from dataclasses import dataclass
from typing import Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

Purpose = Literal["find", "insert", "copy"]

_LABELS: dict[Purpose, str] = {
    "find": "Find:",
    "insert": "Insert the file:",
    "copy": "Save a copy as:",
}


class Entry(Horizontal):
    """Asks for a text or a file's name. Enter gives it."""

    DEFAULT_CSS = """
    Entry {
        height: 1;
        display: none;
        &.-open { display: block; }
        & > Static { width: auto; padding: 0 1; text-style: bold; }
        & > Input { width: 1fr; }
    }
    """

    @dataclass
    class Given(Message):
        """The learner has typed it."""

        entry: "Entry"
        purpose: Purpose
        text: str

        @property
        def control(self) -> "Entry":
            return self.entry

    _purpose: Purpose = "find"

    @property
    def is_open(self) -> bool:
        """Whether it is to be seen."""
        return self.has_class("-open")

    def compose(self) -> ComposeResult:
        yield Static(markup=False)
        box = Input(compact=True)
        box.cursor_blink = False
        yield box

    def open(self, purpose: Purpose, text: str) -> None:
        """Ask."""
        self._purpose = purpose
        self.query_one(Static).update(_LABELS[purpose])
        self.add_class("-open")
        box = self.query_one(Input)
        box.value = text
        # At once: what is typed next is for it.
        self.screen.set_focus(box)

    def close(self) -> None:
        """Be gone."""
        self.remove_class("-open")

    @on(Input.Submitted)
    def _give(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Given(self, self._purpose, event.value))


class LeaveQuestion(Static, can_focus=True):
    """What is to become of a text that is not saved."""

    TEXT = (
        "Not saved.  [bold @click=app.leave_saved]Y[/] save and leave   "
        "[bold @click=app.leave_unsaved]N[/] leave without saving   "
        "[bold @click=app.leave]Esc[/] go on"
    )
    DEFAULT_CSS = """
    LeaveQuestion {
        height: auto;
        padding: 0 1;
        display: none;
        link-style: bold;
        link-color: ansi_default;
        link-background: ansi_default;
        &.-open { display: block; text-style: reverse; }
    }
    """
    BINDINGS = [  # noqa: RUF012 - as the library has it
        Binding("y,Y,enter", "app.leave_saved", "Save and leave", show=False),
        Binding("n,N", "app.leave_unsaved", "Leave", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(self.TEXT)

    @property
    def is_open(self) -> bool:
        """Whether it is to be seen."""
        return self.has_class("-open")

    def open(self) -> None:
        """Ask."""
        self.add_class("-open")
        self.screen.set_focus(self)

    def close(self) -> None:
        """Be gone."""
        self.remove_class("-open")
