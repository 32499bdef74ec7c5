"""One thing to type or to write: shown as it will be, with a word to click that does it."""

from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from tutor.ui.blocks import NEW, BlockText, Standing
from tutor.ui.keys import way_to
from tutor.ui.widgets.prose import Prose
from tutor.ui.widgets.tag import Tag

FOLD = 12
"""Lines of a block that are shown at most, until it is opened."""

FOLDED = 6
"""Lines of a longer one that are shown."""


class BlockCard(Vertical, can_focus=True):
    """A block of a step. Enter does it, C copies it, E opens a long one."""

    HELP = "Commands of the step. Enter types them into the shell, C copies, E opens a long one."

    BINDINGS = [  # noqa: RUF012 - as the library has it
        Binding("enter,space", "want", "Run", show=False),
        Binding("c", "copy", "Copy", show=False),
        Binding("e", "open", "Open or close", show=False),
    ]

    DEFAULT_CSS = """
    BlockCard {
        height: auto;
        max-width: 110;
        margin: 0 0 1 0;
        background: $surface;
        border-left: outer $border-blurred;
        padding: 0 1;
        & > .note { background: $background; padding: 0; margin: 0; }
        & Horizontal { height: auto; }
        & .code { width: 1fr; height: auto; }
        & Tag { margin: 0 0 0 1; min-width: 5; }
        & .changes { height: auto; color: $text-muted; }
        & .command { height: auto; }
        & .prompt { width: 2; color: $text-muted; }
        & .words { width: 1fr; height: auto; }
        & .title { color: $primary; text-style: bold; }
        & .content { padding: 0 0 0 2; }
        & .more { color: $text-muted; text-style: italic; }
        &:focus { border-left: outer $primary; background: $panel; }
        &.-done { border-left: outer $success; }
        &.-failed { border-left: outer $warning; }
        &.-running { border-left: outer $primary; }
    }
    """

    standing: reactive[Standing] = reactive(NEW)
    is_next: reactive[bool] = reactive(False)
    """Whether the run key does this one."""
    is_open: reactive[bool] = reactive(False, recompose=True)

    @dataclass
    class Wanted(Message):
        """The learner wants it typed or written."""

        card: "BlockCard"
        key: str

        @property
        def control(self) -> "BlockCard":
            return self.card

    @dataclass
    class Copied(Message):
        """The learner wants it on the clipboard."""

        card: "BlockCard"
        text: str

        @property
        def control(self) -> "BlockCard":
            return self.card

    def __init__(self, key: str, block: BlockText) -> None:
        super().__init__(id=f"block-{key}")
        self.key = key
        self.block = block

    def compose(self) -> ComposeResult:
        if self.block.note:
            yield Prose(self.block.note, classes="note")
        with Horizontal():
            with Vertical(classes="code"):
                yield from self._code()
            yield Tag(self._word())
        if self.block.changes:
            with Vertical(classes="changes"):
                yield Static("Change in the editor:", markup=False)
                for each in self.block.changes:
                    with Horizontal():
                        yield Static("•", classes="prompt", markup=False)
                        yield Static(each, classes="words", markup=False)

    @property
    def text(self) -> str:
        """What would be typed or written."""
        return self.block.content if self.block.title else "\n".join(self.block.commands)

    def _code(self) -> ComposeResult:
        total = len(self.text.splitlines())
        is_folded = total > FOLD and not self.is_open
        room = FOLDED if is_folded else total
        if self.block.title:
            yield Static(self.block.title, classes="title", markup=False)
            lines = self.block.content.splitlines()[:room]
            yield Static("\n".join(lines), classes="content", markup=False)
        for command in self.block.commands:
            lines = command.splitlines()[: max(room, 0)]
            room -= len(lines)
            if lines:
                # In a column of its own, so that what does not fit hangs under the command.
                with Horizontal(classes="command"):
                    yield Static("$", classes="prompt", markup=False)
                    yield Static(_coloured("\n".join(lines)), classes="words")
        if is_folded:
            yield Static(f"… {total - FOLDED} lines more (E opens)", classes="more", markup=False)

    def _word(self) -> str:
        verb = self.block.verb
        match self.standing.state:
            case "running":
                return "… runs"
            case "done":
                return f"✓ [{verb}]"
            case "failed":
                return f"✗ exit {self.standing.exit_code} [{verb}]"
            case _:
                return f"[{verb} {way_to('run', self)}]" if self.is_next else f"[{verb}]"

    def _draw(self) -> None:
        tag = self.query_one_optional(Tag)
        if tag is not None:
            tag.word = self._word()
        states = ("done", "failed", "running")
        self.update_classes({f"-{each}": self.standing.state == each for each in states})

    def watch_standing(self) -> None:
        self._draw()

    def watch_is_next(self) -> None:
        self._draw()

    def on_click(self, event: events.Click) -> None:
        del event
        self.action_open()

    def on_tag_clicked(self, event: Tag.Clicked) -> None:
        event.stop()
        self.action_want()

    def action_want(self) -> None:
        """Do it."""
        self.post_message(self.Wanted(self, self.key))

    def action_copy(self) -> None:
        """Put it on the clipboard."""
        self.post_message(self.Copied(self, self.text))

    def action_open(self) -> None:
        """Show all of it, or its beginning."""
        self.is_open = not self.is_open


def _coloured(command: str) -> Content:
    """A command with its program set apart."""
    program, blank, rest = command.partition(" ")
    return Content.assemble((program, "bold $primary"), f"{blank}{rest}")
