"""A screen that says things in passing, and takes back what does not hold any more."""

from collections.abc import Sequence

from textual.message import Message
from textual.screen import Screen

from tutor.errors import TutorError
from tutor.ui.ports import Visit
from tutor.value import filled

NOTICE_S = 6.0
SHORT_NOTICE_S = 2.5


class TellingScreen(Screen[TutorError | Visit | None]):
    """What it says stands in a corner for some seconds."""

    @filled
    class Outdated(Message):
        """What has been told does not hold any more."""

        texts: Sequence[str]

    def __init__(self) -> None:
        super().__init__()
        self._of_step: list[str] = []
        """What has been said of the step as it is."""

    def tell(self, *lines: str, seconds: float = NOTICE_S) -> None:
        """Say something in passing."""
        self.notify("\n".join(lines), markup=False, timeout=seconds)

    def tell_of_step(self, *lines: str) -> None:
        """Say something that holds until more or less of the step is done."""
        self._of_step.append("\n".join(lines))
        self.tell(*lines)

    def step_has_changed(self) -> None:
        """Take back what was said of the step as it was."""
        if self._of_step:
            self.post_message(self.Outdated(self._of_step))
        self._of_step = []

    def tell_error(self, error: TutorError) -> None:
        """Say what does not go, and what does."""
        self.tell(error.message, error.next_action)
