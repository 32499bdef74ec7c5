"""The keys, and how a lesson goes."""

from collections.abc import Iterable, Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tutor.ui.commands import PALETTE, Command, ScreenCommands
from tutor.ui.keys import KEYS, closing, keymap_of, spelled, way_to
from tutor.ui.widgets.sheet import Sheet, hung

_HOW = """\
Read the step, type in the shell or let {run} type for you, and watch the facts: they look for \
themselves. \
When all of them hold, {next} goes on. Nothing here is graded, and everything is saved as it \
happens."""

_SIGNS = (
    ("Facts", "✓ holds  ✗ not yet  ? nobody can look  … not looked at yet"),
    ("Steps", "✓ done  » left out  ▸ where you are  ○ open  · not open yet"),
)
_SIGN_COLUMNS = 7

_PANES = (
    (
        "In the lesson",
        "Arrows scroll; Tab goes to commands and questions; Enter does them.",
    ),
    ("On commands", "Enter types or writes them; C copies them; E opens long ones."),
    ("On a fact", "Enter tells more; R types the command that shows you the same."),
    ("In the shell", "Every key is the shell's own, but those above and {prefix}."),
    ("", "{prefix} and then PgUp, PgDn, Home or End looks back."),
    ("", "{prefix} and then V selects with the arrows; Y copies."),
    ("", "{prefix} and then {prefix}, or a key from above, sends that key to the shell."),
    ("", "The mouse selects and copies; with Shift also in vim."),
)
_PLACE_COLUMNS = 15


Entry = tuple[Content, Content]
"""What stands before a text, and the text."""


class Table(Sheet):
    """Texts that hang behind what stands before them."""

    def __init__(self, entries: Sequence[Entry], *, classes: str) -> None:
        super().__init__(classes=classes)
        self._entries = entries

    def lines(self, width: int) -> Sequence[Content]:
        return [line for lead, text in self._entries for line in hung(lead, text, width)]


class HelpScreen(ModalScreen[None]):
    """Any of the usual keys closes it."""

    CSS_PATH = "help.tcss"

    COMMANDS = {ScreenCommands}  # noqa: RUF012 - as the library has it
    BINDINGS = [*closing("escape,q,enter", "help"), PALETTE]  # noqa: RUF012 - as the library has it

    def __init__(self, beside: Sequence[Command], *, in_lesson: bool = False) -> None:
        """`beside` is what else keys do on the screen that it is about."""
        super().__init__()
        self._beside = beside
        self._in_lesson = in_lesson

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="box") as box:
            box.border_title = "How this works"
            box.border_subtitle = "Esc closes"
            how = _HOW.format(run=way_to("run", self), next=way_to("next", self))
            prefix = spelled(keymap_of(self)["prefix"])
            yield Static(how, classes="part", markup=False)
            if self._in_lesson:
                yield Table(self._keys(), classes="part")
            yield Table(self._more(), classes="part")
            if self._in_lesson:
                panes = [(where, says.format(prefix=prefix)) for where, says in _PANES]
                yield Table(_hanging(panes, _PLACE_COLUMNS), classes="part")
            yield Table(_hanging(_SIGNS, _SIGN_COLUMNS), classes="part")

    def _keys(self) -> Sequence[Entry]:
        keymap = keymap_of(self)
        own = [spelled(keymap[key.id]) for key in KEYS]
        width = max(len(each) for each in own) + 1
        prefix = spelled(keymap["prefix"])
        return [
            (
                Content.assemble(
                    (f"{pressed:{width}}", "bold $primary"),
                    (f" {prefix} {key.after_prefix:4}  ", "$quiet"),
                ),
                Content(key.says),
            )
            for key, pressed in zip(KEYS, own, strict=True)
        ]

    def _more(self) -> Sequence[Entry]:
        width = max((len(each.help) for each in self._beside), default=0) + 2
        return [
            (Content.styled(f"{each.help:{width}}", "bold $primary"), Content(each.text))
            for each in self._beside
        ]

    def on_mount(self) -> None:
        self.query_one("#box").focus()

    def on_click(self) -> None:
        self.dismiss()


def _hanging(texts: Iterable[tuple[str, str]], columns: int) -> Sequence[Entry]:
    """Texts behind a bold word each."""
    return [(Content.styled(f"{word:{columns}}", "bold"), Content(says)) for word, says in texts]
