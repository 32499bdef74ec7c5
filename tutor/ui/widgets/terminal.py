"""A terminal on the screen: draws what a shell shows, sends it what is pressed, pasted and clicked.

It takes every key but the reserved ones and a prefix. After the prefix, page up and down, home and
end look through the history, V selects with the arrow keys, Y copies, the prefix again and the
reserved keys are themselves, and anything else is told to the screen.
"""

from collections.abc import Callable, Collection
from typing import ClassVar, Protocol

from textual import events
from textual.geometry import Region
from textual.reactive import var
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from tutor.terminal.keys import stroke
from tutor.terminal.recorder import CommandBegan, CommandRecord
from tutor.terminal.screen import (
    Bell,
    ClipboardSet,
    Colours,
    Engine,
    Frame,
    Geometry,
    Mouse,
    MouseAction,
    MouseButton,
    Search,
    Titled,
)
from tutor.terminal.shell import Event, Exited, Listener, ScreenChanged
from tutor.ui.widgets.terminal_canvas import Canvas, Look
from tutor.ui.widgets.terminal_marking import Marking
from tutor.ui.widgets.terminal_messages import (
    CommandFinished,
    CommandStarted,
    Copied,
    LinkOpened,
    PasteQuestion,
    PrefixPressed,
    Rang,
    ShellEnded,
    ShellShown,
    TitleChanged,
)
from tutor.ui.widgets.terminal_pacer import Pacer
from tutor.ui.widgets.terminal_pointer import Pointer

RESIZE_S = 0.05
AUTOSCROLL_S = 0.05

FUNCTION_KEYS = frozenset(f"f{number}" for number in range(1, 13))

_BUTTONS: dict[int, MouseButton] = {1: "left", 2: "middle", 3: "right"}


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


