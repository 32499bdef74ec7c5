"""The history of a workload's template: ControllerRevisions, the newest of which is wanted.

Source: pkg/controller/history, getStatefulSetRevisions of pkg/controller/statefulset.
"""

from collections.abc import Collection
from typing import NamedTuple

from tutor.sandbox.api.builtin.reading import part
from tutor.sandbox.client import Client
from tutor.sandbox.controllers.claims import Claims
from tutor.sandbox.controllers.resources import (
    CONTROLLER_REVISIONS,
    owner_reference,
    place_of,
    template_hash,
)
from tutor.sandbox.kinds import GroupResource, Object, labels_of, name_of, namespace_of

HASH_LABEL = "controller.kubernetes.io/hash"
_REPLACES = {"$patch": "replace"}
_LONGEST_PREFIX = 223


class Templates(NamedTuple):
    """The revision that a workload had, and the one that it is to have; often the same."""

    current: Object
    update: Object


def template_of(revision: Object) -> Object:
    """The pod template of a revision."""
    template: Object = revision["data"]["spec"]["template"]
    return {key: value for key, value in template.items() if key != "$patch"}


class Revisions:
    """Keeps the revisions of the workloads of one kind."""

    def __init__(self, client: Client, owners: GroupResource, kind: str) -> None:
        self._client = client
        self._claims = Claims(client, owners, kind, CONTROLLER_REVISIONS)

    async def of(self, owner: Object, current: str = "") -> Templates:
        """The revisions of an owner, the newest made if there is none yet.

        `current` is the name of the one that its status calls so.
        """
        known = await self._claims.claim(owner)
        known.sort(key=lambda revision: (revision.get("revision", 0), name_of(revision)))
        collisions = owner.get("status", {}).get("collisionCount") or 0
        digest = template_hash(owner["spec"]["template"], collisions)
        update = next((one for one in known if labels_of(one).get(HASH_LABEL) == digest), None)
        newest = known[-1].get("revision", 0) if known else 0
        if update is None:
            update = await self._client.create(_revision(owner, digest, newest + 1))
        elif update.get("revision", 0) < newest:
            change = {"revision": newest + 1}
            update = await self._client.patch(CONTROLLER_REVISIONS, *place_of(update), change)
        found = next((one for one in known if name_of(one) == current), None)
        return Templates(found or update, update)

    async def truncate(self, owner: Object, used: Collection[str]) -> None:
        """Delete the oldest beyond the limit; those whose names are used stay."""
        known = await self._claims.claim(owner)
        idle = [one for one in known if name_of(one) not in used]
        idle.sort(key=lambda revision: revision.get("revision", 0))
        limit = owner["spec"].get("revisionHistoryLimit", 10)
        for revision in idle[: max(len(idle) - limit, 0)]:
            await self._client.delete(CONTROLLER_REVISIONS, *place_of(revision))


def _revision(owner: Object, digest: str, number: int) -> Object:
    template: Object = owner["spec"]["template"]
    labels = part(template, "metadata", "labels") | {HASH_LABEL: digest}
    meta: Object = {
        "name": f"{name_of(owner)[:_LONGEST_PREFIX]}-{digest}",
        "namespace": namespace_of(owner),
        "labels": labels,
        "ownerReferences": [owner_reference(owner)],
    }
    if annotations := owner["metadata"].get("annotations"):
        meta["annotations"] = annotations
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": meta,
        "data": {"spec": {"template": {**template, **_REPLACES}}},
        "revision": number,
    }
