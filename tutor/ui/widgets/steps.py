"""The list of steps: what is done, where one is, what is not open yet."""

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style

from tutor.ui.keys import bind
from tutor.ui.scene import StepMark, StepRow
from tutor.value import filled

SIGNS: dict[StepMark, str] = {"passed": "✓", "skipped": "»", "open": "○", "closed": "·"}
"""Of a step that is done, was left out, may be opened, may not yet."""

STYLES: dict[StepMark, str] = {
    "passed": "$success",
    "skipped": "$quiet",
    "open": "$foreground",
    "closed": "$faint",
}
CURRENT = "bold $primary"
_CURSOR = "bold $block-cursor-foreground on $block-cursor-background"
_POINTED = "on $block-hover-background"


class StepList(ScrollView, can_focus=True):
    """Click or Enter asks for a step, open or not: the answer says which comes first.

    It draws its lines itself: the library's list takes five times as long for that.
    """

    ALLOW_SELECT = False
    HELP = "The steps of the lesson. ✓ done, » left out, ○ open, · not open yet."

    BINDINGS = [  # noqa: RUF012 - as the library has it
        bind("steps.open", "enter,space", "select", "Open this step"),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("home", "first", "First", show=False),
        Binding("end", "last", "Last", show=False),
        Binding("pagedown", "page(1)", "Page Down", show=False),
        Binding("pageup", "page(-1)", "Page Up", show=False),
    ]

    DEFAULT_CSS = """
    StepList {
        background: $surface;
        padding: 0 0 0 1;
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
    }
    """

    rows: reactive[tuple[StepRow, ...]] = reactive(())
    at: reactive[int] = reactive(0)
    """Which row the cursor is in."""
    pointed: reactive[int | None] = reactive(None)
    """Which row the pointer is on."""

    @filled
    class Chosen(Message):
        """The learner wants that step."""

        step_list: "StepList"
        step_id: str

        @property
        def control(self) -> "StepList":
            return self.step_list

    @filled
    class Left(Message):
        """The learner is done with the list."""

        step_list: "StepList"

        @property
        def control(self) -> "StepList":
            return self.step_list

    def watch_rows(self, before: tuple[StepRow, ...], rows: tuple[StepRow, ...]) -> None:
        self.virtual_size = Size(1, len(rows))
        was = next((row.id for row in before if row.is_current), None)
        here = next((index for index, row in enumerate(rows) if row.is_current), None)
        if here is not None and rows[here].id != was:
            self.at = here

    def validate_at(self, at: int) -> int:
        return max(min(at, len(self.rows) - 1), 0)

    def watch_at(self) -> None:
        self._show_cursor()

    def on_resize(self) -> None:
        self._show_cursor()

    def _show_cursor(self) -> None:
        self.scroll_to_region(Region(0, self.at, 1, 1), force=True, animate=False, immediate=True)

    def render_line(self, y: int) -> Strip:
        index, width = y + self.scroll_offset.y, self.scrollable_content_region.width
        ground = self.visual_style
        if index >= len(self.rows):
            return Strip.blank(width, ground.rich_style)
        row = self.rows[index]
        own, sign = CURRENT if row.is_current else STYLES[row.mark], STYLES[row.mark]
        if index == self.at and self.has_focus:
            own = sign = ""
            ground += Style.parse(_CURSOR)
        elif index == self.pointed:
            ground += Style.parse(_POINTED)
        lead = (ground + Style.parse(own)).rich_style
        title = _fitted(f"{row.number:2} {row.title}", max(width - 3, 1))
        segments = [
            Segment("▸" if row.is_current else " ", lead),
            Segment(f"{SIGNS[row.mark]} ", (ground + Style.parse(sign)).rich_style),
            Segment(title, lead),
        ]
        return Strip(segments).adjust_cell_length(width, ground.rich_style)

    def _row(self, event: events.MouseEvent) -> int | None:
        offset = event.get_content_offset(self)
        row = -1 if offset is None else offset.y + self.scroll_offset.y
        return row if 0 <= row < len(self.rows) else None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self.pointed = self._row(event)

    def on_leave(self) -> None:
        self.pointed = None

    def on_click(self, event: events.Click) -> None:
        if (row := self._row(event)) is not None:
            self.at = row
            self.action_select()

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            event.stop()
            self.post_message(self.Left(self))

    def action_select(self) -> None:
        """Ask for the step."""
        if self.rows:
            self.post_message(self.Chosen(self, self.rows[self.at].id))

    def action_move(self, rows: int) -> None:
        """Go to the next row, or the one before; round the ends."""
        self.at = (self.at + rows) % max(len(self.rows), 1)

    def action_page(self, pages: int) -> None:
        """Go a window further, or back."""
        self.at += pages * self.scrollable_content_region.height

    def action_first(self) -> None:
        """Go to the first row."""
        self.at = 0

    def action_last(self) -> None:
        """Go to the last row."""
        self.at = len(self.rows) - 1


def _fitted(text: str, width: int) -> str:
    """A text for so many columns at most."""
    return text if cell_len(text) <= width else f"{set_cell_size(text, width - 1)}…"
