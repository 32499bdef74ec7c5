"""Where a learner is in a lesson: shell, lesson, facts or steps; and what has the window."""

from textual import on
from textual.widget import Widget

from tutor.ui.screens.drawn import DrawnScreen
from tutor.ui.widgets.facts import FactsLine, FactView
from tutor.ui.widgets.lesson import LessonPane
from tutor.ui.widgets.shell_pane import EndedLine, ShellPane
from tutor.ui.widgets.steps import StepList
from tutor.ui.widgets.terminal import Terminal
from tutor.ui.widgets.topbar import TopBar

DIVIDE_BY = 0.1
"""The part of the room that one key press moves."""


class Moving(DrawnScreen):
    """Moves the focus, and opens and closes panes for it."""

    _came_from: Widget | None = None
    """Where the focus was before it went to the steps or the facts."""

    def to_shell(self) -> None:
        """Go to the shell, and have it seen."""
        if self.zoom == "lesson":
            self.zoom = None
        ended = self.query_one_optional(EndedLine)
        (ended if ended is not None and ended.display else self.terminal).focus()

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
    def in_shell(self) -> bool:
        """Whether what is typed goes to the shell."""
        return isinstance(self.focused, Terminal | EndedLine)

    def action_switch(self) -> None:
        """From the shell to the lesson, and back."""
        self.steps_open = False
        if self.in_shell:
            self._to_lesson()
        else:
            self.to_shell()

    def action_back(self) -> None:
        """Close what is open; then go to the shell."""
        if self.steps_open or self.query_one(StepList).has_focus:
            self.leave_steps()
        elif self.facts_open:
            self.facts_open = False
            self.to_shell()
        else:
            self.to_shell()

    def action_steps(self) -> None:
        """Go to the list of steps, and back."""
        steps = self.query_one(StepList)
        if steps.has_focus:
            self.leave_steps()
            return
        self._came_from = self.focused
        self.steps_open = True
        self.zoom = None
        steps.focus()

    @on(TopBar.StepsWanted)
    def _want_steps(self, event: TopBar.StepsWanted) -> None:
        event.stop()
        self.action_steps()

    @on(StepList.Left)
    def leave_steps(self) -> None:
        """Go back to where the learner was before."""
        self.steps_open = False
        (self._came_from or self.terminal).focus()

    def action_zoom(self) -> None:
        """Give the whole window to where the learner is, and take it back."""
        if self.zoom is not None:
            self.zoom = None
        else:
            self.zoom = "shell" if self.in_shell else "lesson"

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

    def action_find(self) -> None:
        """Search the shell."""
        self.to_shell()
        self.query_one(ShellPane).find()

    def action_shell_larger(self) -> None:
        """Make the shell larger."""
        self.divide((self.share or self.usual_share) - DIVIDE_BY)

    def action_shell_smaller(self) -> None:
        """Make the shell smaller."""
        self.divide((self.share or self.usual_share) + DIVIDE_BY)
