"""Markdown of a lesson, in one widget."""

from collections.abc import Sequence

from textual.content import Content

from tutor.ui.reading import passages
from tutor.ui.widgets.sheet import Sheet


class Prose(Sheet):
    """Some Markdown. Links open in the browser; keys do what they do when they are clicked."""

    DEFAULT_CSS = """
    Prose { max-width: 96; }
    """

    def __init__(
        self,
        text: str = "",
        *,
        id: str | None = None,  # noqa: A002 - the interface library's name
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._passages = passages(text)

    def update(self, text: str) -> None:
        """Show another text."""
        self._passages = passages(text)
        self.redraw()

    def lines(self, width: int) -> Sequence[Content]:
        return self.set_out(self._passages, width)
