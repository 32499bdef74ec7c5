"""The facts of a step: what holds, what was seen instead, and how to see the same."""

import asyncio
from collections.abc import Iterator, Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from tutor.ui.keys import bind
from tutor.ui.scene import FactRow, FactState, Notice
from tutor.ui.widgets.callout import Callout
from tutor.ui.widgets.sheet import Sheet, hung
from tutor.value import filled

SIGNS: dict[FactState, str] = {"true": "✓", "not yet": "✗", "cannot look": "?", "unseen": "…"}
_COLOURS: dict[FactState, str] = {
    "true": "$success",
    "not yet": "$error",
    "cannot look": "$warning",
    "unseen": "$quiet",
}
_LEAST_SEEN = 20
"""Columns that have to be left behind the label of a closed fact for what was seen."""


def seen(row: FactRow) -> str:
    """What to say of a fact that does not hold."""
    match row.state:
        case "not yet":
            return row.text
        case "cannot look":
            return f"cannot look: {row.text} (not your doing)"
        case _:
            return ""


def summary(rows: Sequence[FactRow], notices: Sequence[Notice], *, look: str) -> str:
    """All facts on one line. `look` is the key that shows them."""
    missing = [row for row in rows if row.state != "true"]
    if not missing:
        return f"✓ {len(rows)} of {len(rows)} · all facts hold"
    count = f"{len(rows) - len(missing)} of {len(rows)}"
    if notices:
        title = notices[0].title
        return f"◆ {count} · {title[0].lower()}{title[1:]}: {look} tells more"
    return f"{SIGNS[missing[0].state]} {count} · {missing[0].label}"


class FactView(Sheet, can_focus=True):
    """One fact. Enter opens and closes it, R runs the command that shows it."""

    HELP = "A fact. Enter tells more, R types the command that shows you the same."

    BINDINGS = [  # noqa: RUF012 - as the library has it
        bind("fact.more", "enter,space", "unfold", "Tell more of this fact, or less"),
        bind("fact.see", "r", "run", "Type the command that shows the same as this fact saw"),
    ]

    DEFAULT_CSS = """
    FactView {
        padding: 0 1;
        &:focus { background: $panel; }
    }
    """

    row: reactive[FactRow | None] = reactive(None)
    is_open: reactive[bool] = reactive(False)

    @filled
    class RunWanted(Message):
        """The learner wants to see it."""

        view: "FactView"
        command: str

        @property
        def control(self) -> "FactView":
            return self.view

    @filled
    class Toggled(Message):
        """The learner opened or closed it."""

        view: "FactView"

        @property
        def control(self) -> "FactView":
            return self.view

    def __init__(self, row: FactRow) -> None:
        super().__init__(id=f"fact-{row.id}")
        self.set_reactive(FactView.row, row)

    def lines(self, width: int) -> Sequence[Content]:
        row = self.row
        if row is None:
            return []
        sign = Content.styled(f"{SIGNS[row.state]} ", _COLOURS[row.state])
        label = Content.styled(row.label, "bold" if self.is_open else "")
        at = Content.styled(row.at, "$quiet")
        lines = hung(sign, label, width, at)
        if self.is_open:
            return [*lines, *self._more(row, width)]
        return lines if len(lines) > 1 else [self._brief(row, sign + label, at, width)]

    def _brief(self, row: FactRow, label: Content, at: Content, width: int) -> Content:
        """One line, with what was seen in it as far as there is room."""
        room = width - label.cell_length - at.cell_length - 2
        if room >= _LEAST_SEEN and (text := " ".join(seen(row).split())):
            said = Content.styled(f"· {text}", "$quiet").truncate(room, ellipsis=True)
            label = Content.assemble(label, " ", said)
        gap = " " * max(width - label.cell_length - at.cell_length, 1)
        return Content.assemble(label, gap, at)

    def _more(self, row: FactRow, width: int) -> Iterator[Content]:
        margin = Content("  ")
        if text := seen(row):
            yield from hung(margin, Content(text), width)
        show = Content.styled(f"see it yourself: {row.show}", "$quiet")
        yield from hung(margin, show, width, self.tag("[run]", "run"))

    def watch_row(self) -> None:
        self.redraw()

    def watch_is_open(self) -> None:
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        event.stop()
        if event.style.meta.get("tag") == "run":
            self.action_run()
        else:
            self.action_unfold()

    def action_unfold(self) -> None:
        """Tell more, or less."""
        self.post_message(self.Toggled(self))

    def action_run(self) -> None:
        """See it."""
        if self.row is not None:
            self.post_message(self.RunWanted(self, self.row.show))


