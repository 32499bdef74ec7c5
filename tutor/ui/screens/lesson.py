"""One lesson: what its keys, clicks and commands do."""

from textual import on, work

from tutor.clock import SystemClock
from tutor.ui.keys import after_prefix, bind, bindings, spelled
from tutor.ui.scene import clock_time
from tutor.ui.screens.doing import Doing
from tutor.ui.screens.leaving import Leaving
from tutor.ui.screens.opening import help_over, keys_of, palette, prefix_over, settings_of
from tutor.ui.screens.tabbed import Tabbed
from tutor.ui.widgets.keybar import KeyBar
from tutor.ui.widgets.steps import StepList
from tutor.ui.widgets.terminal import Terminal


class LessonScreen(Doing, Tabbed, Leaving):
    """Answers what the panes ask by calling the session."""

    CSS_PATH = "lesson.tcss"
    COMMANDS = {palette}  # noqa: RUF012 - as the library has it
    ESCAPE_TO_MINIMIZE = False  # Escape is the shell's
    HELP = "A lesson. The footer shows the keys."
    BINDINGS = [  # noqa: RUF012 - as the library has it
        *bindings(),
        bind("lesson.back", "escape", "back", "Close what is open; then go to the shell"),
    ]

    def action_prefix(self) -> None:
        """Wait for the key that comes after the prefix."""
        self._after_prefix()

    @work(group="prefix")
    async def _after_prefix(self) -> None:
        pressed = await self.app.push_screen_wait(prefix_over(self.keys_now()))
        await self._press(pressed)

    @on(Terminal.PrefixPressed)
    async def _press_after_prefix(self, event: Terminal.PrefixPressed) -> None:
        event.stop()
        await self._press(event.key)

    async def _press(self, pressed: str) -> None:
        key = after_prefix(pressed, self.keymap)
        if key is not None:
            await self.run_action(key.id)
        elif pressed and pressed != "escape":
            prefix = spelled(self.keymap["prefix"])
            self.tell(f"{prefix} {pressed} does nothing.", f"{self.way_to('help')} shows the keys.")

    @on(KeyBar.Pressed)
    async def _press_in_bar(self, event: KeyBar.Pressed) -> None:
        event.stop()
        await self.run_action(event.key)

    def action_help(self) -> None:
        """Show the keys."""
        self.app.push_screen(help_over(self))

    def action_palette(self) -> None:
        """Search everything there is to do."""
        self.app.action_command_palette()

    def action_settings(self) -> None:
        """Change what can be set."""
        self.app.push_screen(settings_of(self.desk))

    def action_keys(self) -> None:
        """Give actions other keys."""
        self.app.push_screen(keys_of(self.desk))

    def action_look(self) -> None:
        """Look at the facts again, and show them."""
        session = self.back.session
        if session is None:
            self.tell("The lesson is still being prepared.", "Try again in a moment.")
            return
        session.look_now()
        self.looked_at = clock_time(SystemClock().now())
        if self.has_class("-short"):
            self.facts_open = not self.facts_open
            if not self.facts_open and not self.in_shell:
                self.to_shell()
        self.redraw()

    def action_hint(self) -> None:
        """Go one rung up the ladder."""
        self.facts_open = False
        if self.zoom == "shell":
            self.zoom = None
        match self.scene.rung:
            case "hint":
                self.change(lambda session: session.ask_hint())
            case "solution":
                self.back.log.begin_again()
                self.change(lambda session: session.ask_solution())
            case "skip":
                self.action_skip()
            case _ if self.scene.is_done:
                onward = f"{self.way_to('next')} {self.scene.onward}."
                self.tell_of_step("This step is done.", onward)
            case _:
                self.tell_of_step("That is all the help there is.", "Do what the solution says.")

    def action_next(self) -> None:
        """Go on, when all facts hold."""
        scene = self.scene
        if scene.is_at_end:
            self.finish()
        elif scene.is_done and scene.following is not None:
            self.action_go_to(scene.following)
        else:
            missing = scene.missing()
            first = missing[0] if missing else "the facts are being looked at"
            more = f"The facts say what was seen; {self.way_to('hint')} helps."
            self.tell_of_step(f"Not yet: {first}", more)
            self.facts_open = True

    def action_go_to(self, step_id: str) -> None:
        """Turn to a step."""
        self.steps_open = self.facts_open = False
        self.looked_at = ""
        self.change(lambda session: session.go_to(step_id))

    @on(StepList.Chosen)
    def _choose(self, event: StepList.Chosen) -> None:
        event.stop()
        self.leave_steps()
        self.action_go_to(event.step_id)

    def action_in_shell(self, key: str) -> None:
        """Look back, select or copy in the shell."""
        self.to_shell()
        self.terminal.attend(key)
