"""What becomes of custom objects on the way from a request to the store.

Source: apiextensions-apiserver (`pkg/registry/customresource`, `pkg/apiserver`).
"""

from dataclasses import dataclass

from tutor.sandbox.api import metadata, tables
from tutor.sandbox.api.customresources import scaling
from tutor.sandbox.api.customresources.definition import (
    has_status,
    is_true,
    storage_version,
    subresources_of,
    version_of,
)
from tutor.sandbox.api.customresources.kinds import deprecation, kinds
from tutor.sandbox.api.customresources.schemas import Schemas
from tutor.sandbox.api.formats import label_key
from tutor.sandbox.api.node import Node
from tutor.sandbox.api.printers.printer import Column
from tutor.sandbox.api.registry import Served
from tutor.sandbox.api.status import FieldError, forbidden, go_quote, invalid, invalid_object
from tutor.sandbox.api.structural.embedded import read_metadata
from tutor.sandbox.api.structural.structural import Structural
from tutor.sandbox.api.values import fresh
from tutor.sandbox.kinds import GroupVersion, Kind, Object, name_of, namespace_of
from tutor.sandbox.schema.encode import encode
from tutor.sandbox.schema.scalars import untyped

_STANDARD_FINALIZERS = ("foregroundDeletion", "kubernetes", "orphan")
_TERMINATING = "create not allowed while custom resource definition is terminating"
_MAX_READ = 2000
"""How many objects are kept as they are read."""


@dataclass(frozen=True, slots=True)
class DecodedCustom:
    """A custom object, pruned, and complaints of what was pruned from it."""

    object: Object
    unknown: tuple[str, ...]


