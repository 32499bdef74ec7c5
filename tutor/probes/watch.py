"""Judges a step's facts again when something that they look at has changed, and tells.

What is decided, and when, is in `judging` and `settling`; this is the loop around them.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from tutor.clock import Clock
from tutor.probes.base import TRUE, Verdict, World
from tutor.probes.binding import BoundFact, BoundMistake, BoundStep
from tutor.probes.judging import judge
from tutor.probes.looking import Looking
from tutor.probes.settling import LATCHED, Standing, due_at, is_settling, judged, settled


@dataclass(frozen=True, slots=True)
class Finding:
    """What a fact was found to be, and when it was looked at."""

    verdict: Verdict
    at: datetime
    is_settling: bool = False
    """Whether it holds, and has not held for long enough."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What is found of a step."""

    facts: Mapping[str, Finding]
    """By fact id; all facts of the step."""
    mistakes: tuple[str, ...] = ()
    """The ids of the mistakes that were made, and have lasted."""

    @property
    def are_all_true(self) -> bool:
        """Whether the step is done."""
        return all(finding.verdict.state == "true" for finding in self.facts.values())


Told = Callable[[Findings], None]


class Watch:
    """Judges one step while `run` runs; `told` is called in its loop, after each look."""

    def __init__(
        self, bound: BoundStep, world: World, *, latched: frozenset[str], clock: Clock, told: Told
    ) -> None:
        self._bound = bound
        self._clock = clock
        self._told = told
        self._looking = Looking(bound, world)
        self._standings = {
            each.fact.id: LATCHED if each.fact.id in latched else Standing() for each in bound.facts
        }
        self._signs = {each.mistake.id: Standing() for each in bound.mistakes}
        now = clock.now()
        self._findings = Findings(
            {name: Finding(each.verdict, now) for name, each in self._standings.items()}
        )

    def look_now(self) -> None:
        """Look at everything again."""
        self._looking.look_now()

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._looking.run(), name="looking")
            while True:
                changed = await self._looking.changes(self._next_due())
                await self._judge(changed)

    def _next_due(self) -> float | None:
        """When a settle time is over, in loop time."""
        due = [
            due_at(self._standings[each.fact.id], settle=each.fact.settle)
            for each in self._bound.facts
        ]
        due += [
            due_at(self._signs[each.mistake.id], settle=each.mistake.settle)
            for each in self._bound.mistakes
        ]
        return min((at for at in due if at is not None), default=None)

    async def _judge(self, changed: frozenset[str]) -> None:
        affected = [each for each in self._bound.facts if each.names & changed]
        raw: Mapping[str, Verdict] = {}
        made: tuple[str, ...] | None = None
        if changed:
            # In a thread: x509, bcrypt and a cluster's worth of objects take their time.
            readings = self._looking.readings()
            raw, made = await asyncio.to_thread(judge, self._bound, affected, readings)
        now = asyncio.get_running_loop().time()
        for each in self._bound.facts:
            self._standings[each.fact.id] = self._stand(each, raw.get(each.fact.id), now)
        for each in self._bound.mistakes:
            self._signs[each.mistake.id] = self._sign(each, made, now)
        lasting = tuple(name for name, sign in self._signs.items() if sign.verdict == TRUE)
        findings = replace(self._findings, facts=self._found(raw), mistakes=lasting)
        if findings != self._findings:
            self._findings = findings
            self._told(findings)

    def _stand(self, bound: BoundFact, raw: Verdict | None, now: float) -> Standing:
        fact = bound.fact
        standing = self._standings[fact.id]
        if raw is None:
            return settled(standing, settle=fact.settle, is_edge=fact.edge, now=now)
        return judged(standing, raw, settle=fact.settle, is_edge=fact.edge, now=now)

    def _sign(self, bound: BoundMistake, made: tuple[str, ...] | None, now: float) -> Standing:
        mistake = bound.mistake
        sign = self._signs[mistake.id]
        if made is None:
            return settled(sign, settle=mistake.settle, is_edge=False, now=now)
        raw = TRUE if mistake.id in made else Verdict("not yet")
        return judged(sign, raw, settle=mistake.settle, is_edge=False, now=now)

    def _found(self, raw: Mapping[str, Verdict]) -> dict[str, Finding]:
        now = self._clock.now()
        found: dict[str, Finding] = {}
        for name, standing in self._standings.items():
            before = self._findings.facts[name]
            is_new = name in raw or standing.verdict != before.verdict
            found[name] = (
                Finding(standing.verdict, now, is_settling(standing)) if is_new else before
            )
        return found
