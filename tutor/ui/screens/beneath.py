"""What is beneath all screens: the library has one there, which nobody sees."""

from textual import events
from textual.screen import Screen
from textual.widget import Widget


class BeneathScreen(Screen[None]):
    """Empty, and never laid out twice for the same size: the first picture waits for it."""

    HORIZONTAL_BREAKPOINTS = []  # noqa: RUF012 - as the library has it

    def _extend_compose(self, widgets: list[Widget]) -> None:
        """No tooltips, and no notices: the screens above have theirs."""

    def on_resize(self, event: events.Resize) -> None:
        if event.size == self.outer_size:
            event.prevent_default()
