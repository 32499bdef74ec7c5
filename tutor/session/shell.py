"""What the learner typed since a step began, for the probes."""

from collections.abc import Sequence
from contextlib import suppress

from tutor.probes.base import Changed, CommandRecord, Unfollow

RECORDS_LIMIT = 200
"""Commands of a step that are kept; the oldest go."""


class StepShell:
    """A `ShellLog`. It is told of commands in the loop that the probes run in."""

    def __init__(self) -> None:
        self._records: list[CommandRecord] = []
        self._followers: list[Changed] = []

    def add(self, record: CommandRecord) -> None:
        """A command of the learner has ended."""
        self._records = [*self._records, record][-RECORDS_LIMIT:]
        self._tell()

    def clear(self) -> None:
        """Another step begins."""
        self._records = []
        self._tell()

    def records(self) -> Sequence[CommandRecord]:
        """The commands of this step, first to last."""
        return self._records

    def follow(self, changed: Changed) -> Unfollow:
        """Have `changed` called after each command."""
        self._followers.append(changed)

        def unfollow() -> None:
            with suppress(ValueError):
                self._followers.remove(changed)

        return unfollow

    def _tell(self) -> None:
        for changed in list(self._followers):
            changed()
