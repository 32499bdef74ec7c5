"""What keeps an autoscaler from doing at once what its metrics ask for.

Source: pkg/controller/podautoscaler/horizontal.go (normalizeDesiredReplicas and what it calls).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import NamedTuple

from tutor.sandbox.api.builtin.reading import items, part
from tutor.sandbox.kinds import Object

DOWNSCALE_WINDOW_S = 300
"""The highest recommendation of this time counts, unless the autoscaler says otherwise."""
_REMEMBERED = timedelta(hours=1)
"""No window and no period may be longer."""
_UP_FACTOR, _UP_LEAST = 2, 4
_WITHIN = ("DesiredWithinRange", "the desired count is within the acceptable range")
_READY = ("ReadyForNewScale", "recommended size matches current size")
_RECENT = "recent recommendations were {} than current one, applying the {} recent recommendation"
_DOWN_STABILIZED = ("ScaleDownStabilized", _RECENT.format("higher", "highest"))
_UP_STABILIZED = ("ScaleUpStabilized", _RECENT.format("lower", "lowest"))
_TOO_FAST_UP = (
    "ScaleUpLimit",
    "the desired replica count is increasing faster than the maximum scale rate",
)
_TOO_FAST_DOWN = (
    "ScaleDownLimit",
    "the desired replica count is decreasing faster than the maximum scale rate",
)
_TOO_MANY = (
    "TooManyReplicas",
    "the desired replica count is more than the maximum replica count",
)
_TOO_FEW = ("TooFewReplicas", "the desired replica count is less than the minimum replica count")

Told = tuple[str, str]
"""Reason and message of a condition."""


class Bounds(NamedTuple):
    """Between what the replicas have to be."""

    least: int
    most: int


class Decision(NamedTuple):
    """The replicas that there are to be, and what the conditions say of it."""

    replicas: int
    able: Told
    limited: bool
    limit: Told


class _Noted(NamedTuple):
    replicas: int
    at: datetime


class History:
    """What was recommended for one autoscaler lately, and how it was scaled."""

    def __init__(self, replicas: int, now: datetime) -> None:
        self._recommended = [_Noted(replicas, now)]
        self._added: list[_Noted] = []
        self._removed: list[_Noted] = []

    def decide(
        self, behavior: Object | None, bounds: Bounds, current: int, desired: int, now: datetime
    ) -> Decision:
        """What comes of a wish for so many replicas, which is remembered."""
        self._recommended = _lately(self._recommended, now)
        if behavior is None:
            found = self._usual(bounds, current, desired, now)
        else:
            found = self._as_told(behavior, bounds, current, desired, now)
        self._recommended.append(_Noted(desired, now))
        return found

    def scaled(self, before: int, after: int, now: datetime) -> None:
        """Remember a change of the replicas."""
        self._added, self._removed = _lately(self._added, now), _lately(self._removed, now)
        if after > before:
            self._added.append(_Noted(after - before, now))
        else:
            self._removed.append(_Noted(before - after, now))

    def _usual(self, bounds: Bounds, current: int, desired: int, now: datetime) -> Decision:
        since = now - timedelta(seconds=DOWNSCALE_WINDOW_S)
        recent = [one.replicas for one in self._recommended if one.at >= since]
        stable = max([desired, *recent])
        able = _READY if stable == desired else _DOWN_STABILIZED
        fastest = max(_UP_FACTOR * current, _UP_LEAST)
        most, why = (bounds.most, _TOO_MANY) if bounds.most <= fastest else (fastest, _TOO_FAST_UP)
        if stable < bounds.least:
            return Decision(bounds.least, able, limited=True, limit=_TOO_FEW)
        if stable > most:
            return Decision(most, able, limited=True, limit=why)
        return Decision(stable, able, limited=False, limit=_WITHIN)

    def _as_told(
        self, behavior: Object, bounds: Bounds, current: int, desired: int, now: datetime
    ) -> Decision:
        stable = self._stable(behavior, current, desired, now)
        if stable == desired:
            able = _READY
        else:
            able = _UP_STABILIZED if desired >= current else _DOWN_STABILIZED
        if stable > current:
            allowed = max(self._highest(part(behavior, "scaleUp"), current, now), current)
            most, why = (
                (allowed, _TOO_FAST_UP) if bounds.most > allowed else (bounds.most, _TOO_MANY)
            )
            if stable > most:
                return Decision(most, able, limited=True, limit=why)
        elif stable < current:
            allowed = min(self._lowest(part(behavior, "scaleDown"), current, now), current)
            least, why = (
                (allowed, _TOO_FAST_DOWN) if bounds.least < allowed else (bounds.least, _TOO_FEW)
            )
            if stable < least:
                return Decision(least, able, limited=True, limit=why)
        return Decision(stable, able, limited=False, limit=_WITHIN)

    def _stable(self, behavior: Object, current: int, desired: int, now: datetime) -> int:
        up_s = part(behavior, "scaleUp").get("stabilizationWindowSeconds", 0)
        down_s = part(behavior, "scaleDown").get("stabilizationWindowSeconds", DOWNSCALE_WINDOW_S)
        lowest = min([desired, *_since(self._recommended, up_s, now)])
        highest = max([desired, *_since(self._recommended, down_s, now)])
        return min(max(current, lowest), highest)

    def _highest(self, rules: Object, current: int, now: datetime) -> int:
        """How many replicas the policies for growing allow."""
        policy = rules.get("selectPolicy")
        if policy == "Disabled":
            return current
        found = [
            start + one["value"]
            if one["type"] == "Pods"
            else ceil(start * (1 + one["value"] / 100))
            for one in items(rules, "policies")
            for start in (self._began(one["periodSeconds"], current, now),)
        ]
        return min(found) if policy == "Min" else max(found)

    def _lowest(self, rules: Object, current: int, now: datetime) -> int:
        """How few replicas the policies for shrinking allow."""
        policy = rules.get("selectPolicy")
        if policy == "Disabled":
            return current
        found = [
            start - one["value"] if one["type"] == "Pods" else int(start * (1 - one["value"] / 100))
            for one in items(rules, "policies")
            for start in (self._began(one["periodSeconds"], current, now),)
        ]
        return max(found) if policy == "Min" else min(found)

    def _began(self, period_s: int, current: int, now: datetime) -> int:
        """How many replicas there were when a period began."""
        added = sum(_since(self._added, period_s, now))
        return current - added + sum(_since(self._removed, period_s, now))


def _since(noted: Sequence[_Noted], seconds: int, now: datetime) -> list[int]:
    cutoff = now - timedelta(seconds=seconds)
    return [one.replicas for one in noted if one.at > cutoff]


def _lately(noted: Sequence[_Noted], now: datetime) -> list[_Noted]:
    return [one for one in noted if one.at >= now - _REMEMBERED]
