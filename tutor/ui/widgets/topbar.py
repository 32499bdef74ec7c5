"""The first line: which lesson, how far, where, how long."""

from dataclasses import dataclass
from typing import Literal, assert_never

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from tutor.ui.widgets.tag import Tag

Health = Literal["starting", "none", "answers", "silent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the line says."""

    title: str
    number: int
    total: int
    place: str
    """`sandbox`, `kind`, `context:NAME`."""
    health: Health
    minutes_left: int


@dataclass(frozen=True, slots=True)
class Told:
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
        case "answers":
            return "●", "answers"
        case "silent":
            return "✗", "cannot be read"
        case _:
            assert_never(health)


class TopBar(Horizontal):
    """The header of a lesson. A click on the step asks for the list of steps."""

    DEFAULT_CSS = """
    TopBar {
        height: 1;
        padding: 0 1;
        background: $panel;
        & > .title { width: 1fr; text-style: bold; text-wrap: nowrap; text-overflow: ellipsis; }
        & > Tag { color: $foreground; text-style: none; }
        & > Static { color: $text-muted; width: auto; }
        & > .title { color: $foreground; width: 1fr; }
    }
    """

    standing: reactive[Standing | None] = reactive(None)
    brief: reactive[bool] = reactive(False)
    """Whether there is little room."""
    told: reactive[Told | None] = reactive(None)
    """What is waited for, to be said in place of the title."""

    @dataclass
    class StepsWanted(Message):
        """The learner wants the list of steps."""

        bar: "TopBar"

        @property
        def control(self) -> "TopBar":
            return self.bar

    def compose(self) -> ComposeResult:
        yield Static(classes="title", markup=False)
        yield Tag("", id="number")
        yield Static(id="rest", markup=False)

    def watch_standing(self) -> None:
        self._draw()

    def watch_brief(self) -> None:
        self._draw()

    def watch_told(self) -> None:
        self._draw()

    def _draw(self) -> None:
        if self.standing is None or not self.children:
            return
        now = self.standing
        sign, words = health_words(now.health)
        title = self.query_one(".title", Static)
        title.update(self._first_words(now, title.size.width))
        number = f"{now.number}/{now.total}" if self.brief else f"step {now.number} of {now.total}"
        self.query_one(Tag).word = number
        place = f"{now.place} {sign}" if self.brief else f"{now.place} {sign} {words}"
        left = f" · {now.minutes_left} min" + ("" if self.brief else " left")
        tail = left if now.minutes_left else " · done"
        self.query_one("#rest", Static).update(Content(f" · {place}{tail}"))

    def _first_words(self, now: Standing, room: int) -> Content:
        if self.told is None:
            return Content.styled(now.title, "bold")
        since = f" · {self.told.since} "
        words = Content(f"… waiting for {self.told.words}")
        kept = words.truncate(max(room - len(since), 0), ellipsis=True)
        return Content.assemble(kept, since).stylize("bold $accent")

    def on_mount(self) -> None:
        self._draw()

    def on_tag_clicked(self, event: Tag.Clicked) -> None:
        event.stop()
        self.post_message(self.StepsWanted(self))
