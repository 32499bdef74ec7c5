"""Garbage collection: what becomes of objects when their owners go.

Source: pkg/controller/garbagecollector (background, foreground, orphan), Kubernetes concepts
"Garbage Collection".
"""

from collections.abc import Callable, Hashable, Iterator, Sequence

from tutor.sandbox.api.builtin.reading import items
from tutor.sandbox.api.deletion import FOREGROUND, ORPHAN, DeleteOptions
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.controllers.events import Recorder
from tutor.sandbox.controllers.owners import Owners
from tutor.sandbox.controllers.resources import NAMESPACES, is_deleted
from tutor.sandbox.kinds import GroupResource, Key, Kind, Object, name_of, namespace_of

Collections = Callable[[], Sequence[GroupResource]]
KindOf = Callable[[str, str], Kind | None]
"""By apiVersion and kind; None for what is not served."""


class GarbageCollector:
    """Follows owner references. It is told of every write in the cluster."""

    name = "garbage-collector"
    watches: Sequence[Watches] = ()

    def __init__(self, client: Client, collections: Collections, kind_of: KindOf) -> None:
        self._client = client
        self._collections = collections
        self._kind_of = kind_of
        self._events = Recorder(client, "garbage-collector-controller")
        self.owners = Owners()

    def see(self, key: Key, obj: Object | None) -> list[Hashable]:
        """Note an object (None when it is gone); the keys to look at now."""
        waiting = self.owners.see(key, obj)
        if obj is None or self.owners.names_any(key):
            return [key, *waiting]
        waits = {ORPHAN, FOREGROUND} & set(obj["metadata"].get("finalizers") or ())
        return [key, *waiting] if waits and is_deleted(obj) else [*waiting]

    def orphaned(self, uid: str) -> list[Key]:
        """Note that an owner is gone; its dependents."""
        return self.owners.go(uid)

    async def reconcile(self, key: Hashable) -> Result:
        """Look at one object: are its owners there, and does it wait for its dependents?"""
        assert isinstance(key, Key)  # noqa: S101 - narrows the type; `see` makes only such keys
        obj = self._client.find(key.group_resource, key.namespace, key.name)
        if obj is None:
            return DONE
        if is_deleted(obj):
            return await self._finish(key, obj)
        references: Sequence[Object] = obj["metadata"].get("ownerReferences") or ()
        if not references:
            return DONE
        for ref in references:
            await self._tell_of_other_namespace(key, ref, obj)
        alive = [ref for ref in references if not self._is_gone(ref, obj)]
        waiting = [ref for ref in alive if self._is_waiting(ref, obj)]
        if len(alive) == len(references) and not (waiting and len(waiting) == len(alive)):
            return DONE
        if alive and len(waiting) != len(alive):
            await self._keep_only(key, [ref for ref in alive if ref not in waiting])
            return DONE
        policy = "Foreground" if waiting else "Background"
        await self._delete(key, obj, policy)
        return DONE

    def _is_gone(self, ref: Object, obj: Object) -> bool:
        """Whether an owner is known not to be there; nobody knows that of kinds without a path."""
        if ref["uid"] in self.owners.gone:
            return True
        if not self._can_be_found(ref, obj):
            return False
        return self._owner(ref, obj) is None

    async def _tell_of_other_namespace(self, key: Key, ref: Object, obj: Object) -> None:
        """Warn of an owner that exists where the reference cannot mean it."""
        kind, namespace = self._kind_of(ref["apiVersion"], ref["kind"]), namespace_of(obj)
        told = self.owners.told.get(key, ())
        if (
            kind is None
            or not kind.namespaced
            or ref["uid"] in self.owners.gone
            or ref["uid"] in told
        ):
            return
        if self._owner(ref, obj) is not None or not self._is_elsewhere(ref, kind):
            return
        self.owners.told.setdefault(key, set()).add(ref["uid"])
        meant = f"[{ref['apiVersion']}/{ref['kind']}, namespace: {namespace}, name: {ref['name']}"
        text = f'ownerRef {meant}, uid: {ref["uid"]}] does not exist in namespace "{namespace}"'
        await self._events.warning(obj, "OwnerRefInvalidNamespace", text)

    def _is_elsewhere(self, ref: Object, kind: Kind) -> bool:
        """Whether a namespace has the owner. Each is asked by name: collections may be large."""
        names = [name_of(namespace) for namespace in self._client.list(NAMESPACES)]
        found = (self._client.find(kind.group_resource, name, ref["name"]) for name in names)
        return any(owner and owner["metadata"]["uid"] == ref["uid"] for owner in found)

    def _can_be_found(self, ref: Object, obj: Object) -> bool:
        kind = self._kind_of(ref["apiVersion"], ref["kind"])
        return kind is not None and (bool(namespace_of(obj)) or not kind.namespaced)

    def _owner(self, ref: Object, obj: Object) -> Object | None:
        kind = self._kind_of(ref["apiVersion"], ref["kind"])
        if kind is None:
            return None
        namespace = namespace_of(obj) if kind.namespaced else ""
        found = self._client.find(kind.group_resource, namespace, ref["name"])
        return found if found and found["metadata"]["uid"] == ref["uid"] else None

    def _is_waiting(self, ref: Object, obj: Object) -> bool:
        owner = self._owner(ref, obj)
        if owner is None or not is_deleted(owner):
            return False
        return FOREGROUND in (owner["metadata"].get("finalizers") or ())

    async def _finish(self, key: Key, obj: Object) -> Result:
        finalizers = items(obj, "metadata", "finalizers")
        uid = obj["metadata"]["uid"]
        if ORPHAN in finalizers:
            for dependent in self._live(uid):
                await self._forget_owner(dependent, uid)
            await self._drop_finalizer(key, ORPHAN)
            return DONE
        if FOREGROUND not in finalizers:
            return DONE
        blocking = list(self._blocking(uid))
        for dependent, found in blocking:
            if not is_deleted(found):
                await self._delete(dependent, found, "Foreground")
        if list(self._blocking(uid)):
            if self._client.find(key.group_resource, key.namespace, key.name) is not None:
                self.owners.waiting[uid] = key
            return DONE
        self.owners.waiting.pop(uid, None)
        await self._drop_finalizer(key, FOREGROUND)
        return DONE

    def _live(self, uid: str) -> list[Key]:
        return [
            key
            for key in self.owners.of(uid)
            if self._client.find(key.group_resource, key.namespace, key.name) is not None
        ]

    def _blocking(self, uid: str) -> Iterator[tuple[Key, Object]]:
        for key in self._live(uid):
            found = self._client.find(key.group_resource, key.namespace, key.name)
            refs = (found or {}).get("metadata", {}).get("ownerReferences") or ()
            if found and any(r["uid"] == uid and r.get("blockOwnerDeletion") for r in refs):
                yield key, found

    async def _keep_only(self, key: Key, references: Sequence[Object]) -> None:
        def write(obj: Object) -> Object:
            obj["metadata"]["ownerReferences"] = list(references)
            return obj

        await self._client.change(key.group_resource, key.namespace, key.name, write)

    async def _forget_owner(self, key: Key, uid: str) -> None:
        def write(obj: Object) -> Object:
            meta = obj["metadata"]
            left = [ref for ref in meta.get("ownerReferences") or () if ref["uid"] != uid]
            if left:
                meta["ownerReferences"] = left
            else:
                meta.pop("ownerReferences", None)
            return obj

        await self._client.change(key.group_resource, key.namespace, key.name, write)

    async def _drop_finalizer(self, key: Key, finalizer: str) -> None:
        def write(obj: Object) -> Object:
            meta = obj["metadata"]
            left = [name for name in meta.get("finalizers") or () if name != finalizer]
            if left:
                meta["finalizers"] = left
            else:
                meta.pop("finalizers", None)
            return obj

        await self._client.change(key.group_resource, key.namespace, key.name, write)

    async def _delete(self, key: Key, obj: Object, policy: str) -> None:
        options = DeleteOptions(policy=policy, uid=obj["metadata"]["uid"])
        try:
            await self._client.delete(key.group_resource, key.namespace, key.name, options)
        except ApiError as error:
            if error.reason not in ("NotFound", "Conflict"):
                raise


def key_of(resource: GroupResource, obj: Object) -> Key:
    """The key of an object of a collection."""
    return Key(resource.group, resource.resource, namespace_of(obj), name_of(obj))
