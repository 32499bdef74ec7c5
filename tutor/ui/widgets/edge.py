"""A pane with an edge that can be dragged."""

from typing import Literal

from textual import events
from textual.containers import Vertical
from textual.message import Message

from tutor.value import filled


class EdgePane(Vertical):
    """Tells where its border is dragged to; the screen decides what becomes of that."""

    EDGE: Literal["top", "right"] = "top"

    DEFAULT_CSS = """
    EdgePane {
        &.-dragged { border-title-color: $accent; }
    }
    """

    @filled
    class Dragged(Message):
        """The edge is to be here, in the screen's columns and rows."""

        pane: "EdgePane"
        x: int
        y: int

        @property
        def control(self) -> "EdgePane":
            return self.pane

    _is_dragged = False

    def _is_on_edge(self, event: events.MouseEvent) -> bool:
        # In the screen's terms: what comes up from a child is in the child's.
        if self.EDGE == "top":
            return event.screen_y == self.region.y
        return event.screen_x == self.region.right - 1

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if self._is_on_edge(event):
            event.stop()
            self._is_dragged = True
            self.add_class("-dragged")
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if not self._is_dragged:
            return
        event.stop()
        if event.button:
            self.post_message(self.Dragged(self, event.screen_x, event.screen_y))
        else:
            # The button came up so soon that somebody else was told.
            self._let_go()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        if self._is_dragged:
            event.stop()
            self._let_go()

    def _let_go(self) -> None:
        self._is_dragged = False
        self.remove_class("-dragged")
        self.release_mouse()