class CustomStrategy:
    """One served version of a custom kind."""

    unconditional_update = False
    create_on_update = False

    def __init__(self, crd: Object, kind: Kind, schemas: Schemas) -> None:
        version = version_of(crd, kind.version)
        stored = storage_version(crd)
        self.kind = kind
        self.is_storage = stored == kind.version
        self.scale_paths = scaling.scale_paths(subresources_of(version))
        fields: list[Object] = version.get("selectableFields") or []
        self.selectable = tuple(field["jsonPath"] for field in fields)
        self.deprecation = deprecation(crd, version)
        self._version = version
        self._stored = str(GroupVersion(kind.group, stored))
        self._has_status = has_status(version)
        self._closed = is_true(crd, "Terminating")
        self._schemas = schemas
        self._read: dict[tuple[str, str], tuple[Object, Object]] = {}
        self._columns: tuple[Column, ...] | None = None

    @property
    def structural(self) -> Structural:
        """The schema of this version."""
        return self._schemas.of(self.kind.version)

    def decode(self, value: Object) -> DecodedCustom:
        """Prune.

        Raises:
            DecodeError: metadata has a wrong type.
            ApiError: 422 for another kind or version.
        """
        obj: Object = untyped(value)
        self._check_type(obj)
        meta, unknown = read_metadata(obj.get("metadata") or {})
        complaints = self.structural.read(obj)
        obj |= {"apiVersion": self.kind.api_version, "kind": self.kind.kind, "metadata": meta}
        return DecodedCustom(obj, (*unknown, *complaints))

    def _check_type(self, obj: Object) -> None:
        kind, version = self.kind.kind, self.kind.api_version
        given: str = obj.get("kind") or kind
        claimed: str = obj.get("apiVersion") or version
        found: list[FieldError] = []
        if given != kind:
            found.append(invalid("kind", given, f"must be {kind}"))
        if claimed != version:
            found.append(invalid("apiVersion", claimed, f"must be {version}"))
        if found:
            raise invalid_object(claimed.rpartition("/")[0], given, name_of(obj), found)

    def default(self, obj: Object) -> None:
        """Fill in what was left out."""
        self.structural.default(obj)

    def normalise(self, obj: Object) -> Object:
        """Prune what admission may have added."""
        return self.decode(obj).object

    def encode(self, obj: Object) -> bytes:
        """Keys in order: the server keeps these objects as maps."""
        return encode(obj, sort_keys=True)

    def prepare_create(self, obj: Object) -> None:
        """Reset what a creator may not set.

        Raises:
            ApiError: 403 when the kind is on its way out.
        """
        if self._closed:
            raise forbidden(self.kind.group_resource, name_of(obj), _TERMINATING)
        if self._has_status:
            obj.pop("status", None)
        obj["metadata"]["generation"] = 1

    def prepare_update(self, new: Object, old: Object, subresource: str) -> None:
        """Keep what this path may not change; count what it changes."""
        if subresource == "status":
            _keep_all_but_status(new, old)
            return
        if self._has_status:
            _take_over(new, old, "status")
        if _without_metadata(new) != _without_metadata(old):
            generation: int = old["metadata"].get("generation", 0)
            new["metadata"]["generation"] = generation + 1

    def validate(self, obj: Object) -> list[FieldError]:
        """What is wrong with a new object."""
        structural = self.structural
        rule = metadata.dns_subdomain
        found = [
            *metadata.validate_object_meta(
                obj["metadata"], namespaced=self.kind.namespaced, name_rule=rule
            ),
            *structural.check(obj),
            *scaling.check_wanted(obj, self.scale_paths),
            *scaling.check_reached(obj, self.scale_paths),
            *structural.check_parts(obj),
        ]
        # The generic rules speak only when the kind's own are satisfied.
        return structural.complete(found, obj) or self._generic(obj)

    def validate_update(self, new: Object, old: Object, subresource: str) -> list[FieldError]:
        """What is wrong with a change."""
        structural = self.structural
        changed = metadata.validate_object_meta_update(new["metadata"], old["metadata"])
        # The real server looks at the metadata twice.
        generic = [*self._generic(new), *changed]
        if subresource == "status":
            found = [
                *changed,
                *structural.check_status(new, old),
                *scaling.check_reached(new, self.scale_paths),
                *structural.check_lists(new, old),
            ]
        else:
            found = [
                *changed,
                *structural.check(new, old),
                *scaling.check_wanted(new, self.scale_paths),
                *scaling.check_reached(new, self.scale_paths),
                *structural.check_parts(new, old),
            ]
        return [*generic, *structural.complete(found, new, old)]

    def _generic(self, obj: Object) -> list[FieldError]:
        rule, namespaced = metadata.path_segment, self.kind.namespaced
        meta: Object = obj["metadata"]
        return metadata.validate_object_meta(meta, namespaced=namespaced, name_rule=rule)

    def warnings(self, new: Object, old: Object | None, subresource: str) -> list[str]:
        """New finalizers that could be anyone's."""
        if subresource == "status":
            return []
        before = _finalizers(old) if old is not None else set[str]()
        return [
            f"metadata.finalizers: {go_quote(name)}: {complaint}"
            for name in sorted(_finalizers(new) - before)
            for complaint in _finalizer_complaints(name)
        ]

    def from_storage(self, obj: Object) -> Object:
        """A stored object in this version and by its schemas; may return its argument."""
        place = (namespace_of(obj), name_of(obj))
        known = self._read.get(place)
        if known is not None and known[0] is obj:
            return known[1]
        read = self._schemas.as_read(obj)
        if read["apiVersion"] != self.kind.api_version:
            read = self._schemas.converted(read, self.kind.api_version)
        if len(self._read) >= _MAX_READ:
            self._read.clear()
        self._read[place] = obj, read
        return read

    def to_storage(self, obj: Object) -> Object:
        """The form to store: in the storage version."""
        return obj if self.is_storage else self._schemas.converted(obj, self._stored)

    def is_outdated(self, stored: Object) -> bool:
        """Whether the definition has changed so that it would be stored in another form."""
        return self.to_storage(self.from_storage(stored)) != stored

    def columns(self) -> tuple[Column, ...]:
        """What `kubectl get` shows."""
        if self._columns is None:
            printed: list[Object] = self._version.get("additionalPrinterColumns") or []
            self._columns = tables.columns(self.kind, printed)
        return self._columns

    def node(self) -> Node:
        """The schema node for server-side apply."""
        return self.structural.node()


def served_by(crd: Object) -> list[Served]:
    """The kinds that a definition serves, in its order of versions."""
    schemas = Schemas(crd)
    return [Served(kind, CustomStrategy(crd, kind, schemas)) for kind in kinds(crd)]


def _keep_all_but_status(new: Object, old: Object) -> None:
    given: Object = new["metadata"]
    kept = fresh({name: value for name, value in old.items() if name != "status"})
    for name in ("managedFields", "resourceVersion"):
        _take_over(kept["metadata"], given, name)
    status = {"status": new["status"]} if "status" in new else {}
    new.clear()
    new.update(kept | status)


def _take_over(target: Object, source: Object, name: str) -> None:
    if name in source:
        target[name] = fresh(source[name])
    else:
        target.pop(name, None)


def _without_metadata(obj: Object) -> Object:
    return {name: value for name, value in obj.items() if name != "metadata"}


def _finalizers(obj: Object) -> set[str]:
    return set(obj["metadata"].get("finalizers") or ())


def _finalizer_complaints(name: str) -> list[str]:
    found = label_key(name)
    if "/" not in name and name not in _STANDARD_FINALIZERS:
        path = " including a path (/)" if "." in name else ""
        found.append(
            f"prefer a domain-qualified finalizer name{path} to avoid accidental conflicts with"
            " other finalizer writers"
        )
    return found
