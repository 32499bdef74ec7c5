"""Leaves a step out; types its solution first, where later steps build on it."""

from textual import work

from tutor.course.model import Edit, File
from tutor.errors import TutorError
from tutor.session.commands import commands_of
from tutor.ui.ports import Session
from tutor.ui.scene import Scene
from tutor.ui.screens.moving import Moving
from tutor.ui.screens.opening import question


class Solving(Moving):
    """What a lesson's screen does for a learner who leaves a step out."""

    @work(group="skip")
    async def action_skip(self) -> None:
        """Leave the step out, after a question."""
        scene = self.scene
        step = scene.step
        if scene.is_done:
            self.tell_of_step("This step is done already.", f"{self.way_to('next')} goes on.")
            return
        if step.skip == "never":
            self.tell("Later steps build on this one: it has to be done.")
            return
        solves = step.skip == "with-solution"
        text = "Its solution is typed into the shell first: later steps build on it."
        asked = question(
            f"Leave out “{step.title}”?",
            text if solves else "You can come back to it at any time.",
            yes="leave it out",
            no="stay",
        )
        if not await self.app.push_screen_wait(asked):
            return
        if solves and not await self._solve(scene):
            return
        self.change(_skip_and_go_on)

    async def _solve(self, scene: Scene) -> bool:
        """Type the solution; whether it could be."""
        stage = self.back.stage
        if stage is None:
            self.tell("The lesson is still being prepared.", "Try again in a moment.")
            return False
        self.to_shell()
        try:
            for block in scene.step.solved_by(scene.environment):
                if isinstance(block, File):
                    await self.back.write(block)
                is_edit = isinstance(block, Edit)
                commands = (stage.edit_by_itself(block),) if is_edit else commands_of(block)
                if not await self.back.run(commands):
                    self.tell("You stopped it.", "The step is where it was.")
                    return False
        except TutorError as error:
            self.tell_error(error)
            return False
        return True


async def _skip_and_go_on(session: Session) -> None:
    """Leave the current step out, unless its solution has passed it meanwhile, and turn on."""
    here = session.progress.current
    if session.progress.step(here).done is None:
        await session.skip()
    ids = [step.id for step in session.outline]
    following = ids.index(here) + 1
    if following < len(ids):
        await session.go_to(ids[following])
