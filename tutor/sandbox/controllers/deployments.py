"""Deployments: a ReplicaSet for each template, rolled from one to the next.

Source: pkg/controller/deployment (names, revisions, events and the order of the steps).
"""

from collections.abc import Hashable, Iterable, Sequence

from tutor.sandbox.api.patch.merge import merge
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.controllers import deployment_status
from tutor.sandbox.controllers.claims import Claims
from tutor.sandbox.controllers.events import Recorder
from tutor.sandbox.controllers.resources import (
    DEPLOYMENTS,
    REPLICA_SETS,
    as_place,
    condition,
    is_deleted,
    owner_reference,
    place_of,
    template_hash,
)
from tutor.sandbox.controllers.rollouts import (
    DESIRED,
    MOST,
    Sizes,
    counted,
    grown,
    is_rolling,
    is_scaling,
    scaled,
    shrunk,
    size,
    surge,
    total,
    wanted_of,
)
from tutor.sandbox.kinds import Object, annotations_of, name_of, namespace_of, thaw

REVISION = "deployment.kubernetes.io/revision"
_HISTORY = "deployment.kubernetes.io/revision-history"
_HASH = "pod-template-hash"
_NOT_COPIED = (
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    _HISTORY,
    DESIRED,
    MOST,
    "deprecated.deployment.rollback.to",
)
_MOST_HISTORY = 2_000
_CREATE_ERROR = "ReplicaSetCreateError"


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
        try:
            return await self._step(owner)
        except ApiError as error:
            if error.reason == "NotFound":
                return DONE
            raise

    async def _step(self, owner: Object) -> Result:
        sets = await self._sets.claim(owner)
        if is_deleted(owner):
            return await self._report(owner, sets, rollout=False)
        noted = deployment_status.pause(owner, self._client.now())
        if noted is not None:
            owner = await self._write_status(owner, noted)
        new = _matching(owner, sets)
        if new is not None:
            owner = await self._number(owner, new, sets)
            sets = await self._sets.claim(owner)
        if owner["spec"].get("paused") or is_scaling(owner, sets):
            return await self._scale(owner, sets)
        if is_rolling(owner):
            return await self._roll(owner, sets)
        return await self._recreate(owner, sets)

    async def _scale(self, owner: Object, sets: list[Object]) -> Result:
        new, old = _split(owner, sets)
        await self._resize(owner, sets, scaled(owner, old, new))
        if owner["spec"].get("paused"):
            await self._clean(owner, old)
        return await self._report(owner, await self._sets.claim(owner), rollout=False)

    async def _roll(self, owner: Object, sets: list[Object]) -> Result:
        new, old = _split(owner, sets)
        is_new = new is None
        if new is None:
            made = await self._make(owner, sets)
            if made is None:
                return Result(failed=True)
            owner, new = made
        sets = [*old, new]
        sizes = {name_of(new): grown(owner, sets, size(new))}
        if sizes[name_of(new)] == size(new):
            sizes = shrunk(owner, old, new)
        changed = await self._resize(owner, sets, sizes)
        if not changed and deployment_status.is_complete(owner, owner.get("status", {})):
            await self._clean(owner, old)
        # That nothing is updated yet has to be said before something is: that is the progress.
        return await self._report(owner, sets if is_new else await self._sets.claim(owner))

    async def _recreate(self, owner: Object, sets: list[Object]) -> Result:
        new, old = _split(owner, sets)
        if await self._resize(owner, old, {name_of(rs): 0 for rs in old}):
            return await self._report(owner, await self._sets.claim(owner))
        if total(old, "replicas") or total(old, "terminatingReplicas"):
            return await self._report(owner, sets)
        is_new = new is None
        if new is None:
            made = await self._make(owner, sets)
            if made is None:
                return Result(failed=True)
            owner, new = made
        await self._resize(owner, [new], {name_of(new): wanted_of(owner)})
        if deployment_status.is_complete(owner, owner.get("status", {})):
            await self._clean(owner, old)
        sets = [*old, new] if is_new else await self._sets.claim(owner)
        return await self._report(owner, sets)

    async def _make(self, owner: Object, sets: Sequence[Object]) -> tuple[Object, Object] | None:
        """The Deployment and its new ReplicaSet; None when it could not be made."""
        wanted = self._new_set(owner, sets)
        name = name_of(wanted)
        try:
            made = await self._client.create(wanted)
        except ApiError as error:
            if error.reason == "AlreadyExists":
                await self._note_collision(owner)
                return None
            message = f'Failed to create new replica set "{name}": {error.message}'
            await self._progress(owner, "False", _CREATE_ERROR, message)
            await self._events.warning(owner, _CREATE_ERROR, message)
            return None
        if size(made):
            text = f"Scaled up replica set {name} from 0 to {size(made)}"
            await self._events.normal(owner, "ScalingReplicaSet", text)
        owner = await self._revise(owner, annotations_of(made)[REVISION])
        text = f'Created new replica set "{name}"'
        return await self._progress(owner, "True", "NewReplicaSetCreated", text), made

    def _new_set(self, owner: Object, sets: Sequence[Object]) -> Object:
        collisions = owner.get("status", {}).get("collisionCount", 0)
        digest = template_hash(_template(owner), collisions)
        template = thaw(owner["spec"]["template"])
        template.setdefault("metadata", {}).setdefault("labels", {})[_HASH] = digest
        selector = thaw(owner["spec"]["selector"])
        selector.setdefault("matchLabels", {})[_HASH] = digest
        meta = {
            "name": f"{name_of(owner)}-{digest}",
            "namespace": namespace_of(owner),
            "labels": template["metadata"]["labels"],
            "annotations": {
                **_copied(owner),
                **_sized(owner),
                REVISION: str(_last_revision(sets) + 1),
            },
            "ownerReferences": [owner_reference(owner)],
        }
        spec = {"replicas": grown(owner, sets, 0), "selector": selector, "template": template}
        if owner["spec"].get("minReadySeconds"):
            spec["minReadySeconds"] = owner["spec"]["minReadySeconds"]
        return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": meta, "spec": spec}

    async def _note_collision(self, owner: Object) -> None:
        status: Object = owner.get("status", {})
        count = status.get("collisionCount", 0) + 1
        await self._write_status(owner, status | {"collisionCount": count})

    async def _number(self, owner: Object, new: Object, sets: Sequence[Object]) -> Object:
        """Give the current ReplicaSet the highest revision, and the Deployment the same."""
        old = annotations_of(new)
        current = old.get(REVISION, "0")
        highest = _last_revision(rs for rs in sets if name_of(rs) != name_of(new))
        wanted = _copied(owner)
        if int(current) <= highest:
            wanted[REVISION] = str(highest + 1)
            if REVISION in old:
                wanted[_HISTORY] = _lengthened(old.get(_HISTORY, ""), current)
        change: Object = {}
        if any(old.get(name) != value for name, value in wanted.items()):
            change["metadata"] = {"annotations": wanted}
        seconds = owner["spec"].get("minReadySeconds", 0)
        if new["spec"].get("minReadySeconds", 0) != seconds:
            change["spec"] = {"minReadySeconds": seconds}
        if change:
            new = await self._client.change(
                REPLICA_SETS, *place_of(new), lambda obj: merge(obj, change)
            )
        owner = await self._revise(owner, annotations_of(new)[REVISION])
        if condition(owner, deployment_status.PROGRESSING) is None:
            text = f'Found new replica set "{name_of(new)}"'
            owner = await self._progress(owner, "True", "FoundNewReplicaSet", text)
        return owner

    async def _revise(self, owner: Object, revision: str) -> Object:
        if annotations_of(owner).get(REVISION) == revision:
            return owner
        change = {"metadata": {"annotations": {REVISION: revision}}}
        # Written with the status, a revision does not count as a change of what is wanted.
        return await self._client.change(
            DEPLOYMENTS, *place_of(owner), lambda obj: merge(obj, change), "status"
        )

    async def _resize(self, owner: Object, sets: Iterable[Object], sizes: Sizes) -> bool:
        """Write sizes where they differ, or were meant for another size of the Deployment."""
        changed = False
        noted = _sized(owner)
        for rs in sets:
            before, after = size(rs), sizes.get(name_of(rs), size(rs))
            stale = name_of(rs) in sizes and not noted.items() <= annotations_of(rs).items()
            if before == after and not (stale and before):
                continue
            change = {"metadata": {"annotations": noted}, "spec": {"replicas": after}}
            await self._client.change(
                REPLICA_SETS, *place_of(rs), lambda obj, change=change: merge(obj, change)
            )
            if before != after:
                changed = True
                direction = "up" if after > before else "down"
                text = f"Scaled {direction} replica set {name_of(rs)} from {before} to {after}"
                await self._events.normal(owner, "ScalingReplicaSet", text)
        return changed

    async def _progress(self, owner: Object, status: str, reason: str, message: str) -> Object:
        now = self._client.now()
        wanted = deployment_status.with_progress(owner, status, reason, message, now)
        return await self._write_status(owner, wanted)

    async def _write_status(self, owner: Object, status: Object) -> Object:
        if status == owner.get("status", {}):
            return owner
        return await self._client.change(
            DEPLOYMENTS, *place_of(owner), lambda obj: obj | {"status": status}, "status"
        )

    async def _report(
        self, owner: Object, sets: Sequence[Object], *, rollout: bool = True
    ) -> Result:
        new, now = _matching(owner, sets), self._client.now()
        made = deployment_status.rollout_of if rollout else deployment_status.counts_of
        status = made(owner, sets, new, now)
        await self._write_status(owner, status)
        due = deployment_status.stuck_at(owner, status)
        return DONE if due is None else Result(again_s=max((due - now).total_seconds(), 1))

    async def _clean(self, owner: Object, old: Sequence[Object]) -> None:
        keep = owner["spec"].get("revisionHistoryLimit", 10)
        alive = sorted((rs for rs in old if not is_deleted(rs)), key=_revision)
        for rs in alive[: max(len(alive) - keep, 0)]:
            if not size(rs) and not counted(rs, "replicas"):
                await self._client.delete(REPLICA_SETS, *place_of(rs))


