"""A shell's screen, drawn: in the theme's colours and the widget's size, row by changed row."""

from collections.abc import Callable, Collection
from typing import ClassVar, Protocol

from textual import events
from textual.geometry import Region
from textual.reactive import var
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from tutor.terminal.news import Event, Exited, Listener, ScreenChanged
from tutor.terminal.screen import Colours, Cursor, Engine, Frame, Geometry
from tutor.ui.widgets.terminal_canvas import Canvas, Look
from tutor.ui.widgets.terminal_pacer import Pacer

RESIZE_S = 0.05


class ShellPort(Protocol):
    """What a terminal needs of the shell that it shows."""

    @property
    def engine(self) -> Engine:
        """The screen."""
        ...

    @property
    def received(self) -> int:
        """Bytes of output so far."""
        ...

    def frame(self, *, through_hold: bool = False, whole: bool = False) -> Frame:
        """What changed."""
        ...

    def write(self, data: bytes) -> None:
        """Send encoded input."""
        ...

    def resize(self, columns: int, lines: int) -> None:
        """Change the size."""
        ...

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Be told what happens."""
        ...


class TerminalView(Widget):
    """What a shell shows. Nothing here sends the shell anything."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "terminal--selection",
        "terminal--hit",
        "terminal--current-hit",
        "terminal--bar",
    }

    DEFAULT_CSS = """
    TerminalView {
        width: 1fr;
        height: 1fr;
        background: $background;
        color: $foreground;
        & > .terminal--selection { background: $primary; color: $text; }
        & > .terminal--hit { background: $warning-muted; color: $text-warning; }
        & > .terminal--current-hit { background: $warning; color: $text; }
        & > .terminal--bar { color: $primary; }
    }
    """

    takes_screen: var[bool] = var(False)
    """Whether a program draws on a screen of its own, as editors do."""

    is_at_bottom = True
    """Whether the newest rows are in view."""
    has_selection = False
    """Whether something in view is selected."""

    def __init__(self, *, id: str | None, classes: str | None) -> None:  # noqa: A002 - the library's
        super().__init__(id=id, classes=classes)
        self._shell: ShellPort | None = None
        self._canvas = Canvas(Look.plain())
        self._pacer = Pacer(lambda through_hold: self.paint(through_hold=through_hold))
        self._unlisten: Callable[[], None] | None = None
        self._resizing: Timer | None = None

    @property
    def geometry(self) -> Geometry:
        """What to start a shell with that is shown here."""
        width, height = self.size
        return Geometry(columns=max(width, 2), lines=max(height, 1), colours=self._colours())

    @property
    def cursor(self) -> Cursor:
        """Where the program types."""
        return self._canvas.cursor

    def show(self, shell: ShellPort) -> None:
        """Show a shell that has been started, in place of any other."""
        self.leave()
        self._shell = shell
        shell.engine.set_colours(self._colours())
        self._unlisten = shell.listen(self._hear)
        self._settle()

    def leave(self) -> None:
        """Show no shell any more."""
        if self._unlisten is not None:
            self._unlisten()
        self._pacer.stop()
        self._shell = self._unlisten = None

    def note(self, event: Event) -> None:
        """Something happened in the shell that is shown."""

    def _hear(self, event: Event) -> None:
        if isinstance(event, ScreenChanged):
            self._pacer.wake(self._shell.received if self._shell else 0)
            return
        if isinstance(event, Exited):
            self.paint(through_hold=True)
        self.note(event)

    def on_mount(self) -> None:
        self._canvas.resize(*self.size)
        self.notify_style_update()

    def on_unmount(self) -> None:
        self.leave()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self.is_mounted:
            self._canvas.restyle(self._look())
            if self._shell is not None:
                self._shell.engine.set_colours(self._colours())

    def _look(self) -> Look:
        return Look(
            text=self.colors[3].rich_color,
            ground=self.colors[2].rich_color,
            selection=self.get_component_rich_style("terminal--selection"),
            hit=self.get_component_rich_style("terminal--hit"),
            current_hit=self.get_component_rich_style("terminal--current-hit"),
            bar=self.get_component_rich_style("terminal--bar", partial=True),
        )

    def _colours(self) -> Colours:
        _, _, background, foreground = self.colors
        return Colours(
            foreground=int.from_bytes(foreground.rgb), background=int.from_bytes(background.rgb)
        )

    def on_resize(self, event: events.Resize) -> None:
        del event
        self._follow_size()

    def _follow_size(self) -> None:
        if self.size == self._canvas.size:
            return
        if self._resizing is not None:
            self._resizing.stop()
        self._resizing = self.set_timer(RESIZE_S, self._settle)

    def _settle(self) -> None:
        """Take over the widget's size."""
        width, height = self.size
        self._resizing = None
        if self._shell is None or width < 2 or height < 1:
            return
        self._canvas.resize(width, height)
        if self._shell.engine.size != (width, height):
            self._shell.resize(width, height)
        self.paint(whole=True)

    def paint(self, *, through_hold: bool = False, whole: bool = False) -> None:
        """Show what has changed, or all of it; the program may hold it back."""
        shell = self._shell
        if shell is None or not self.is_attached:
            return
        frame = shell.frame(through_hold=through_hold, whole=whole)
        self.takes_screen = shell.engine.modes().alternate_screen
        self.is_at_bottom, self.has_selection = frame.scroll.at_bottom, bool(frame.selection)
        self._pacer.painted(shell.received, held=frame.held and not through_hold)
        changed = self._canvas.draw(frame)
        if whole or len(changed) >= self.size.height - 1:
            self.refresh()
        else:
            self._refresh_rows(changed)

    def hover(self, x: int, y: int) -> None:
        """The pointer is over a cell; outside of the screen it is over none."""
        self._refresh_rows(self._canvas.hover(x, y))

    def _refresh_rows(self, rows: Collection[int]) -> None:
        width, height = self.size
        if regions := [Region(0, y, width, 1) for y in rows if y < height]:
            self.refresh(*regions)

    def render_lines(self, crop: Region) -> list[Strip]:
        # A border that comes or goes changes the size without an event of its own.
        if self._resizing is None:
            self._follow_size()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        strip = self._canvas.line(y, focused=self.has_focus)
        return strip.adjust_cell_length(self.size.width, self._canvas.blank)
