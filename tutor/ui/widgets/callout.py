"""A few words set apart: a hint, a wrong turn, what just happened."""

from collections.abc import Sequence
from typing import Literal

from textual.content import Content

from tutor.ui.widgets.prose import Prose

Kind = Literal["hint", "mistake", "debrief"]

SIGNS: dict[Kind, str] = {"hint": "◇", "mistake": "◆", "debrief": "✓"}
_COLOURS: dict[Kind, str] = {"hint": "$accent", "mistake": "$warning", "debrief": "$success"}


class Callout(Prose):
    """A title and some Markdown behind a coloured line."""

    DEFAULT_CSS = """
    Callout {
        max-width: 98;
        margin: 0 0 1 0;
        padding: 0 1;
        border-left: outer $accent;
        &.-mistake { border-left: outer $warning; }
        &.-debrief { border-left: outer $success; }
    }
    """

    def __init__(self, kind: Kind, title: str, text: str, *, id: str | None = None) -> None:  # noqa: A002 - the interface library's name
        super().__init__(text, id=id, classes=f"-{kind}")
        self._kind: Kind = kind
        self._title = title

    def lines(self, width: int) -> Sequence[Content]:
        title = Content.styled(f"{SIGNS[self._kind]} {self._title}", f"bold {_COLOURS[self._kind]}")
        return [title.truncate(width, ellipsis=True), *super().lines(width)]
