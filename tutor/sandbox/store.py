"""The state of one cluster: an index of immutable objects, and the history that watches read.

Laws: a stored object never changes, a write makes a new one; every write has its own revision, and
revisions have no gaps; what is published is durable, and it is published in the order of revisions.
A write is visible to readers at once and published (to watches) when `publish` says it is durable;
`rollback` takes back what will never be.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from tutor.sandbox.kinds import GroupResource, Key, Object

Change = Literal["ADDED", "MODIFIED", "DELETED"]
Encode = Callable[[Object], bytes]

HISTORY_EVENTS = 10_000
HISTORY_BYTES = 8_000_000

_VERSION = "resourceVersion"
_BEFORE_VERSION = ("name", "generateName", "namespace", "selfLink", "uid")


@dataclass(frozen=True, slots=True)
class Stored:
    """An object at one revision, with its encoding."""

    key: Key
    object: Object
    revision: int
    data: bytes


class Past(NamedTuple):
    """One write, as the history keeps it; `previous` is the encoding before it."""

    change: Change
    key: Key
    revision: int
    data: bytes
    previous: bytes | None


@dataclass(frozen=True, slots=True)
class Event:
    """One write. After a DELETED, `stored` is the last state at the revision of the deletion."""

    change: Change
    stored: Stored
    previous: Stored | None

    @property
    def past(self) -> Past:
        """The event as the history keeps it."""
        previous = self.previous.data if self.previous else None
        return Past(self.change, self.stored.key, self.stored.revision, self.stored.data, previous)


Listener = Callable[[Event], None]


class Compacted(Exception):
    """The history no longer reaches back to the revision asked for."""

    def __init__(self, oldest: int) -> None:
        super().__init__(f"history starts at {oldest}")
        self.oldest = oldest


class _Collection:
    """The objects of one resource, in the order of namespace and name."""

    __slots__ = ("changes", "names", "objects")

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], Stored] = {}
        self.names: list[tuple[str, str]] = []
        self.changes = 0

    def set(self, stored: Stored) -> None:
        place = (stored.key.namespace, stored.key.name)
        if place not in self.objects:
            insort(self.names, place)
        self.objects[place] = stored
        self.changes += 1

    def remove(self, key: Key) -> None:
        place = (key.namespace, key.name)
        if self.objects.pop(place, None) is not None:
            del self.names[bisect_left(self.names, place)]
            self.changes += 1

    def within(self, namespace: str) -> list[Stored]:
        start = bisect_left(self.names, (namespace, ""))
        end = bisect_left(self.names, (f"{namespace}\0", ""), start)
        return [self.objects[place] for place in self.names[start:end]]


def _stamped(meta: Object, revision: int) -> Object:
    """Metadata with its resourceVersion, at the place where Go's structure has it."""
    if _VERSION in meta:
        meta[_VERSION] = str(revision)
        return meta
    first = {name: meta[name] for name in _BEFORE_VERSION if name in meta}
    return first | {_VERSION: str(revision)} | meta


