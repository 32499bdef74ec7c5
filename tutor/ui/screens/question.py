"""A question that has to be answered before anything goes on."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from tutor.ui.commands import PALETTE, ScreenCommands
from tutor.ui.keys import bind


class QuestionScreen(ModalScreen[bool]):
    """Two answers; Escape is the second one."""

    CSS_PATH = "question.tcss"
    COMMANDS = {ScreenCommands}  # noqa: RUF012 - as the library has it
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-usual")]  # noqa: RUF012 - as the library has it

    BINDINGS = [  # noqa: RUF012 - as the library has it
        bind("question.yes", "y", "answer(True)", "Yes"),
        bind("question.no", "n,escape", "answer(False)", "No"),
        PALETTE,
        Binding("left,right", "app.focus_next", "Other answer", show=False),
    ]

    def __init__(self, title: str, text: str, *, yes: str, no: str) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._yes = yes
        self._no = no

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Static(self._title, id="title", markup=False)
            with VerticalScroll(can_focus=False):
                yield Static(self._text, id="text", markup=False)
            with Horizontal(id="answers"):
                yield Button(self._yes, id="yes", classes="answer")
                yield Button(self._no, id="no", classes="answer")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss(event.button.id == "yes")

    def action_answer(self, answer: bool) -> None:
        """Answer it."""
        self.dismiss(answer)
