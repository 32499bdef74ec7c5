"""What is saved of a learner's way through a lesson: a versioned document. Pure.

Only what happened is saved; what may be opened follows from it (`state`), so that a lesson may get
other steps without a saved document becoming wrong.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from typing import Any, Literal, TypeVar, cast

VERSION = 1
"""The version of the document that this program writes."""

MIGRATIONS: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""From each older version to the next one: document in, document out."""


Done = Literal["passed", "skipped"]


class Unreadable(Exception):
    """A document that is not one, or one of a newer program. The text says which."""

    def __init__(self, why: str, *, is_newer: bool = False) -> None:
        super().__init__(why)
        self.is_newer = is_newer


@dataclass(frozen=True, kw_only=True, slots=True)
class StepRecord:
    """What happened in one step."""

    opened_at: datetime | None = None
    done: Done | None = None
    done_at: datetime | None = None
    hints_shown: int = 0
    solution_shown: bool = False
    latched: tuple[str, ...] = ()
    """Ids of the facts that happened, and stay true."""
    mistakes: tuple[str, ...] = ()
    """Ids of the mistakes that were made, each once."""
    answers: Mapping[str, str] = field(default_factory=dict[str, str])
    """The last answer to each question, by its id."""


_NOTHING = StepRecord()


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """A learner's way through one lesson in one environment."""

    lesson: str
    environment: str
    """`sandbox`, `kind` or `context:NAME`."""
    current: str
    """The id of the step that the learner is on."""
    steps: Mapping[str, StepRecord] = field(default_factory=dict[str, StepRecord])
    """By step id. Steps that the lesson no longer has are kept."""
    finished_at: datetime | None = None

    def step(self, step_id: str) -> StepRecord:
        """What happened in a step; an empty record when nothing has."""
        return self.steps.get(step_id, _NOTHING)

    def with_step(self, step_id: str, **changes: Any) -> "Progress":
        """The same with other values in one step's record."""
        record = replace(self.step(step_id), **changes)
        return replace(self, steps={**self.steps, step_id: record})


def write_record(progress: Progress) -> str:
    """The document as it is saved."""
    return json.dumps({"version": VERSION, **asdict(progress)}, default=datetime.isoformat)


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
        return _progress(document)
    except _Fault as fault:
        raise Unreadable(str(fault)) from fault


class _Fault(ValueError):
    """A value that cannot stand where it does."""


def _progress(document: Mapping[str, Any]) -> Progress:
    _check_names(document, {"version", *(each.name for each in fields(Progress))})
    steps = _taken(document, "steps", dict, {})
    return Progress(
        lesson=_taken(document, "lesson", str),
        environment=_taken(document, "environment", str),
        current=_taken(document, "current", str),
        steps={name: _step(record) for name, record in steps.items()},
        finished_at=_moment(document, "finished_at"),
    )


def _step(record: Any) -> StepRecord:
    if not isinstance(record, dict):
        raise _Fault("a step's record is not a document")
    found = cast("dict[str, Any]", record)
    _check_names(found, {each.name for each in fields(StepRecord)})
    done = found.get("done")
    if done not in (None, "passed", "skipped"):
        raise _Fault(f"`done` is {done!r}")
    return StepRecord(
        opened_at=_moment(found, "opened_at"),
        done=done,
        done_at=_moment(found, "done_at"),
        hints_shown=_taken(found, "hints_shown", int, 0),
        solution_shown=_taken(found, "solution_shown", bool, False),
        latched=tuple(map(str, _taken(found, "latched", list, []))),
        mistakes=tuple(map(str, _taken(found, "mistakes", list, []))),
        answers={name: str(text) for name, text in _taken(found, "answers", dict, {}).items()},
    )


def _check_names(document: Mapping[str, Any], known: set[str]) -> None:
    if unknown := document.keys() - known:
        raise _Fault(f"there is no `{min(unknown)}`")


T = TypeVar("T")


def _taken(document: Mapping[str, Any], name: str, kind: type[T], default: T | None = None) -> T:
    value = document.get(name, default)
    if not isinstance(value, kind):
        raise _Fault(f"`{name}` is {value!r}")
    return value


def _moment(document: Mapping[str, Any], name: str) -> datetime | None:
    text = document.get(name)
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise _Fault(f"`{name}` is {text!r}") from error