class Store:
    """Everything a cluster knows. It is used from one thread and needs no locks."""

    def __init__(self) -> None:
        self.revision = 0
        self.published = 0
        self._collections: dict[GroupResource, _Collection] = {}
        self._waiting: deque[Event] = deque()
        self._history: deque[Past] = deque()
        self._history_bytes = 0
        self._compacted = 0
        self._listeners: dict[GroupResource, list[Listener]] = {}
        self._everything: list[Listener] = []

    def load(self, objects: Iterable[Stored], history: Sequence[Past], revision: int) -> None:
        """Start from what a log kept. `history` is contiguous and ends at `revision`."""
        for stored in objects:
            self._collection(stored.key.group_resource).set(stored)
        self.revision = self.published = revision
        self._compacted = history[0].revision - 1 if history else revision
        for past in history:
            self._remember(past)

    def get(self, key: Key) -> Stored | None:
        """The current state of one object, or None when there is none."""
        collection = self._collections.get(key.group_resource)
        return collection.objects.get((key.namespace, key.name)) if collection else None

    def objects(self, resource: GroupResource, namespace: str = "") -> list[Stored]:
        """The objects of a collection in the order of their keys; all namespaces when empty."""
        collection = self._collections.get(resource)
        if collection is None:
            return []
        if namespace:
            return collection.within(namespace)
        return [collection.objects[place] for place in collection.names]

    def changes(self, resource: GroupResource) -> int:
        """How often a collection has changed, also by taking back: never the same number again."""
        collection = self._collections.get(resource)
        return collection.changes if collection else 0

    def put(self, key: Key, obj: Object, encode: Encode) -> Event:
        """Store `obj`, which belongs to the store from now on. Sets its resourceVersion."""
        previous = self.get(key)
        stored = self._next(key, obj, encode)
        self._collection(key.group_resource).set(stored)
        event = Event("MODIFIED" if previous else "ADDED", stored, previous)
        self._waiting.append(event)
        return event

    def delete(self, key: Key, last: Object, encode: Encode) -> Event:
        """Remove an object. `last` is its final state, which watches are shown."""
        previous = self.get(key)
        if previous is None:
            raise KeyError(key)
        stored = self._next(key, last, encode)
        self._collection(key.group_resource).remove(key)
        event = Event("DELETED", stored, previous)
        self._waiting.append(event)
        return event

    def publish(self, revision: int) -> None:
        """Tell listeners of the writes up to `revision`, which are durable now."""
        while self._waiting and self._waiting[0].stored.revision <= revision:
            event = self._waiting.popleft()
            self.published = event.stored.revision
            self._remember(event.past)
            for listener in self._listeners.get(event.stored.key.group_resource, ())[:]:
                listener(event)
            for listener in self._everything[:]:
                listener(event)

    def rollback(self) -> None:
        """Take back every write that was not published."""
        while self._waiting:
            event = self._waiting.pop()
            key = event.stored.key
            collection = self._collection(key.group_resource)
            if event.previous is None:
                collection.remove(key)
            else:
                collection.set(event.previous)
        self.revision = self.published

    def subscribe(self, resource: GroupResource | None, listener: Listener) -> Callable[[], None]:
        """Call `listener` for each published write to a collection, or to all when None.

        Returns a function that ends it.
        """
        listeners = (
            self._everything if resource is None else self._listeners.setdefault(resource, [])
        )
        listeners.append(listener)

        def unsubscribe() -> None:
            if listener in listeners:
                listeners.remove(listener)

        return unsubscribe

    def since(self, revision: int, resource: GroupResource) -> list[Past]:
        """The published writes to a collection after `revision`, oldest first.

        Raises:
            Compacted: The history does not reach back so far.
        """
        if revision < self._compacted:
            raise Compacted(self._compacted)
        found: list[Past] = []
        for past in reversed(self._history):
            if past.revision <= revision:
                break
            if past.key.group_resource == resource:
                found.append(past)
        found.reverse()
        return found

    @property
    def oldest(self) -> int:
        """The oldest revision that `since` accepts."""
        return self._compacted

    def compact(self, revision: int) -> None:
        """Forget the history up to and including `revision`."""
        while self._history and self._history[0].revision <= revision:
            past = self._history.popleft()
            self._history_bytes -= len(past.data)
            self._compacted = past.revision

    def _next(self, key: Key, obj: Object, encode: Encode) -> Stored:
        self.revision += 1
        obj["metadata"] = _stamped(obj["metadata"], self.revision)
        return Stored(key, obj, self.revision, encode(obj))

    def _collection(self, resource: GroupResource) -> _Collection:
        collection = self._collections.get(resource)
        if collection is None:
            collection = self._collections[resource] = _Collection()
        return collection

    def _remember(self, past: Past) -> None:
        self._history.append(past)
        self._history_bytes += len(past.data)
        if len(self._history) > HISTORY_EVENTS or self._history_bytes > HISTORY_BYTES:
            self.compact(self._history[0].revision)
