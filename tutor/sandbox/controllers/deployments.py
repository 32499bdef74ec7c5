"""Deployments: a ReplicaSet for each template, rolled from one to the next.

Source: pkg/controller/deployment (names, revisions, conditions and their messages).
"""

from collections.abc import Hashable, Sequence
from math import ceil, floor

from tutor.sandbox.api.builtin.reading import part
from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.api.patch.merge import merge
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.controllers.claims import Claims
from tutor.sandbox.controllers.events import Recorder
from tutor.sandbox.controllers.resources import (
    DEPLOYMENTS,
    REPLICA_SETS,
    as_place,
    condition,
    is_deleted,
    is_true,
    owner_reference,
    place_of,
    template_hash,
    with_condition,
)
from tutor.sandbox.kinds import Object, annotations_of, name_of, namespace_of, thaw

REVISION = "deployment.kubernetes.io/revision"
_DESIRED = "deployment.kubernetes.io/desired-replicas"
_MAX = "deployment.kubernetes.io/max-replicas"
_HISTORY = "deployment.kubernetes.io/revision-history"
_HASH = "pod-template-hash"
_NOT_COPIED = (
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    _HISTORY,
    _DESIRED,
    _MAX,
    "deprecated.deployment.rollback.to",
)


def amount(value: object, total: int, *, up: bool) -> int:
    """An IntOrString of a total: percentages are rounded up or down."""
    if isinstance(value, str) and value.endswith("%"):
        part = int(value[:-1]) * total / 100
        return ceil(part) if up else floor(part)
    return int(str(value))


