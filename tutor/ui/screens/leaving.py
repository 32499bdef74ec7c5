"""The ways out of a lesson: to the next one, to the map, or out of the program."""

from textual import work

from tutor.ui.ports import Visit
from tutor.ui.runner import abridged
from tutor.ui.screens.moving import Moving
from tutor.ui.screens.opening import end_of, question


class Leaving(Moving):
    """Leaves, after a question when that ends something."""

    @work(group="finish")
    async def finish(self) -> None:
        """Show what one can do now, and go where the learner wants to."""
        lessons = self.desk.course.lessons
        here = lessons.index(self.back.visit.lesson)
        upcoming = lessons[here + 1] if here + 1 < len(lessons) else None
        title = upcoming.header.title if upcoming else ""
        self.step_has_changed()
        match await self.app.push_screen_wait(end_of(self.scene, title)):
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
        return await self.app.push_screen_wait(question(title, text, yes=yes, no="stay"))
