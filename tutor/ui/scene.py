"""What a lesson's screen shows, as a function of what has happened. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from tutor.course.model import (
    Block,
    Environment,
    Fact,
    Hint,
    Lesson,
    Mistake,
    Question,
    Step,
    meant_for,
)
from tutor.probes.base import Verdict
from tutor.session.outline import Outline, is_done, next_step, open_steps
from tutor.session.record import Progress, StepRecord

StepMark = Literal["passed", "skipped", "open", "closed"]
FactState = Literal["true", "not yet", "cannot look", "unseen"]
Rung = Literal["hint", "solution", "skip", "none"]


class Finding(Protocol):
    """What a fact was found to be, and when it was looked at."""

    @property
    def verdict(self) -> Verdict:
        """What it is."""
        ...

    @property
    def at(self) -> datetime:
        """When somebody looked."""
        ...

    @property
    def is_settling(self) -> bool:
        """Whether it holds, and has not held for long enough."""
        ...


class Findings(Protocol):
    """What is found of a step."""

    @property
    def facts(self) -> Mapping[str, Finding]:
        """By fact id."""
        ...

    @property
    def mistakes(self) -> Sequence[str]:
        """The ids of the mistakes that were made."""
        ...


class StepRow(NamedTuple):
    """A step in the list."""

    id: str
    number: int
    title: str
    mark: StepMark
    is_current: bool


class FactRow(NamedTuple):
    """A fact, and what was found of it."""

    id: str
    label: str
    state: FactState
    text: str
    """What was seen instead, or why nobody could look."""
    at: str
    """The clock time of the last look; empty before the first."""
    show: str
    """The command with which learners see it for themselves."""
    is_settling: bool
    """Whether it holds, and has not held for long enough."""


class Notice(NamedTuple):
    """Something above the facts that explains them."""

    title: str
    text: str
    """Markdown."""


class Scene(NamedTuple):
    """One lesson at one moment."""

    lesson: Lesson
    environment: Environment
    outline: Outline
    progress: Progress
    findings: Findings | None
    """Of the current step; None before the first look at it."""

    @property
    def step(self) -> Step:
        """The step that the learner is on."""
        return self.lesson.step(self.progress.current)

    @property
    def record(self) -> StepRecord:
        """What has happened in that step."""
        return self.progress.step(self.progress.current)

    @property
    def number(self) -> int:
        """The step's number, from 1."""
        return [step.id for step in self.outline].index(self.progress.current) + 1

    @property
    def minutes_left(self) -> int:
        """How long the steps take that are not done."""
        done = [step.id for step in self.outline if is_done(self.progress, step.id)]
        return self.lesson.minutes_on(self.environment, without=done)

    @property
    def is_done(self) -> bool:
        """Whether the current step was passed or skipped."""
        return self.record.done is not None

    @property
    def is_finished(self) -> bool:
        """Whether every step is done."""
        return next_step(self.progress, self.outline) is None

    @property
    def onward(self) -> str:
        """What the way on does when the step is done."""
        return "ends it" if self.is_at_end else "goes on"

    @property
    def is_at_end(self) -> bool:
        """Whether there is nothing to go on to."""
        return self.is_finished and self.number == len(self.outline)

    @property
    def following(self) -> str | None:
        """The step after the current one; the first that is not done when that one comes last."""
        ids = [step.id for step in self.outline]
        return (
            ids[self.number] if self.number < len(ids) else next_step(self.progress, self.outline)
        )

    def steps(self) -> tuple[StepRow, ...]:
        """The list of steps."""
        opened = open_steps(self.progress, self.outline)
        return tuple(
            StepRow(
                id=step.id,
                number=number,
                title=step.title,
                mark=self.progress.step(step.id).done
                or ("open" if step.id in opened else "closed"),
                is_current=step.id == self.progress.current,
            )
            for number, step in enumerate(self.outline, 1)
        )

    def facts(self) -> tuple[FactRow, ...]:
        """The facts of the current step."""
        return tuple(self._fact(fact) for fact in meant_for(self.environment, self.step.facts))

    def _fact(self, fact: Fact) -> FactRow:
        found = self.findings.facts.get(fact.id) if self.findings else None
        return FactRow(
            id=fact.id,
            label=fact.label,
            state=found.verdict.state if found else "unseen",
            text=found.verdict.text if found else "",
            at=clock_time(found.at) if found else "",
            show=fact.show.strip(),
            is_settling=found is not None and found.is_settling,
        )

    def missing(self) -> tuple[str, ...]:
        """The labels of the facts that do not hold."""
        return tuple(fact.label for fact in self.facts() if fact.state != "true")

    def mistakes(self) -> tuple[Notice, ...]:
        """The wrong turns that are recognised now."""
        made = self.findings.mistakes if self.findings else ()
        known: Sequence[Mistake] = meant_for(self.environment, self.step.mistakes)
        return tuple(Notice("A known wrong turn", each.say) for each in known if each.id in made)

    @property
    def is_undone(self) -> bool:
        """Whether something that the step has made is gone since."""
        is_passed = self.record.done == "passed"
        return is_passed and self.findings is not None and bool(self.missing())

    def blocks(self) -> Mapping[str, Block]:
        """What the step says to do, and a solution of its own when that is shown, by key."""
        step = self.step
        found = {
            f"do-{number}": block
            for number, block in enumerate(meant_for(self.environment, step.do), 1)
        }
        if self.record.solution_shown and step.solution != "do":
            for number, block in enumerate(step.solved_by(self.environment), 1):
                found[f"solution-{number}"] = block
        return found

    def all_hints(self) -> tuple[Hint, ...]:
        """The ladder."""
        return meant_for(self.environment, self.step.hints)

    def hints(self) -> tuple[Hint, ...]:
        """Its rungs that are shown."""
        return self.all_hints()[: self.record.hints_shown]

    @property
    def rung(self) -> Rung:
        """What asking for help gives next."""
        if self.is_done:
            return "none"
        if self.record.hints_shown < len(self.all_hints()):
            return "hint"
        if not self.record.solution_shown:
            return "solution"
        return "none" if self.step.skip == "never" else "skip"

    def questions(self) -> tuple[Question, ...]:
        """What is asked now: predictions from the start, the others when the step is passed."""
        return tuple(each for each in self.step.ask if each.kind == "predict" or self.is_done)


def clock_time(at: datetime) -> str:
    """The time of day here."""
    return at.astimezone().strftime("%H:%M:%S")
