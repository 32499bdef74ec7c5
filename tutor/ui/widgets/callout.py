"""A few words set apart: a hint, a wrong turn, what just happened."""

from typing import Literal

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from tutor.ui.widgets.prose import Prose

Kind = Literal["hint", "mistake", "debrief"]

SIGNS: dict[Kind, str] = {"hint": "◇", "mistake": "◆", "debrief": "✓"}


class Callout(Vertical):
    """A title and some Markdown behind a coloured line."""

    DEFAULT_CSS = """
    Callout {
        height: auto;
        max-width: 98;
        margin: 0 0 1 0;
        padding: 0 1;
        border-left: outer $border-blurred;
        & > .title { text-style: bold; height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
        &.-hint { border-left: outer $accent; & > .title { color: $accent; } }
        &.-mistake { border-left: outer $warning; & > .title { color: $warning; } }
        &.-debrief { border-left: outer $success; & > .title { color: $success; } }
    }
    """

    def __init__(self, kind: Kind, title: str, text: str, *, id: str | None = None) -> None:  # noqa: A002 - the interface library's name
        super().__init__(id=id, classes=f"-{kind}")
        self.kind: Kind = kind
        self.title = title
        self.text = text

    def compose(self) -> ComposeResult:
        yield Static(f"{SIGNS[self.kind]} {self.title}", classes="title", markup=False)
        if self.text.strip():
            yield Prose(self.text)
