"""Nodes as the control plane sees them: their taints, and the pods that do not bear them.

Source: pkg/controller/nodelifecycle and pkg/controller/tainteviction.
"""

from collections.abc import Hashable, Sequence
from datetime import datetime, timedelta

from tutor.sandbox.api.builtin.reading import items, part
from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.controllers.events import Recorder
from tutor.sandbox.controllers.resources import (
    NODES,
    PODS,
    Place,
    as_place,
    condition,
    is_deleted,
    place_of,
    with_condition,
)
from tutor.sandbox.controllers.scheduler import tolerates
from tutor.sandbox.kinds import Object, name_of

_PREFIX = "node.kubernetes.io/"
_BY_CONDITION = {
    ("Ready", "False"): "not-ready",
    ("Ready", "Unknown"): "unreachable",
    ("MemoryPressure", "True"): "memory-pressure",
    ("DiskPressure", "True"): "disk-pressure",
    ("NetworkUnavailable", "True"): "network-unavailable",
    ("PIDPressure", "True"): "pid-pressure",
}
_NO_SCHEDULE = {_PREFIX + name for name in (*_BY_CONDITION.values(), "unschedulable")}
_NO_EXECUTE = {_PREFIX + name for name in ("not-ready", "unreachable")}


class NodeLifecycle:
    """Taints nodes by their conditions, and tells of those that come and go."""

    name = "node-lifecycle"

    def __init__(self, client: Client) -> None:
        self._client = client
        self._events = Recorder(client, "node-controller")
        self._known: dict[str, str] = {}
        self.watches: Sequence[Watches] = (Watches(NODES, lambda obj: [name_of(obj)]),)

    async def reconcile(self, key: Hashable) -> Result:
        """Look after one node."""
        name = str(key)
        node = self._client.find(NODES, "", name)
        if node is None:
            await self._tell(name, self._known.pop(name, ""), "RemovingNode", "Removing", "from")
            return DONE
        if name not in self._known:
            self._known[name] = node["metadata"]["uid"]
            await self._tell(name, self._known[name], "RegisteredNode", "Registered", "in")
        await self._taint(node)
        return DONE

    async def _tell(self, name: str, uid: str, reason: str, done: str, where: str) -> None:
        if uid:
            about: Object = {"apiVersion": "v1", "kind": "Node"}
            about["metadata"] = {"name": name, "uid": uid}
            text = f"Node {name} event: {done} Node {name} {where} Controller"
            await self._events.normal(about, reason, text)

    async def _taint(self, node: Object) -> None:
        before: list[Object] = items(node, "spec", "taints")
        taints = with_taints(node, timestamp(self._client.now()))
        if taints != before:
            meta = {"resourceVersion": node["metadata"]["resourceVersion"]}
            change: Object = {"metadata": meta, "spec": {"taints": taints or None}}
            await self._client.patch(NODES, "", name_of(node), change)


def with_taints(node: Object, now: str) -> list[Object]:
    """The taints of a node, with those that its state asks for and none of those it does not."""
    wanted = {
        (_PREFIX + name, "NoSchedule")
        for (kind, status), name in _BY_CONDITION.items()
        if (condition(node, kind) or {}).get("status") == status
    }
    wanted |= {(key, "NoExecute") for key, _ in wanted if key in _NO_EXECUTE}
    if part(node, "spec").get("unschedulable"):
        wanted.add((_PREFIX + "unschedulable", "NoSchedule"))
    ours = {(key, "NoSchedule") for key in _NO_SCHEDULE} | {
        (key, "NoExecute") for key in _NO_EXECUTE
    }
    kept = [
        taint
        for taint in items(node, "spec", "taints")
        if _kind(taint) in wanted or _kind(taint) not in ours
    ]
    there = {_kind(taint) for taint in kept}
    new = [
        {"key": key, "effect": effect, "timeAdded": now} for key, effect in sorted(wanted - there)
    ]
    return [*kept, *new]


def _kind(taint: Object) -> tuple[str, str]:
    return taint["key"], taint["effect"]


class TaintEviction:
    """Deletes the pods of a node that do not tolerate its taints, or only for a while."""

    name = "taint-eviction"

    def __init__(self, client: Client) -> None:
        self._client = client
        self._events = Recorder(client, "taint-eviction-controller")
        self._since: dict[Place, tuple[str, datetime]] = {}
        """Which pod, by its uid, is to go, and when that was first seen."""
        self.watches: Sequence[Watches] = (
            Watches(NODES, self._pods_of),
            Watches(PODS, lambda pod: [place_of(pod)]),
        )

    def _pods_of(self, node: Object) -> list[Place]:
        name = name_of(node)
        pods = self._client.list(PODS)
        return [place_of(pod) for pod in pods if pod["spec"].get("nodeName") == name]

    async def reconcile(self, key: Hashable) -> Result:
        """Let one pod stay, go, or stay for as long as it tolerates."""
        place = as_place(key)
        before = self._since.pop(place, None)
        pod = self._client.find(PODS, *place)
        if pod is None or is_deleted(pod) or not pod["spec"].get("nodeName"):
            return DONE
        left = self._stays_for(pod)
        if left is None:
            return DONE
        now, uid = self._client.now(), pod["metadata"]["uid"]
        since = before[1] if before and before[0] == uid else now
        due = since + left
        if due > now:
            self._since[place] = (uid, since)
            return Result(again_s=(due - now).total_seconds())
        await self._evict(pod)
        return DONE

    def _stays_for(self, pod: Object) -> timedelta | None:
        """How long a pod may stay beside the taints of its node; None for ever."""
        node = self._client.find(NODES, "", pod["spec"]["nodeName"])
        taints = [t for t in items(node or {}, "spec", "taints") if t["effect"] == "NoExecute"]
        if not taints:
            return None
        tolerations: list[Object] = items(pod, "spec", "tolerations")
        used = [[t for t in tolerations if tolerates(t, taint)] for taint in taints]
        if not all(used):
            return timedelta(0)
        seconds = [t.get("tolerationSeconds") for each in used for t in each]
        limits = [max(number, 0) for number in seconds if number is not None]
        return timedelta(seconds=min(limits)) if limits else None

    async def _evict(self, pod: Object) -> None:
        namespace, name = place_of(pod)
        await self._events.normal(
            pod, "TaintManagerEviction", f"Marking for deletion Pod {namespace}/{name}"
        )
        now = timestamp(self._client.now())
        why = "Taint manager: deleting due to NoExecute taint"

        def marked(obj: Object) -> Object:
            status = obj.setdefault("status", {})
            status["conditions"] = with_condition(
                items(obj, "status", "conditions"),
                "DisruptionTarget",
                "True",
                "DeletionByTaintManager",
                why,
                now,
            )
            return obj

        try:
            await self._client.change(PODS, namespace, name, marked, "status")
            await self._client.delete(PODS, namespace, name)
        except ApiError as error:
            if error.reason != "NotFound":
                raise
