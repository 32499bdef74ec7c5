"""The shape of a lesson in its window: panes beside or above one another, zoomed, divided."""

from textual import events, on
from textual.reactive import var
from textual.widgets import Static

from tutor.ui.layout import (
    SMALLEST,
    SMALLEST_SHARE,
    USUAL_SHARE,
    USUAL_SHARE_BESIDE,
    Pane,
    Shape,
    shape,
)
from tutor.ui.screens.staged import StagedScreen
from tutor.ui.widgets.edge import EdgePane
from tutor.ui.widgets.shell_pane import ShellPane
from tutor.ui.widgets.topbar import TopBar


class ReadingPane(EdgePane):
    """Lesson and facts; its right edge can be dragged where the shell stands beside it."""

    EDGE = "right"


class ShapedScreen(StagedScreen):
    """Which pane has how much of the window."""

    zoom: var[Pane | None] = var(None)
    """The pane that has the whole window."""
    share: var[float | None] = var(None)
    """Which part of the room the lesson has, beside or above the shell; None for the usual one."""
    facts_open: var[bool] = var(False)
    """Whether the facts stand in for the lesson, where there is no room for both."""
    steps_open: var[bool] = var(False)
    """Whether the drawer with the steps is open, where there is no room for it."""

    _zoomed_for_program = False

    def fit(self, width: int, height: int) -> None:
        """Fit into a window of this size."""
        now = self.take_shape(width, height)
        self._divide()
        self.query_one(TopBar).brief = now.is_narrow
        if now.is_tiny:
            least = "{} by {}".format(*SMALLEST)
            self._tiny.update(
                f"This window has {width} by {height} characters.\n"
                f"A lesson needs {least}: make it larger, or the letters smaller."
            )

    @property
    def _tiny(self) -> Static:
        """What stands for the panes where there is no room for them; made when it is wanted."""
        told = self.query_one_optional("#tiny", Static)
        if told is None:
            told = Static(id="tiny", markup=False)
            self.mount(told)
        return told

    def take_shape(self, width: int, height: int) -> Shape:
        """Have the classes of the shape for a window of this size."""
        now = shape(width, height, self.desk.settings.layout)
        self.update_classes(
            {
                "-tiny": now.is_tiny,
                "-narrow": now.is_narrow,
                "-short": now.is_short,
                "-roomy": now.is_roomy,
                "-large": now.is_large,
                "-wide": now.is_wide,
            }
        )
        return now

    def on_resize(self, event: events.Resize) -> None:
        # When it is shown it is told twice that it has the size it was just laid out for.
        if event.size == self.outer_size:
            event.prevent_default()

    def watch_zoom(self, zoom: Pane | None) -> None:
        self._zoomed_for_program = False
        self.update_classes({"-zoom-lesson": zoom == "lesson", "-zoom-shell": zoom == "shell"})

    def watch_share(self) -> None:
        self._divide()

    def _divide(self) -> None:
        """Share the room out, along the side on which lesson and shell meet."""
        share, is_wide = self.share, self.has_class("-wide")
        for pane in (ReadingPane, ShellPane):
            styles = self.query_one(pane).styles
            styles.clear_rule("width")
            styles.clear_rule("height")
            if share is not None:
                part = f"{100 * (share if pane is ReadingPane else 1 - share):.1f}fr"
                styles.width, styles.height = (part, "1fr") if is_wide else ("1fr", part)

    @on(EdgePane.Dragged)
    def _drag(self, event: EdgePane.Dragged) -> None:
        event.stop()
        room = self.query_one("#work").region
        if self.has_class("-wide"):
            self.divide((event.x + 1 - room.x) / max(room.width, 1))
        else:
            self.divide((event.y - room.y) / max(room.height, 1))

    @property
    def usual_share(self) -> float:
        """Which part of the room the lesson has as long as nobody divides it."""
        return USUAL_SHARE_BESIDE if self.has_class("-wide") else USUAL_SHARE

    def divide(self, share: float) -> None:
        """Give the lesson another part of the room, within reason."""
        self.share = min(max(share, SMALLEST_SHARE), 1 - SMALLEST_SHARE)

    def watch_facts_open(self, facts_open: bool) -> None:
        self.set_class(facts_open, "-facts-open")

    def watch_steps_open(self, steps_open: bool) -> None:
        self.set_class(steps_open, "-steps-open")

    def make_room(self, takes_screen: bool) -> None:
        """A program that takes the whole screen gets the whole window, where that is small."""
        is_free = self.zoom is None and self.terminal.has_focus
        if takes_screen and is_free and self.has_class("-short"):
            self.zoom = "shell"
            self._zoomed_for_program = True
        elif not takes_screen and self._zoomed_for_program:
            self.zoom = None
