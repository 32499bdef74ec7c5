"""Waits for the one key that comes after the prefix, and shows which there are."""

from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen

from tutor.ui.keys import keymap_of, spelled
from tutor.ui.widgets.keybar import KeyBar, Shown


class PrefixScreen(ModalScreen[str]):
    """Any key answers."""

    CSS = """
    PrefixScreen { background: transparent; }
    PrefixScreen KeyBar { dock: bottom; }
    """

    def __init__(self, keys: tuple[Shown, ...]) -> None:
        super().__init__()
        self._keys = keys

    def compose(self) -> ComposeResult:
        bar = KeyBar()
        bar.keys = self._keys
        bar.prefix = spelled(keymap_of(self)["prefix"])
        yield bar

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        self.dismiss(event.key)

    def on_key_bar_pressed(self, event: KeyBar.Pressed) -> None:
        pressed = next(key for key in self._keys if key.id == event.key)
        self.dismiss(pressed.after_prefix)

    def on_click(self) -> None:
        self.dismiss("")
