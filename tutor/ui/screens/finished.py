"""The end of a lesson: what one can do now, and what comes next."""

from dataclasses import dataclass
from datetime import timedelta

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Center, Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from tutor.course.model import Lesson
from tutor.session.outline import Outline
from tutor.session.record import Progress
from tutor.ui.commands import PALETTE, ScreenCommands
from tutor.ui.keys import bind
from tutor.ui.screens.opening import Onward


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What the end says."""

    title: str
    objectives: tuple[str, ...]
    passed: int
    skipped: int
    took: str
    """In words; empty when it is not known."""


def ending(lesson: Lesson, progress: Progress, outline: Outline) -> Ending:
    """What there is to say of a finished lesson."""
    records = [progress.step(step.id) for step in outline]
    begun = min((each.opened_at for each in records if each.opened_at), default=None)
    took = progress.finished_at - begun if progress.finished_at and begun else None
    return Ending(
        title=lesson.header.title,
        objectives=lesson.header.objectives,
        passed=sum(each.done == "passed" for each in records),
        skipped=sum(each.done == "skipped" for each in records),
        took=duration(took) if took else "",
    )


def duration(took: timedelta) -> str:
    """A span of time as people say it."""
    minutes = max(1, round(took.total_seconds() / 60))
    if minutes < 100:
        return f"{minutes} minutes" if minutes > 1 else "a minute"
    hours = round(minutes / 60)
    return f"{hours} hours" if hours < 36 else f"{round(hours / 24)} days"


class FinishedScreen(ModalScreen[Onward]):
    """Stay with the cluster, see the other lessons, or leave."""

    CSS_PATH = "finished.tcss"
    COMMANDS = {ScreenCommands}  # noqa: RUF012 - as the library has it
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012 - as the library has it
        (0, "-lowest"),
        (16, "-low"),
        (24, "-short"),
        (30, "-tall"),
    ]

    BINDINGS = [  # noqa: RUF012 - as the library has it
        bind("finished.stay", "escape", "choose('stay')", "Stay in this lesson"),
        bind("finished.next", "n", "choose('next')", "Open the next lesson"),
        bind("finished.course", "m", "choose('course')", "Go to the map of all lessons"),
        bind("lesson.quit", "f10", "choose('quit')", "Leave; everything is saved"),
        bind("finished.back", "pageup", "look(-1)", "See more of what stands above"),
        bind("finished.on", "pagedown", "look(1)", "See more of what stands below"),
        PALETTE,
        Binding("right,down", "app.focus_next", "Next", show=False),
        Binding("left,up", "app.focus_previous", "Before", show=False),
    ]

    def __init__(self, ending: Ending, upcoming: str) -> None:
        """`upcoming` is the title of the lesson that comes after this one; empty when none does."""
        super().__init__()
        self._ending = ending
        self._upcoming = upcoming

    def compose(self) -> ComposeResult:
        end = self._ending
        count = f"{end.passed} steps done"
        skipped = f", {end.skipped} left out" if end.skipped else ""
        took = f", in {end.took}" if end.took else ""
        with Vertical(id="box"):
            yield Static("✓ You have finished", id="done", markup=False)
            yield Static(end.title, id="title", markup=False)
            yield Static(f"{count}{skipped}{took}", id="count", markup=False)
            with VerticalScroll(can_focus=False):
                yield Static("You can now", id="now", markup=False)
                for each in end.objectives:
                    with Horizontal(classes="objective"):
                        yield Static("✓", classes="sign", markup=False)
                        yield Static(each, classes="words", markup=False)
            yield Static(self._after(), id="after", markup=False)
            with Center(), Horizontal(id="answers"):
                if self._upcoming:
                    yield Button("next lesson", id="next", classes="answer")
                else:
                    yield Button("all lessons", id="course", classes="answer")
                yield Button("stay here", id="stay", classes="answer")
                yield Button("leave", id="quit", classes="answer")

    def _after(self) -> str:
        if self._upcoming:
            return f"Next: {self._upcoming}"
        return "The shell stays yours: stay here and try things out."

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.action_choose(event.button.id or "stay")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There may be no next lesson."""
        if action == "choose" and parameters == ("next",):
            return bool(self._upcoming)
        return super().check_action(action, parameters)

    def action_look(self, pages: int) -> None:
        """See another part of what one can do now."""
        words = self.query_one(VerticalScroll)
        words.scroll_relative(y=pages * max(words.size.height - 1, 1), animate=False)

    def action_choose(self, onward: str) -> None:
        """Go on."""
        choices: dict[str, Onward] = {"next": "next", "course": "course", "quit": "quit"}
        self.dismiss(choices.get(onward, "stay"))
