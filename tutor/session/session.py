"""One learner in one lesson: judges the facts of the current step, saves what happens, tells.

What is told is on disk already: a killed app comes back to where it was. The rules are in `state`.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tutor.clock import Clock
from tutor.course.model import Environment, Lesson, Step
from tutor.probes.base import CommandRecord, Unfollow, World
from tutor.probes.binding import bind
from tutor.probes.grants import limited
from tutor.probes.watch import Findings, Watch
from tutor.session.event import (
    Answered,
    Event,
    HintAsked,
    Latched,
    MistakeMade,
    Passed,
    Returned,
    Skipped,
    SolutionAsked,
    Went,
)
from tutor.session.journal import Journal
from tutor.session.outline import Outline, fitted, is_done, next_step, open_steps, outline_of
from tutor.session.record import Progress
from tutor.session.shell import StepShell
from tutor.session.state import advance, begin


@dataclass(frozen=True, slots=True)
class Judged:
    """The facts of the current step were looked at."""

    step: str
    findings: Findings


@dataclass(frozen=True, slots=True)
class Progressed:
    """Something happened, and is saved."""

    progress: Progress
    event: Event


News = Judged | Progressed
Listener = Callable[[News], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the lesson is done."""

    environment: Environment
    name: str
    """What progress is saved under: `sandbox`, `kind`, `context:NAME`."""
    world: World
    """Its `shell` is the session's."""


class Session:
    """The current state, and the only way to change it. `run` has to run for facts to be judged."""

    def __init__(
        self, lesson: Lesson, place: Place, *, shell: StepShell, journal: Journal, clock: Clock
    ) -> None:
        """Go on where the journal says. Raises `ProgressError`."""
        self.lesson = lesson
        self.place = place
        self.outline: Outline = outline_of(lesson, place.environment)
        self.findings: Findings | None = None
        self._shell = shell
        self._journal = journal
        self._clock = clock
        self._listeners: list[Listener] = []
        self._saving = asyncio.Lock()
        self._moved = asyncio.Event()
        self._found = asyncio.Event()
        self._unsaved: list[Findings] = []
        self._watch: Watch | None = None
        self._progress = self._loaded()

    def _loaded(self) -> Progress:
        saved = self._journal.load(self.lesson.id, self.place.name)
        if saved is None:
            saved = begin(self.lesson.id, self.place.name, self.outline, self._clock.now())
            self._journal.save(saved)
        return fitted(saved, self.outline)

    @property
    def progress(self) -> Progress:
        """What has happened so far."""
        return self._progress

    @property
    def step(self) -> Step:
        """The step that the learner is on."""
        return self.lesson.step(self._progress.current)

    @property
    def open_steps(self) -> frozenset[str]:
        """The steps that may be turned to."""
        return open_steps(self._progress, self.outline)

    @property
    def next_step(self) -> str | None:
        """The first step that is not done."""
        return next_step(self._progress, self.outline)

    def is_done(self, step_id: str) -> bool:
        """Whether a step was passed or skipped."""
        return is_done(self._progress, step_id)

    def listen(self, listener: Listener) -> Unfollow:
        """Call `listener` in the loop with all news from now on."""
        self._listeners.append(listener)

        def unlisten() -> None:
            with suppress(ValueError):
                self._listeners.remove(listener)

        return unlisten

    async def run(self) -> None:
        """Judge the step that the learner is on, and the next one after each move.

        Raises `CourseError` for a step that cannot be judged, `ProgressError` when saving fails.
        """
        while True:
            self._moved.clear()
            await self._run_step(self.step)

    async def _run_step(self, step: Step) -> None:
        """Judge one step until the learner moves."""
        grants = self.lesson.header.grants
        self.findings, self._unsaved = None, []
        self._watch = Watch(
            bind(step, grants=grants, environment=self.place.environment),
            limited(self.place.world, grants),
            latched=frozenset(self._progress.step(step.id).latched),
            clock=self._clock,
            told=self._note,
        )
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(self._watch.run(), name=f"watch {step.id}")
            group.create_task(self._take_findings(step), name=f"findings {step.id}")
            await self._moved.wait()
            watching.cancel()
            self._found.set()

    def _note(self, findings: Findings) -> None:
        self._unsaved.append(findings)
        self._found.set()

    async def _take_findings(self, step: Step) -> None:
        """Take findings one by one until the learner moves; a move never breaks a save off."""
        while not self._moved.is_set():
            await self._found.wait()
            self._found.clear()
            unsaved, self._unsaved = self._unsaved, []
            for findings in unsaved:
                await self._take(step, findings)

    async def _take(self, step: Step, findings: Findings) -> None:
        """Save what the findings mean, then tell of them."""
        now = self._clock.now()
        record = self._progress.step(step.id)
        edges = {fact.id for fact in step.facts if fact.edge} - {*record.latched}
        happened = tuple(
            name
            for name, finding in findings.facts.items()
            if name in edges and finding.verdict.state == "true"
        )
        if happened:
            await self._happen(Latched(step.id, happened, now))
        for mistake in findings.mistakes:
            if mistake not in record.mistakes:
                await self._happen(MistakeMade(step.id, mistake, now))
        self.findings = findings
        self._tell(Judged(step.id, findings))
        if findings.are_all_true and record.done != "passed":
            await self._happen(Passed(step.id, now))

    async def _happen(self, event: Event) -> None:
        """Apply an event, save, tell; one after the other."""
        async with self._saving:
            progress = advance(self._progress, event, outline=self.outline)
            await asyncio.to_thread(self._journal.save, progress, event)
            self._progress = progress
        self._tell(Progressed(progress, event))

    def _tell(self, news: News) -> None:
        for listener in list(self._listeners):
            listener(news)

    def command_ended(self, record: CommandRecord) -> None:
        """The learner ran something."""
        self._shell.add(record)

    def look_now(self) -> None:
        """Look at everything again."""
        if self._watch is not None:
            self._watch.look_now()

    async def go_to(self, step_id: str) -> None:
        """Turn to a step. Raises `NotAllowed`."""
        await self._move(Went(step_id, self._clock.now()))

    async def return_to(self, step_id: str) -> None:
        """The world was brought back to where a step began."""
        await self._move(Returned(step_id, self._clock.now()))

    async def _move(self, event: Went | Returned) -> None:
        await self._happen(event)
        self._shell.clear()
        self._moved.set()

    async def ask_hint(self) -> None:
        """Show one hint more of the current step."""
        await self._happen(HintAsked(self._progress.current, self._clock.now()))

    async def ask_solution(self) -> None:
        """Show the solution of the current step. Raises `NotAllowed` while there are hints left."""
        await self._happen(SolutionAsked(self._progress.current, self._clock.now()))

    async def skip(self) -> None:
        """Leave the current step out. Raises `NotAllowed`.

        A step with `skip: with-solution` wants its solution to be typed first, by the caller.
        """
        await self._happen(Skipped(self._progress.current, self._clock.now()))

    async def answer(self, question: str, text: str) -> None:
        """Keep the answer to a question of the current step."""
        await self._happen(Answered(self._progress.current, question, text, self._clock.now()))
