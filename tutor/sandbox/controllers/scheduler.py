"""The scheduler of a cluster with one node: bind, or say why not.

Source: pkg/scheduler (filters and the words of their reasons).
"""

from collections.abc import Hashable, Sequence

from tutor.sandbox.api.builtin.reading import part
from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, ClusterFacts, Result, Watches
from tutor.sandbox.controllers.events import Recorder
from tutor.sandbox.controllers.resources import (
    NODES,
    PODS,
    Place,
    as_place,
    is_deleted,
    place_of,
    with_condition,
)
from tutor.sandbox.kinds import Object, labels_of, name_of

_RETRY_S = 5.0


class Scheduler:
    """Binds pods to nodes."""

    name = "scheduler"

    def __init__(self, client: Client, facts: ClusterFacts) -> None:
        self._client = client
        self._pace = facts.pace
        self._events = Recorder(client, "default-scheduler")
        self._seen: set[str] = set()
        self.watches: Sequence[Watches] = (
            Watches(PODS, _unbound),
            Watches(NODES, lambda _node: self._waiting()),
        )

    def _waiting(self) -> list[Place]:
        return [key for pod in self._client.list(PODS) for key in _unbound(pod)]

    async def reconcile(self, key: Hashable) -> Result:
        """Bind one pod."""
        namespace, name = as_place(key)
        pod = self._client.find(PODS, namespace, name)
        if pod is None or not _unbound(pod):
            return DONE
        uid = pod["metadata"]["uid"]
        if uid not in self._seen and self._pace.schedule:
            self._seen.add(uid)
            return Result(again_s=self._pace.schedule)
        nodes = self._client.list(NODES)
        reasons = [why_not(pod, node) for node in nodes]
        fitting = [node for node, why in zip(nodes, reasons, strict=True) if why is None]
        if not fitting:
            await self._refuse(pod, [why for why in reasons if why])
            return Result(again_s=_RETRY_S)
        self._seen.discard(uid)
        await self._bind(pod, name_of(fitting[0]))
        return DONE

    async def _bind(self, pod: Object, node: str) -> None:
        now = timestamp(self._client.now())

        def bind(obj: Object) -> Object:
            obj["spec"]["nodeName"] = node
            status = obj.setdefault("status", {})
            status["conditions"] = with_condition(
                [c for c in status.get("conditions") or () if c["type"] != "PodScheduled"],
                "PodScheduled",
                "True",
                "",
                "",
                now,
            )
            return obj

        await self._client.change(PODS, *place_of(pod), bind, "binding")
        namespace, name = place_of(pod)
        await self._events.normal(
            pod, "Scheduled", f"Successfully assigned {namespace}/{name} to {node}"
        )

    async def _refuse(self, pod: Object, reasons: Sequence[str]) -> None:
        counts = {why: reasons.count(why) for why in dict.fromkeys(reasons)}
        listed = ", ".join(f"{count} {why}" for why, count in sorted(counts.items()))
        total = len(self._client.list(NODES))
        message = "no nodes available to schedule pods"
        if total:
            available = f"0/{total} nodes are available"
            message = (
                f"{available}: {listed}. preemption: {available}: {total} Preemption is not "
                "helpful for scheduling."
            )
        now = timestamp(self._client.now())

        def write(obj: Object) -> Object:
            status = obj.setdefault("status", {})
            status["conditions"] = with_condition(
                status.get("conditions") or [],
                "PodScheduled",
                "False",
                "Unschedulable",
                message,
                now,
            )
            return obj

        await self._client.change(PODS, *place_of(pod), write, "status")
        await self._events.warning(pod, "FailedScheduling", message)


def _unbound(pod: Object) -> list[Place]:
    spec = pod["spec"]
    if spec.get("nodeName") or is_deleted(pod):
        return []
    if spec.get("schedulerName", "default-scheduler") != "default-scheduler":
        return []
    return [place_of(pod)]


def why_not(pod: Object, node: Object) -> str | None:
    """Why a pod does not fit on a node, in the scheduler's words; None when it does."""
    spec = node.get("spec", {})
    if spec.get("unschedulable") and not _tolerates(
        pod, {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    ):
        return "node(s) were unschedulable"
    for taint in spec.get("taints") or ():
        if taint.get("effect") in ("NoSchedule", "NoExecute") and not _tolerates(pod, taint):
            value = f": {taint['value']}" if taint.get("value") else ": "
            return f"node(s) had untolerated taint {{{taint['key']}{value}}}"
    selector = part(pod, "spec", "nodeSelector")
    if not selector.items() <= labels_of(node).items():
        return "node(s) didn't match Pod's node affinity/selector"
    return None


def _tolerates(pod: Object, taint: Object) -> bool:
    return any(tolerates(each, taint) for each in pod["spec"].get("tolerations") or ())


def tolerates(toleration: Object, taint: Object) -> bool:
    """Whether a toleration is for a taint."""
    effect, key = toleration.get("effect"), toleration.get("key", "")
    exists = toleration.get("operator") == "Exists"
    if effect and effect != taint.get("effect"):
        return False
    if key != taint["key"] and (key or not exists):
        return False
    return exists or toleration.get("value", "") == taint.get("value", "")
