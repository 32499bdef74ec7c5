"""A terminal on the screen: draws what a shell shows, sends it what is pressed, pasted and clicked.

It takes every key but the reserved ones and a prefix. After the prefix, page up and down, home and
end look through the history, V selects with the arrow keys, Y copies, the prefix again and the
reserved keys are themselves, and anything else is told to the screen.
"""

from collections.abc import Callable

from textual import events, on
from textual.reactive import var

from tutor.terminal.news import CommandBegan, CommandRecord, Event, Exited
from tutor.terminal.screen import Bell, ClipboardSet, Engine, Search, Titled
from tutor.ui.widgets.terminal_keyboard import Keyboard
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
from tutor.ui.widgets.terminal_pointer import Pointer, mouse_of
from tutor.ui.widgets.terminal_view import ShellPort, TerminalView

AHEAD_LIMIT = 1_000
"""Keys that are kept for a shell that is not there yet."""

_ENDING = frozenset({"ctrl+d", "ctrl+backslash", "ctrl+z"})
"""What would end or halt a shell that is not there yet."""

FUNCTION_KEYS = frozenset(f"f{number}" for number in range(1, 13))


class Terminal(TerminalView, can_focus=True):
    """The shell's screen, keyboard and mouse."""

    ALLOW_SELECT = False  # the engine selects: it knows history and wrapped lines

    HELP = "A real shell. Everything you press goes to it, except the keys in the footer."

    prefixed: var[bool] = var(False)
    """Whether the prefix has been pressed, and the next key is for us."""

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
        self._keyboard: Keyboard | None = None
        self._pointer: Pointer | None = None
        self._ahead: list[events.Key | events.Paste] = []
        """What was typed and pasted before there was a shell."""

    def show(self, shell: ShellPort) -> None:
        self._tell_shell_focus(gained=False)
        super().show(shell)
        self._keyboard = Keyboard(shell, self)
        self._pointer = Pointer(shell.engine, shell.write, self.paint)
        self._tell_shell_focus(gained=True)
        self._give_typed_ahead()
        self.post_message(self.ShellShown(self))

    def _give_typed_ahead(self) -> None:
        ahead, self._ahead = self._ahead, []
        for event in ahead:
            if isinstance(event, events.Key):
                self._press(event)
            else:
                self.on_paste(event)

    def leave(self) -> None:
        super().leave()
        if self._pointer is not None:
            self._pointer.stop()
        self._keyboard = self._pointer = None
        self.marking = self.prefixed = False

    def paste(self, text: str) -> None:
        """Send a text as a paste, whatever it is."""
        if self._keyboard is not None:
            self._keyboard.paste(text)

    def copy(self) -> None:
        """Put the selection on the clipboard."""
        if self._shell is not None and (text := self._shell.engine.selected()):
            self.post_message(self.Copied(self, text, by_program=False))

    def search(self, needle: str) -> Search:
        """Mark every place where a text stands; an empty one ends that."""
        return self._searched(lambda engine: engine.search(needle))

    def search_on(self, *, older: bool) -> Search:
        """Go to the next match, upwards or downwards."""
        return self._searched(lambda engine: engine.search_next(1 if older else -1))

    def _searched(self, search: Callable[[Engine], Search]) -> Search:
        if self._shell is None:
            return Search(0, 0)
        found = search(self._shell.engine)
        self.paint()
        return found

    def select_output(self, y: int) -> bool:
        """Select what the command wrote whose output is in a row; False when there is none."""
        chosen = self._shell is not None and self._shell.engine.select_output(0, y)
        self.paint()
        return chosen

    def attend(self, key: str) -> bool:
        """Look back, select or copy, if that is what a key means after the prefix."""
        if self._keyboard is None:
            return False
        attended = self._keyboard.attend(key)
        self.marking = self._keyboard.is_marking
        return attended

    def note(self, event: Event) -> None:
        match event:
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
                self.post_message(self.ShellEnded(self, status))
            case _:
                pass

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
        if self.prefixed:
            self.prefixed = False
            self._press_after_prefix(event)
        elif event.key == self.prefix and not self.marking:
            self.prefixed = True
        else:
            self._press(event)

    def _press(self, event: events.Key) -> None:
        if self._keyboard is not None:
            self._keyboard.press(event.key, event.character)
            self.marking = self._keyboard.is_marking
        elif event.key == "ctrl+c":
            self._ahead.clear()
        elif len(self._ahead) < AHEAD_LIMIT and event.key not in _ENDING:
            self._ahead.append(event)

    def _press_after_prefix(self, event: events.Key) -> None:
        if event.key == self.prefix or event.key in self.reserved:
            self._press(event)
            self.paint()
        elif not self.attend(event.key):
            self.post_message(self.PrefixPressed(self, event.key))

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        if self._keyboard is None:
            self._ahead.append(event)
            return
        has_lines = "\n" in event.text or "\r" in event.text
        if has_lines and self._keyboard.runs_pastes:
            self.post_message(self.PasteQuestion(self, event.text))
        else:
            self._keyboard.paste(event.text)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        event.stop()
        self.focus()
        if self._pointer is None:
            return
        self.capture_mouse()
        link = self._pointer.down(mouse_of(event, self.gutter, "press"), event.time)
        if link is not None and link.startswith(("http://", "https://")):
            self.post_message(self.LinkOpened(self, link))
        self.paint()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        event.stop()
        if self._pointer is None:
            return
        mouse = mouse_of(event, self.gutter, "motion")
        self._pointer.move(mouse)
        self.hover(mouse.x, mouse.y)
        if event.button:
            self.paint()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        event.stop()
        self.release_mouse()
        if self._pointer is None:
            return
        if text := self._pointer.up(mouse_of(event, self.gutter, "release")):
            self.post_message(self.Copied(self, text, by_program=False))
        self.paint()

    def on_leave(self) -> None:
        self.hover(-1, -1)

    @on(events.MouseScrollUp)
    @on(events.MouseScrollDown)
    def _turn_wheel(self, event: events.MouseScrollUp | events.MouseScrollDown) -> None:
        event.stop()
        event.prevent_default()
        if self._pointer is not None:
            is_up = isinstance(event, events.MouseScrollUp)
            self._pointer.wheel(
                mouse_of(event, self.gutter, "press", button="up" if is_up else "down")
            )
            self.paint()
