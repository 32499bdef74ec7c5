"""Plays steps through a shell as a person would, and tells what the session makes of it."""

import asyncio
from collections.abc import Callable, Iterable

from tutor.course.model import Block, Environment, Mistake, Step, meant_for
from tutor.probes.watch import Finding, Findings
from tutor.session.session import Judged, News, Session
from tutor.session.typist import Typist
from tutor.terminal.news import CommandRecord
from tutor.terminal.shell import Shell

COMMAND_LIMIT_S = 180.0
"""How long the commands of a step may take."""

FACTS_LIMIT_S = 90.0
"""How long facts may take to become true after the last command."""

FIRST_LOOK_S = 20.0
DIAGNOSIS_LIMIT_S = 20.0


class Unproved(Exception):
    """A step does not do what it says."""

    def __init__(self, problem: str, saw: str = "") -> None:
        super().__init__(f"{problem}: {saw}" if saw else problem)
        self.problem = problem
        self.saw = saw


class Player:
    """Plays the steps of one session. The session and the shell have to run."""

    def __init__(self, session: Session, shell: Shell, typist: Typist) -> None:
        self._session = session
        self._typist = typist
        self._environment: Environment = session.place.environment
        self._news = asyncio.Event()
        self._findings: dict[str, Findings] = {}
        session.listen(self._note)
        shell.listen(self._hear)

    def _note(self, news: News) -> None:
        if isinstance(news, Judged):
            self._findings[news.step] = news.findings
        self._news.set()

    def _hear(self, event: object) -> None:
        if isinstance(event, CommandRecord):
            self._session.command_ended(event)

    async def begin(self, step: Step) -> None:
        """Turn to a step and look at it.

        Raises:
            Unproved: Nobody looks, or all facts are true: a step that is done before it begins
                proves nothing.
        """
        if self._session.step.id != step.id:
            await self._session.go_to(step.id)
        try:
            async with asyncio.timeout(FIRST_LOOK_S):
                await self._until(lambda: step.id in self._findings)
        except TimeoutError:
            raise Unproved("nobody looks at its facts") from None
        if self._findings[step.id].are_all_true:
            raise Unproved("all its facts are true before anything was done")

    async def solve(self, step: Step) -> float:
        """Type the solution; the seconds that its commands took. Raises `Unproved`."""
        return await self.perform(step.solved_by(self._environment))

    async def perform(self, blocks: Iterable[Block]) -> float:
        """Do what blocks say; the seconds that their commands took. Raises `Unproved`."""
        commands_s = 0.0
        try:
            async with asyncio.timeout(COMMAND_LIMIT_S):
                for block in blocks:
                    for record in await self._typist.perform(block):
                        commands_s += (record.ended - record.started).total_seconds()
        except TimeoutError:
            raise Unproved("its commands do not end") from None
        return commands_s

    async def pass_(self, step: Step) -> None:
        """Wait until the step is passed. Raises `Unproved` with the fact that is missing."""
        try:
            async with asyncio.timeout(FACTS_LIMIT_S):
                await self._until(lambda: self._session.is_done(step.id))
        except TimeoutError:
            raise self._missing(step) from None

    async def err(self, step: Step, mistake: Mistake) -> None:
        """Make a mistake, and wait until the step tells of it and of nothing else.

        Raises:
            Unproved: It tells of another one, or of none, or takes the mistake for the solution.
        """
        await self.perform(meant_for(self._environment, mistake.attempt))
        try:
            async with asyncio.timeout(DIAGNOSIS_LIMIT_S):
                await self._until(lambda: mistake.id in self._findings[step.id].mistakes)
        except TimeoutError:
            told = ", ".join(self._findings[step.id].mistakes) or "nothing"
            raise Unproved(f"{mistake.id}: the mistake was made, and not told", told) from None
        others = {*self._findings[step.id].mistakes} - {mistake.id}
        others |= {*self._session.progress.step(step.id).mistakes} - {mistake.id}
        if others:
            raise Unproved(f"{mistake.id}: other mistakes are told, too", ", ".join(sorted(others)))
        if self._session.is_done(step.id):
            raise Unproved(f"{mistake.id}: the mistake passes the step")

    async def repair(self, mistake: Mistake) -> None:
        """Do what the mistake's text advises, before the solution is typed. Raises `Unproved`."""
        await self.perform(meant_for(self._environment, mistake.cure))

    def found(self, step: Step) -> dict[str, Finding]:
        """What was found of the facts of a step that was begun, by their id."""
        return dict(self._findings[step.id].facts)

    def _missing(self, step: Step) -> Unproved:
        findings = self._findings[step.id].facts
        for fact in meant_for(self._environment, step.facts):
            verdict = findings[fact.id].verdict
            if verdict.state != "true":
                return Unproved(f"{fact.id}: {fact.label}", f"{verdict.state}: {verdict.text}")
        return Unproved("its facts hold and it is not passed")

    async def _until(self, happened: Callable[[], bool]) -> None:
        while not happened():
            self._news.clear()
            await self._news.wait()
