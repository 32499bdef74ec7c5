"""Who owns what after an object was changed, or after a configuration was applied to it.

Source: structured-merge-diff (`merge/update.go`), k8s.io/apimachinery
(`util/managedfields/internal`: structuredmerge.go, managedfieldsupdater.go, stripmeta.go).
"""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from tutor.sandbox.api.managed import fields as sets
from tutor.sandbox.api.managed.claims import claims, with_structs
from tutor.sandbox.api.managed.compare import Comparison, compare
from tutor.sandbox.api.managed.entries import Owned, Owner, Owners
from tutor.sandbox.api.managed.fields import Fields, difference, fields_of, union
from tutor.sandbox.api.managed.merging import merged, without
from tutor.sandbox.api.managed.shape import Shape
from tutor.sandbox.kinds import Object

_HEAD = frozenset(("apiVersion", "kind", "metadata"))
_SYSTEM = frozenset(
    (
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
    )
)
_NEVER_OWNED = fields_of(
    ("f:apiVersion",), ("f:kind",), *(("f:metadata", f"f:{name}") for name in _SYSTEM)
)
_NEVER_OWNED["f:metadata"] = {sets.SELF: {}, **_NEVER_OWNED["f:metadata"]}


class Typed(NamedTuple):
    """An object and the type it is of."""

    object: Object
    shape: Shape


class Versions(Protocol):
    """The versions of a kind."""

    @property
    def current(self) -> str:
        """The apiVersion that the request speaks."""
        ...

    def convert(self, obj: Object, version: str) -> Typed | None:
        """An object in another version, None when it is not served any more."""
        ...

    def writable(self, fields: Fields, version: str) -> Fields:
        """Those of the fields that the request's path can set."""
        ...


class Conflicts(Exception):
    """Somebody else wants other values: who, and of which fields."""

    def __init__(self, taken: Mapping[Owner, Fields]) -> None:
        super().__init__("others own the fields with other values")
        self.taken = taken


def ownable(obj: Object) -> Object:
    """An object without what nobody owns."""
    rest = {name: value for name, value in obj.items() if name not in _HEAD}
    meta: Object = obj.get("metadata") or {}
    rest["metadata"] = {name: value for name, value in meta.items() if name not in _SYSTEM}
    return rest


def created(versions: Versions, empty: Typed, new: Object, me: Owner, now: str) -> Owners:
    """The owners of a new object, which is one: of all that `empty` has not.

    As `updated` has it, for most of what is written: without a look at what nobody owns. `empty` is
    `ownable`.
    """
    changed = compare(empty.object, ownable(new), empty.shape).changed
    fields = versions.writable(changed, versions.current)
    return {me: Owned(fields, versions.current, now)} if fields else {}


def updated(
    versions: Versions, old: Typed, new: Object, owners: Owners, me: Owner, now: str
) -> Owners:
    """The owners after somebody changed an object: of all that differs, that is them."""
    look = _Comparisons(versions, old.object, new)
    mine = look.at(versions.current) or _NOTHING
    if owners:
        rest, taken = _others(owners, None, look)
        owners = _less(rest, taken)
    fields = difference(mine.changed, _NEVER_OWNED)
    if not fields:
        return owners
    before = owners.get(me)
    owned = union(before.fields, fields) if before else fields
    return {**owners, me: Owned(owned, versions.current, now)}


def applied(
    versions: Versions,
    live: Typed,
    config: Object,
    owners: Owners,
    me: Owner,
    *,
    force: bool,
    now: str,
) -> tuple[Object, Owners]:
    """The object with a configuration merged in, and its owners.

    What the applier owned, does not claim any more, and nobody else owns, goes away.

    Raises:
        Conflicts: others own fields that get another value; not with `force`.
    """
    last = owners.get(me)
    claimed = versions.writable(claims(config, live.shape), versions.current)
    owners = {**owners, me: Owned(claimed, versions.current, last.time if last else "")}
    made = merged(live.object, config, live.shape)
    if last and last.fields:
        made = _Pruning(versions, owners, last).prune(made)
    rest, taken = _others(owners, me, _Comparisons(versions, live.object, made))
    if taken and not force:
        raise Conflicts(taken)
    owners = _less(rest, taken)
    fields = difference(claimed, _NEVER_OWNED)
    time = now if made != live.object else owners[me].time if me in owners else ""
    owners.pop(me, None)
    if fields:
        owners[me] = Owned(fields, versions.current, time)
    return made, owners