class Deployments:
    """Rolls deployments out."""

    name = "deployments"

    def __init__(self, client: Client) -> None:
        self._client = client
        self._events = Recorder(client, "deployment-controller")
        self._sets = Claims(client, DEPLOYMENTS, "Deployment", REPLICA_SETS)
        self.watches: Sequence[Watches] = (
            Watches(DEPLOYMENTS, lambda obj: [place_of(obj)]),
            self._sets.watch(),
        )

    async def reconcile(self, key: Hashable) -> Result:
        """Bring one Deployment a step on."""
        namespace, name = as_place(key)
        owner = self._client.find(DEPLOYMENTS, namespace, name)
        if owner is None:
            return DONE
        if is_deleted(owner):
            await self._report(owner, await self._sets.claim(owner), None)
            return DONE
        owned = await self._sets.claim(owner)
        new = self._matching(owner, owned)
        paused = owner["spec"].get("paused", False)
        if new is None and not paused:
            new = await self._make(owner, owned)
            owned = await self._sets.claim(owner)
        if new is not None:
            new = await self._number(owner, new, owned)
            owned = await self._sets.claim(owner)
            if paused:
                await self._scale_all(owner, owned)
            elif owner["spec"].get("strategy", {}).get("type") == "Recreate":
                await self._recreate(owner, new, owned)
            else:
                await self._roll(owner, new, owned)
            owner = self._client.find(DEPLOYMENTS, namespace, name) or owner
        await self._report(owner, await self._sets.claim(owner), new)
        await self._clean(owner, await self._sets.claim(owner), new)
        return DONE

    def _matching(self, owner: Object, owned: Sequence[Object]) -> Object | None:
        wanted = _template(owner)
        same = [rs for rs in owned if _template(rs) == wanted]
        return min(same, key=lambda rs: rs["metadata"]["creationTimestamp"], default=None)

    async def _make(self, owner: Object, owned: Sequence[Object]) -> Object | None:
        collisions = owner.get("status", {}).get("collisionCount", 0)
        digest = template_hash(_template(owner), collisions)
        template = thaw(owner["spec"]["template"])
        template.setdefault("metadata", {}).setdefault("labels", {})[_HASH] = digest
        selector = thaw(owner["spec"]["selector"])
        selector.setdefault("matchLabels", {})[_HASH] = digest
        replicas = self._first_size(owner, owned)
        meta = {
            "name": f"{name_of(owner)}-{digest}",
            "namespace": namespace_of(owner),
            "labels": template["metadata"]["labels"],
            "annotations": self._annotations(owner, str(_last_revision(owned) + 1)),
            "ownerReferences": [owner_reference(owner)],
        }
        spec = {"replicas": replicas, "selector": selector, "template": template}
        if owner["spec"].get("minReadySeconds"):
            spec["minReadySeconds"] = owner["spec"]["minReadySeconds"]
        try:
            made = await self._client.create(
                {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": meta, "spec": spec}
            )
        except ApiError as error:
            if error.reason == "AlreadyExists":
                await self._client.change(
                    DEPLOYMENTS,
                    *place_of(owner),
                    lambda obj: merge(obj, {"status": {"collisionCount": collisions + 1}}),
                    "status",
                )
            raise
        await self._progress(
            owner, "NewReplicaSetCreated", f'Created new replica set "{name_of(made)}"'
        )
        if replicas:
            await self._events.normal(
                owner, "ScalingReplicaSet", f"Scaled up replica set {name_of(made)} to {replicas}"
            )
        return made

    def _first_size(self, owner: Object, owned: Sequence[Object]) -> int:
        wanted = owner["spec"].get("replicas", 0)
        if owner["spec"].get("strategy", {}).get("type") == "Recreate":
            return 0 if any(_size(rs) or _live(rs) for rs in owned) else wanted
        room = wanted + self._surge(owner) - sum(_size(rs) for rs in owned)
        return max(min(room, wanted), 0)

    def _annotations(self, owner: Object, revision: str) -> dict[str, str]:
        wanted = owner["spec"].get("replicas", 0)
        copied = {k: v for k, v in annotations_of(owner).items() if k not in _NOT_COPIED}
        most = wanted + self._surge(owner)
        return copied | {_DESIRED: str(wanted), _MAX: str(most), REVISION: revision}

    def _surge(self, owner: Object) -> int:
        rolling = part(owner, "spec", "strategy", "rollingUpdate")
        if not rolling:
            return 0
        total = owner["spec"].get("replicas", 0)
        return amount(rolling.get("maxSurge", 0), total, up=True)

    def _unavailable(self, owner: Object) -> int:
        rolling = part(owner, "spec", "strategy", "rollingUpdate")
        total = owner["spec"].get("replicas", 0)
        most = amount(rolling.get("maxUnavailable", 0), total, up=False)
        return most if most or self._surge(owner) else 1

    async def _number(self, owner: Object, new: Object, owned: Sequence[Object]) -> Object:
        """Give the current ReplicaSet the highest revision, and the Deployment the same."""
        others = [rs for rs in owned if name_of(rs) != name_of(new)]
        current = annotations_of(new).get(REVISION, "0")
        highest = _last_revision(others)
        revision = current if int(current) > highest else str(highest + 1)
        wanted = self._annotations(owner, revision)
        if revision != current and int(current):
            history = annotations_of(new).get(_HISTORY)
            wanted[_HISTORY] = f"{history},{current}" if history else current
        old = annotations_of(new)
        if any(old.get(key) != value for key, value in wanted.items()):
            new = await self._client.patch(
                REPLICA_SETS, *place_of(new), {"metadata": {"annotations": wanted}}
            )
        if annotations_of(owner).get(REVISION) != revision:
            change = {"metadata": {"annotations": {REVISION: revision}}}
            # Written with the status, a revision does not count as a change of what is wanted.
            await self._client.change(
                DEPLOYMENTS, *place_of(owner), lambda obj: merge(obj, change), "status"
            )
        return new

    async def _roll(self, owner: Object, new: Object, owned: Sequence[Object]) -> None:
        wanted = owner["spec"].get("replicas", 0)
        old = [rs for rs in owned if name_of(rs) != name_of(new) and _size(rs)]
        if not old and _size(new) != wanted:
            await self._resize(owner, new, wanted)
            return
        total = sum(_size(rs) for rs in owned)
        room = wanted + self._surge(owner) - total
        if _size(new) < wanted and room > 0:
            await self._resize(owner, new, min(_size(new) + room, wanted))
            return
        if _size(new) > wanted:
            await self._resize(owner, new, wanted)
            return
        floor_ = wanted - self._unavailable(owner)
        unavailable_new = _size(new) - new.get("status", {}).get("availableReplicas", 0)
        spare = total - floor_ - unavailable_new
        for rs in sorted(old, key=lambda rs: rs["metadata"]["creationTimestamp"]):
            unready = _size(rs) - rs.get("status", {}).get("availableReplicas", 0)
            drop = min(_size(rs), max(spare, 0))
            drop = max(drop, min(unready, _size(rs), max(total - floor_, 0)))
            if drop > 0:
                await self._resize(owner, rs, _size(rs) - drop)
                spare -= drop

    async def _recreate(self, owner: Object, new: Object, owned: Sequence[Object]) -> None:
        old = [rs for rs in owned if name_of(rs) != name_of(new)]
        for rs in old:
            if _size(rs):
                await self._resize(owner, rs, 0)
        wanted = owner["spec"].get("replicas", 0)
        if not any(_live(rs) for rs in old) and _size(new) != wanted:
            await self._resize(owner, new, wanted)

    async def _scale_all(self, owner: Object, owned: Sequence[Object]) -> None:
        active = [rs for rs in owned if _size(rs)]
        if len(active) == 1 and _size(active[0]) != owner["spec"].get("replicas", 0):
            await self._resize(owner, active[0], owner["spec"].get("replicas", 0))

    async def _resize(self, owner: Object, rs: Object, size: int) -> None:
        before = _size(rs)
        wanted = owner["spec"].get("replicas", 0)
        annotations = {_DESIRED: str(wanted), _MAX: str(wanted + self._surge(owner))}
        change = {"metadata": {"annotations": annotations}, "spec": {"replicas": size}}
        await self._client.patch(REPLICA_SETS, *place_of(rs), change)
        direction = "up" if size > before else "down"
        await self._events.normal(
            owner,
            "ScalingReplicaSet",
            f"Scaled {direction} replica set {name_of(rs)} from {before} to {size}",
        )

    async def _progress(self, owner: Object, reason: str, message: str) -> None:
        now = timestamp(self._client.now())

        def write(obj: Object) -> Object:
            status = obj.setdefault("status", {})
            status["conditions"] = _progressing(
                status.get("conditions") or [], "True", reason, message, now
            )
            return obj

        await self._client.change(DEPLOYMENTS, *place_of(owner), write, "status")

    async def _report(self, owner: Object, owned: Sequence[Object], new: Object | None) -> None:
        new = next((rs for rs in owned if new and name_of(rs) == name_of(new)), None)
        now = timestamp(self._client.now())

        def write(obj: Object) -> Object:
            obj["status"] = self._status(obj, owned, new, now)
            return obj

        try:
            await self._client.change(DEPLOYMENTS, *place_of(owner), write, "status")
        except ApiError as error:
            if error.reason == "NotFound":
                return
            raise

    def _status(
        self, owner: Object, owned: Sequence[Object], new: Object | None, now: str
    ) -> Object:
        def total(field: str) -> int:
            return sum(rs.get("status", {}).get(field, 0) for rs in owned)

        wanted = owner["spec"].get("replicas", 0)
        replicas, available = total("replicas"), total("availableReplicas")
        updated = new.get("status", {}).get("replicas", 0) if new else 0
        counts = {
            "replicas": replicas,
            "updatedReplicas": updated,
            "readyReplicas": total("readyReplicas"),
            "availableReplicas": available,
            "unavailableReplicas": max(wanted - available, replicas - available, 0),
        }
        old = owner.get("status", {})
        status: Object = {"observedGeneration": owner["metadata"].get("generation", 1)}
        status |= {name: count for name, count in counts.items() if count}
        if old.get("collisionCount"):
            status["collisionCount"] = old["collisionCount"]
        conditions = self._available(old.get("conditions") or [], owner, available, now)
        if new is not None:
            complete = updated == wanted and replicas == wanted and available >= wanted
            conditions = self._rollout(conditions, old, counts, new, complete, now)
        failed = next(
            (c for rs in owned if (c := condition(rs, "ReplicaFailure")) is not None), None
        )
        conditions = [c for c in conditions if c["type"] != "ReplicaFailure"]
        if failed is not None:
            conditions = with_condition(
                conditions, "ReplicaFailure", "True", failed["reason"], failed["message"], now
            )
        status["conditions"] = conditions
        return status

    def _available(
        self, conditions: Sequence[Object], owner: Object, available: int, now: str
    ) -> list[Object]:
        least = owner["spec"].get("replicas", 0) - self._unavailable(owner)
        if available >= least:
            return _dated(
                conditions,
                "Available",
                "True",
                "MinimumReplicasAvailable",
                "Deployment has minimum availability.",
                now,
            )
        return _dated(
            conditions,
            "Available",
            "False",
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
            now,
        )

    def _rollout(
        self,
        conditions: list[Object],
        old: Object,
        counts: dict[str, int],
        new: Object,
        complete: bool,
        now: str,
    ) -> list[Object]:
        name = name_of(new)
        current = next((c for c in conditions if c["type"] == "Progressing"), None)
        if complete:
            if current and current.get("reason") == "NewReplicaSetAvailable":
                return conditions
            message = f'ReplicaSet "{name}" has successfully progressed.'
            return _progressing(conditions, "True", "NewReplicaSetAvailable", message, now)
        moved = any(
            counts[field] > old.get(field, 0)
            for field in ("updatedReplicas", "readyReplicas", "availableReplicas")
        )
        if moved:
            message = f'ReplicaSet "{name}" is progressing.'
            return _progressing(conditions, "True", "ReplicaSetUpdated", message, now)
        if current is None:
            message = f'Found new replica set "{name}"'
            return _progressing(conditions, "True", "FoundNewReplicaSet", message, now)
        return conditions

    async def _clean(self, owner: Object, owned: Sequence[Object], new: Object | None) -> None:
        if new is None or not is_true(owner, "Available"):
            return
        keep = owner["spec"].get("revisionHistoryLimit", 10)
        idle = [
            rs for rs in owned if name_of(rs) != name_of(new) and not _size(rs) and not _live(rs)
        ]
        idle.sort(key=lambda rs: int(annotations_of(rs).get(REVISION, "0")))
        for rs in idle[: max(len(idle) - keep, 0)]:
            await self._client.delete(REPLICA_SETS, *place_of(rs))


def _template(obj: Object) -> Object:
    template = thaw(obj["spec"]["template"])
    labels = template.get("metadata", {}).get("labels")
    if labels:
        labels.pop(_HASH, None)
    return template


def _size(rs: Object) -> int:
    return rs["spec"].get("replicas", 0)


def _live(rs: Object) -> int:
    return rs.get("status", {}).get("replicas", 0)


def _last_revision(owned: Sequence[Object]) -> int:
    return max((int(annotations_of(rs).get(REVISION, "0")) for rs in owned), default=0)


def _progressing(
    conditions: Sequence[Object], status: str, reason: str, message: str, now: str
) -> list[Object]:
    return _dated(conditions, "Progressing", status, reason, message, now)


def _dated(
    conditions: Sequence[Object], kind: str, status: str, reason: str, message: str, now: str
) -> list[Object]:
    old = next((c for c in conditions if c["type"] == kind), None)
    if old and (old["status"], old.get("reason")) == (status, reason):
        return list(conditions)
    dated = with_condition(conditions, kind, status, reason, message, now)
    return [c | {"lastUpdateTime": now} if c["type"] == kind else c for c in dated]