class Terminal(Widget, can_focus=True):
    """The shell's screen, keyboard and mouse."""

    ALLOW_SELECT = False  # the engine selects: it knows history and wrapped lines

    HELP = "A real shell. Everything you press goes to it, except the keys in the footer."

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "terminal--selection",
        "terminal--hit",
        "terminal--current-hit",
        "terminal--bar",
    }

    DEFAULT_CSS = """
    Terminal {
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

    prefixed: var[bool] = var(False)
    """Whether the prefix has been pressed, and the next key is for us."""

    takes_screen: var[bool] = var(False)
    """Whether a program draws on a screen of its own, as editors do."""

    marking: var[bool] = var(False)
    """Whether the arrow keys select."""

    ShellShown = ShellShown
    CommandStarted = CommandStarted
    CommandFinished = CommandFinished
    TitleChanged = TitleChanged
    Rang = Rang
    Copied = Copied
    PasteQuestion = PasteQuestion
    LinkOpened = LinkOpened
    PrefixPressed = PrefixPressed
    ShellEnded = ShellEnded

    def __init__(
        self,
        *,
        reserved: frozenset[str] = FUNCTION_KEYS,
        prefix: str = "ctrl+g",
        id: str | None = None,  # noqa: A002 - the interface library's name
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.reserved = reserved
        self.prefix = prefix
        self._canvas = Canvas(Look.plain())
        self._shell: ShellPort | None = None
        self._pointer: Pointer | None = None
        self._marking: Marking | None = None
        self._unlisten: Callable[[], None] | None = None
        self._pacer = Pacer(lambda through_hold: self._paint(through_hold=through_hold))
        self._at_bottom = True
        self._selected = False
        self._resizing: Timer | None = None
        self._scrolling: Timer | None = None

    @property
    def geometry(self) -> Geometry:
        """What to start a shell with that is shown here."""
        width, height = self.size
        return Geometry(columns=max(width, 2), lines=max(height, 1), colours=self._colours())

    def show(self, shell: ShellPort) -> None:
        """Show a shell that has been started, in place of any other."""
        self._tell_shell_focus(gained=False)
        self._leave()
        self._shell = shell
        self._pointer = Pointer(shell.engine, shell.write)
        shell.engine.set_colours(self._colours())
        self._unlisten = shell.listen(self._note)
        self._settle()
        self._tell_shell_focus(gained=True)
        self.post_message(self.ShellShown(self))

    def paste(self, text: str) -> None:
        """Send a text as a paste, whatever it is."""
        if self._shell is not None:
            self._send(self._shell.engine.encode_paste(text.replace("\r\n", "\n")))

    def copy(self) -> None:
        """Put the selection on the clipboard."""
        if self._shell is not None and (text := self._shell.engine.selected()):
            self.post_message(self.Copied(self, text, by_program=False))

    def search(self, needle: str) -> Search:
        """Mark every place where a text stands; an empty one ends that."""
        return self._searched(lambda engine: engine.search(needle))

    def search_older(self) -> Search:
        """Go to the next match upwards."""
        return self._searched(lambda engine: engine.search_next(1))

    def search_newer(self) -> Search:
        """Go to the next match downwards."""
        return self._searched(lambda engine: engine.search_next(-1))

    def _searched(self, search: Callable[[Engine], Search]) -> Search:
        if self._shell is None:
            return Search(0, 0)
        found = search(self._shell.engine)
        self._paint()
        return found

    def select_output(self, y: int) -> bool:
        """Select what the command wrote whose output is in a row; False when there is none."""
        chosen = self._shell is not None and self._shell.engine.select_output(0, y)
        self._paint()
        return chosen

    def on_mount(self) -> None:
        self._canvas.resize(*self.size)
        self.notify_style_update()

    def on_unmount(self) -> None:
        self._leave()

    def _leave(self) -> None:
        if self._unlisten is not None:
            self._unlisten()
        self._pacer.stop()
        self._shell = self._unlisten = self._pointer = self._marking = None
        self.marking = self.prefixed = False

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
        self._paint(whole=True)

    def _note(self, event: Event) -> None:
        match event:
            case ScreenChanged():
                self._pacer.wake(self._shell.received if self._shell else 0)
            case CommandBegan():
                self.post_message(self.CommandStarted(self, event))
            case CommandRecord():
                self.post_message(self.CommandFinished(self, event))
            case Titled(title):
                self.post_message(self.TitleChanged(self, title))
            case Bell():
                self.post_message(self.Rang(self))
            case ClipboardSet(text):
                self.post_message(self.Copied(self, text, by_program=True))
            case Exited(status):
                self._paint(through_hold=True)
                self.post_message(self.ShellEnded(self, status))
            case _:
                pass

    def _paint(self, *, through_hold: bool = False, whole: bool = False) -> None:
        shell = self._shell
        if shell is None or not self.is_attached:
            return
        frame = shell.frame(through_hold=through_hold, whole=whole)
        self.takes_screen = shell.engine.modes().alternate_screen
        self._at_bottom, self._selected = frame.scroll.at_bottom, bool(frame.selection)
        self._pacer.painted(shell.received, held=frame.held and not through_hold)
        changed = self._canvas.draw(frame)
        if whole or len(changed) >= self.size.height - 1:
            self.refresh()
        else:
            self._refresh_rows(changed)

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

    def on_focus(self) -> None:
        self._tell_focus(gained=True)

    def on_blur(self) -> None:
        self.prefixed = False
        self._tell_focus(gained=False)

    def _tell_focus(self, *, gained: bool) -> None:
        self.refresh()
        if self._shell is not None:
            self._shell.write(self._shell.engine.encode_focus(gained=gained))

    def _tell_shell_focus(self, *, gained: bool) -> None:
        """Another shell is shown where the focus is."""
        if self.has_focus:
            self._tell_focus(gained=gained)

    def on_key(self, event: events.Key) -> None:
        if event.key in self.reserved and not self.prefixed:
            return
        event.stop()
        event.prevent_default()
        if self._shell is None:
            return
        if self._marking is not None:
            self._mark(self._marking, event.key)
        elif self.prefixed:
            self.prefixed = False
            self._press_after_prefix(self._shell, event)
        elif event.key == self.prefix:
            self.prefixed = True
        else:
            self._press(self._shell, event)

    def _press(self, shell: ShellPort, event: events.Key) -> None:
        pressed = stroke(event.key, event.character)
        if pressed is not None:
            self._send(shell.engine.encode_key(pressed))

    def _send(self, data: bytes) -> None:
        """Send what a person gave; they want to see what comes of it, and not the selection."""
        if self._shell is None or not data:
            return
        if self._selected:
            self._shell.engine.unselect()
        if not self._at_bottom:
            self._shell.engine.scroll_to(None)
        self._shell.write(data)
        if self._selected or not self._at_bottom:
            self._paint()

    def _press_after_prefix(self, shell: ShellPort, event: events.Key) -> None:
        if event.key == self.prefix or event.key in self.reserved:
            self._press(shell, event)
            self._paint()
        elif not self.attend(event.key):
            self.post_message(self.PrefixPressed(self, event.key))

    def attend(self, key: str) -> bool:
        """Look back, select or copy, if that is what a key means after the prefix."""
        if self._shell is None:
            return False
        engine = self._shell.engine
        page = max(engine.size[1] - 1, 1)
        match key:
            case "pageup":
                engine.scroll(-page)
            case "pagedown":
                engine.scroll(page)
            case "home":
                engine.scroll_to(0)
            case "end":
                engine.scroll_to(None)
            case "v":
                cursor = self._canvas.cursor
                self._marking = Marking(engine, cursor.x, cursor.y)
                self.marking = True
            case "y":
                self.copy()
            case _:
                return False
        self._paint()
        return True

    def _mark(self, marking: Marking, key: str) -> None:
        outcome = marking.press(key)
        if outcome == "copy":
            self.copy()
        if outcome != "more":
            self._marking, self.marking = None, False
            if self._shell is not None and outcome == "leave":
                self._shell.engine.unselect()
        self._paint()

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        if self._shell is None:
            return
        runs = "\n" in event.text or "\r" in event.text
        if runs and not self._shell.engine.modes().bracketed_paste:
            self.post_message(self.PasteQuestion(self, event.text))
        else:
            self.paste(event.text)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        event.stop()
        self.focus()
        if self._pointer is None:
            return
        self.capture_mouse()
        link = self._pointer.down(self._mouse(event, "press"), event.time)
        if link is not None and link.startswith(("http://", "https://")):
            self.post_message(self.LinkOpened(self, link))
        self._paint()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        event.stop()
        if self._pointer is None:
            return
        mouse = self._mouse(event, "motion")
        self._pointer.move(mouse)
        self._scroll_while(beyond=self._pointer.beyond != 0)
        self._refresh_rows(self._canvas.hover(mouse.x, mouse.y))
        if event.button:
            self._paint()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        event.stop()
        self.release_mouse()
        self._scroll_while(beyond=False)
        if self._pointer is None:
            return
        if text := self._pointer.up(self._mouse(event, "release")):
            self.post_message(self.Copied(self, text, by_program=False))
        self._paint()

    def on_leave(self) -> None:
        self._refresh_rows(self._canvas.hover(-1, -1))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._turn(event, "up")

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._turn(event, "down")

    def _turn(self, event: events.MouseEvent, button: MouseButton) -> None:
        event.stop()
        event.prevent_default()
        if self._pointer is not None:
            self._pointer.wheel(self._mouse(event, "press", button))
            self._paint()

    def _scroll_while(self, *, beyond: bool) -> None:
        if beyond and self._scrolling is None:
            self._scrolling = self.set_interval(AUTOSCROLL_S, self._scroll_on)
        elif not beyond and self._scrolling is not None:
            self._scrolling.stop()
            self._scrolling = None

    def _scroll_on(self) -> None:
        if self._pointer is not None:
            self._pointer.scroll_on()
            self._paint()

    def _mouse(
        self, event: events.MouseEvent, action: MouseAction, button: MouseButton | None = None
    ) -> Mouse:
        left, top = self.gutter.left, self.gutter.top
        return Mouse(
            action=action,
            button=button or _BUTTONS.get(event.button, "none"),
            x=event.x - left,
            y=event.y - top,
            shift=event.shift,
            alt=event.meta,
            ctrl=event.ctrl,
        )
