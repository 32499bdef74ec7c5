"""What is typed and pasted in a terminal; after the prefix, keys look back, select and copy."""

from typing import Protocol

from tutor.terminal.keys import stroke
from tutor.terminal.screen import Cursor
from tutor.ui.widgets.terminal_marking import Marking
from tutor.ui.widgets.terminal_view import ShellPort


class Picture(Protocol):
    """What is seen of the shell while somebody types."""

    @property
    def cursor(self) -> Cursor:
        """Where the program types."""
        ...

    @property
    def is_at_bottom(self) -> bool:
        """Whether the newest rows are in view."""
        ...

    @property
    def has_selection(self) -> bool:
        """Whether something in view is selected."""
        ...

    def paint(self) -> None:
        """Show what has changed."""
        ...

    def copy(self) -> None:
        """Put the selection on the clipboard."""
        ...


class Keyboard:
    """The keyboard of one shell."""

    def __init__(self, shell: ShellPort, picture: Picture) -> None:
        self._shell = shell
        self._picture = picture
        self._marking: Marking | None = None

    @property
    def is_marking(self) -> bool:
        """Whether the arrow keys select."""
        return self._marking is not None

    @property
    def runs_pastes(self) -> bool:
        """Whether the program takes each line of a paste as if it had been typed."""
        return not self._shell.engine.modes().bracketed_paste

    def press(self, key: str, character: str | None) -> None:
        """Type a key, or move the selection with it while one is made."""
        if self._marking is not None:
            self._mark(self._marking, key)
        elif (pressed := stroke(key, character)) is not None:
            self._send(self._shell.engine.encode_key(pressed))

    def paste(self, text: str) -> None:
        """Send a text as a paste, whatever it is."""
        self._send(self._shell.engine.encode_paste(text.replace("\r\n", "\n")))

    def _send(self, data: bytes) -> None:
        """Send what a person gave; they want to see what comes of it, and not the selection."""
        if not data:
            return
        seen = not self._picture.has_selection and self._picture.is_at_bottom
        if self._picture.has_selection:
            self._shell.engine.unselect()
        if not self._picture.is_at_bottom:
            self._shell.engine.scroll_to(None)
        self._shell.write(data)
        if not seen:
            self._picture.paint()

    def attend(self, key: str) -> bool:
        """Look back, select or copy, if that is what a key means after the prefix."""
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
                cursor = self._picture.cursor
                self._marking = Marking(engine, cursor.x, cursor.y)
            case "y":
                self._picture.copy()
            case _:
                return False
        self._picture.paint()
        return True

    def _mark(self, marking: Marking, key: str) -> None:
        outcome = marking.press(key)
        if outcome == "copy":
            self._picture.copy()
        if outcome != "more":
            self._marking = None
        if outcome == "leave":
            self._shell.engine.unselect()
        self._picture.paint()
