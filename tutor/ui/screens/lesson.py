"""One lesson: what its keys, clicks and commands do."""

from collections.abc import Iterator, Sequence

from textual import on, work
from textual.widget import Widget

from tutor.clock import SystemClock
from tutor.course.model import Edit, File, Look, Run
from tutor.errors import TutorError
from tutor.session.typist import commands_of
from tutor.ui.commands import Command
from tutor.ui.keys import after_prefix, bind, bindings, spelled
from tutor.ui.layout import USUAL_SHARE
from tutor.ui.palette import LessonCommands, beside_keys, in_step
from tutor.ui.ports import Visit
from tutor.ui.runner import abridged
from tutor.ui.scene import clock_time
from tutor.ui.screens.drawn import DrawnScreen
from tutor.ui.screens.finished import FinishedScreen, ending
from tutor.ui.screens.help import HelpScreen
from tutor.ui.screens.keys import KeysScreen
from tutor.ui.screens.prefix import PrefixScreen
from tutor.ui.screens.question import QuestionScreen
from tutor.ui.screens.settings import SettingsScreen
from tutor.ui.screens.staged import SHORT_NOTICE_S
from tutor.ui.screens.tabbed import Tabbed
from tutor.ui.widgets.block import BlockCard
from tutor.ui.widgets.facts import FactsLine, FactView
from tutor.ui.widgets.keybar import KeyBar
from tutor.ui.widgets.lesson import LessonPane
from tutor.ui.widgets.quiz import Quiz
from tutor.ui.widgets.shell_pane import EndedLine, ShellPane
from tutor.ui.widgets.steps import StepList
from tutor.ui.widgets.terminal import Terminal
from tutor.ui.widgets.topbar import TopBar

DIVIDE_BY = 0.1
"""The part of the room that one key press moves."""


