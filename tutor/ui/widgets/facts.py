"""The facts of a step: what holds, what was seen instead, and how to see the same."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from tutor.course.model import Mistake
from tutor.ui.scene import FactRow, FactState
from tutor.ui.widgets.callout import Callout
from tutor.ui.widgets.tag import Tag

SIGNS: dict[FactState, str] = {"true": "✓", "not yet": "✗", "cannot look": "?", "unseen": "…"}


def seen(row: FactRow) -> str:
    """What to say of a fact that does not hold."""
    match row.state:
        case "not yet":
            return row.text
        case "cannot look":
            return f"cannot look: {row.text} (not your doing)"
        case _:
            return ""


def summary(rows: Sequence[FactRow], mistakes: int, *, look: str) -> str:
    """All facts on one line. `look` is the key that shows them."""
    missing = [row for row in rows if row.state != "true"]
    if not missing:
        return f"✓ {len(rows)} of {len(rows)} · all facts hold"
    count = f"{len(rows) - len(missing)} of {len(rows)}"
    if mistakes:
        return f"◆ {count} · a known wrong turn: {look} tells which"
    return f"{SIGNS[missing[0].state]} {count} · {missing[0].label}"


class FactView(Vertical, can_focus=True):
    """One fact. Enter opens and closes it, R runs the command that shows it."""

    HELP = "A fact. Enter tells more, R types the command that shows you the same."

    BINDINGS = [  # noqa: RUF012 - as the library has it
        Binding("enter,space", "unfold", "More", show=False),
        Binding("r", "run", "See it yourself", show=False),
    ]

    DEFAULT_CSS = """
    FactView {
        height: auto;
        padding: 0 1;
        & Horizontal { height: auto; }
        & .sign { width: 2; }
        & .label { width: auto; max-width: 60%; height: auto; }
        & .seen {
            width: 1fr;
            padding: 0 1;
            color: $text-muted;
            text-wrap: nowrap;
            text-overflow: ellipsis;
        }
        & .at { width: 9; color: $text-muted; text-align: right; }
        & .more { padding: 0 0 0 2; height: auto; }
        & .saw { height: auto; color: $foreground; }
        & .show { width: 1fr; height: auto; color: $text-muted; }
        & Tag { margin: 0 0 0 1; }
        &.-true .label, &.-unseen .label, &.-open .label { width: 1fr; max-width: 100%; }
        &.-true .seen, &.-unseen .seen, &.-open .seen { display: none; }
        &.-true .sign { color: $success; }
        &.-not-yet .sign { color: $error; }
        &.-cannot-look .sign { color: $warning; }
        &.-unseen .sign { color: $text-muted; }
        &.-open .label { text-style: bold; }
        &:focus { background: $panel; }
    }
    """

    row: reactive[FactRow | None] = reactive(None)
    # What is not open is not there: the first picture of a lesson comes sooner.
    is_open: reactive[bool] = reactive(False, recompose=True)

    @dataclass
    class RunWanted(Message):
        """The learner wants to see it."""

        view: "FactView"
        command: str

        @property
        def control(self) -> "FactView":
            return self.view

    @dataclass
    class Toggled(Message):
        """The learner opened or closed it."""

        view: "FactView"

        @property
        def control(self) -> "FactView":
            return self.view

    def __init__(self, row: FactRow) -> None:
        super().__init__(id=f"fact-{row.id}", classes=f"-{row.state.replace(' ', '-')}")
        self.set_reactive(FactView.row, row)

    def compose(self) -> ComposeResult:
        words = self._words()
        with Horizontal():
            for name in ("sign", "label", "seen", "at"):
                yield Static(words[name], classes=name, markup=False)
        if self.is_open:
            with Vertical(classes="more"):
                saw = Static(words["saw"], classes="saw", markup=False)
                saw.display = bool(words["saw"])
                yield saw
                with Horizontal():
                    yield Static(words["show"], classes="show", markup=False)
                    yield Tag("[run]")

    def on_mount(self) -> None:
        self._draw()

    def watch_row(self) -> None:
        self._draw()

    def watch_is_open(self) -> None:
        self.set_class(self.is_open, "-open")

    def _words(self) -> Mapping[str, str]:
        row = self.row
        if row is None:
            return dict.fromkeys(("sign", "label", "seen", "at", "saw", "show"), "")
        text = seen(row)
        return {
            "sign": SIGNS[row.state],
            "label": row.label,
            "seen": f"· {text}" if text else "",
            "at": row.at,
            "saw": text,
            "show": f"see it yourself: {row.show}",
        }

    def _draw(self) -> None:
        row = self.row
        if row is None:
            return
        for name, words in self._words().items():
            for part in self.query(f".{name}").results(Static):
                part.update(words)
                if name == "saw":
                    part.display = bool(words)
        self.update_classes({f"-{each.replace(' ', '-')}": row.state == each for each in SIGNS})

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.action_unfold()

    def on_tag_clicked(self, event: Tag.Clicked) -> None:
        event.stop()
        self.action_run()

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
    mistakes: reactive[tuple[Mistake, ...]] = reactive(())

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - the interface library's name
        super().__init__(id=id)
        self.drawn = asyncio.Event()
        """Set when the facts of a step have been placed."""
        self._chosen: str | None = None
        """The fact that the learner opened; empty when they closed all; None before."""

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

    async def watch_mistakes(
        self, before: tuple[Mistake, ...], mistakes: tuple[Mistake, ...]
    ) -> None:
        if before == mistakes:
            return
        async with self.batch():
            await self.query(Callout).remove()
            callouts = [Callout("mistake", "A known wrong turn", each.say) for each in mistakes]
            await self.mount(*callouts, before=0 if self.children else None)
        if mistakes:
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

    BINDINGS = [Binding("enter,space", "open", "Show the facts", show=False)]  # noqa: RUF012

    DEFAULT_CSS = """
    FactsLine {
        height: 1;
        padding: 0 1;
        background: $panel;
        text-wrap: nowrap;
        text-overflow: ellipsis;
        &.-done { color: $success; text-style: bold; }
        &:focus { text-style: reverse; }
    }
    """

    @dataclass
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
