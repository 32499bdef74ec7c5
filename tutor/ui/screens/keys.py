"""The keys that the learner can choose: each change holds at once, and is saved."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from textual import events, getters, on
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.screen import ModalScreen
from textual.widgets import Static

from tutor.errors import TutorError
from tutor.keymap import ACTIONS, NONE, Keymap, fault_of
from tutor.ui.commands import PALETTE, ScreenCommands
from tutor.ui.keys import KEYS, KeysChanged, bind, keymap_of, spelled
from tutor.ui.ports import Desk
from tutor.ui.widgets.sheet import Sheet, hung

NOTICE_S = 8.0
_ABOUT = {
    **{key.id: key.says for key in KEYS},
    "prefix": "Comes before the second keys; twice, it goes to the shell",
}


class ActionRow(Sheet, can_focus=True):
    """One action. Enter, and the next key is its key; Delete gives back the one it came with."""

    BINDINGS = [  # noqa: RUF012 - as the library has it
        bind("keys.other", "enter,space", "ask", "Give this action another key"),
        bind("keys.first", "delete,backspace", "give('')", "Give it the key it came with"),
        bind("keys.none", "n", f"give('{NONE}')", "Leave it without a key"),
        Binding("down", "app.focus_next", "Down", show=False),
        Binding("up", "app.focus_previous", "Up", show=False),
    ]

    pressed: reactive[str] = reactive("")
    """Its key."""
    is_asking: reactive[bool] = reactive(False)
    """Whether the next key is for it."""

    @dataclass
    class Given(Message):
        """The learner wants another key for it; an empty one is the one it came with."""

        row: "ActionRow"
        key: str

        @property
        def control(self) -> "ActionRow":
            return self.row

    def __init__(self, action: str, pressed: str) -> None:
        super().__init__(classes="action")
        self.action = action
        self.set_reactive(ActionRow.pressed, pressed)

    def lines(self, width: int) -> Sequence[Content]:
        key = "press a key" if self.is_asking else spelled(self.pressed) or "-"
        is_own = self.pressed != ACTIONS[self.action]
        lead = Content.assemble(
            (f"{self.action:14}", "bold"),
            (f"{key:11}", "reverse" if self.is_asking else "$primary"),
            ("* " if is_own else "  ", "$primary"),
        )
        return hung(lead, Content.styled(_ABOUT[self.action], "$quiet"), width)

    def watch_pressed(self) -> None:
        self.redraw()

    def watch_is_asking(self) -> None:
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.action_ask()

    def on_blur(self) -> None:
        self.is_asking = False

    def action_ask(self) -> None:
        """Take the next key."""
        self.is_asking = True

    def action_give(self, key: str) -> None:
        """Ask for a key."""
        self.post_message(self.Given(self, key))

    def on_key(self, event: events.Key) -> None:
        if not self.is_asking:
            return
        event.stop()
        event.prevent_default()
        self.is_asking = False
        if event.key != "escape":
            self.action_give(event.key)


class KeysScreen(ModalScreen[None]):
    """Escape closes it."""

    # As the library declares it, it is an app of who knows what.
    app = getters.app(cast("type[App[object]]", App))

    CSS_PATH = "keys.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (24, "-usual")]  # noqa: RUF012 - as the library has it
    COMMANDS = {ScreenCommands}  # noqa: RUF012 - as the library has it
    BINDINGS = [bind("window.close", "escape,q", "dismiss", "Close this window"), PALETTE]  # noqa: RUF012

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk

    def compose(self) -> ComposeResult:
        keymap = keymap_of(self)
        with Vertical(id="box") as box:
            box.border_title = "Keys"
            box.border_subtitle = "Enter: another key · Del: the first one · N: none · Esc closes"
            with VerticalScroll(can_focus=False):
                for action in ACTIONS:
                    yield ActionRow(action, keymap[action])
            yield Static(f"Saved in {at_home(self._desk.settings_file)}", id="where", markup=False)

    def on_mount(self) -> None:
        self.query(ActionRow).first().focus()

    @on(ActionRow.Given)
    def _give(self, event: ActionRow.Given) -> None:
        event.stop()
        wanted = Keymap(self._desk.settings.keys).with_key(event.row.action, event.key)
        if fault := fault_of(wanted.own):
            self._tell(f"{fault.message}\n{fault.next_action}")
            return
        try:
            self._desk.save_setting("keys", wanted.own)
        except TutorError as error:
            self._tell(str(error))
        for row in self.query(ActionRow):
            row.pressed = wanted[row.action]
        self.post_message(KeysChanged())

    def _tell(self, text: str) -> None:
        self.notify(text, severity="warning", markup=False, timeout=NOTICE_S)


def at_home(file: Path) -> str:
    """A path as people write it."""
    home = Path.home()
    return f"~/{file.relative_to(home)}" if file.is_relative_to(home) else str(file)
