"""Which dependents belong to an owner: those it controls, and orphans that it selects.

An owner adopts what its selector matches and nobody controls, and lets go of what it controls and
no longer selects. Source: pkg/controller/controller_ref_manager.go.
"""

from collections.abc import Callable, Sequence

from tutor.sandbox.api.selectors import label_selector
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import Watches
from tutor.sandbox.controllers.resources import (
    Place,
    is_deleted,
    owner_of,
    owner_reference,
    place_of,
)
from tutor.sandbox.kinds import GroupResource, Object, namespace_of

Usable = Callable[[Object], bool]
Selects = Callable[[Object, Object], bool]
"""(owner, dependent) -> whether the owner's selector matches."""


def by_label_selector(owner: Object, dependent: Object) -> bool:
    """Whether `spec.selector`, a LabelSelector, matches."""
    selector = owner["spec"].get("selector")
    return selector is not None and label_selector(selector)(dependent)


class Claims:
    """Adopts and releases the dependents of one kind of owner."""

    def __init__(
        self,
        client: Client,
        owners: GroupResource,
        kind: str,
        dependents: GroupResource,
        selects: Selects = by_label_selector,
    ) -> None:
        self._client = client
        self._owners = owners
        self._kind = kind
        self._dependents = dependents
        self._selects = selects

    def watch(self) -> Watches:
        """Dependents wake the owner that controls them; orphans all that select them."""
        return Watches(self._dependents, self._concerned)

    def _concerned(self, dependent: Object) -> list[Place]:
        ref = owner_of(dependent)
        if ref is not None:
            same = ref["kind"] == self._kind
            return [(namespace_of(dependent), ref["name"])] if same else []
        owners = self._client.list(self._owners, namespace_of(dependent))
        return [place_of(owner) for owner in owners if self._selects(owner, dependent)]

    async def claim(self, owner: Object, usable: Usable = lambda _obj: True) -> list[Object]:
        """The usable dependents of an owner, after adoptions and releases."""
        found: Sequence[Object] = self._client.list(self._dependents, namespace_of(owner))
        claimed = [await self._claim(owner, obj) for obj in found if usable(obj)]
        return [obj for obj in claimed if obj is not None]

    async def _claim(self, owner: Object, obj: Object) -> Object | None:
        ref, selected = owner_of(obj), self._selects(owner, obj)
        if ref is not None:
            if ref["uid"] != owner["metadata"]["uid"]:
                return None
            if selected:
                return obj
            if not is_deleted(owner):
                left = [r for r in _references(obj) if r["uid"] != ref["uid"]]
                await self._write(obj, left)
            return None
        if not selected or is_deleted(owner) or is_deleted(obj):
            return None
        return await self._write(obj, [*_references(obj), owner_reference(owner)])

    async def _write(self, obj: Object, references: Sequence[Object]) -> Object | None:
        """Patch the owners of an object as it was seen: controllers have no right to update."""
        meta: Object = {name: obj["metadata"][name] for name in ("uid", "resourceVersion")}
        change: Object = {"metadata": meta | {"ownerReferences": references or None}}
        try:
            return await self._client.patch(self._dependents, *place_of(obj), change)
        except ApiError as error:
            if error.reason in ("NotFound", "Conflict", "Invalid"):
                return None
            raise


def _references(obj: Object) -> list[Object]:
    return list(obj["metadata"].get("ownerReferences") or ())
