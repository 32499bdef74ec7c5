"""The program's window: which screen is shown, and in which colours."""

import asyncio
import gc
import signal
from pathlib import Path
from typing import Literal

from textual import on, work
from textual.app import App
from textual.color import Color
from textual.notifications import Notify
from textual.screen import Screen

from tutor.course.model import Lesson
from tutor.errors import TutorError
from tutor.keymap import Keymap
from tutor.terminal.engine import fallback
from tutor.ui.driver import Keyboard
from tutor.ui.keys import AsksForKey, KeysChanged, ShowsKeys, overrides
from tutor.ui.ports import Desk, Visit
from tutor.ui.screens.beneath import BeneathScreen
from tutor.ui.screens.lesson import LessonScreen
from tutor.ui.stylesheet import KeptStylesheet
from tutor.ui.theme import DARK, LIGHT
from tutor.ui.widgets.terminal import Terminal

_SHELLS_OWN = frozenset({"quit", "command_palette", "help_quit"})
"""Actions of the library's own keys, which are the shell's while it has the focus."""


QUIET_S = 1.0
"""After the start, how long nothing is done that can wait.

Nobody looks for garbage, for one: next to nothing made in it is.
"""

FAILURE_S = 15.0
"""How long it is told why a lesson does not open, or why the shell is slow."""


