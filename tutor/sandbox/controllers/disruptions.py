"""Disruption budgets: how many of the selected pods may go.

Source: pkg/controller/disruption.
"""

from collections.abc import Hashable, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any, NamedTuple

from tutor.sandbox.api.builtin.admission.plugin import World
from tutor.sandbox.api.builtin.reading import items, number, part
from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.api.eviction import BUDGETS, with_allowed
from tutor.sandbox.api.selectors import go_selector, label_selector
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.controllers.events import Recorder
from tutor.sandbox.controllers.requests import Requests
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
    with_condition,
)
from tutor.sandbox.kinds import GroupResource, Object, name_of, namespace_of

_DELETION_TIMEOUT = timedelta(minutes=2)
_SCALED = {
    "Deployment": DEPLOYMENTS,
    "ReplicaSet": REPLICA_SETS,
    "StatefulSet": STATEFUL_SETS,
    "ReplicationController": GroupResource("", "replicationcontrollers"),
}
_UNMANAGED = (
    "Pods selected by this PodDisruptionBudget (selector: {}) were found to be unmanaged. As a"
    " result, the status of the PDB cannot be calculated correctly, which may result in undefined"
    ' behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an'
    " integer value."
)


class Expected(NamedTuple):
    """How many pods there should be, and how many of them healthy."""

    pods: int
    healthy: int


class _Uncounted(Exception):
    """Why nobody can say how many pods there should be; the text is the controller's own."""


class Disruptions:
    """Keeps the status of budgets."""

    name = "poddisruptionbudgets"

    def __init__(self, client: Client, world: World, requests: Requests) -> None:
        self._client = client
        self._world = world
        self._requests = requests
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
        try:
            expected = await self._expected(budget, pods)
        except _Uncounted as why:
            told = f"Failed to calculate the number of expected pods: {why}"
            await self._events.warning(budget, "CalculateExpectedPodCountFailed", told)
            await self._write(budget, failed_status(budget, str(why), timestamp(now)))
            return Result(failed=True)
        status = status_of(budget, pods, expected, now)
        await self._write(budget, status)
        waits = bool(status.get("disruptedPods"))
        return Result(again_s=_DELETION_TIMEOUT.total_seconds()) if waits else DONE

    async def _write(self, budget: Object, status: Object) -> None:
        if status == part(budget, "status"):
            return
        try:
            await self._client.change(
                BUDGETS, *place_of(budget), lambda obj: obj | {"status": status}, "status"
            )
        except ApiError as error:
            if error.reason != "NotFound":
                raise

    async def _expected(self, budget: Object, pods: Sequence[Object]) -> Expected:
        spec = part(budget, "spec")
        unavailable, available = spec.get("maxUnavailable"), spec.get("minAvailable")
        if unavailable is not None:
            scale = await self._scale(budget, pods)
            return Expected(scale, max(scale - _scaled(unavailable, scale), 0))
        if isinstance(available, int):
            return Expected(len(pods), available)
        if available is None:
            return Expected(0, 0)
        scale = await self._scale(budget, pods)
        return Expected(scale, _scaled(available, scale))

    async def _scale(self, budget: Object, pods: Sequence[Object]) -> int:
        """The replicas of all that control the pods."""
        found: dict[str, int] = {}
        for pod in (controlled := [pod for pod in pods if owner_of(pod)]):
            uid, replicas = await self._controller(pod)
            found[uid] = replicas
        if len(controlled) < len(pods):
            told = _UNMANAGED.format(go_selector(part(budget, "spec").get("selector")))
            await self._events.warning(budget, "UnmanagedPods", told)
        return sum(found.values())

    async def _controller(self, pod: Object) -> tuple[str, int]:
        """Who decides how many such pods there are, and the number."""
        ref = owner_of(pod) or {}
        owner = self._scaled_owner(pod)
        if owner is not None:
            return owner["metadata"]["uid"], part(owner, "spec").get("replicas", 1)
        scale = await self._scale_of(ref, namespace_of(pod))
        if scale is None or scale["metadata"]["uid"] != ref["uid"]:
            raise _Uncounted(f'found no controllers for pod "{name_of(pod)}"')
        return ref["uid"], number(part(scale, "spec"), "replicas")

    async def _scale_of(self, ref: Object, namespace: str) -> Object | None:
        version = ref["apiVersion"]
        kind = self._client.kind(version.rpartition("/")[0], ref["kind"])
        if kind is None:
            raise _Uncounted(f'no matches for kind "{ref["kind"]}" in version "{version}"')
        if not any(one.name == "scale" for one in kind.subresources):
            raise _Uncounted(f"{kind.group_resource} does not implement the scale subresource")
        root = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.version}"
        path = f"{root}/namespaces/{namespace}/{kind.plural}/{ref['name']}/scale"
        try:
            return await self._requests.get(path)
        except ApiError as error:
            if error.reason == "NotFound":
                return None
            raise _Uncounted(error.message) from error

    def _scaled_owner(self, obj: Object) -> Object | None:
        ref = owner_of(obj)
        resource = _SCALED.get(ref["kind"]) if ref else None
        if ref is None or resource is None or not _is_in(ref, resource):
            return None
        owner = self._world.find(resource, namespace_of(obj), ref["name"])
        if owner is None or owner["metadata"]["uid"] != ref["uid"]:
            return None
        return self._scaled_owner(owner) or owner


def _is_in(ref: Object, resource: GroupResource) -> bool:
    return bool(ref["apiVersion"].rpartition("/")[0] == resource.group)


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


def failed_status(budget: Object, why: str, now: str) -> Object:
    """The status of a budget that cannot be judged: nothing may be disrupted."""
    before = part(budget, "status")
    status: Object = before | {"disruptionsAllowed": 0}
    for field in ("currentHealthy", "desiredHealthy", "expectedPods"):
        status.setdefault(field, 0)
    conditions = items(before, "conditions")
    told = with_condition(conditions, "DisruptionAllowed", "False", "SyncFailed", why, now)
    for condition in told:
        if condition["type"] == "DisruptionAllowed" and "observedGeneration" in before:
            condition["observedGeneration"] = before["observedGeneration"]
    return status | {"conditions": told}
