"""What can happen on the way through a lesson. Each event brings its own time."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Went:
    """The learner turned to a step."""

    step: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Latched:
    """Facts of a step happened."""

    step: str
    facts: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Passed:
    """All facts of a step hold."""

    step: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Skipped:
    """The learner left a step out."""

    step: str
    at: datetime


@dataclass(frozen=True, slots=True)
class HintAsked:
    """The learner wants the next hint."""

    step: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SolutionAsked:
    """The learner wants the solution."""

    step: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MistakeMade:
    """A known mistake was recognised."""

    step: str
    mistake: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Answered:
    """The learner answered a question."""

    step: str
    question: str
    answer: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Returned:
    """The world is as it was when a step began; that step and all after it are forgotten."""

    step: str
    at: datetime


Event = (
    Went
    | Latched
    | Passed
    | Skipped
    | HintAsked
    | SolutionAsked
    | MistakeMade
    | Answered
    | Returned
)