_NOTHING = Comparison({}, {})


class _Comparisons:
    """What a change is in each version, looked at once."""

    def __init__(self, versions: Versions, old: Object, new: Object) -> None:
        self._versions = versions
        self._old = old
        self._new = new
        self._known: dict[str, Comparison | None] = {}

    def at(self, version: str) -> Comparison | None:
        """What differs and can be set on the request's path; None when the version is gone."""
        if version not in self._known:
            self._known[version] = self._compare(version)
        return self._known[version]

    def _compare(self, version: str) -> Comparison | None:
        old = self._versions.convert(self._old, version)
        new = self._versions.convert(self._new, version)
        if old is None or new is None:
            return None
        found = compare(old.object, new.object, old.shape)
        writable = self._versions.writable
        return Comparison(writable(found.changed, version), writable(found.removed, version))


def _others(
    owners: Owners, me: Owner | None, look: _Comparisons
) -> tuple[Owners, dict[Owner, Fields]]:
    """The owners without what has gone, and what each of the others owned that has changed."""
    rest: Owners = {}
    taken: dict[Owner, Fields] = {}
    for owner, owned in owners.items():
        if owner == me:
            rest[owner] = owned
            continue
        found = look.at(owned.api_version)
        if found is None:
            continue
        if lost := sets.intersection(owned.fields, found.changed):
            taken[owner] = lost
        kept = difference(owned.fields, found.removed) if found.removed else owned.fields
        rest[owner] = owned._replace(fields=kept)
    return rest, taken


def _less(owners: Owners, taken: Mapping[Owner, Fields]) -> Owners:
    """The owners without what was taken from them; those with nothing left are gone."""
    kept = {
        owner: owned._replace(fields=difference(owned.fields, taken[owner]))
        if owner in taken
        else owned
        for owner, owned in owners.items()
    }
    return {owner: owned for owner, owned in kept.items() if owned.fields}


class _Pruning:
    """Takes away what an applier does not claim any more."""

    def __init__(self, versions: Versions, owners: Owners, last: Owned) -> None:
        self._versions = versions
        self._owners = owners
        self._last = last

    def prune(self, made: Object) -> Object:
        """The merged object, in the request's version, without what nobody wants any more."""
        version = self._last.api_version
        whole = self._versions.convert(made, version)
        if whole is None:
            return made
        last = with_structs(self._last.fields, whole.shape)
        pruned: Object = without(whole.object, last, whole.shape)
        pruned = self._with_owned(whole.object, pruned)
        pruned = self._with_dangling(whole, pruned, last)
        back = self._versions.convert(pruned, self._versions.current)
        return back.object if back else made

    def _with_owned(self, made: Object, pruned: Object) -> Object:
        """Put back what somebody owns, the version of the last configuration first."""
        owned: dict[str, Fields] = {self._last.api_version: {}}
        for other in self._owners.values():
            known = owned.get(other.api_version, {})
            owned[other.api_version] = union(known, other.fields)
        for version, fields in owned.items():
            whole, part = (self._versions.convert(obj, version) for obj in (made, pruned))
            if whole is None or part is None:
                continue
            shape = whole.shape
            kept = union(_all(part, shape), with_structs(fields, shape))
            pruned = without(whole.object, difference(_all(whole, shape), kept), shape)
        return pruned

    def _with_dangling(self, whole: Typed, pruned: Object, last: Fields) -> Object:
        """Put back what the applier never owned and lost with what it is in."""
        part = self._versions.convert(pruned, self._last.api_version)
        if part is None:
            return whole.object
        lost = difference(_all(whole, whole.shape), _all(part, whole.shape))
        return without(whole.object, sets.intersection(lost, last), whole.shape)


def _all(typed: Typed, shape: Shape) -> Fields:
    return with_structs(claims(typed.object, shape), shape)
