"""One thing to type or to write: shown as it will be, with a word to click that does it."""

from collections.abc import Iterator
from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.style import Style
from textual.widgets import Static

from tutor.ui.blocks import NEW, BlockText, Standing
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

    COMPONENT_CLASSES = {"block--prompt", "block--program", "block--more"}  # noqa: RUF012

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
        & .changes { height: auto; margin: 0; color: $text-muted; }
        & > .block--prompt { color: $text-muted; }
        & > .block--program { color: $primary; text-style: bold; }
        & > .block--more { color: $text-muted; text-style: italic; }
        &:focus { border-left: outer $primary; background: $panel; }
        &.-done { border-left: outer $success; }
        &.-failed { border-left: outer $warning; }
        &.-running { border-left: outer $primary; }
    }
    """

    standing: reactive[Standing] = reactive(NEW)
    is_next: reactive[bool] = reactive(False)
    """Whether the run key does this one."""
    is_open: reactive[bool] = reactive(False, layout=True)

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
            yield Static(self._code(), classes="code")
            yield Tag(self._word())
        if self.block.changes:
            yield Static(self._changes(), classes="changes", markup=False)

    @property
    def text(self) -> str:
        """What would be typed or written."""
        return self.block.content if self.block.title else "\n".join(self.block.commands)

    def _style(self, name: str) -> Style:
        styles = self.get_component_styles(f"block--{name}")
        flags = styles.text_style
        return Style(foreground=styles.color, bold=bool(flags.bold), italic=bool(flags.italic))

    def _code(self) -> Content:
        lines = list(self._lines())
        if len(lines) > FOLD and not self.is_open:
            rest = len(lines) - FOLDED
            lines = lines[:FOLDED]
            lines.append(Content.styled(f"  … {rest} lines more (E opens)", self._style("more")))
        return Content("\n").join(lines)

    def _lines(self) -> Iterator[Content]:
        prompt, program = self._style("prompt"), self._style("program")
        if self.block.title:
            yield Content.styled(self.block.title, program)
            yield from (Content(f"  {line}") for line in self.block.content.splitlines())
        for command in self.block.commands:
            first, *more = command.splitlines()
            word, blank, rest = first.partition(" ")
            yield Content.assemble(
                Content.styled("$ ", prompt), Content.styled(word, program), blank, rest
            )
            yield from (Content(f"  {line}") for line in more)

    def _changes(self) -> Content:
        lines = ["Change these lines in the editor:", *(f"  {each}" for each in self.block.changes)]
        return Content("\n".join(lines))

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
                return f"[{verb} F5]" if self.is_next else f"[{verb}]"

    def _draw(self) -> None:
        if self.is_mounted:
            self.query_one(Tag).word = self._word()
            for state in ("done", "failed", "running"):
                self.set_class(self.standing.state == state, f"-{state}")

    def watch_standing(self) -> None:
        self._draw()

    def watch_is_next(self) -> None:
        self._draw()

    def watch_is_open(self) -> None:
        self.notify_style_update()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self.is_mounted:
            self.query_one(".code", Static).update(self._code())

    def on_click(self, event: events.Click) -> None:
        if "code" in (event.widget.classes if event.widget else ()):
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
