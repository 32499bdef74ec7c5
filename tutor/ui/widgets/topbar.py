"""The first line: which lesson, how far, where, how long."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, assert_never

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive

from tutor.ui.widgets.sheet import Sheet
from tutor.value import filled

Health = Literal["starting", "none", "gone", "answers", "silent"]


class Standing(NamedTuple):
    """What the line says."""

    title: str
    number: int
    total: int
    place: str
    """`sandbox`, `kind`, `context:NAME`; empty for a lesson without a cluster."""
    health: Health
    minutes_left: int


class Told(NamedTuple):
    """Something that takes its time."""

    words: str
    """Goes on from "waiting for"."""
    since: str


def health_words(health: Health) -> tuple[str, str]:
    """A sign, and the words for it."""
    match health:
        case "starting":
            return "…", "starting"
        case "none":
            return "○", "no cluster yet"
        case "gone":
            return "✗", "the cluster is gone"
        case "answers":
            return "●", "answers"
        case "silent":
            return "✗", "cannot be read"
        case _:
            assert_never(health)


class TopBar(Sheet):
    """The header of a lesson. A click on the step asks for the list of steps."""

    DEFAULT_CSS = """
    TopBar { height: 1; padding: 0 1; background: $panel; }
    """

    standing: reactive[Standing | None] = reactive(None)
    brief: reactive[bool] = reactive(False)
    """Whether there is little room."""
    told: reactive[Told | None] = reactive(None)
    """What is waited for, to be said in place of the title."""

    @filled
    class StepsWanted(Message):
        """The learner wants the list of steps."""

        bar: "TopBar"

        @property
        def control(self) -> "TopBar":
            return self.bar

    def watch_standing(self) -> None:
        self.redraw()

    def watch_brief(self) -> None:
        self.redraw()

    def watch_told(self) -> None:
        self.refresh()

    def lines(self, width: int) -> Sequence[Content]:
        now = self.standing
        if now is None:
            return []
        sign, words = health_words(now.health)
        number = f"{now.number}/{now.total}" if self.brief else f"step {now.number} of {now.total}"
        place = f" · {now.place} {sign}" + ("" if self.brief else f" {words}") if now.place else ""
        left = f" · {now.minutes_left} min" + ("" if self.brief else " left")
        tail = left if now.minutes_left else " · done"
        rest = Content.styled(f"{place}{tail}", "$quiet")
        end = Content.assemble(self.tag(number, "steps", ""), rest)
        room = max(width - end.cell_length, 0)
        title = self._first_words(now, max(room - 1, 0))
        return [Content.assemble(title.pad_right(room - title.cell_length), end)]

    def _first_words(self, now: Standing, room: int) -> Content:
        if self.told is None:
            return Content.styled(now.title, "bold").truncate(room, ellipsis=True)
        since = f" · {self.told.since} "
        words = Content(f"… waiting for {self.told.words}")
        kept = words.truncate(max(room - len(since), 0), ellipsis=True)
        return Content.assemble(kept, since).stylize("bold $accent")

    def on_click(self, event: events.Click) -> None:
        event.stop()
        if event.style.meta.get("tag") == "steps":
            self.post_message(self.StepsWanted(self))