class LessonScreen(Tabbed, DrawnScreen):
    """Answers what the panes ask by calling the session."""

    CSS_PATH = "lesson.tcss"
    COMMANDS = {LessonCommands}  # noqa: RUF012 - as the library has it
    ESCAPE_TO_MINIMIZE = False  # Escape is the shell's
    HELP = "A lesson. The footer shows the keys."
    BINDINGS = [  # noqa: RUF012 - as the library has it
        *bindings(),
        bind("lesson.back", "escape", "back", "Close what is open; then go to the shell"),
    ]

    _came_from: Widget | None = None
    """Where the focus was before it went to the steps or the facts."""

    # Where the learner is

    def to_shell(self) -> None:
        """Go to the shell, and have it seen."""
        if self.zoom == "lesson":
            self.zoom = None
        ended = self.query_one(EndedLine)
        (ended if ended.display else self.terminal).focus()

    def _to_lesson(self) -> None:
        if self.zoom == "shell":
            self.zoom = None

        if self.facts_open:
            self._focus_facts()
        else:
            self.query_one(LessonPane).focus()

    def _focus_facts(self) -> None:
        views = self.query(FactView)
        first = next((view for view in views if view.is_open), None) or next(iter(views), None)
        if first is not None:
            first.focus()

    @property
    def _in_shell(self) -> bool:
        return self.terminal.has_focus or self.query_one(EndedLine).has_focus

    def action_switch(self) -> None:
        """From the shell to the lesson, and back."""
        self.steps_open = False
        if self._in_shell:
            self._to_lesson()
        else:
            self.to_shell()

    def action_back(self) -> None:
        """Close what is open; then go to the shell."""
        if self.steps_open or self.query_one(StepList).has_focus:
            self._leave_steps()
        elif self.facts_open:
            self.facts_open = False
            self.to_shell()
        else:
            self.to_shell()

    def action_steps(self) -> None:
        """Go to the list of steps, and back."""
        steps = self.query_one(StepList)
        if steps.has_focus:
            self._leave_steps()
            return
        self._came_from = self.focused
        self.steps_open = True
        self.zoom = None
        steps.focus()

    @on(StepList.Left)
    def _leave_steps(self) -> None:
        self.steps_open = False
        (self._came_from or self.terminal).focus()

    def action_zoom(self) -> None:
        """Give the whole window to where the learner is, and take it back."""
        if self.zoom is not None:
            self.zoom = None
        else:
            self.zoom = "shell" if self._in_shell else "lesson"

    def action_facts(self) -> None:
        """Go to the facts."""
        if self.zoom == "shell":
            self.zoom = None
        self.facts_open = True
        self.call_after_refresh(self._focus_facts)

    @on(FactsLine.Opened)
    def _open_facts(self, event: FactsLine.Opened) -> None:
        event.stop()
        self.action_facts()

    def action_prefix(self) -> None:
        """Wait for the key that comes after the prefix."""
        self._after_prefix()

    @work(group="prefix")
    async def _after_prefix(self) -> None:
        pressed = await self.app.push_screen_wait(PrefixScreen(self.keys_now()))
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

    def action_find(self) -> None:
        """Search the shell."""
        self.to_shell()
        self.query_one(ShellPane).find()

    def action_shell_larger(self) -> None:
        """Make the shell larger."""
        self.divide((self.share or USUAL_SHARE) - DIVIDE_BY)

    def action_shell_smaller(self) -> None:
        """Make the shell smaller."""
        self.divide((self.share or USUAL_SHARE) + DIVIDE_BY)

    def action_settings(self) -> None:
        """Change what can be set."""
        self.app.push_screen(SettingsScreen(self.desk))

    def action_keys(self) -> None:
        """Give actions other keys."""
        self.app.push_screen(KeysScreen(self.desk))

    # What the keys do

    def action_help(self) -> None:
        """Show the keys."""
        self.app.push_screen(HelpScreen(beside_keys(self), in_lesson=True))

    def action_palette(self) -> None:
        """Search everything there is to do."""
        self.app.action_command_palette()

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
            if not self.facts_open and not self._in_shell:
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
                self.tell("This step is done.", f"{self.way_to('next')} goes on.")
            case _:
                self.tell("That is all the help there is.", "Do what the solution says.")

    def action_next(self) -> None:
        """Go on, when all facts hold."""
        scene = self.scene
        if scene.is_at_end:
            self._finish()
        elif scene.is_done and scene.following is not None:
            self.action_go_to(scene.following)
        else:
            missing = scene.missing()
            first = missing[0] if missing else "the facts are being looked at"
            more = f"The facts say what was seen; {self.way_to('hint')} helps."
            self.tell(f"Not yet: {first}", more)
            self.facts_open = True

    def action_go_to(self, step_id: str) -> None:
        """Turn to a step."""
        self.steps_open = self.facts_open = False
        self.looked_at = ""
        self.change(lambda session: session.go_to(step_id))

    @on(StepList.Chosen)
    def _choose(self, event: StepList.Chosen) -> None:
        event.stop()
        self._leave_steps()
        self.action_go_to(event.step_id)

    @on(TopBar.StepsWanted)
    def _want_steps(self, event: TopBar.StepsWanted) -> None:
        event.stop()
        self.action_steps()

    @work(group="finish")
    async def _finish(self) -> None:
        lessons = self.desk.course.lessons
        here = lessons.index(self.back.visit.lesson)
        upcoming = lessons[here + 1] if here + 1 < len(lessons) else None
        scene = self.scene
        end = ending(scene.lesson, scene.progress, scene.outline)
        title = upcoming.header.title if upcoming else ""
        match await self.app.push_screen_wait(FinishedScreen(end, title)):
            case "course":
                self.action_course()
            case "next" if upcoming is not None:
                self._go_on(self.desk.visit(upcoming))
            case "quit":
                self.action_quit()
            case _:
                self.to_shell()

    @work(group="leave")
    async def action_quit(self) -> None:
        """Leave; ask when that ends something."""
        if await self._may_leave("Leave tutor?", yes="leave"):
            self.app.exit()

    def action_course(self) -> None:
        """Go to the map of all lessons; ask when that ends something."""
        self._go_on(None)

    @work(group="leave")
    async def _go_on(self, onward: Visit | None) -> None:
        if await self._may_leave("Leave this lesson?", yes="leave it"):
            await self.leave(onward)

    async def _may_leave(self, title: str, *, yes: str) -> bool:
        shells = [each.shell for each in self.back.shells.all if each.shell]
        running = [f"`{abridged(each.running.text)}`" for each in shells if each.running]
        if not running:
            return True
        still = "still runs" if len(running) == 1 else "still run"
        text = f"{' and '.join(running)} {still} in the shell, and would be ended."
        return await self.app.push_screen_wait(QuestionScreen(title, text, yes=yes, no="stay"))

    def commands(self) -> Iterator[Command]:
        """What the palette has besides the keys."""
        return in_step(self.scene, self.query_one(StepList).rows)

    # Blocks, facts, questions

    def action_do(self, block: str) -> None:
        """Do a block of the step."""
        self._perform(block)

    def action_copy(self, block: str) -> None:
        """Put what a block types or writes on the clipboard."""
        if (card := self.query_one(LessonPane).card(block)) is not None:
            card.action_copy()

    def action_see(self, fact: str) -> None:
        """Run the command that shows the same as a fact saw."""
        for row in self.scene.facts():
            if row.id == fact:
                self._show(row.show)

    def action_answer(self, question: str, answer: str) -> None:
        """Answer a question of the step."""
        self.change(lambda session: session.answer(question, answer))

    def action_in_shell(self, key: str) -> None:
        """Look back, select or copy in the shell."""
        self.to_shell()
        self.terminal.attend(key)

    def action_run(self) -> None:
        """Do the next block of the step."""
        scene = self.scene
        log = self.back.log
        key = log.upcoming() or (None if scene.is_done else log.again())
        if key is not None:
            # At once: pressed again, it is for what comes next.
            log.began(key)
            self._perform(key)
        elif scene.is_done:
            self.tell("All of this step has been typed.", f"{self.way_to('next')} goes on.")
        elif not scene.blocks():
            self.tell("This step leaves the commands to you.", f"{self.way_to('hint')} helps.")
        elif self.back.runner.is_typing:
            self.tell("All of it is being typed already.", "Wait for its end, or end it.")
        else:
            again = f"{self.way_to('switch')}, Tab and Enter type one again."
            self.tell("All of it has been typed once.", again)

    @on(BlockCard.Wanted)
    def _want_block(self, event: BlockCard.Wanted) -> None:
        event.stop()
        self._perform(event.key)

    @work(group="run")
    async def _perform(self, key: str) -> None:
        block, log = self.scene.blocks()[key], self.back.log
        try:
            if isinstance(block, File):
                path = await self.back.write_block(key, block)
                self.tell(f"Wrote {path}.", seconds=SHORT_NOTICE_S)
            else:
                self.back.runner.check()
                self.to_shell()
                await self.back.run_block(key, self.commands_for(block))
        except TutorError as error:
            log.ended(key, typed=False)
            self.tell_error(error)

    def commands_for(self, block: Run | Edit | Look) -> Sequence[str]:
        """What to type; once the solution is shown, it makes the changes of an edit itself."""
        stage = self.back.stage
        if isinstance(block, Edit) and self.scene.record.solution_shown and stage is not None:
            return (stage.edit_by_itself(block),)
        return commands_of(block)

    @on(FactView.RunWanted)
    def _want_show(self, event: FactView.RunWanted) -> None:
        event.stop()
        self._show(event.command)

    @work(group="run")
    async def _show(self, command: str) -> None:
        try:
            self.back.runner.check()
            self.to_shell()
            await self.back.runner.run((command,))
        except TutorError as error:
            self.tell_error(error)

    @on(BlockCard.Copied)
    def _copy_block(self, event: BlockCard.Copied) -> None:
        event.stop()
        self.app.copy_to_clipboard(event.text)
        self.tell(f"Copied {len(event.text):,} characters.", seconds=SHORT_NOTICE_S)

    @on(Quiz.Answered)
    def _answer(self, event: Quiz.Answered) -> None:
        event.stop()
        self.action_answer(event.question, event.answer)
