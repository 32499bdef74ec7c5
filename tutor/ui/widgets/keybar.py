"""The last line: what the keys do now. Each can be clicked."""

from collections.abc import Sequence
from typing import NamedTuple

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget

from tutor.value import filled


class Shown(NamedTuple):
    """One key as it is shown."""

    id: str
    key: str
    """As people write it; empty when it has none of its own."""
    after_prefix: str
    label: str
    more: str = ""
    """Said behind the label where there is room."""
    is_open: bool = True
    """Whether it does something now; it can be pressed all the same, and says why not."""
    rank: int = 0
    """The higher ranks go first when there is no room."""


class KeyBar(Widget):
    """The footer of a lesson."""

    COMPONENT_CLASSES = {"keybar--key", "keybar--closed", "keybar--prefix"}  # noqa: RUF012

    DEFAULT_CSS = """
    KeyBar {
        height: 1;
        padding: 0 1;
        background: $panel;
        color: $foreground;
        & > .keybar--key { color: $primary; text-style: bold; }
        & > .keybar--closed { color: $quiet; }
        & > .keybar--prefix { background: $primary; color: $background; text-style: bold; }
    }
    """

    keys: reactive[tuple[Shown, ...]] = reactive(())
    prefix: reactive[str] = reactive("")
    """The prefix, when it has been pressed and another key is awaited."""

    @filled
    class Pressed(Message):
        """The learner clicked a key."""

        bar: "KeyBar"
        key: str
        """Its id."""

        @property
        def control(self) -> "KeyBar":
            return self.bar

    def render(self) -> Content:
        parts: list[Content] = []
        if self.prefix:
            style = Style.from_styles(self.get_component_styles("keybar--prefix"))
            parts.append(Content.styled(f" {self.prefix} then ", style))
        fitting, gap = self._fitting(self.size.width)
        parts.extend(self._drawn(each, text, gap) for each, text in fitting)
        return Content("").join(parts)

    def _drawn(self, each: Shown, text: str, gap: int) -> Content:
        bold = Style.from_styles(self.get_component_styles("keybar--key"))
        faint = Style.from_styles(self.get_component_styles("keybar--closed"))
        label = Content.styled(text, Style() if each.is_open else faint)
        before = " " * (gap - 1)
        whole = Content.assemble(before, Content.styled(self._key(each), bold), " ", label, " ")
        return whole.stylize(Style.from_meta({"key": each.id}))

    def _key(self, each: Shown) -> str:
        return each.after_prefix if self.prefix else each.key

    def _fitting(self, width: int) -> tuple[Sequence[tuple[Shown, str]], int]:
        """What there is room for, with the words there is room for, and the blanks between."""
        room = width - (len(self.prefix) + 7 if self.prefix else 0)
        kept = [each for each in self.keys if self._key(each)]
        for is_long, gap in ((True, 2), (False, 2), (False, 1)):
            texts = [each.label + (each.more if is_long else "") for each in kept]
            if self._taken(kept, texts, gap) <= room:
                return list(zip(kept, texts, strict=True)), gap
        while kept and self._taken(kept, [each.label for each in kept], 1) > room:
            kept.remove(max(kept, key=lambda each: each.rank))
        return [(each, each.label) for each in kept], 1

    def _taken(self, kept: Sequence[Shown], texts: Sequence[str], gap: int) -> int:
        keys = (self._key(each) for each in kept)
        return sum(len(key) + len(text) + 1 + gap for key, text in zip(keys, texts, strict=True))

    def on_click(self, event: events.Click) -> None:
        event.stop()
        if key := event.style.meta.get("key"):
            self.post_message(self.Pressed(self, str(key)))
