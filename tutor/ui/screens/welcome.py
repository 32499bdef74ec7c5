"""The very first screen: two minutes of how it works, or straight to the lessons."""

from collections.abc import Sequence
from typing import Literal, cast

from textual import getters, on
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Button, Static

from tutor.course.model import Lesson
from tutor.errors import TutorError
from tutor.ui.commands import ScreenCommands, bound
from tutor.ui.keyrow import as_chosen
from tutor.ui.keys import bind, keymap_of
from tutor.ui.ports import Desk
from tutor.ui.screens.help import HelpScreen
from tutor.ui.widgets.keybar import KeyBar, Shown
from tutor.ui.widgets.sketch import Sketch

First = Literal["learn", "course", "quit"]

_WHAT = """\
You learn here by doing: a real shell, a cluster of your own, and lessons that watch what you do \
and say what they see."""

_KEYS = (
    Shown(id="learn", key="Enter", after_prefix="", label="show me"),
    Shown(id="course", key="Esc", after_prefix="", label="all lessons"),
    Shown(id="help", key="F1", after_prefix="", label="help"),
    Shown(id="quit", key="F10", after_prefix="", label="quit"),
)


class WelcomeScreen(Screen[First]):
    """Dismissed with where to go."""

    # As the library declares it, it is an app of who knows what.
    app = getters.app(cast("type[App[object]]", App))

    CSS_PATH = "welcome.tcss"
    COMMANDS = {ScreenCommands}  # noqa: RUF012 - as the library has it
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-usual")]  # noqa: RUF012 - as the library has it
    HELP = "The first screen. Enter shows how it works; Escape goes to all lessons."
    BINDINGS = [  # noqa: RUF012 - as the library has it
        bind("welcome.learn", "s", "go('learn')", "Show how it works (Enter does, too)"),
        bind("welcome.course", "escape,c", "go('course')", "Go to the map of all lessons"),
        bind("welcome.help", "f1", "help", "Show the keys"),
        bind("welcome.quit", "f10,q", "quit", "Leave"),
        Binding("right,down", "app.focus_next", "Next", show=False),
        Binding("left,up", "app.focus_previous", "Before", show=False),
    ]

    def __init__(self, desk: Desk, lesson: Lesson) -> None:
        """`lesson` is the one that shows how it works."""
        super().__init__()
        self._desk = desk
        minutes = lesson.minutes_on(lesson.header.environments[0])
        self._offer = f"New here? “{lesson.header.title}” takes {minutes} minutes."

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Static(self._desk.course.title, id="title", markup=False)
            yield Static(_WHAT, id="what", markup=False)
            yield Sketch(id="sketch")
            yield Static(self._offer, id="offer", markup=False)
            yield from self._answers()
        bar = KeyBar(id="keys")
        bar.keys = as_chosen(_KEYS, keymap_of(self))
        yield bar

    def _answers(self) -> Sequence[Button]:
        return (
            Button("show me how it works", id="learn", classes="answer"),
            Button("go straight to the lessons", id="course", classes="answer"),
        )

    def on_mount(self) -> None:
        self.query_one("#learn").focus()

    @on(Button.Pressed)
    def _answer(self, event: Button.Pressed) -> None:
        event.stop()
        self.action_go(event.button.id or "course")

    @on(KeyBar.Pressed)
    def _press(self, event: KeyBar.Pressed) -> None:
        event.stop()
        if event.key == "help":
            self.action_help()
        else:
            self.action_go(event.key)

    def action_help(self) -> None:
        """Show the keys."""
        self.app.push_screen(HelpScreen(tuple(bound(self))))

    def action_quit(self) -> None:
        """Leave."""
        self.action_go("quit")

    def action_go(self, where: str) -> None:
        """Go on."""
        ways: dict[str, First] = {"learn": "learn", "quit": "quit"}
        chosen = ways.get(where, "course")
        if chosen == "course":
            try:
                self._desk.note_visitor()
            except TutorError as error:
                self.notify(str(error), severity="error", markup=False)
        self.dismiss(chosen)
