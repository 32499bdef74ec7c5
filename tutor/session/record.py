"""What is saved of a learner's way through a lesson: a versioned document. Pure.

Only what happened is saved; what may be opened follows from it (`state`), so that a lesson may get
other steps without a saved document becoming wrong.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

VERSION = 1
"""The version of the document that this program writes."""

MIGRATIONS: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""From each older version to the next one: document in, document out."""


class Unreadable(Exception):
    """A document that is not one, or one of a newer program. The text says which."""

    def __init__(self, why: str, *, is_newer: bool = False) -> None:
        super().__init__(why)
        self.is_newer = is_newer


class _Saved(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StepRecord(_Saved):
    """What happened in one step."""

    opened_at: datetime | None = None
    done: Literal["passed", "skipped"] | None = None
    done_at: datetime | None = None
    hints_shown: int = Field(default=0, ge=0)
    solution_shown: bool = False
    latched: tuple[str, ...] = ()
    """Ids of the facts that happened, and stay true."""
    mistakes: tuple[str, ...] = ()
    """Ids of the mistakes that were made, each once."""
    answers: Mapping[str, str] = Field(default_factory=dict[str, str])
    """The last answer to each question, by its id."""


class Progress(_Saved):
    """A learner's way through one lesson in one environment."""

    version: Literal[1] = VERSION
    lesson: str
    environment: str
    """`sandbox`, `kind` or `context:NAME`."""
    current: str
    """The id of the step that the learner is on."""
    steps: Mapping[str, StepRecord] = Field(default_factory=dict[str, StepRecord])
    """By step id. Steps that the lesson no longer has are kept."""
    finished_at: datetime | None = None

    def step(self, step_id: str) -> StepRecord:
        """What happened in a step; an empty record when nothing has."""
        return self.steps.get(step_id) or StepRecord()

    def with_step(self, step_id: str, **changes: Any) -> "Progress":
        """The same with other values in one step's record."""
        record = self.step(step_id).model_copy(update=changes)
        return self.model_copy(update={"steps": {**self.steps, step_id: record}})


def write_record(progress: Progress) -> str:
    """The document as it is saved."""
    return progress.model_dump_json()


def read_record(saved: object) -> Progress:
    """A saved document, brought to the version of today. Raises `Unreadable`."""
    if not isinstance(saved, dict):
        raise Unreadable("it is not a document")
    document = cast("dict[str, Any]", saved)
    version = document.get("version")
    if not isinstance(version, int):
        raise Unreadable("it has no version")
    if version > VERSION:
        raise Unreadable("it was written by a newer version of tutor", is_newer=True)
    for step in range(version, VERSION):
        document = MIGRATIONS[step](document)
    try:
        return Progress.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Unreadable(f"{place}: {first['msg']}") from error
