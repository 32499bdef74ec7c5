"""DaemonSets: a pod on every node. Source: pkg/controller/daemon."""

from collections.abc import Hashable, Sequence

from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.controllers.claims import Claims
from tutor.sandbox.controllers.events import Recorder
from tutor.sandbox.controllers.resources import (
    DAEMON_SETS,
    NODES,
    PODS,
    as_place,
    is_active,
    is_deleted,
    is_ready,
    place_of,
    pod_from_template,
)
from tutor.sandbox.controllers.revisions import HASH_LABEL, Revisions
from tutor.sandbox.kinds import Object, labels_of, name_of, namespace_of, thaw

_HASH = "controller-revision-hash"
_GENERATION = "pod-template-generation"
_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)


class DaemonSets:
    """Keeps a pod on every node."""

    name = "daemonsets"

    def __init__(self, client: Client) -> None:
        self._client = client
        self._events = Recorder(client, "daemonset-controller")
        self._pods = Claims(client, DAEMON_SETS, "DaemonSet", PODS)
        self._revisions = Revisions(client, DAEMON_SETS, "DaemonSet")
        self.watches: Sequence[Watches] = (
            Watches(DAEMON_SETS, lambda obj: [place_of(obj)]),
            self._pods.watch(),
            Watches(NODES, lambda _node: [place_of(ds) for ds in client.list(DAEMON_SETS)]),
        )

    async def reconcile(self, key: Hashable) -> Result:
        """Bring one DaemonSet to one pod a node."""
        namespace, name = as_place(key)
        owner = self._client.find(DAEMON_SETS, namespace, name)
        if owner is None or is_deleted(owner):
            return DONE
        nodes = [name_of(node) for node in self._client.list(NODES) if _fits(owner, node)]
        revisions = await self._revisions.of(owner)
        digest = labels_of(revisions.update)[HASH_LABEL]
        pods = await self._pods.claim(owner, is_active)
        by_node: dict[str, list[Object]] = {}
        for pod in pods:
            by_node.setdefault(_node_of(pod), []).append(pod)
        for node in nodes:
            if not by_node.get(node):
                await self._create(owner, node, digest)
        for node, members in by_node.items():
            surplus = members if node not in nodes else members[1:]
            for pod in surplus:
                await self._delete(owner, pod)
        await self._update(owner, digest, pods)
        await self._report(owner, nodes, digest)
        await self._revisions.truncate(owner, {name_of(revisions.update)})
        return DONE

    async def _create(self, owner: Object, node: str, digest: str) -> None:
        pod = thaw(
            pod_from_template(owner["spec"]["template"], owner, namespace_of(owner), name_of(owner))
        )
        labels = pod["metadata"].setdefault("labels", {})
        generation = owner["metadata"].get("generation", 1)
        labels |= {_HASH: digest, _GENERATION: str(generation)}
        term = {"key": "metadata.name", "operator": "In", "values": [node]}
        required = {"nodeSelectorTerms": [{"matchFields": [term]}]}
        affinity = pod["spec"].setdefault("affinity", {})
        affinity["nodeAffinity"] = {"requiredDuringSchedulingIgnoredDuringExecution": required}
        tolerations = pod["spec"].setdefault("tolerations", [])
        extra = [("node.kubernetes.io/network-unavailable", "NoSchedule")]
        for key, effect in (*_TOLERATED, *(extra if pod["spec"].get("hostNetwork") else [])):
            tolerations.append({"key": key, "operator": "Exists", "effect": effect})
        try:
            made = await self._client.create(pod)
        except ApiError as error:
            await self._events.warning(owner, "FailedCreate", f"Error creating: {error.message}")
            return
        await self._events.normal(owner, "SuccessfulCreate", f"Created pod: {name_of(made)}")

    async def _delete(self, owner: Object, pod: Object) -> None:
        await self._client.delete(PODS, *place_of(pod))
        await self._events.normal(owner, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}")

    async def _update(self, owner: Object, digest: str, pods: Sequence[Object]) -> None:
        if owner["spec"].get("updateStrategy", {}).get("type") == "OnDelete":
            return
        old = [pod for pod in pods if labels_of(pod).get(_HASH) != digest]
        if old:
            await self._delete(owner, old[0])

    async def _report(self, owner: Object, nodes: Sequence[str], digest: str) -> None:
        pods = await self._pods.claim(owner, is_active)
        placed = [pod for pod in pods if _node_of(pod) in nodes]
        ready = [pod for pod in placed if is_ready(pod)]
        updated = [pod for pod in placed if labels_of(pod).get(_HASH) == digest]
        status: Object = {
            "currentNumberScheduled": len(placed),
            "numberMisscheduled": len(pods) - len(placed),
            "desiredNumberScheduled": len(nodes),
            "numberReady": len(ready),
            "observedGeneration": owner["metadata"].get("generation", 1),
        }
        counts = {
            "updatedNumberScheduled": len(updated),
            "numberAvailable": len(ready),
            "numberUnavailable": len(nodes) - len(ready),
        }
        status |= {name: count for name, count in counts.items() if count > 0}
        if owner.get("status") == status:
            return
        await self._client.change(
            DAEMON_SETS, *place_of(owner), lambda obj: obj | {"status": status}, "status"
        )


def _node_of(pod: Object) -> str:
    if pod["spec"].get("nodeName"):
        return pod["spec"]["nodeName"]
    affinity = pod["spec"].get("affinity", {}).get("nodeAffinity", {})
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", {})
    for term in required.get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            return field["values"][0]
    return ""


def _fits(owner: Object, node: Object) -> bool:
    spec = owner["spec"]["template"]["spec"]
    if not (spec.get("nodeSelector") or {}).items() <= labels_of(node).items():
        return False
    tolerations: Sequence[Object] = spec.get("tolerations") or ()
    ignored = {key for key, _ in _TOLERATED}
    for taint in node.get("spec", {}).get("taints") or ():
        if taint.get("effect") not in ("NoSchedule", "NoExecute") or taint["key"] in ignored:
            continue
        if not any(t.get("key") in (None, "", taint["key"]) for t in tolerations):
            return False
    return True
