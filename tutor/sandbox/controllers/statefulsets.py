"""StatefulSets: pods with names that stay, made and removed in their order.

Source: pkg/controller/statefulset.
"""

import re
from collections.abc import Hashable, Iterable, Sequence

from tutor.sandbox.api.builtin.reading import items, part
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.controllers.claims import Claims
from tutor.sandbox.controllers.events import Recorder
from tutor.sandbox.controllers.resources import (
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    STATEFUL_SETS,
    as_place,
    is_deleted,
    is_ready,
    place_of,
    pod_from_template,
)
from tutor.sandbox.controllers.revisions import Revisions, Templates, template_of
from tutor.sandbox.kinds import Object, labels_of, name_of, namespace_of, thaw

_REVISION = "controller-revision-hash"
_NAME = "statefulset.kubernetes.io/pod-name"
_INDEX = "apps.kubernetes.io/pod-index"
_ORDINAL = re.compile(r"(.*)-(\d+)")
_FINISHED = ("Succeeded", "Failed")


def _runs(pod: Object) -> bool:
    return part(pod, "status").get("phase") == "Running" and is_ready(pod)


def ordinal_of(pod: Object) -> int:
    """The number at the end of a pod's name, -1 when there is none."""
    match = _ORDINAL.fullmatch(name_of(pod))
    return int(match[2]) if match else -1


def _is_member(owner: Object, pod: Object) -> bool:
    match = _ORDINAL.fullmatch(name_of(pod))
    return match is not None and match[1] == name_of(owner)


class StatefulSets:
    """Keeps the pods of a set, one after the other unless they may come all at once."""

    name = "statefulsets"

    def __init__(self, client: Client) -> None:
        self._client = client
        self._events = Recorder(client, "statefulset-controller")
        self._pods = Claims(client, STATEFUL_SETS, "StatefulSet", PODS)
        self._revisions = Revisions(client, STATEFUL_SETS, "StatefulSet")
        self.watches: Sequence[Watches] = (
            Watches(STATEFUL_SETS, lambda obj: [place_of(obj)]),
            self._pods.watch(),
        )

    async def reconcile(self, key: Hashable) -> Result:
        """Take one set a step on and write its status."""
        owner = self._client.find(STATEFUL_SETS, *as_place(key))
        if owner is None:
            return DONE
        revisions = await self._revisions.of(
            owner, part(owner, "status").get("currentRevision", "")
        )
        if not is_deleted(owner):
            await self._step(owner, revisions, await self._members(owner))
        pods = await self._members(owner)
        await self._report(owner, revisions, pods)
        used = {labels_of(pod).get(_REVISION, "") for pod in pods}
        used |= {name_of(revision) for revision in revisions}
        await self._revisions.truncate(owner, used)
        return DONE

    async def _members(self, owner: Object) -> list[Object]:
        pods = await self._pods.claim(owner, lambda pod: _is_member(owner, pod))
        return sorted(pods, key=ordinal_of)

    async def _step(self, owner: Object, revisions: Templates, pods: list[Object]) -> None:
        spec = part(owner, "spec")
        first = part(spec, "ordinals").get("start", 0)
        wanted = range(first, first + spec.get("replicas", 1))
        in_order = spec.get("podManagementPolicy", "OrderedReady") == "OrderedReady"
        replicas = {ordinal_of(pod): pod for pod in pods if ordinal_of(pod) in wanted}
        condemned = [pod for pod in reversed(pods) if ordinal_of(pod) not in wanted]
        for ordinal in wanted:
            waits = await self._keep(owner, revisions, ordinal, replicas.get(ordinal))
            if waits and in_order:
                return
        if await self._scale_down(owner, [*replicas.values()], condemned, in_order=in_order):
            return
        if part(spec, "updateStrategy").get("type") != "OnDelete":
            await self._roll(owner, revisions, replicas)

    async def _keep(
        self, owner: Object, revisions: Templates, ordinal: int, pod: Object | None
    ) -> bool:
        """Make a pod that is missing; whether the next one has to wait for this one."""
        if pod is None:
            await self._create(owner, revisions, ordinal)
            return True
        if part(pod, "status").get("phase") in _FINISHED:
            if not is_deleted(pod):
                await self._delete(owner, pod)
            return True
        return is_deleted(pod) or not _runs(pod)

    async def _scale_down(
        self, owner: Object, replicas: list[Object], condemned: list[Object], *, in_order: bool
    ) -> bool:
        """Delete surplus pods, the last first; whether something goes on yet."""
        unhealthy = [p for p in (*replicas, *reversed(condemned)) if not _runs(p) or is_deleted(p)]
        for pod in condemned:
            if is_deleted(pod):
                if in_order:
                    return True
                continue
            if in_order and not _runs(pod) and pod is not unhealthy[0]:
                return True
            await self._delete(owner, pod)
            if in_order:
                return True
        return bool(condemned)

    async def _roll(self, owner: Object, revisions: Templates, replicas: dict[int, Object]) -> None:
        """Replace the last pod that is of another revision, when those behind it run."""
        partition = part(owner, "spec", "updateStrategy", "rollingUpdate").get("partition", 0)
        for ordinal in sorted(replicas, reverse=True):
            if ordinal < partition:
                return
            pod = replicas[ordinal]
            if labels_of(pod).get(_REVISION) != name_of(revisions.update) and not is_deleted(pod):
                await self._delete(owner, pod)
                return
            if not _runs(pod) or is_deleted(pod):
                return

    async def _create(self, owner: Object, revisions: Templates, ordinal: int) -> None:
        strategy = part(owner, "spec", "updateStrategy")
        rolling = part(strategy, "rollingUpdate")
        old = rolling.get("partition", 0)
        if "rollingUpdate" not in strategy:
            old = part(owner, "status").get("currentReplicas", 0)
        keeps = strategy.get("type") != "OnDelete" and ordinal < old
        revision = revisions.current if keeps else revisions.update
        pod = pod_of(owner, ordinal, template_of(revision), name_of(revision))
        try:
            await self._make_claims(owner, pod, ordinal)
            await self._client.create(pod)
        except ApiError as error:
            why = f"Create Pod {name_of(pod)} in StatefulSet {name_of(owner)} failed error: {error}"
            await self._events.warning(owner, "FailedCreate", why)
            raise
        done = f"Create Pod {name_of(pod)} in StatefulSet {name_of(owner)} successful"
        await self._events.normal(owner, "SuccessfulCreate", done)

    async def _make_claims(self, owner: Object, pod: Object, ordinal: int) -> None:
        for claim in claims_of(owner, ordinal):
            if self._client.find(PERSISTENT_VOLUME_CLAIMS, *place_of(claim)) is not None:
                continue
            await self._client.create(claim)
            where = f"Pod {name_of(pod)} in StatefulSet {name_of(owner)}"
            message = f"Create Claim {name_of(claim)} {where} success"
            await self._events.normal(owner, "SuccessfulCreate", message)

    async def _delete(self, owner: Object, pod: Object) -> None:
        await self._client.delete(PODS, *place_of(pod))
        message = f"Delete Pod {name_of(pod)} in StatefulSet {name_of(owner)} successful"
        await self._events.normal(owner, "SuccessfulDelete", message)

    async def _report(self, owner: Object, revisions: Templates, pods: list[Object]) -> None:
        status = status_of(owner, revisions, pods)
        if part(owner, "status") == status:
            return
        try:
            await self._client.change(
                STATEFUL_SETS, *place_of(owner), lambda obj: obj | {"status": status}, "status"
            )
        except ApiError as error:
            if error.reason != "NotFound":
                raise


