"""What the learner can choose: each change holds at once, and is saved."""

from collections.abc import Sequence
from dataclasses import dataclass
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
from tutor.ui.commands import PALETTE, ScreenCommands
from tutor.ui.keys import bind, closing
from tutor.ui.ports import Desk
from tutor.ui.screens.keys import KeysScreen, at_home
from tutor.ui.widgets.sheet import Sheet, hung

NOTICE_S = 8.0
_TITLE_COLUMNS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Something that can be chosen."""

    key: str
    """Its name in the settings file."""
    title: str
    says: str
    options: Sequence[str]


def _row(title: str, chosen: Content, says: str, width: int) -> Sequence[Content]:
    """A title and what is chosen; below that, what it is about."""
    lead = Content.styled(f"{title:{_TITLE_COLUMNS}}", "bold")
    margin = Content(" " * _TITLE_COLUMNS)
    return [Content.assemble(lead, chosen), *hung(margin, Content.styled(says, "$quiet"), width)]


class WishRow(Sheet, can_focus=True):
    """One setting. Left and right, or a click, choose."""

    BINDINGS = [  # noqa: RUF012 - as the library has it
        bind("settings.next", "right,enter,space", "turn(1)", "Choose the next value"),
        bind("settings.before", "left", "turn(-1)", "Choose the value before"),
        Binding("down", "app.focus_next", "Down", show=False),
        Binding("up", "app.focus_previous", "Up", show=False),
    ]

    value: reactive[str] = reactive("")

    @dataclass
    class Chosen(Message):
        """The learner wants another value."""

        row: "WishRow"
        key: str
        value: str

        @property
        def control(self) -> "WishRow":
            return self.row

    def __init__(self, wish: Wish, value: str) -> None:
        super().__init__(classes="wish")
        self.wish = wish
        self.set_reactive(WishRow.value, value)

    def lines(self, width: int) -> Sequence[Content]:
        chosen = Content.assemble(("◂ ", "$quiet"), (self.value, "$primary"), (" ▸", "$quiet"))
        return _row(self.wish.title, chosen, self.wish.says, width)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.action_turn(1)

    def action_turn(self, by: int) -> None:
        """Choose the next value, or the one before."""
        options = self.wish.options
        here = options.index(self.value) if self.value in options else -1
        self.value = options[(here + by) % len(options)]
        self.post_message(self.Chosen(self, self.wish.key, self.value))


class KeysRow(Sheet, can_focus=True):
    """Leads to the keys."""

    BINDINGS = [  # noqa: RUF012 - as the library has it
        bind("settings.keys", "enter,space,right", "want", "Give actions other keys"),
        Binding("down", "app.focus_next", "Down", show=False),
        Binding("up", "app.focus_previous", "Up", show=False),
    ]

    class Wanted(Message):
        """The learner wants to see them."""

    def __init__(self) -> None:
        super().__init__(classes="wish")

    def lines(self, width: int) -> Sequence[Content]:
        says = "Another key for each action, where yours is taken."
        return _row("Keys", Content.styled("Enter ▸", "$primary"), says, width)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.action_want()

    def action_want(self) -> None:
        """Ask for them."""
        self.post_message(self.Wanted())


class SettingsScreen(ModalScreen[None]):
    """Escape closes it."""

    # As the library declares it, it is an app of who knows what.
    app = getters.app(cast("type[App[object]]", App))

    CSS_PATH = "settings.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (24, "-usual")]  # noqa: RUF012 - as the library has it
    COMMANDS = {ScreenCommands}  # noqa: RUF012 - as the library has it
    BINDINGS = [*closing("escape,q", "quit"), PALETTE]  # noqa: RUF012 - as the library has it

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk

    def compose(self) -> ComposeResult:
        now = self._desk.settings
        with Vertical(id="box") as box:
            box.border_title = "Settings"
            box.border_subtitle = "← → choose · Esc closes"
            with VerticalScroll(can_focus=False):
                yield WishRow(self._themes(), self.app.theme)
                yield WishRow(LAYOUT, now.layout)
                yield WishRow(MOTION, now.motion)
                yield WishRow(PACE, now.pace)
                yield WishRow(KUBECTL, now.kubectl)
                yield WishRow(EDITOR, now.editor)
                yield KeysRow()
            where = f"Saved in {at_home(self._desk.settings_file)}"
            yield Static(where, id="where", markup=False)

    def _themes(self) -> Wish:
        own = ["tutor", "tutor-light"]
        others = sorted(set(self.app.available_themes) - {*own})
        says = "The colours of the program; programs in the shell have their own."
        return Wish(key="theme", title="Colours", says=says, options=[*own, *others])

    def on_mount(self) -> None:
        self.query(WishRow).first().focus()

    @on(KeysRow.Wanted)
    def _open_keys(self, event: KeysRow.Wanted) -> None:
        event.stop()
        self.app.push_screen(KeysScreen(self._desk))

    @on(WishRow.Chosen)
    def _save(self, event: WishRow.Chosen) -> None:
        event.stop()
        if event.key == "theme":
            self.app.theme = event.value
        if event.key == "motion":
            self.app.animation_level = "none" if event.value == "reduced" else "full"
        try:
            self._desk.save_setting(event.key, event.value)
        except TutorError as error:
            self.notify(str(error), severity="error", markup=False, timeout=NOTICE_S)


LAYOUT = Wish(
    key="layout",
    title="Layout",
    says="The shell below the lesson or beside it, or as the window has room; from 100 columns on.",
    options=("fitting", "below", "beside"),
)
MOTION = Wish(
    key="motion",
    title="Motion",
    says="Smooth scrolling and counting seconds, or as little as can be.",
    options=("full", "reduced"),
)
PACE = Wish(
    key="pace",
    title="Pace",
    says="How long things take in a sandbox that is started from now on.",
    options=("watchable", "real", "instant"),
)
KUBECTL = Wish(
    key="kubectl",
    title="kubectl",
    says="Ours, or your own (1.28 or newer); from the next visit of a lesson on.",
    options=("bundled", "own"),
)
EDITOR = Wish(
    key="editor",
    title="Editor",
    says="Yours, where there is one, or ours, a small one; from the next visit of a lesson on.",
    options=("own", "bundled"),
)