class FactsPane(VerticalScroll, can_focus=False):
    """All facts of the step. The first that does not hold is open by itself."""

    DEFAULT_CSS = """
    FactsPane {
        height: auto;
        scrollbar-size-vertical: 1;
        & > Callout { margin: 0 1 0 1; }
    }
    """

    rows: reactive[tuple[FactRow, ...]] = reactive(())
    notices: reactive[tuple[Notice, ...]] = reactive(())

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - the interface library's name
        super().__init__(id=id)
        self.drawn = asyncio.Event()
        """Set when the facts of a step have been placed."""
        self._chosen: str | None = None
        """The fact that the learner opened; empty when they closed all; None before."""

    def begin(self, rows: tuple[FactRow, ...]) -> None:
        """Have the facts of a step there when it is mounted."""
        self.set_reactive(FactsPane.rows, rows)

    def compose(self) -> ComposeResult:
        yield from (FactView(row) for row in self.rows)

    def on_mount(self) -> None:
        if self.rows:
            self._open()
            self.drawn.set()

    async def watch_rows(self, before: tuple[FactRow, ...], rows: tuple[FactRow, ...]) -> None:
        if [row.id for row in before] != [row.id for row in rows]:
            self._chosen = None
            async with self.batch():
                await self.query(FactView).remove()
                await self.mount(*(FactView(row) for row in rows))
        for view, row in zip(self.query(FactView), rows, strict=True):
            view.row = row
        self._open()
        if rows:
            self.drawn.set()

    async def watch_notices(self, before: tuple[Notice, ...], notices: tuple[Notice, ...]) -> None:
        if before == notices:
            return
        async with self.batch():
            await self.query(Callout).remove()
            callouts = [Callout("mistake", each.title, each.text) for each in notices]
            await self.mount(*callouts, before=0 if self.children else None)
        if notices:
            self.scroll_home(animate=False)

    def _open(self) -> None:
        first = next((row.id for row in self.rows if row.state in {"not yet", "cannot look"}), None)
        chosen = first if self._chosen is None else self._chosen
        for view in self.query(FactView):
            view.is_open = view.row is not None and view.row.id == chosen

    def on_fact_view_toggled(self, event: FactView.Toggled) -> None:
        event.stop()
        row = event.view.row
        self._chosen = "" if event.view.is_open or row is None else row.id
        self._open()
        self.call_after_refresh(event.view.scroll_visible, animate=False)


class FactsLine(Static, can_focus=True):
    """The facts on one line, where there is no room for more. Enter or a click opens them."""

    HELP = "The facts, in short. Enter shows them all."

    BINDINGS = [bind("facts.open", "enter,space", "open", "Show the facts")]  # noqa: RUF012

    DEFAULT_CSS = """
    FactsLine {
        height: 1;
        padding: 0 1;
        background: $panel;
        text-wrap: nowrap;
        text-overflow: ellipsis;
        &.-done { color: $success; text-style: bold; }
        &.-wrong { color: $warning; text-style: bold; }
        &:focus { text-style: reverse; }
    }
    """

    @filled
    class Opened(Message):
        """The learner wants to see them all."""

        line: "FactsLine"

        @property
        def control(self) -> "FactsLine":
            return self.line

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - the interface library's name
        super().__init__(id=id, markup=False)

    def on_click(self) -> None:
        self.action_open()

    def action_open(self) -> None:
        """Show them."""
        self.post_message(self.Opened(self))
