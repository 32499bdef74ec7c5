"""The keys, and how a lesson goes."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tutor.ui.keys import KEYS, PREFIX, spelled

_HOW = """\
Read the step, type in the shell or let F5 type for you, and watch the facts: they look for \
themselves. \
When all of them hold, F9 goes on. Nothing here is graded, and everything is saved as it happens."""

_SIGNS = """\
Facts   ✓ holds   ✗ not yet   ? nobody can look, not your doing   … not looked at yet
Steps   ✓ done   » left out   ▸ where you are   ○ open   · not open yet"""

_PANES = """\
In the lesson   arrows scroll, Tab goes to commands and questions, Enter does them, C copies
On a fact       Enter tells more, R types the command that shows you the same
In the shell    every key is the shell's own, but the function keys and {prefix}
  {prefix} then PageUp, PageDown, Home, End look back; V selects with the arrows, Y copies;
  {prefix} twice sends it to the shell. The mouse selects and copies; with Shift also in vim."""


class HelpScreen(ModalScreen[None]):
    """Any of the usual keys closes it."""

    CSS_PATH = "help.tcss"

    BINDINGS = [Binding("escape,q,f1,enter", "dismiss", "Close", show=False)]  # noqa: RUF012

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="box") as box:
            box.border_title = "How this works"
            box.border_subtitle = "Esc closes"
            yield Static(_HOW, classes="part", markup=False)
            yield Static(self._keys(), classes="part")
            yield Static(_PANES.format(prefix=PREFIX), classes="part", markup=False)
            yield Static(_SIGNS, classes="part", markup=False)

    def _keys(self) -> Content:
        lines = [
            Content.assemble(
                (f"{spelled(key.key) or '':4}", "bold $primary"),
                (f" {PREFIX} {key.after_prefix:4}  ", "$quiet"),
                key.says,
            )
            for key in KEYS
        ]
        return Content("\n").join(lines)

    def on_mount(self) -> None:
        self.query_one("#box").focus()

    def on_click(self) -> None:
        self.dismiss()
