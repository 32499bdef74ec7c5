"""What a mouse does in a terminal: speak to the program, select, scroll, follow a link."""

import asyncio
from collections.abc import Callable

from textual import events
from textual.geometry import Spacing

from tutor.terminal.keys import Stroke
from tutor.terminal.screen import Engine, Mouse, MouseAction, MouseButton, Unit

WHEEL_ROWS = 3
REPEAT_S = 0.4
"""Clicks closer than this belong together: two take words, three take lines."""

AUTOSCROLL_S = 0.05
"""How long a selection that is dragged out of the terminal waits for each further row."""

_BUTTONS: dict[int, MouseButton] = {1: "left", 2: "middle", 3: "right"}
_UNITS: tuple[Unit, ...] = ("line", "cell", "word")


class Pointer:
    """The mouse over one terminal. Shift keeps it from the program that asked for it."""

    def __init__(
        self, engine: Engine, send: Callable[[bytes], None], scrolled: Callable[[], None]
    ) -> None:
        """`scrolled` is called when time alone has changed what is in view."""
        self._engine = engine
        self._send = send
        self._scrolled = scrolled
        self._clicks = 0
        self._clicked: tuple[float, tuple[int, int]] = (0.0, (-1, -1))
        self._forwarding = False
        self._pressed: tuple[int, int] | None = None
        self._selecting = False
        self._beyond = 0
        """Where a selection is dragged out of the terminal: -1 above, 1 below, 0 nowhere."""
        self._scrolling: asyncio.TimerHandle | None = None

    def stop(self) -> None:
        """Scroll no more by itself."""
        if self._scrolling is not None:
            self._scrolling.cancel()
        self._scrolling = None

    def down(self, mouse: Mouse, now: float) -> str | None:
        """A button goes down, at a time in seconds. Gives the address of a link to follow."""
        if self._program_wants(mouse):
            self._forwarding = True
            self._send(self._engine.encode_mouse(mouse))
            return None
        if mouse.button != "left":
            return None
        place = self._inside(mouse)
        if mouse.ctrl and (link := self._engine.link(*place)):
            return link
        then, there = self._clicked
        self._clicks = self._clicks + 1 if now - then < REPEAT_S and place == there else 1
        self._clicked = now, place
        self._engine.unselect()
        unit = _UNITS[self._clicks % 3]
        self._selecting = unit != "cell"
        if self._selecting:
            self._engine.select(*place, unit)
        else:
            self._pressed = place
        return None

    def move(self, mouse: Mouse) -> None:
        """The pointer moves, with or without a button."""
        place = self._inside(mouse)
        if self._pressed is not None and place != self._pressed:
            self._engine.select(*self._pressed)
            self._pressed, self._selecting = None, True
        if self._selecting:
            lines = self._engine.size[1]
            self._beyond = -1 if mouse.y < 0 else 1 if mouse.y >= lines else 0
            self._engine.extend(*place)
            self._scroll_while_beyond()
        elif self._forwarding or self._program_wants(mouse):
            self._send(self._engine.encode_mouse(mouse))

    def _scroll_while_beyond(self) -> None:
        if self._beyond == 0:
            self.stop()
        elif self._scrolling is None:
            self._scrolling = asyncio.get_running_loop().call_later(AUTOSCROLL_S, self._scroll_on)

    def _scroll_on(self) -> None:
        """Time passes while a selection is dragged out of the terminal: more comes into view."""
        self._scrolling = None
        self._engine.scroll(self._beyond)
        _, (x, _y) = self._clicked
        self._engine.extend(x, 0 if self._beyond < 0 else self._engine.size[1] - 1)
        self._scrolled()
        self._scroll_while_beyond()

    def up(self, mouse: Mouse) -> str:
        """A button goes up. Gives the text that has been selected."""
        self.stop()
        if self._forwarding:
            self._forwarding = False
            self._send(self._engine.encode_mouse(mouse))
            return ""
        self._pressed, self._beyond = None, 0
        selecting, self._selecting = self._selecting, False
        return self._engine.selected() if selecting else ""

    def wheel(self, mouse: Mouse) -> None:
        """The wheel turns: for the program, as arrow keys, or through the history."""
        modes = self._engine.modes()
        if self._program_wants(mouse):
            self._send(self._engine.encode_mouse(mouse))
        elif modes.alternate_screen and modes.alternate_scroll:
            self._send(self._engine.encode_key(Stroke(mouse.button)) * WHEEL_ROWS)
        else:
            self._engine.scroll(-WHEEL_ROWS if mouse.button == "up" else WHEEL_ROWS)

    def _program_wants(self, mouse: Mouse) -> bool:
        return not mouse.shift and self._engine.modes().mouse

    def _inside(self, mouse: Mouse) -> tuple[int, int]:
        columns, lines = self._engine.size
        return min(max(mouse.x, 0), columns - 1), min(max(mouse.y, 0), lines - 1)


def mouse_of(
    event: events.MouseEvent,
    gutter: Spacing,
    action: MouseAction,
    *,
    button: MouseButton | None = None,
) -> Mouse:
    """What the interface library says of a mouse, in cells within the gutter of a widget."""
    return Mouse(
        action=action,
        button=button or _BUTTONS.get(event.button, "none"),
        x=event.x - gutter.left,
        y=event.y - gutter.top,
        shift=event.shift,
        alt=event.meta,
        ctrl=event.ctrl,
    )
