"""Which kinds are served: the built-in ones, those of CRDs, and those of aggregated servers."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tutor.sandbox.api.printers.printer import Column
from tutor.sandbox.api.scale import ScalePaths
from tutor.sandbox.api.status import FieldError
from tutor.sandbox.kinds import GroupResource, GroupVersion, Kind, Object


class Decoded(Protocol):
    """An object as the server understood it, and what it did not understand."""

    @property
    def object(self) -> Object:
        """The normalised object."""
        ...

    @property
    def unknown(self) -> Iterable[str]:
        """Complaints such as `unknown field "spec.x"`."""
        ...


class Strategy(Protocol):
    """What is particular to one kind in one version on the way from a request to the store."""

    kind: Kind
    unconditional_update: bool
    create_on_update: bool
    is_storage: bool
    """Whether stored objects are in this version."""

    def decode(self, value: Object) -> Decoded:
        """Normalise; raises ApiError for what cannot be this kind."""
        ...

    def default(self, obj: Object) -> None:
        """Fill in what was left out."""
        ...

    def normalise(self, obj: Object) -> Object:
        """Canonical field order after changes were made in place."""
        ...

    def encode(self, obj: Object) -> bytes:
        """The JSON that readers get, without the newline."""
        ...

    def prepare_create(self, obj: Object) -> None:
        """Reset what a creator may not set."""
        ...

    def prepare_update(self, new: Object, old: Object, subresource: str) -> None:
        """Keep what this path may not change; bump the generation."""
        ...

    def validate(self, obj: Object) -> list[FieldError]:
        """What is wrong with a new object."""
        ...

    def validate_update(self, new: Object, old: Object, subresource: str) -> list[FieldError]:
        """What is wrong with a change."""
        ...

    def warnings(self, new: Object, old: Object | None, subresource: str) -> list[str]:
        """What is allowed and unwise."""
        ...

    def from_storage(self, obj: Object) -> Object:
        """A stored object in this version; may return its argument."""
        ...

    def to_storage(self, obj: Object) -> Object:
        """The form to store; may return its argument."""
        ...

    def is_outdated(self, stored: Object) -> bool:
        """Whether writing a stored object again, as it is read, would change it."""
        ...

    def columns(self) -> tuple[Column, ...]:
        """What `kubectl get` shows."""
        ...

    def node(self) -> Any:
        """The schema node for strategic merge and server-side apply; None when there is none."""
        ...

    @property
    def selectable(self) -> Sequence[str]:
        """JSON paths that a custom kind lets field selectors name."""
        ...

    @property
    def scale_paths(self) -> ScalePaths | None:
        """Where the replicas are, None when the kind does not scale."""
        ...

    @property
    def deprecation(self) -> str:
        """What every request for this kind is warned of; empty for most."""
        ...


@dataclass(frozen=True, slots=True)
class Served:
    """A kind and how it is handled."""

    kind: Kind
    strategy: Strategy


class Registry:
    """Finds what a path names. Changes only through `replace` and `remove`."""

    def __init__(self, builtin: Iterable[Served]) -> None:
        self._served: dict[tuple[str, str, str], Served] = {}
        self._owners: dict[str, list[tuple[str, str, str]]] = {}
        self._by_object: dict[tuple[str, str], Served] | None = None
        self._by_resource: dict[GroupResource, Served] | None = None
        self._by_version: dict[GroupVersion, list[Served]] | None = None
        self._own_groups: frozenset[str] | None = None
        self.generation = 0
        """Grows with every change; caches of documents compare it."""
        for served in builtin:
            self._add(served)

    def find(self, group: str, version: str, plural: str) -> Served | None:
        """What a path names, None when nothing is served there."""
        return self._served.get((group, version, plural))

    def builtin_group(self, group: str) -> bool:
        """Whether a group is the server's own."""
        if self._own_groups is None:
            kinds = (served.kind for served in self._served.values())
            self._own_groups = frozenset(kind.group for kind in kinds if not kind.custom)
        return group in self._own_groups

    def of_object(self, api_version: str, kind: str) -> Served | None:
        """What an object's own apiVersion and kind name."""
        if self._by_object is None:
            self._by_object = {}
            for served in self._served.values():
                place = (served.kind.api_version, served.kind.kind)
                self._by_object.setdefault(place, served)
        return self._by_object.get((api_version, kind))

    def of_resource(self, resource: GroupResource) -> Served | None:
        """The version of a resource that is stored; else the first that is served."""
        if self._by_resource is None:
            self._by_resource = {served.kind.group_resource: served for served in self.resources()}
        return self._by_resource.get(resource)

    def all(self) -> Iterator[Served]:
        """Everything, in the order of registration."""
        return iter(self._served.values())

    def resources(self) -> list[Served]:
        """Each collection once, in its stored version where that is served."""
        found: dict[GroupResource, Served] = {}
        for served in self._served.values():
            if served.strategy.is_storage or served.kind.group_resource not in found:
                found[served.kind.group_resource] = served
        return list(found.values())

    def in_version(self, version: GroupVersion) -> Sequence[Served]:
        """What one group version serves."""
        if self._by_version is None:
            self._by_version = {}
            for served in self._served.values():
                self._by_version.setdefault(served.kind.group_version, []).append(served)
        return self._by_version.get(version, ())

    def replace(self, owner: str, kinds: Iterable[Served]) -> None:
        """Serve exactly these kinds for an owner (a CRD's name)."""
        self.remove(owner)
        for served in kinds:
            kind = served.kind
            self._owners.setdefault(owner, []).append((kind.group, kind.version, kind.plural))
            self._add(served)
        self.generation += 1

    def remove(self, owner: str) -> None:
        """Serve nothing for an owner any more."""
        for place in self._owners.pop(owner, ()):
            self._served.pop(place, None)
        self._forget()
        self.generation += 1

    def _add(self, served: Served) -> None:
        kind = served.kind
        self._served[(kind.group, kind.version, kind.plural)] = served
        self._forget()

    def _forget(self) -> None:
        self._by_object = self._by_resource = self._by_version = self._own_groups = None
