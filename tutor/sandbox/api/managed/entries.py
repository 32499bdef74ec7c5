"""The entries of `metadata.managedFields` and what they stand for.

Source: k8s.io/apimachinery (`util/managedfields/internal/managedfields.go`, `capmanagers.go`).
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from tutor.sandbox.api.managed import fields as sets
from tutor.sandbox.api.managed.fields import Fields
from tutor.sandbox.api.status import go_quote
from tutor.sandbox.kinds import Object

Operation = Literal["Apply", "Update"]

_MAX_UPDATERS = 10
_OLD_UPDATES = "ancient-changes"
_FIELDS_V1 = "FieldsV1"


class Owner(NamedTuple):
    """Who owns fields. Appliers are the same in every version; their `api_version` is empty."""

    manager: str
    operation: Operation
    api_version: str = ""
    subresource: str = ""

    def __str__(self) -> str:
        name = go_quote(self.manager)
        if self.subresource:
            name += f" with subresource {go_quote(self.subresource)}"
        return f"{name} using {self.api_version}" if self.operation == "Update" else name


class Owned(NamedTuple):
    """What an owner owns, seen in one version; `time` is empty for one that never changed it."""

    fields: Fields
    api_version: str
    time: str = ""


Owners = dict[Owner, Owned]


class BadEntries(ValueError):
    """`managedFields` that cannot be read; the text is the server's."""


def updater(manager: str, api_version: str, subresource: str = "") -> Owner:
    """Who changes objects by creating, updating and patching them."""
    return Owner(manager or "unknown", "Update", api_version, subresource)


def applier(manager: str, subresource: str = "") -> Owner:
    """Who applies configurations."""
    return Owner(manager, "Apply", "", subresource)


def read(entries: Sequence[Object], known: Sequence[Object] = ()) -> Owners:
    """What entries say. `known` are entries whose fields need no second look.

    Raises:
        BadEntries: one of them is wrong.
    """
    owners: Owners = {}
    for at, entry in enumerate(entries):
        operation, version = entry.get("operation"), entry.get("apiVersion", "")
        if operation not in ("Apply", "Update"):
            raise BadEntries("operation must be `Apply` or `Update`")
        if not version:
            raise BadEntries("apiVersion must not be empty")
        kind = entry.get("fieldsType", "")
        if kind != _FIELDS_V1:
            what = f"invalid fieldsType {go_quote(kind)}" if kind else "missing fieldsType"
            raise BadEntries(f"{what} in managed fields entry {at}")
        owner = Owner(
            entry.get("manager", ""),
            operation,
            "" if operation == "Apply" else version,
            entry.get("subresource", ""),
        )
        owners[owner] = Owned(_fields(entry, known), version, entry.get("time") or "")
    return owners


def _fields(entry: Object, known: Sequence[Object]) -> Fields:
    found = entry.get("fieldsV1")
    for other in known:
        if other is entry or other.get("fieldsV1") == found:
            return other.get("fieldsV1") or {}
    try:
        return sets.read(found)
    except ValueError as error:
        raise BadEntries(f"error decoding set: {error}") from None


def write(owners: Owners) -> list[Object]:
    """Entries in the server's order: appliers first, then by time and name."""

    def order(item: tuple[Owner, Owned]) -> tuple[str, ...]:
        owner, owned = item
        version = owned.api_version
        return owner.operation, owned.time, owner.manager, version, owner.subresource

    return [_entry(owner, owned) for owner, owned in sorted(owners.items(), key=order)]


def _entry(owner: Owner, owned: Owned) -> Object:
    entry: Object = {
        "manager": owner.manager,
        "operation": owner.operation,
        "apiVersion": owned.api_version,
        "time": owned.time,
        "fieldsType": _FIELDS_V1,
        "fieldsV1": owned.fields,
        "subresource": owner.subresource,
    }
    for name in ("manager", "time", "subresource"):
        if not entry[name]:
            del entry[name]
    return entry


def capped(owners: Owners) -> Owners:
    """Put the oldest updates of each version together when there are too many."""
    updaters = [owner for owner in owners if owner.operation == "Update"]
    surplus = len(updaters) - _MAX_UPDATERS
    if surplus <= 0:
        return owners
    updaters.sort(key=lambda owner: (owners[owner].time, owner))
    kept = dict(owners)
    first: dict[str, Owner] = {}
    for owner in updaters:
        if surplus == 0:
            break
        owned = kept[owner]
        version = owned.api_version
        if version not in first:
            first[version] = owner
            continue
        bucket = updater(_OLD_UPDATES, version)
        if bucket not in kept:
            kept[bucket] = kept.pop(first[version])
        joined = sets.union(owned.fields, kept[bucket].fields)
        del kept[owner]
        kept[bucket] = Owned(joined, version, owned.time)
        surplus -= 1
    return kept
