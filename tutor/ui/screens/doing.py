"""What a step says to do, and its facts and questions: typed, written, copied, answered."""

from collections.abc import Sequence

from textual import on, work

from tutor.course.model import Edit, File, Look, Run
from tutor.errors import TutorError
from tutor.session.commands import commands_of
from tutor.ui.screens.solving import Solving
from tutor.ui.screens.telling import SHORT_NOTICE_S
from tutor.ui.widgets.block import BlockCard
from tutor.ui.widgets.facts import FactView
from tutor.ui.widgets.lesson import LessonPane
from tutor.ui.widgets.quiz import Quiz


class Doing(Solving):
    """Does the blocks of a step for the learner."""

    def action_run(self) -> None:
        """Do the next block of the step."""
        scene = self.scene
        log = self.back.log
        key = self.back.runs_next
        if key is not None:
            if scene.is_done and log.upcoming() is None:
                log.begin_again()
            # At once: pressed again, it is for what comes next.
            log.began(key)
            self._perform(key)
        elif scene.is_done:
            self.tell_of_step(
                "All of this step has been typed.", f"{self.way_to('next')} {scene.onward}."
            )
        elif not scene.blocks():
            self.tell_of_step(
                "This step leaves the commands to you.", f"{self.way_to('hint')} helps."
            )
        elif self.back.runner.is_typing:
            self.tell("All of it is being typed already.", "Wait for its end, or end it.")
        else:
            again = f"{self.way_to('switch')}, Tab and Enter type one again."
            self.tell_of_step("All of it has been typed once.", again)

    def action_do(self, block: str) -> None:
        """Do a block of the step."""
        self._perform(block)

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

    def action_copy(self, block: str) -> None:
        """Put what a block types or writes on the clipboard."""
        if (card := self.query_one(LessonPane).card(block)) is not None:
            card.action_copy()

    @on(BlockCard.Copied)
    def _copy_block(self, event: BlockCard.Copied) -> None:
        event.stop()
        self.app.copy_to_clipboard(event.text)
        self.tell(f"Copied {len(event.text):,} characters.", seconds=SHORT_NOTICE_S)

    def action_see(self, fact: str) -> None:
        """Run the command that shows the same as a fact saw."""
        for row in self.scene.facts():
            if row.id == fact:
                self._show(row.show)

    @on(FactView.RunWanted)
    def _want_show(self, event: FactView.RunWanted) -> None:
        event.stop()
        self._show(event.command)

    @work(group="run")
    async def _show(self, command: str) -> None:
        try:
            self.back.runner.check()
            self.to_shell()
            await self.back.run((command,))
        except TutorError as error:
            self.tell_error(error)

    def action_answer(self, question: str, answer: str) -> None:
        """Answer a question of the step."""
        self.change(lambda session: session.answer(question, answer))

    @on(Quiz.Answered)
    def _answer(self, event: Quiz.Answered) -> None:
        event.stop()
        self.action_answer(event.question, event.answer)
