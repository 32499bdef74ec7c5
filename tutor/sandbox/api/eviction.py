"""Evictions: deletions of pods that disruption budgets have a say in.

Source: Kubernetes' `registry/core/pod/storage/eviction.go`.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from tutor.sandbox.api.builtin.reading import items, number, part, text
from tutor.sandbox.api.deletion import DeleteOptions, check_preconditions, timestamp
from tutor.sandbox.api.objects import Objects
from tutor.sandbox.api.registry import Registry, Served
from tutor.sandbox.api.request import Call, User
from tutor.sandbox.api.selectors import label_selector
from tutor.sandbox.api.status import ApiError, forbidden
from tutor.sandbox.kinds import GroupResource, Object, name_of, namespace_of

BUDGETS = GroupResource("policy", "poddisruptionbudgets")
_SERVER = User(name="system:apiserver", groups=("system:masters",))
_REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."
_TOO_MANY = (
    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not"
    " support."
)
_ALLOWED = "DisruptionAllowed"
_MAX_DISRUPTED = 2000
_RETRY_S = 10
_IGNORED_PHASES = ("Succeeded", "Failed", "Pending")


class Evictions:
    """Evicts pods."""

    def __init__(self, registry: Registry, objects: Objects) -> None:
        self._registry = registry
        self._objects = objects

    async def evict(self, call: Call, served: Served, pod: Object, options: DeleteOptions) -> None:
        """Delete a pod when its budget lets it go; raises ApiError (429, 500 and others)."""
        phase = text(part(pod, "status"), "phase")
        if phase not in _IGNORED_PHASES and not pod["metadata"].get("deletionTimestamp"):
            budgets = self._budgets(pod)
            if len(budgets) > 1:
                raise ApiError(500, "", _TOO_MANY)
            if budgets and not _spares(budgets[0], pod):
                await self._take(call, budgets[0], name_of(pod))
        place = (namespace_of(pod), name_of(pod))
        if not call.dry_run:
            check_preconditions(served.kind, pod, options)
            await self._mark(call, served, place)
        await self._objects.delete(call, served, *place, options)

    def _budgets(self, pod: Object) -> list[Object]:
        stored = self._objects.store.objects(BUDGETS, namespace_of(pod))
        return [s.object for s in stored if label_selector(_selector(s.object))(pod)]

    async def _take(self, call: Call, budget: Object, pod: str) -> None:
        """Count one disruption."""
        _check(budget)
        if call.dry_run:
            return

        def taken(obj: Object) -> Object:
            _check(obj)
            status = obj["status"]
            status["disruptionsAllowed"] -= 1
            gone = part(status, "disruptedPods") | {pod: timestamp(call.now)}
            status["disruptedPods"] = dict(sorted(gone.items()))
            if not status["disruptionsAllowed"]:
                status["conditions"] = with_allowed(obj, timestamp(call.now))
            return obj

        await self._write(call, BUDGETS, (namespace_of(budget), name_of(budget)), taken)

    async def _mark(self, call: Call, served: Served, place: tuple[str, str]) -> None:
        """Tell in the status of a pod why it goes."""
        now = timestamp(call.now)

        def marked(pod: Object) -> Object:
            status: dict[str, Any] = pod.setdefault("status", {})
            others = [c for c in items(status, "conditions") if c["type"] != "DisruptionTarget"]
            target = {
                "type": "DisruptionTarget",
                "status": "True",
                "lastTransitionTime": now,
                "reason": "EvictionByEvictionAPI",
                "message": "Eviction API: evicting",
            }
            status["conditions"] = [*others, target]
            return pod

        await self._write(call, served.kind.group_resource, place, marked)

    async def _write(
        self,
        call: Call,
        resource: GroupResource,
        place: tuple[str, str],
        change: Callable[[Object], Object],
    ) -> None:
        served = self._registry.of_resource(resource)
        if served is None:
            raise LookupError(resource)
        own = replace(
            call,
            user=_SERVER,
            verb="update",
            subresource="status",
            manager="kube-apiserver",
            warnings=[],
        )
        await self._objects.update(own, served, *place, change, retry=True)


def _selector(budget: Object) -> Object | None:
    return part(budget, "spec").get("selector")


def _spares(budget: Object, pod: Object) -> bool:
    """Whether a pod that is not ready may go although the budget selects it."""
    conditions: Sequence[Object] = items(pod, "status", "conditions")
    if any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions):
        return False
    if part(budget, "spec").get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = part(budget, "status")
    desired = number(status, "desiredHealthy")
    return number(status, "currentHealthy") >= desired > 0


def _check(budget: Object) -> None:
    """Refuse a disruption that a budget does not allow."""
    status, name = part(budget, "status"), name_of(budget)
    resource = GroupResource(BUDGETS.group, "poddisruptionbudget")
    if number(status, "observedGeneration") < number(budget["metadata"], "generation"):
        why = f"The disruption budget {name} is still being processed by the server."
        raise _refusal(why, retry_s=_RETRY_S)
    allowed = number(status, "disruptionsAllowed")
    if allowed < 0:
        raise forbidden(resource, name, "pdb disruptions allowed is negative")
    if len(part(status, "disruptedPods")) > _MAX_DISRUPTED:
        why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise forbidden(resource, name, why)
    if allowed:
        return
    current, desired = number(status, "currentHealthy"), number(status, "desiredHealthy")
    why = f"The disruption budget {name} does not allow evicting pods currently"
    if current <= desired:
        why = (
            f"The disruption budget {name} needs {desired} healthy pods and has {current} currently"
        )
    raise _refusal(why)


def _refusal(why: str, *, retry_s: int = 0) -> ApiError:
    details: Object = {"causes": [{"reason": "DisruptionBudget", "message": why}]}
    headers: tuple[tuple[str, str], ...] = ()
    if retry_s:
        details["retryAfterSeconds"] = retry_s
        headers = (("Retry-After", str(retry_s)),)
    return ApiError(429, "TooManyRequests", _REFUSED, details=details, headers=headers)


def with_allowed(budget: Object, now: str) -> list[Object]:
    """The conditions of a budget with the one that says whether disruptions are allowed."""
    status = part(budget, "status")
    state = "True" if number(status, "disruptionsAllowed") > 0 else "False"
    before: list[Object] = items(status, "conditions")
    old = next((c for c in before if c["type"] == _ALLOWED), None)
    since = old["lastTransitionTime"] if old and old["status"] == state else now
    new: Object = {
        "type": _ALLOWED,
        "status": state,
        "observedGeneration": number(status, "observedGeneration"),
        "lastTransitionTime": since,
        "reason": "SufficientPods" if state == "True" else "InsufficientPods",
        "message": "",
    }
    return [*(c for c in before if c["type"] != _ALLOWED), new]