class TutorApp(App[TutorError | None]):
    """Ends with what went wrong, or None."""

    TITLE = "tutor"
    COMMANDS = set()  # noqa: RUF012 - as the library has it; each screen has its own
    # That of the first screen too: read with it, everything is parsed once more.
    CSS_PATH = ["app.tcss", "screens/lesson.tcss"]  # noqa: RUF012 - as the library has it
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal")]  # noqa: RUF012

    def __init__(
        self,
        desk: Desk,
        visit: Visit | None,
        *,
        theme: str = "",
        shows_at: float = 0,
        stylesheet: Path | None = None,
    ) -> None:
        """Without a visit it begins with the map.

        `shows_at` is the speed with which the lesson is typed before an audience; 0 is for a
        learner, who does it. `stylesheet` is where to keep what was parsed of the stylesheets.
        """
        super().__init__(driver_class=Keyboard)
        if self.console.color_system == "256":
            from tutor.ui.fewer_colours import FewerColours  # noqa: PLC0415 - for these alone

            self._filters.append(FewerColours())
        self.desk = desk
        self.crash: Exception | None = None
        """What nobody has caught."""
        self._first = visit
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        # Not when it is mounted: everything would be styled twice.
        self.theme = theme if theme in self.available_themes else self._usual_theme
        self.stylesheet = self._parsed = KeptStylesheet(stylesheet, self.get_css_variables())
        if desk.settings.motion == "reduced":
            self.animation_level = "none"
        self._shows_at = shows_at
        self._told_of_engine = False
        self.set_keymap(overrides(self.chosen_keys))

    @property
    def _usual_theme(self) -> str:
        """Of the terminal's own colours where it has 16: ours would be three greys of them."""
        return "ansi-dark" if self.console.color_system == "standard" else DARK.name

    @property
    def chosen_keys(self) -> Keymap:
        """The keys that hold now."""
        return Keymap(self.desk.settings.keys)

    @on(Terminal.ShellShown)
    def _tell_of_engine(self) -> None:
        """Once: that the shell is drawn by the slower engine."""
        slow = None if self._told_of_engine else fallback()
        self._told_of_engine = True
        if slow is not None:
            text = "The shell's terminal is the slower one: programs that print much take long."
            self.notify(f"{text}\n{slow.why} {slow.next_action}", markup=False, timeout=FAILURE_S)

    @on(LessonScreen.Outdated)
    def _take_back(self, event: LessonScreen.Outdated) -> None:
        event.stop()
        for each in [each for each in self._notifications if each.message in event.texts]:
            self._unnotify(each)

    @on(KeysChanged)
    def _follow_keys(self, event: KeysChanged) -> None:
        event.stop()
        self.set_keymap(overrides(self.chosen_keys))
        for screen in self.screen_stack:
            if isinstance(screen, ShowsKeys):
                screen.follow_keymap()

    def on_mount(self) -> None:
        self.set_timer(QUIET_S, self._settle)
        if not self.is_headless:
            # Whoever ends us from outside: the terminal is given back, the shell is ended.
            for each in (signal.SIGTERM, signal.SIGHUP):
                asyncio.get_running_loop().add_signal_handler(each, self.exit)
        self._walk()

    def _settle(self) -> None:
        gc.enable()
        self._parsed.keep()

    @work(group="walk")
    async def _walk(self) -> None:
        """From the map to a lesson and back, until the learner leaves."""
        visit, may_go_back = self._first, self._first is None
        here = ""
        if visit is None and (lesson := self.desk.newcomers) is not None:
            first = await self.push_screen_wait(self._welcome(lesson))
            if first == "quit":
                return self.exit()
            visit = self.desk.visit(lesson) if first == "learn" else None
        while True:
            if visit is None:
                visit = await self.push_screen_wait(self._map(here))
                if visit is None:
                    return self.exit()
            here = visit.lesson.id
            end = await self.push_screen_wait(self._lesson(visit))
            if isinstance(end, TutorError) and not may_go_back:
                return self.exit(end)
            if isinstance(end, TutorError):
                self.notify(str(end), severity="error", markup=False, timeout=FAILURE_S)
            visit, may_go_back = end if isinstance(end, Visit) else None, True

    def get_default_screen(self) -> Screen[None]:
        return BeneathScreen(id="_default")

    # Loaded when they are wanted: a lesson that is gone on with begins without them.

    def _welcome(self, lesson: Lesson) -> Screen[Literal["learn", "course", "quit"]]:
        from tutor.ui.screens.welcome import WelcomeScreen  # noqa: PLC0415 - as above

        return WelcomeScreen(self.desk, lesson)

    def _map(self, here: str) -> Screen[Visit | None]:
        from tutor.ui.screens.course import CourseScreen  # noqa: PLC0415 - as above

        return CourseScreen(self.desk, here=here)

    def _lesson(self, visit: Visit) -> LessonScreen:
        if self._shows_at:
            from tutor.ui.screens.presenter import PresenterScreen  # noqa: PLC0415 - as above

            return PresenterScreen(self.desk, visit, speed=self._shows_at)
        return LessonScreen(self.desk, visit)

    def refresh_css(self, animate: bool = True) -> None:
        """Read the stylesheets with the colours that hold now."""
        if self.screen_stack:
            super().refresh_css(animate)
        else:
            # They are read for the first screen: read now, they would be read twice.
            self.stylesheet.set_variables(self.get_css_variables())

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Two shades for running text, where the library's own have no colour."""
        theme = self.current_theme
        if theme.name.startswith("ansi"):
            return {"quiet": "ansi_bright_black", "faint": "ansi_bright_black"}
        plain = ("#e0e0e0", "#121212") if theme.dark else ("#1f1f1f", "#f8f8f8")
        foreground = Color.parse(theme.foreground or plain[0])
        background = Color.parse(theme.background or plain[1])
        return {
            "quiet": foreground.blend(background, 0.35).hex,
            "faint": foreground.blend(background, 0.6).hex,
        }

    def on_notify(self, event: Notify) -> None:
        """What is said again is not said twice."""
        said = event.notification.message
        for each in [each for each in self._notifications if each.message == said]:
            del self._notifications[each]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While the shell has the focus, its keys are its own; so are those that are asked for."""
        focused = self.focused
        is_asked = isinstance(focused, AsksForKey) and focused.is_asking
        if action in _SHELLS_OWN and (is_asked or isinstance(focused, Terminal)):
            return False
        return super().check_action(action, parameters)

    async def action_quit(self) -> None:
        """Leave, by the way of the screen that may have to ask."""
        screen = self.screen
        if isinstance(screen, LessonScreen):
            screen.action_quit()
        else:
            self.exit()

    def _handle_exception(self, error: Exception) -> None:
        self.crash = self.crash or error
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        # The library would print a traceback with the values of all variables: it is in our log.
        self._close_messages_no_wait()
