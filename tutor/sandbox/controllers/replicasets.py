"""ReplicaSets and ReplicationControllers: as many pods as asked for.

Source: pkg/controller/replicaset, which runs both.
"""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from tutor.sandbox.api.builtin.reading import part
from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.api.selectors import label_selector
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.controllers.claims import Claims, Selects, by_label_selector
from tutor.sandbox.controllers.events import Recorder
from tutor.sandbox.controllers.resources import (
    PODS,
    REPLICA_SETS,
    as_place,
    condition,
    is_active,
    is_deleted,
    is_ready,
    owner_of,
    place_of,
    pod_from_template,
    selected,
    with_condition,
)
from tutor.sandbox.kinds import GroupResource, Object, name_of, namespace_of


def surplus_first(pod: Object) -> tuple[bool, bool, str]:
    """The order in which surplus pods go: unscheduled, unready, then the youngest."""
    created = pod["metadata"]["creationTimestamp"]
    younger = "".join(chr(0x7F - ord(char)) for char in created)
    return (bool(pod["spec"].get("nodeName")), is_ready(pod), younger)


def _is_terminating(pod: Object) -> bool:
    phase = pod.get("status", {}).get("phase")
    return is_deleted(pod) and phase not in ("Succeeded", "Failed")


def by_plain_selector(owner: Object, pod: Object) -> bool:
    """Whether the labels include those of a selector that is a plain map."""
    return selected(part(owner, "spec").get("selector") or {}, pod)


class Replicas(NamedTuple):
    """A kind of which each object wants a number of pods."""

    name: str
    resource: GroupResource
    kind: str
    component: str
    """What its events are from."""
    selects: Selects = by_label_selector


SETS = Replicas("replicasets", REPLICA_SETS, "ReplicaSet", "replicaset-controller")
CONTROLLERS = Replicas(
    "replicationcontrollers",
    GroupResource("", "replicationcontrollers"),
    "ReplicationController",
    "replication-controller",
    by_plain_selector,
)


class ReplicaSets:
    """Keeps the number of pods, for replica sets and what was there before them."""

    def __init__(self, client: Client, of: Replicas = SETS) -> None:
        self.name = of.name
        self._client = client
        self._resource = of.resource
        self._events = Recorder(client, of.component)
        self._pods = Claims(client, of.resource, of.kind, PODS, of.selects)
        self.watches: Sequence[Watches] = (
            Watches(of.resource, lambda obj: [place_of(obj)]),
            self._pods.watch(),
        )

    async def reconcile(self, key: Hashable) -> Result:
        """Bring one ReplicaSet to its number of pods and write its status."""
        namespace, name = as_place(key)
        owner = self._client.find(self._resource, namespace, name)
        if owner is None:
            return DONE
        failure = ""
        if not is_deleted(owner):
            failure = await self._scale(owner, await self._pods.claim(owner, is_active))
        await self._report(owner, failure)
        return Result(failed=bool(failure))

    def _owned(self, owner: Object) -> list[Object]:
        uid = owner["metadata"]["uid"]
        pods = self._client.list(PODS, namespace_of(owner))
        return [pod for pod in pods if (owner_of(pod) or {}).get("uid") == uid]

    async def _scale(self, owner: Object, pods: list[Object]) -> str:
        wanted = owner["spec"].get("replicas", 0)
        try:
            for _ in range(wanted - len(pods)):
                pod = await self._client.create(
                    pod_from_template(
                        owner["spec"]["template"], owner, namespace_of(owner), name_of(owner)
                    )
                )
                await self._events.normal(owner, "SuccessfulCreate", f"Created pod: {name_of(pod)}")
        except ApiError as error:
            await self._events.warning(owner, "FailedCreate", f"Error creating: {error.message}")
            return error.message
        for pod in sorted(pods, key=surplus_first)[: max(len(pods) - wanted, 0)]:
            await self._client.delete(PODS, *place_of(pod))
            await self._events.normal(owner, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}")
        return ""

    async def _report(self, owner: Object, failure: str) -> None:
        pods = await self._pods.claim(owner, is_active)
        labels = part(owner, "spec", "template", "metadata", "labels")
        full = label_selector({"matchLabels": labels})
        ready = [pod for pod in pods if is_ready(pod)]
        terminating = sum(map(_is_terminating, self._owned(owner)))
        now = timestamp(self._client.now())

        def write(obj: Object) -> Object:
            old = obj.get("status", {})
            status: Object = {"replicas": len(pods)}
            labelled = sum(1 for pod in pods if full(pod))
            counts = {
                "fullyLabeledReplicas": labelled,
                "readyReplicas": len(ready),
                "availableReplicas": len(ready),
            }
            status |= {name: count for name, count in counts.items() if count}
            status["terminatingReplicas"] = terminating
            status["observedGeneration"] = owner["metadata"].get("generation", 1)
            conditions = list(old.get("conditions") or [])
            # A failure that goes on keeps its first message, or status and retries would not end.
            if failure and condition(obj, "ReplicaFailure") is None:
                conditions = with_condition(
                    conditions, "ReplicaFailure", "True", "FailedCreate", failure, now
                )
            elif not failure:
                conditions = [c for c in conditions if c["type"] != "ReplicaFailure"]
            if conditions:
                status["conditions"] = conditions
            obj["status"] = status
            return obj

        try:
            await self._client.change(self._resource, *place_of(owner), write, "status")
        except ApiError as error:
            if error.reason != "NotFound":
                raise
