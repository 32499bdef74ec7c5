"""Something small to click, such as [run]. Its parent has the same on a key."""

from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget


class Tag(Widget):
    """A word that acts when it is clicked."""

    DEFAULT_CSS = """
    Tag {
        width: auto;
        height: 1;
        color: $primary;
        text-style: bold;
        &:hover { background: $primary; color: $background; }
        &:disabled { color: $text-muted; text-style: none; }
    }
    """

    word: reactive[str] = reactive("", layout=True)

    @dataclass
    class Clicked(Message):
        """The learner wants it."""

        tag: "Tag"

        @property
        def control(self) -> "Tag":
            return self.tag

    def __init__(self, word: str, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - the interface library's name
        super().__init__(id=id, classes=classes)
        self.set_reactive(Tag.word, word)

    def render(self) -> Content:
        return Content(self.word)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.post_message(self.Clicked(self))
