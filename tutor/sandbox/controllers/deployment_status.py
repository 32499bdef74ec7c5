"""What the status of a Deployment says. Source: pkg/controller/deployment/progress.go, sync.go."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.controllers.resources import condition
from tutor.sandbox.controllers.rollouts import counted, total, unavailable, wanted_of
from tutor.sandbox.kinds import Object, name_of

PROGRESSING = "Progressing"
_NO_DEADLINE = 2**31 - 1
_AVAILABLE = "NewReplicaSetAvailable"
_TIMED_OUT = "ProgressDeadlineExceeded"
_PAUSED = "DeploymentPaused"


def with_progress(owner: Object, status: str, reason: str, message: str, now: datetime) -> Object:
    """The status of a Deployment with its progress noted, if it has a deadline for that."""
    old: Object = owner.get("status", {})
    if deadline_of(owner) is None:
        return old
    entry = _entry(PROGRESSING, status, reason, message, now)
    return old | {"conditions": _set(old.get("conditions") or (), entry)}


def deadline_of(owner: Object) -> timedelta | None:
    """How long the Deployment may be without progress."""
    seconds = owner["spec"].get("progressDeadlineSeconds")
    return None if seconds in (None, _NO_DEADLINE) else timedelta(seconds=seconds)


def pause(owner: Object, now: datetime) -> Object | None:
    """The status with a pause or its end noted; None when there is nothing to note."""
    current = condition(owner, PROGRESSING)
    reason = current.get("reason") if current else ""
    paused = owner["spec"].get("paused", False)
    if deadline_of(owner) is None or reason == _TIMED_OUT or paused == (reason == _PAUSED):
        return None
    if paused:
        return with_progress(owner, "Unknown", _PAUSED, "Deployment is paused", now)
    return with_progress(owner, "Unknown", "DeploymentResumed", "Deployment is resumed", now)


def counts_of(owner: Object, sets: Sequence[Object], new: Object | None, now: datetime) -> Object:
    """The status by the ReplicaSets that there are; progress is as it was."""
    old: Object = owner.get("status", {})
    wanted, available = wanted_of(owner), total(sets, "availableReplicas")
    counts = {
        "replicas": total(sets, "replicas"),
        "updatedReplicas": counted(new, "replicas") if new else 0,
        "readyReplicas": total(sets, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(total(sets) - available, 0),
    }
    status: Object = {"observedGeneration": owner["metadata"].get("generation", 1)}
    status |= {name: count for name, count in counts.items() if count}
    if all("terminatingReplicas" in rs.get("status", {}) for rs in sets):
        status["terminatingReplicas"] = total(sets, "terminatingReplicas")
    if old.get("collisionCount"):
        status["collisionCount"] = old["collisionCount"]
    enough = available >= wanted - unavailable(owner)
    word, verb = ("Available", "has") if enough else ("Unavailable", "does not have")
    entry = _entry(
        "Available",
        "True" if enough else "False",
        f"MinimumReplicas{word}",
        f"Deployment {verb} minimum availability.",
        now,
    )
    status["conditions"] = _set(old.get("conditions") or (), entry)
    return status


def rollout_of(owner: Object, sets: Sequence[Object], new: Object | None, now: datetime) -> Object:
    """The status during a rollout: counts, progress and failures of the ReplicaSets."""
    status = counts_of(owner, sets, new, now)
    conditions: list[Object] = status["conditions"]
    if deadline_of(owner) is None:
        conditions = _without(conditions, PROGRESSING)
    else:
        conditions = _progressed(owner, status, new, now)
    failed = _failure([*([new] if new else []), *sets])
    if failed is None:
        conditions = _without(conditions, "ReplicaFailure")
    else:
        moment = failed["lastTransitionTime"]
        conditions = _set(conditions, failed | {"lastUpdateTime": moment})
    return status | {"conditions": conditions}


def is_complete(owner: Object, status: Object) -> bool:
    """Whether the rollout is over: all that is wanted is new and available."""
    fields = ("updatedReplicas", "replicas", "availableReplicas")
    seen = status.get("observedGeneration", 0) >= owner["metadata"].get("generation", 1)
    return seen and all(status.get(field, 0) == wanted_of(owner) for field in fields)


def stuck_at(owner: Object, status: Object) -> datetime | None:
    """When a rollout that makes no progress is to be looked at again."""
    deadline, current = deadline_of(owner), condition({"status": status}, PROGRESSING)
    if deadline is None or current is None or current.get("reason") == _TIMED_OUT:
        return None
    if is_complete(owner, status) or owner["spec"].get("paused"):
        return None
    return datetime.fromisoformat(current["lastUpdateTime"]) + deadline + timedelta(seconds=1)


def _progressed(owner: Object, status: Object, new: Object | None, now: datetime) -> list[Object]:
    conditions: list[Object] = status["conditions"]
    current = condition(owner, PROGRESSING)
    settled = status.get("replicas", 0) == status.get("updatedReplicas", 0)
    if settled and current and current.get("reason") == _AVAILABLE:
        return conditions
    who = f'ReplicaSet "{name_of(new)}"' if new else f'Deployment "{name_of(owner)}"'
    if is_complete(owner, status):
        message = f"{who} has successfully progressed."
        return _set(conditions, _entry(PROGRESSING, "True", _AVAILABLE, message, now))
    if _has_moved(owner.get("status", {}), status):
        message = f"{who} is progressing."
        entry = _entry(PROGRESSING, "True", "ReplicaSetUpdated", message, now)
        if current and current["status"] == "True":
            entry["lastTransitionTime"] = current["lastTransitionTime"]
        return [*_without(conditions, PROGRESSING), entry]
    if current and _has_timed_out(owner, current, now):
        message = f"{who} has timed out progressing."
        return _set(conditions, _entry(PROGRESSING, "False", _TIMED_OUT, message, now))
    return conditions


def _has_moved(old: Object, new: Object) -> bool:
    def outdated(status: Object) -> int:
        return status.get("replicas", 0) - status.get("updatedReplicas", 0)

    fields = ("updatedReplicas", "readyReplicas", "availableReplicas")
    more = any(new.get(field, 0) > old.get(field, 0) for field in fields)
    return more or outdated(new) < outdated(old)


def _has_timed_out(owner: Object, current: Object, now: datetime) -> bool:
    deadline = deadline_of(owner)
    if deadline is None or current.get("reason") == _AVAILABLE:
        return False
    since = datetime.fromisoformat(current["lastUpdateTime"])
    return current.get("reason") == _TIMED_OUT or since + deadline < now


def _failure(sets: Sequence[Object]) -> Object | None:
    failures = (condition(rs, "ReplicaFailure") for rs in sets)
    return next((found for found in failures if found is not None), None)


def _entry(kind: str, status: str, reason: str, message: str, now: datetime) -> Object:
    moment = timestamp(now)
    return {
        "type": kind,
        "status": status,
        "lastUpdateTime": moment,
        "lastTransitionTime": moment,
        "reason": reason,
        "message": message,
    }


def _set(conditions: Sequence[Object], entry: Object) -> list[Object]:
    """Conditions with one set, which comes last; nothing changes for the same status and reason."""
    old = next((c for c in conditions if c["type"] == entry["type"]), None)
    if old and old["status"] == entry["status"]:
        if old.get("reason") == entry.get("reason"):
            return list(conditions)
        entry = entry | {"lastTransitionTime": old["lastTransitionTime"]}
    return [*_without(conditions, entry["type"]), entry]


def _without(conditions: Sequence[Object], kind: str) -> list[Object]:
    return [c for c in conditions if c["type"] != kind]