def _matching(owner: Object, sets: Sequence[Object]) -> Object | None:
    wanted = _template(owner)
    same = [rs for rs in sets if _template(rs) == wanted]
    return min(
        same, key=lambda rs: (rs["metadata"]["creationTimestamp"], name_of(rs)), default=None
    )


def _split(owner: Object, sets: Sequence[Object]) -> tuple[Object | None, list[Object]]:
    """The current ReplicaSet and all others."""
    new = _matching(owner, sets)
    return new, [rs for rs in sets if rs is not new]


def _template(obj: Object) -> Object:
    template = thaw(obj["spec"]["template"])
    labels = template.get("metadata", {}).get("labels")
    if labels:
        labels.pop(_HASH, None)
    return template


def _copied(owner: Object) -> dict[str, str]:
    return {k: v for k, v in annotations_of(owner).items() if k not in _NOT_COPIED}


def _sized(owner: Object) -> dict[str, str]:
    wanted = wanted_of(owner)
    return {DESIRED: str(wanted), MOST: str(wanted + surge(owner))}


def _lengthened(history: str, revision: str) -> str:
    revisions = [*(history.split(",") if history else ()), revision]
    while len(",".join(revisions)) > _MOST_HISTORY:
        del revisions[0]
    return ",".join(revisions)


def _revision(rs: Object) -> int:
    text = annotations_of(rs).get(REVISION, "0")
    return int(text) if text.isdecimal() else 0


def _last_revision(sets: Iterable[Object]) -> int:
    return max(map(_revision, sets), default=0)
