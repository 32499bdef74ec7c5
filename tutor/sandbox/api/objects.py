"""Operations on stored objects, whoever asks: the generic registry of the API server.

Every write takes the same road: decode, default, mutate by admission, prepare, validate, admit,
store, wait until durable. Between the last look at the store and the write to it nothing awaits, so
that a write is atomic.

Source: apiserver's endpoints/handlers and registry/generic/registry/store.go, for the order of the
steps.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tutor.sandbox.api import claims, deletion
from tutor.sandbox.api.deletion import DeleteOptions, timestamp
from tutor.sandbox.api.ports import Ports
from tutor.sandbox.api.registry import Served
from tutor.sandbox.api.request import Call
from tutor.sandbox.api.status import (
    ApiError,
    FieldError,
    already_exists,
    bad_request,
    conflict,
    invalid_object,
    not_found,
)
from tutor.sandbox.kinds import Key, Object, name_of, thaw
from tutor.sandbox.store import Event, Store

GENERATED_SUFFIX = 5
_MAX_GENERATED_BASE = 58
_CREATE_ATTEMPTS = 8
_CONFLICT_ATTEMPTS = 5

Change = Callable[[Object], Object]
"""From the current object (a copy, in the request's version) to the wanted one, decoded."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an operation left: the object in the request's version, and its JSON."""

    object: Object
    data: bytes
    created: bool = False
    gone: bool = False
    """True when a deletion removed it."""


def complain(call: Call, kind: str, version: str, unknown: Sequence[str]) -> None:
    """Tell of fields that a body should not have; raises ApiError (400) where that is wanted."""
    if unknown and call.validation == "Strict":
        raise bad_request(
            f'{kind} in version "{version}" cannot be handled as a {kind}: '
            f"strict decoding error: {', '.join(unknown)}"
        )
    if unknown and call.validation == "Warn":
        call.warn(unknown)


class Admission(Protocol):
    """The plugins and webhooks between a request and the store."""

    async def mutate(
        self, call: Call, served: Served, operation: str, new: Object, old: Object | None
    ) -> Object:
        """The object as admission wants it."""
        ...

    async def validate(
        self, call: Call, served: Served, operation: str, new: Object | None, old: Object | None
    ) -> None:
        """Raise ApiError when the operation is refused."""
        ...


class Tracker(Protocol):
    """Keeps `metadata.managedFields`."""

    def track(self, call: Call, served: Served, new: Object, old: Object | None) -> None:
        """Record on `new` which fields the caller's manager set."""
        ...

    def apply(self, call: Call, served: Served, config: Object, live: Object | None) -> Object:
        """The object with a configuration merged in and tracked, decoded; raises ApiError."""
        ...

    def after_admission(self, call: Call, new: Object, before: list[Object] | None) -> None:
        """Put the managed fields back as they were before admission when it broke them."""
        ...


class Allocator(Protocol):
    """Hands out what is unique in a cluster: Service addresses and node ports."""

    def allocate(
        self, served: Served, new: Object, old: Object | None, *, dry_run: bool = False
    ) -> None:
        """Fill in what was left to the cluster; raises ApiError when it is taken."""
        ...


class Objects:
    """Create, update and delete objects in the store."""

    def __init__(
        self,
        store: Store,
        ports: Ports,
        admission: Admission,
        tracker: Tracker,
        allocator: Allocator,
    ) -> None:
        self.store = store
        self._ports = ports
        self._admission = admission
        self._tracker = tracker
        self._allocator = allocator

    def get(self, served: Served, namespace: str, name: str) -> Outcome:
        """One object; raises 404."""
        kind = served.kind
        stored = self.store.get(kind.key(namespace, name))
        if stored is None:
            raise not_found(kind.group_resource, name)
        return self.shown(served, stored.object, stored.data)

    def shown(self, served: Served, stored: Object, data: bytes) -> Outcome:
        """A stored object in the version that was asked for."""
        read = served.strategy.from_storage(stored)
        return Outcome(read, data if read is stored else served.strategy.encode(read))

    def _imagined(self, served: Served, obj: Object, *, created: bool = False) -> Outcome:
        """What an operation would leave if it were not only tried."""
        strategy = served.strategy
        read = strategy.from_storage(strategy.to_storage(obj))
        return Outcome(read, strategy.encode(read), created=created)

    async def create(self, call: Call, served: Served, namespace: str, value: Object) -> Outcome:
        """Store a new object. `value` is JSON as the caller sent it."""
        obj = self.decode(call, served, value)
        self.place(served, obj, namespace)
        return await self.create_decoded(call, served, namespace, obj)

    async def create_decoded(
        self, call: Call, served: Served, namespace: str, obj: Object, *, tracked: bool = False
    ) -> Outcome:
        """Store a new object that was decoded already. `tracked` says its fields are, too."""
        strategy = served.strategy
        meta = obj["metadata"]
        claims.dedup_owners(call, obj)
        if call.verb == "create" and not call.dry_run:
            claims.check_new(meta)
        strategy.default(obj)
        self._fill(meta)
        generated = not meta.get("name") and bool(meta.get("generateName"))
        if generated:
            meta["name"] = self._generated(meta["generateName"])
        if not tracked:
            self._tracker.track(call, served, obj, None)
        obj = await self._mutated(call, served, obj, None)
        claims.dedup_owners(call, obj, after_admission=True)
        strategy.prepare_create(obj)
        self._allocator.allocate(served, obj, None, dry_run=call.dry_run)
        self._refuse(served, obj, strategy.validate(obj))
        call.warn(strategy.warnings(obj, None, call.subresource))
        await self._admission.validate(call, served, "CREATE", obj, None)
        obj = strategy.normalise(obj)
        key = self._free_key(served, namespace, obj, generated)
        if call.dry_run:
            return self._imagined(served, obj, created=True)
        return await self._stored(served, key, obj, created=True)

    def note(self, call: Call, served: Served, obj: Object) -> None:
        """Record who set which field of an object that is answered and never stored."""
        self._tracker.track(call, served, obj, None)

    async def update(
        self,
        call: Call,
        served: Served,
        namespace: str,
        name: str,
        change: Change,
        *,
        create: Callable[[], Object] | None = None,
        retry: bool = False,
        tracked: bool = False,
    ) -> Outcome:
        """Change an object. `create` makes it where the operation may; `retry` on conflicts.

        `tracked` says that what `change` and `create` return has its managed fields.
        """
        for attempt in range(_CONFLICT_ATTEMPTS):
            try:
                place = (namespace, name)
                return await self._update_once(call, served, place, change, create, tracked)
            except ApiError as error:
                lost_race = error.code == 409 and error.reason == "Conflict"
                if not (retry and lost_race) or attempt == _CONFLICT_ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    async def apply(
        self,
        call: Call,
        served: Served,
        namespace: str,
        name: str,
        config: Object,
        *,
        before_create: Callable[[], None] | None = None,
    ) -> Outcome:
        """Apply a configuration: merge it into an object.

        With `before_create`, which raises ApiError when the caller may not, it makes one where
        there is none.
        """

        def make() -> Object:
            if before_create is None:
                raise not_found(served.kind.group_resource, name)
            before_create()
            made = self._tracker.apply(call, served, config, None)
            _check_made(served, made, name)
            return made

        return await self.update(
            call,
            served,
            namespace,
            name,
            lambda old: self._tracker.apply(call, served, config, old),
            create=make,
            retry=True,
            tracked=True,
        )

    async def _update_once(
        self,
        call: Call,
        served: Served,
        place: tuple[str, str],
        change: Change,
        create: Callable[[], Object] | None,
        tracked: bool,
    ) -> Outcome:
        namespace, name = place
        kind, strategy = served.kind, served.strategy
        key = kind.key(namespace, name)
        current = self.store.get(key)
        if current is None:
            if create is None:
                raise not_found(kind.group_resource, name)
            made = create()
            claims.check_made_by_update(kind, namespace, made)
            self.place(served, made, namespace)
            return await self.create_decoded(call, served, namespace, made, tracked=tracked)
        old = strategy.from_storage(current.object)
        new = change(thaw(old))
        if call.verb == "update":
            claims.dedup_owners(call, new)
        self._same_object(call, served, new, old, name)
        self.place(served, new, namespace)
        strategy.default(new)
        if not tracked:
            self._tracker.track(call, served, new, old)
        new = await self._mutated(call, served, new, old)
        claims.dedup_owners(call, new, after_admission=True)
        self._keep_system_fields(new, old)
        strategy.prepare_update(new, old, call.subresource)
        self._allocator.allocate(served, new, old, dry_run=call.dry_run)
        self._refuse(served, new, strategy.validate_update(new, old, call.subresource))
        call.warn(strategy.warnings(new, old, call.subresource))
        await self._admission.validate(call, served, "UPDATE", new, old)
        new = strategy.normalise(new)
        latest = self.store.get(key)
        if latest is None or latest.revision != current.revision:
            raise conflict(kind.group_resource, name, claims.MODIFIED)
        if unchanged(new, old) and not strategy.is_outdated(current.object):
            return self.shown(served, current.object, current.data)
        if call.dry_run:
            return self._imagined(served, new)
        if deletion.is_over(kind.group_resource, new):
            return await self._removed(served, key, thaw(current.object), shown=new)
        return await self._stored(served, key, new)

    async def delete(
        self, call: Call, served: Served, namespace: str, name: str, options: DeleteOptions
    ) -> Outcome:
        """Delete one object, or mark it where something must happen first."""
        kind = served.kind
        resource = kind.group_resource
        key = kind.key(namespace, name)
        current = self.store.get(key)
        if current is None:
            raise not_found(resource, name)
        deletion.check_preconditions(kind, current.object, options)
        await self._admission.validate(call, served, "DELETE", None, current.object)
        latest = self.store.get(key)
        if latest is None:
            raise not_found(resource, name)
        deletion.check_preconditions(kind, latest.object, options)
        obj = latest.object
        marked = deletion.marked(resource, obj, options, call.now)
        if call.dry_run:
            left = marked or deletion.last_state(resource, obj, call.now)
            shown = served.strategy.from_storage(served.strategy.normalise(left))
            return Outcome(shown, served.strategy.encode(shown), gone=marked is None)
        if marked is None:
            last = served.strategy.normalise(deletion.last_state(resource, obj, call.now))
            if not unchanged(last, obj):
                # Not waited for: until it is durable, another could delete the object.
                self._ports.append(self.store.put(key, *self._storable(served, thaw(last))).past)
            return await self._removed(served, key, last)
        marked = served.strategy.normalise(marked)
        if unchanged(marked, obj):
            return self.shown(served, obj, latest.data)
        return await self._stored(served, key, served.strategy.from_storage(marked))

    def book(self, served: Served, obj: Object) -> None:
        """Store a change that belongs to a write which is about to be stored itself.

        It is durable before that one is: the log keeps their order.
        """
        key = served.kind.key(obj["metadata"].get("namespace", ""), name_of(obj))
        self._ports.append(self.store.put(key, *self._storable(served, obj)).past)

    async def _mutated(self, call: Call, served: Served, new: Object, old: Object | None) -> Object:
        operation = "UPDATE" if old else "CREATE"
        fields = new["metadata"].get("managedFields")
        changed = await self._admission.mutate(call, served, operation, new, old)
        self._tracker.after_admission(call, changed, fields)
        return changed

    def decode(
        self,
        call: Call,
        served: Served,
        value: Object,
        duplicates: Sequence[str] = (),
        *,
        in_order: bool = True,
    ) -> Object:
        """The caller's JSON as this kind; complaints as the caller wants them.

        `duplicates` are complaints of the parser. Unknown fields are named in the order of the
        document, or of the alphabet.
        """
        decoded = served.strategy.decode(value)
        unknown = [*duplicates, *(decoded.unknown if in_order else sorted(decoded.unknown))]
        complain(call, served.kind.kind, served.kind.version, unknown)
        obj = decoded.object
        meta: Object = obj.setdefault("metadata", {})
        given: Object = value.get("metadata") or {}
        if given.get("managedFields") == []:
            # Empty lists go with decoding; this one says: forget who set what.
            meta["managedFields"] = [{}]
        return obj

    def place(self, served: Served, obj: Object, namespace: str) -> None:
        """Put the object into the namespace of the request."""
        meta = obj["metadata"]
        if not served.kind.namespaced:
            meta.pop("namespace", None)
            return
        if meta.get("namespace", namespace) != namespace:
            raise bad_request(
                "the namespace of the provided object does not match"
                " the namespace sent on the request"
            )
        meta["namespace"] = namespace

    def _fill(self, meta: Object) -> None:
        meta["uid"] = self._ports.uid()
        meta["creationTimestamp"] = timestamp(self._ports.now())
        for name in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"):
            meta.pop(name, None)

    def _generated(self, base: str) -> str:
        return base[:_MAX_GENERATED_BASE] + self._ports.suffix(GENERATED_SUFFIX)

    def _free_key(self, served: Served, namespace: str, obj: Object, generated: bool) -> Key:
        kind, meta = served.kind, obj["metadata"]
        for _ in range(_CREATE_ATTEMPTS if generated else 1):
            key = kind.key(namespace, meta["name"])
            existing = self.store.get(key)
            if existing is None:
                return key
            if generated:
                meta["name"] = self._generated(meta["generateName"])
                continue
            error = already_exists(kind.group_resource, key.name)
            if existing.object["metadata"].get("deletionTimestamp"):
                error = ApiError(
                    error.code,
                    error.reason,
                    f"object is being deleted: {error.message}",
                    details=error.details,
                )
            raise error
        raise already_exists(kind.group_resource, meta["name"])

    def _refuse(self, served: Served, obj: Object, errors: list[FieldError]) -> None:
        if errors:
            kind = served.kind
            raise invalid_object(kind.native_group, kind.kind, name_of(obj), errors)

    def _same_object(self, call: Call, served: Served, new: Object, old: Object, name: str) -> None:
        kind, meta, before = served.kind, new.setdefault("metadata", {}), old["metadata"]
        resource = kind.group_resource
        check_name(new, name)
        # To an update the UID is a precondition; to a patch it is a field, which validation judges.
        if call.verb != "patch" and meta.get("uid") and meta["uid"] != before["uid"]:
            raise claims.another(resource, _place(old), meta["uid"], before["uid"])
        freely = served.strategy.unconditional_update
        claims.check_current(kind, name, meta, before, freely=freely)

    def _keep_system_fields(self, new: Object, old: Object) -> None:
        meta, before = new["metadata"], old["metadata"]
        meta["uid"] = meta.get("uid") or before["uid"]
        meta.pop("selfLink", None)
        for name in ("creationTimestamp", "resourceVersion"):
            meta[name] = before[name]
        if "generation" in before:
            meta["generation"] = before["generation"]
        else:
            meta.pop("generation", None)
        # Nobody takes these back; who adds or changes them is refused later.
        if "deletionTimestamp" in before:
            meta["deletionTimestamp"] = before["deletionTimestamp"]
        if "deletionGracePeriodSeconds" in before:
            meta.setdefault("deletionGracePeriodSeconds", before["deletionGracePeriodSeconds"])

    async def _stored(
        self, served: Served, key: Key, obj: Object, *, created: bool = False
    ) -> Outcome:
        event = self.store.put(key, *self._storable(served, obj))
        await self._durable(event)
        shown = self.shown(served, event.stored.object, event.stored.data)
        return Outcome(shown.object, shown.data, created=created)

    async def _removed(
        self, served: Served, key: Key, last: Object, *, shown: Object | None = None
    ) -> Outcome:
        """Remove an object. Watches are shown its last stored state, the caller may see another."""
        event = self.store.delete(key, *self._storable(served, last))
        await self._durable(event)
        if shown is not None:
            return Outcome(shown, served.strategy.encode(shown), gone=True)
        seen = self.shown(served, event.stored.object, event.stored.data)
        return Outcome(seen.object, seen.data, gone=True)

    def _storable(self, served: Served, obj: Object) -> tuple[Object, Callable[[Object], bytes]]:
        return served.strategy.to_storage(obj), served.strategy.encode

    async def _durable(self, event: Event) -> None:
        self._ports.append(event.past)
        await self._ports.durable(event.stored.revision)


def check_name(obj: Object, name: str) -> None:
    """Whether an object has the name of the URL that it is sent to; raises 400."""
    given = obj["metadata"].get("name")
    if not given:
        why = "undeterminable: name must be provided"
        raise bad_request(f"the name of the object ({name} based on URL) was {why}")
    if given != name:
        raise bad_request(
            f"the name of the object ({given}) does not match the name on the URL ({name})"
        )


def _check_made(served: Served, obj: Object, name: str) -> None:
    """Whether what was applied may become a new object of this name."""
    meta = obj["metadata"]
    if meta.get("uid"):
        raise conflict(
            served.kind.group_resource,
            name,
            f"uid mismatch: the provided object specified uid {meta['uid']},"
            " and no existing object was found",
        )
    check_name(obj, name)


def _place(obj: Object) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), name_of(obj)


def unchanged(new: Object, old: Object) -> bool:
    """Whether a write would change anything; times of field managers do not count."""
    if new == old:
        return True
    fields = "managedFields"
    if new["metadata"].get(fields) == old["metadata"].get(fields):
        return False
    return _without_manager_times(new) == _without_manager_times(old)


def _without_manager_times(obj: Object) -> Object:
    entries = [
        {key: value for key, value in entry.items() if key != "time"}
        for entry in obj["metadata"].get("managedFields", ())
    ]
    return obj | {"metadata": obj["metadata"] | {"managedFields": entries}}
