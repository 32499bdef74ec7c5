"""How verdicts settle and latch over time. Pure: seconds come in, nobody sleeps."""

from dataclasses import dataclass, replace
from datetime import timedelta

from tutor.probes.base import TRUE, Verdict

NOT_LOOKED = Verdict("not yet", "nobody has looked yet")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a fact stands."""

    verdict: Verdict = NOT_LOOKED
    holds_since: float | None = None
    """When it was seen to hold, if it has held ever since."""
    is_latched: bool = False
    """It happened, and cannot unhappen."""


LATCHED = Standing(TRUE, None, is_latched=True)


def judged(
    standing: Standing, raw: Verdict, *, settle: timedelta, is_edge: bool, now: float
) -> Standing:
    """The standing after a look that gave `raw`."""
    if standing.is_latched:
        return standing
    if raw.state != "true":
        return Standing(raw)
    since = now if standing.holds_since is None else standing.holds_since
    return settled(Standing(raw, since), settle=settle, is_edge=is_edge, now=now)


def settled(standing: Standing, *, settle: timedelta, is_edge: bool, now: float) -> Standing:
    """The standing after time alone has passed."""
    if standing.is_latched or standing.holds_since is None:
        return standing
    if now < standing.holds_since + settle.total_seconds():
        waiting = f"it holds now, and has to hold for {_seconds(settle)}"
        return replace(standing, verdict=Verdict("not yet", waiting))
    return replace(standing, verdict=TRUE, is_latched=is_edge)


def is_settling(standing: Standing) -> bool:
    """Whether it holds, and has not held for long enough."""
    return standing.holds_since is not None and standing.verdict.state != "true"


def due_at(standing: Standing, *, settle: timedelta) -> float | None:
    """When time alone changes the standing; None when it does not."""
    if standing.holds_since is None or not is_settling(standing):
        return None
    return standing.holds_since + settle.total_seconds()


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():g} s"
