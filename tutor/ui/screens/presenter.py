"""A lesson that plays itself before an audience: one key, or a clicker, for everything."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import ClassVar

from textual.timer import Timer

from tutor.course.model import Edit, Look, Run
from tutor.ui.hands import type_out
from tutor.ui.keys import bind
from tutor.ui.ports import Desk, Visit
from tutor.ui.screens.lesson import LessonScreen
from tutor.ui.widgets.keybar import Shown

READING_S = 2.5
"""How long it waits before each thing when it goes on by itself, at speed 1."""


_IDLE = frozenset({"types", "wait"})
"""What is said of the key for what comes next while it does nothing."""


class PresenterScreen(LessonScreen):
    """Page down does what comes next, page up goes a step back, F12 goes on by itself."""

    CSS_PATH = ["lesson.tcss", "presenter.tcss"]  # noqa: RUF012 - as the library has it
    HELP = "A lesson that is shown to others."
    KEYS_BESIDE = frozenset({"f12"})
    own_keys: ClassVar[Mapping[str, str]] = {"run": "PgDn", "next": "PgDn"}
    """What a clicker sends; the other keys do the same."""
    BINDINGS = [  # noqa: RUF012 - as the library has it
        # Before the pane in focus: a clicker sends these, and nothing else.
        bind("show.onward", "pagedown", "onward", "Type what comes next, or go on", priority=True),
        bind("show.before", "pageup", "before", "Go back to the step before", priority=True),
        bind("show.by_itself", "f12", "by_itself", "Let it go on by itself, or stop that"),
    ]

    def __init__(self, desk: Desk, visit: Visit, *, speed: float) -> None:
        super().__init__(desk, visit)
        self._speed = speed
        self._ticking: Timer | None = None
        self.back.runner.hands = partial(type_out, speed=speed)

    def keys_now(self) -> tuple[Shown, ...]:
        row = super().keys_now()
        kept = tuple(each for each in row if each.id in {"help", "zoom", "quit"})
        by_itself = "stop" if self._ticking else "play"
        does = self._upcoming()
        may_go_back = self.scene.number > 1 and not self.back.is_typing
        return (
            Shown(id="onward", key="PgDn", after_prefix="", label=does, is_open=does not in _IDLE),
            Shown(id="before", key="PgUp", after_prefix="", label="step back", is_open=may_go_back),
            Shown(id="by_itself", key="F12", after_prefix="", label=by_itself),
            *kept,
        )

    def _upcoming(self) -> str:
        """What the next key press does, in a word or two."""
        if self.back.is_typing:
            return "types"
        if self.back.log.upcoming() is not None:
            return "type"
        if self.scene.is_done:
            return "finish" if self.scene.is_at_end else "next step"
        if self.back.log.failed() is not None:
            return "type again"
        return "wait" if self.scene.blocks() else "help"

    def action_onward(self) -> None:
        """Type what comes next in the step; after that, turn to the next step."""
        if self.back.session is None or self.back.is_typing:
            return
        if self.back.log.upcoming() is not None:
            self.action_run()
        elif self.scene.is_done:
            self.action_next()
        elif self.back.log.failed() is not None:
            self.action_run()
        elif not self.scene.blocks():
            # A step without commands: its hints are shown, and then its solution.
            self.action_hint()

    def action_before(self) -> None:
        """Turn to the step before."""
        ids = [step.id for step in self.scene.outline]
        if self.scene.number > 1 and not self.back.is_typing:
            self.action_go_to(ids[self.scene.number - 2])

    def action_by_itself(self) -> None:
        """Go on without anybody, or stop that."""
        if self._ticking is None:
            self._ticking = self.set_interval(READING_S / self._speed, self._tick)
        else:
            self._stop_ticking()
        self.redraw()

    def _tick(self) -> None:
        if self.scene.is_at_end or self.app.screen is not self:
            self._stop_ticking()
        # What failed is done again only when somebody says so.
        log = self.back.log
        if log.upcoming() is not None or log.failed() is None or self.scene.is_done:
            self.action_onward()

    def _stop_ticking(self) -> None:
        if self._ticking is not None:
            self._ticking.stop()
        self._ticking = None

    def commands_for(self, block: Run | Edit | Look) -> Sequence[str]:
        """What to type; the changes of an edit are made by themselves."""
        stage = self.back.stage
        if isinstance(block, Edit) and stage is not None:
            return (stage.edit_by_itself(block),)
        return super().commands_for(block)
