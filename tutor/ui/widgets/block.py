"""One thing to type or to write: shown as it will be, with a word to click that does it."""

from collections.abc import Iterator, Sequence

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive

from tutor.ui.blocks import NEW, BlockText, Standing
from tutor.ui.code_lines import glued, moved, unglued
from tutor.ui.keys import bind, way_to
from tutor.ui.reading import passages
from tutor.ui.widgets.sheet import Sheet, hung
from tutor.value import filled

FOLD = 12
"""Lines of a block that are shown at most, until it is opened."""

FOLDED = 6
"""Lines of a longer one that are shown."""

_PROMPT = Content.styled("$ ", "$quiet")
_BULLET = Content.styled("• ", "$quiet")
_NOTE_COLUMNS = 96


class BlockCard(Sheet, can_focus=True):
    """A block of a step. Enter does it, C copies it, E opens a long one."""

    HELP = "Commands of the step. Enter types them into the shell, C copies, E opens a long one."

    BINDINGS = [  # noqa: RUF012 - as the library has it
        bind("block.do", "enter,space", "want", "Type or write this"),
        bind("block.copy", "c", "copy", "Copy this"),
        bind("block.open", "e", "open", "Show all of it, or its beginning"),
    ]

    DEFAULT_CSS = """
    BlockCard {
        max-width: 110;
        margin: 0 0 1 0;
        background: $surface;
        border-left: outer $border-blurred;
        padding: 0 1;
        &.-done { border-left: outer $success; }
        &.-failed { border-left: outer $warning; }
        &.-running { border-left: outer $primary; }
        &:focus { border-left: outer $primary; background: $panel; }
    }
    """

    standing: reactive[Standing] = reactive(NEW)
    is_next: reactive[bool] = reactive(False)
    """Whether the run key does this one."""
    is_open: reactive[bool] = reactive(False)

    @filled
    class Wanted(Message):
        """The learner wants it typed or written."""

        card: "BlockCard"
        key: str

        @property
        def control(self) -> "BlockCard":
            return self.card

    @filled
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
        self._passages = passages(block.note)

    @property
    def text(self) -> str:
        """What would be typed or written."""
        return self.block.content if self.block.title else "\n".join(self.block.commands)

    def lines(self, width: int) -> Sequence[Content]:
        return [*self._note(width), *self._code(width), *self._changes(width)]

    def _note(self, width: int) -> Iterator[Content]:
        for line in self.set_out(self._passages, min(width, _NOTE_COLUMNS)):
            yield line.pad_right(max(width - line.cell_length, 0)).stylize_before("on $background")

    def _code(self, width: int) -> Sequence[Content]:
        """What is typed or written, and at its right the words that do and copy it."""
        does, copies = self.tag(self._word(), "want"), self.tag("[copy]", "copy", "$quiet")
        lines = self._laid(width, does)
        both = self._laid(width, Content.assemble(copies, " ", does))
        if len(both) == len(lines):
            return both
        # Beside it, the first line would break: it goes below.
        room = width - copies.cell_length
        if len(lines) > 1 and (gap := room - lines[1].cell_length) > 0:
            lines[1] = Content.assemble(lines[1], " " * gap, copies)
            return lines
        return [*lines, Content.assemble(" " * room, copies)] if len(lines) == 1 else both

    def _laid(self, width: int, tail: Content) -> list[Content]:
        """The lines, with something at the end of the first."""
        (lead, body), *others = self._rows(width)
        lines = hung(lead, body, width, tail)
        for lead, body in others:
            lines += hung(lead, body, width)
        return [unglued(line) for line in lines]

    def _rows(self, width: int) -> Iterator[tuple[Content, Content]]:
        """Each line with what stands before it, so that what does not fit hangs under the text."""
        total = len(self.text.splitlines())
        is_folded = total > FOLD and not self.is_open
        room = FOLDED if is_folded else total
        if self.block.title:
            yield Content(""), Content.styled(self.block.title, "bold $primary")
            for line in self.block.content.splitlines()[:room]:
                yield Content("  "), Content(line)
        for command in self.block.commands:
            lines = command.splitlines()[: max(room, 0)]
            room -= len(lines)
            if lines:
                yield _PROMPT, _coloured(glued(lines[0]))
            left = moved(lines, width - len(_PROMPT))
            for line in lines[1:]:
                text = line.lstrip()
                indent = max(len(line) - len(text) - left, 0)
                yield Content(" " * (len(_PROMPT) + indent)), Content(glued(text))
        if is_folded:
            more = f"… {total - FOLDED} lines more (E opens)"
            yield Content(""), Content.styled(more, "italic $quiet")

    def _changes(self, width: int) -> Iterator[Content]:
        if self.block.changes:
            yield Content.styled("Change in the editor:", "$quiet")
        for each in self.block.changes:
            yield from hung(_BULLET, Content.styled(each, "$quiet"), width)

    def _word(self) -> str:
        verb = self.block.verb
        does = f"[{verb} {way_to('run', self)}]" if self.is_next else f"[{verb}]"
        match self.standing.state:
            case "running":
                return "… runs"
            case "done":
                return f"✓ [{verb}]"
            case "failed":
                return f"✗ exit {self.standing.exit_code} {does}"
            case _:
                return does

    def _draw(self) -> None:
        states = ("done", "failed", "running")
        self.update_classes({f"-{each}": self.standing.state == each for each in states})
        self.redraw()

    def watch_is_open(self) -> None:
        self.redraw()

    def watch_standing(self) -> None:
        self._draw()

    def watch_is_next(self) -> None:
        self._draw()

    def on_click(self, event: events.Click) -> None:
        tag = event.style.meta.get("tag")
        if tag == "want":
            self.action_want()
        elif tag == "copy":
            self.action_copy()
        elif not {"url", "key"} & event.style.meta.keys():
            self.action_open()

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