def pod_of(owner: Object, ordinal: int, template: Object, revision: str) -> Object:
    """The pod of a number, as a template wants it."""
    name = f"{name_of(owner)}-{ordinal}"
    pod = thaw(pod_from_template(template, owner, namespace_of(owner), ""))
    meta = pod["metadata"]
    del meta["generateName"]
    meta["name"] = name
    labels = part(meta, "labels")
    meta["labels"] = labels | {_NAME: name, _INDEX: str(ordinal), _REVISION: revision}
    spec = pod["spec"]
    spec["hostname"] = name
    if service := part(owner, "spec").get("serviceName"):
        spec["subdomain"] = service
    claims = {
        template["metadata"]["name"]: name_of(claim)
        for template, claim in zip(_claim_templates(owner), claims_of(owner, ordinal), strict=True)
    }
    own = [{"name": n, "persistentVolumeClaim": {"claimName": c}} for n, c in claims.items()]
    volumes = own + [one for one in items(spec, "volumes") if one["name"] not in claims]
    if volumes:
        spec["volumes"] = volumes
    return pod


def _claim_templates(owner: Object) -> list[Object]:
    return items(owner, "spec", "volumeClaimTemplates")


def claims_of(owner: Object, ordinal: int) -> list[Object]:
    """The claims for storage that belong to a number."""
    selected = part(owner, "spec", "selector", "matchLabels")
    made: list[Object] = []
    for template in _claim_templates(owner):
        meta = part(template, "metadata")
        name = f"{meta['name']}-{name_of(owner)}-{ordinal}"
        labels: Object = {**part(meta, "labels"), **selected}
        placed: Object = {"name": name, "namespace": namespace_of(owner), "labels": labels}
        if annotations := meta.get("annotations"):
            placed["annotations"] = annotations
        head: Object = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": placed}
        made.append(head | {"spec": template["spec"]})
    return made


def status_of(owner: Object, revisions: Templates, pods: Iterable[Object]) -> Object:
    """The status of a set with these pods."""
    current, update = name_of(revisions.current), name_of(revisions.update)
    members = list(pods)
    live = [labels_of(pod).get(_REVISION) for pod in members if not is_deleted(pod)]
    ready = sum(map(_runs, members))
    counts = {
        "readyReplicas": ready,
        "currentReplicas": live.count(current),
        "updatedReplicas": live.count(update),
    }
    wanted = part(owner, "spec").get("replicas", 1)
    rolls = part(owner, "spec", "updateStrategy").get("type") != "OnDelete"
    if rolls and counts["updatedReplicas"] == ready == len(members) == wanted:
        current, counts["currentReplicas"] = update, counts["updatedReplicas"]
    status: Object = {
        "observedGeneration": owner["metadata"].get("generation", 1),
        "replicas": len(members),
    }
    status |= {name: count for name, count in counts.items() if count}
    return status | {
        "currentRevision": current,
        "updateRevision": update,
        "collisionCount": part(owner, "status").get("collisionCount") or 0,
        "availableReplicas": ready,
    }
