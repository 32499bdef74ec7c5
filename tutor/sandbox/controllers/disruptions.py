"""Disruption budgets: how many of the selected pods may go.

Source: pkg/controller/disruption.
"""

from collections.abc import Hashable, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any, NamedTuple

from tutor.sandbox.api.builtin.admission.plugin import World
from tutor.sandbox.api.builtin.reading import number, part
from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.api.eviction import BUDGETS, with_allowed
from tutor.sandbox.api.selectors import label_selector
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.controllers.events import Recorder
from tutor.sandbox.controllers.resources import (
    DEPLOYMENTS,
    PODS,
    REPLICA_SETS,
    STATEFUL_SETS,
    Place,
    as_place,
    is_deleted,
    is_ready,
    owner_of,
    place_of,
)
from tutor.sandbox.kinds import GroupResource, Object, name_of, namespace_of

_DELETION_TIMEOUT = timedelta(minutes=2)
_SCALED = {
    "Deployment": DEPLOYMENTS,
    "ReplicaSet": REPLICA_SETS,
    "StatefulSet": STATEFUL_SETS,
    "ReplicationController": GroupResource("", "replicationcontrollers"),
}


class Expected(NamedTuple):
    """How many pods there should be, and how many of them healthy."""

    pods: int
    healthy: int


class Disruptions:
    """Keeps the status of budgets."""

    name = "poddisruptionbudgets"

    def __init__(self, client: Client, world: World) -> None:
        self._client = client
        self._world = world
        self._events = Recorder(client, "controllermanager", once_per_version=True)
        self.watches: Sequence[Watches] = (
            Watches(BUDGETS, lambda obj: [place_of(obj)]),
            Watches(PODS, self._selecting),
            *(Watches(resource, self._around) for resource in (DEPLOYMENTS, STATEFUL_SETS)),
        )

    def _around(self, obj: Object) -> list[Place]:
        return [place_of(budget) for budget in self._world.objects_of(BUDGETS, namespace_of(obj))]

    def _selecting(self, pod: Object) -> list[Place]:
        budgets = self._world.objects_of(BUDGETS, namespace_of(pod))
        return [place_of(budget) for budget in budgets if _selects(budget, pod)]

    async def reconcile(self, key: Hashable) -> Result:
        """Count the pods of one budget."""
        budget = self._world.find(BUDGETS, *as_place(key))
        if budget is None:
            return DONE
        found = self._world.objects_of(PODS, namespace_of(budget))
        pods = [pod for pod in found if _selects(budget, pod)]
        if not pods:
            await self._events.normal(budget, "NoPods", "No matching pods found")
        now = self._client.now()
        status = status_of(budget, pods, self._expected(budget, pods), now)
        if status != part(budget, "status"):
            try:
                await self._client.change(
                    BUDGETS, *place_of(budget), lambda obj: obj | {"status": status}, "status"
                )
            except ApiError as error:
                if error.reason != "NotFound":
                    raise
        waits = bool(status.get("disruptedPods"))
        return Result(again_s=_DELETION_TIMEOUT.total_seconds()) if waits else DONE

    def _expected(self, budget: Object, pods: Sequence[Object]) -> Expected:
        spec = part(budget, "spec")
        unavailable, available = spec.get("maxUnavailable"), spec.get("minAvailable")
        if unavailable is not None:
            scale = self._scale(pods)
            return Expected(scale, max(scale - _scaled(unavailable, scale), 0))
        if isinstance(available, int):
            return Expected(len(pods), available)
        if available is None:
            return Expected(0, 0)
        scale = self._scale(pods)
        return Expected(scale, _scaled(available, scale))

    def _scale(self, pods: Sequence[Object]) -> int:
        """The replicas of all that control the pods."""
        found: dict[str, int] = {}
        for pod in pods:
            owner = self._scaled_owner(pod)
            if owner is not None:
                found[owner["metadata"]["uid"]] = part(owner, "spec").get("replicas", 1)
        return sum(found.values())

    def _scaled_owner(self, obj: Object) -> Object | None:
        ref = owner_of(obj)
        resource = _SCALED.get(ref["kind"]) if ref else None
        if ref is None or resource is None:
            return None
        owner = self._world.find(resource, namespace_of(obj), ref["name"])
        if owner is None:
            return None
        return self._scaled_owner(owner) or owner


def _selects(budget: Object, pod: Object) -> bool:
    return label_selector(part(budget, "spec").get("selector"))(pod)


def _scaled(value: Any, whole: int) -> int:
    """An integer, or a percentage of the whole, rounded up."""
    return value if isinstance(value, int) else ceil(whole * int(value.rstrip("%")) / 100)


def status_of(budget: Object, pods: Sequence[Object], expected: Expected, now: datetime) -> Object:
    """The status of a budget that selects these pods."""
    before: Object = part(budget, "status", "disruptedPods")
    disrupted = {
        name_of(pod): before[name_of(pod)]
        for pod in pods
        if not is_deleted(pod)
        and name_of(pod) in before
        and datetime.fromisoformat(before[name_of(pod)]) + _DELETION_TIMEOUT > now
    }
    healthy = sum(
        1 for pod in pods if is_ready(pod) and not is_deleted(pod) and name_of(pod) not in disrupted
    )
    allowed = max(healthy - expected.healthy, 0) if expected.pods > 0 else 0
    status: Object = {
        "observedGeneration": number(budget["metadata"], "generation"),
        "disruptionsAllowed": allowed,
        "currentHealthy": healthy,
        "desiredHealthy": expected.healthy,
        "expectedPods": expected.pods,
        "conditions": part(budget, "status").get("conditions") or [],
    }
    if disrupted:
        status["disruptedPods"] = dict(sorted(disrupted.items()))
    return status | {"conditions": with_allowed({"status": status}, timestamp(now))}
