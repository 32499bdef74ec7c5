"""What the library calls back with: replies, signals, sizes asked for, repaints held.

It holds a handle, not its owner, and not the engine: callbacks live as long as the terminal does.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from tutor.terminal.ghostty.binding import (
    CELL_HEIGHT_PX,
    CELL_WIDTH_PX,
    ffi,
    lib,
    string,
    terminal_size,
)
from tutor.terminal.screen import CLIPBOARD_LIMIT, Bell, ClipboardSet, Signal, Titled

_REPLIES_LIMIT = 1024 * 1024
_SIGNALS_LIMIT = 1000


class Inbox:
    """Filled while the terminal is fed, emptied by the engine, both under the engine's lock."""

    def __init__(self, state: Any) -> None:
        self._state = state
        self.held = False
        self.replies = bytearray()
        self.signals: list[Signal] = []

    def callbacks(self) -> Iterator[tuple[str, Any]]:
        """Option names and the callbacks to set there."""
        for option, kind, function in (
            ("WRITE_PTY", "WritePty", self._reply),
            ("BELL", "Bell", self._bell),
            ("TITLE_CHANGED", "TitleChanged", self._title),
            ("CLIPBOARD_WRITE", "ClipboardWrite", self._clipboard),
            ("SIZE", "Size", self._tell_size),
            ("RENDER_HOLD", "RenderHold", self._hold),
        ):
            yield option, ffi.callback(f"GhosttyTerminal{kind}Fn", function)

    def take_replies(self) -> bytes:
        """Empty the replies."""
        replies = bytes(self.replies)
        self.replies.clear()
        return replies

    def take_signals(self) -> Sequence[Signal]:
        """Empty the signals."""
        signals, self.signals = self.signals, []
        return signals

    def _signal(self, signal: Signal) -> None:
        if len(self.signals) < _SIGNALS_LIMIT:
            self.signals.append(signal)

    def _reply(self, _terminal: Any, _data: Any, data: Any, length: int) -> None:
        if len(self.replies) < _REPLIES_LIMIT:
            self.replies += bytes(ffi.buffer(data, length))

    def _bell(self, _terminal: Any, _data: Any) -> None:
        self._signal(Bell())

    def _title(self, terminal: Any, _data: Any) -> None:
        title = ffi.new("GhosttyString*")
        if not lib.ghostty_terminal_get(terminal, lib.GHOSTTY_TERMINAL_DATA_TITLE, title):
            self._signal(Titled(string(title)))

    def _clipboard(self, _terminal: Any, _data: Any, write: Any) -> None:
        text = string(write.contents[0].data) if write.contents_len else ""
        if text and len(text) <= CLIPBOARD_LIMIT:
            self._signal(ClipboardSet(text))

    def _tell_size(self, terminal: Any, _data: Any, size: Any) -> bool:
        size.columns, size.rows = terminal_size(terminal)
        size.cell_width, size.cell_height = CELL_WIDTH_PX, CELL_HEIGHT_PX
        return True

    def _hold(self, terminal: Any, _data: Any, held: bool) -> None:
        # What the program has drawn so far is the last to be seen of it until it has finished.
        if held:
            lib.ghostty_render_state_update(self._state, terminal)
        self.held = held
