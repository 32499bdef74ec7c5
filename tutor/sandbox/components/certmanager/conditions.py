"""Conditions of cert-manager's objects, set as it sets them, and what it logs when it does.

Source: cert-manager v1.12.3, pkg/api/util/conditions.go; cert-manager.md 3.1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.components.certmanager.klog import Klog
from tutor.sandbox.kinds import Object, name_of

_PLACES = {"Certificate": (192, 203), "CertificateRequest": (252, 263), "Issuer": (85, 96)}


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition as a controller wants it."""

    kind: str
    status: str
    reason: str
    message: str = ""


def with_condition(
    conditions: Sequence[Object], wanted: Condition, now: datetime, generation: int | None = None
) -> list[Object]:
    """Conditions with one set in its place; its transition time moves only with its status.

    `generation` is what it observed, None for kinds whose conditions do not say.
    """
    entry: Object = {"lastTransitionTime": timestamp(now)}
    if wanted.message:
        entry["message"] = wanted.message
    if generation:
        entry["observedGeneration"] = generation
    entry |= {"reason": wanted.reason, "status": wanted.status, "type": wanted.kind}
    old = next((c for c in conditions if c["type"] == wanted.kind), None)
    if old is None:
        return [*conditions, entry]
    if old["status"] == wanted.status:
        entry["lastTransitionTime"] = old.get("lastTransitionTime", timestamp(now))
    return [entry if c["type"] == wanted.kind else c for c in conditions]


class Setter:
    """Sets conditions and logs transitions."""

    def __init__(self, klog: Klog, now: Callable[[], datetime]) -> None:
        self._klog = klog
        self._now = now
        self._started = now()

    def set(self, obj: Object, wanted: Condition) -> None:
        """Set a condition in the status of an object that may be changed."""
        now = self._now()
        status: Object = obj.setdefault("status", {})
        conditions: list[Object] = status.get("conditions") or []
        old = next((c for c in conditions if c["type"] == wanted.kind), None)
        kind = obj["kind"].removeprefix("Cluster")
        generation = None if kind == "CertificateRequest" else obj["metadata"].get("generation")
        status["conditions"] = with_condition(conditions, wanted, now, generation)
        subject = f'{kind} "{name_of(obj)}" condition "{wanted.kind}"'
        changed, fresh = _PLACES[kind]
        if old is None:
            text = f"Setting lastTransitionTime for {subject} to {self._moment(now)}"
            self._klog.plain(f"conditions.go:{fresh}", text)
        elif old["status"] != wanted.status:
            text = (
                f'Found status change for {subject}: "{old["status"]}" -> "{wanted.status}"; '
                f"setting lastTransitionTime to {self._moment(now)}"
            )
            self._klog.plain(f"conditions.go:{changed}", text)

    def _moment(self, now: datetime) -> str:
        """As Go prints a time that it just took."""
        running = (now - self._started).total_seconds()
        return f"{go_time(now)} m=+{running:.9f}"


def go_time(moment: datetime) -> str:
    """As Go prints a time: `2026-11-23 22:50:00.12 +0000 UTC`."""
    fraction = f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else ""
    return f"{moment:%Y-%m-%d %H:%M:%S}{fraction} +0000 UTC"
