"""How the kinds of a CustomResourceDefinition are handled: its structural schemas at work.

Source: apiextensions-apiserver (`pkg/registry/customresource`, `pkg/apiserver`).
"""

from dataclasses import dataclass
from typing import Any

from tutor.sandbox.api import tables
from tutor.sandbox.api.customresources.definition import (
    has_status,
    names_of,
    schema_of,
    spec_of,
    storage_version,
    subresources_of,
    versions_of,
)
from tutor.sandbox.api.metadata import (
    path_segment,
    validate_object_meta,
    validate_object_meta_update,
)
from tutor.sandbox.api.printers.printer import Column
from tutor.sandbox.api.registry import Served
from tutor.sandbox.api.scale import ScalePaths
from tutor.sandbox.api.status import FieldError
from tutor.sandbox.api.structural.embedded import read_metadata
from tutor.sandbox.api.structural.structural import Structural, compile_schema
from tutor.sandbox.kinds import Kind, Object, Subresource, thaw
from tutor.sandbox.schema.encode import encode

_VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
_SUBRESOURCE_VERBS = ("get", "patch", "update")
_NOT_SPEC = ("metadata", "status")


@dataclass(frozen=True, slots=True)
class DecodedCustom:
    """A custom object, pruned, and what was pruned from it."""

    object: Object
    unknown: tuple[str, ...]


class CustomStrategy:
    """One served version of a custom kind."""

    unconditional_update = False
    create_on_update = False

    def __init__(self, kind: Kind, version: Object, *, is_storage: bool) -> None:
        self.kind = kind
        self.is_storage = is_storage
        self._version = version
        self._has_status = has_status(version)
        self._structural: Structural | None = None
        self._columns: tuple[Column, ...] | None = None
        self.selectable = tuple(
            field["jsonPath"] for field in version.get("selectableFields") or ()
        )
        self.deprecation = _deprecation(kind, version)

    @property
    def structural(self) -> Structural:
        """The compiled schema."""
        if self._structural is None:
            self._structural = compile_schema(schema_of(self._version))
        return self._structural

    def decode(self, value: Object) -> DecodedCustom:
        """Prune; raises DecodeError for metadata of a wrong type."""
        obj = thaw(value)
        metadata, unknown = read_metadata(obj.get("metadata") or {})
        obj["metadata"] = metadata
        obj["apiVersion"], obj["kind"] = self.kind.api_version, self.kind.kind
        complaints = self.structural.read(obj)
        return DecodedCustom(obj, (*unknown, *complaints))

    def default(self, obj: Object) -> None:
        """Fill in the schema's defaults."""
        self.structural.default(obj)

    def normalise(self, obj: Object) -> Object:
        """Prune again what admission may have added."""
        return self.decode(obj).object

    def encode(self, obj: Object) -> bytes:
        """Sorted keys: the server keeps these objects as maps."""
        return encode(obj, sort_keys=True)

    def prepare_create(self, obj: Object) -> None:
        """No status on the main path; the first generation."""
        if self._has_status:
            obj.pop("status", None)
            self.structural.default(obj)
        obj["metadata"]["generation"] = 1

    def prepare_update(self, new: Object, old: Object, subresource: str) -> None:
        """Status through its path only, everything else through the main one."""
        if subresource == "status":
            status = new.get("status")
            meta = new["metadata"]
            for name in [name for name in new if name not in ("metadata", "status")]:
                del new[name]
            new |= {k: v for k, v in thaw(old).items() if k not in ("metadata", "status")}
            new["metadata"] = thaw(old["metadata"]) | {
                k: meta[k] for k in ("managedFields", "resourceVersion") if k in meta
            }
            if status is None:
                new.pop("status", None)
            return
        if self._has_status:
            if "status" in old:
                new["status"] = thaw(old["status"])
            else:
                new.pop("status", None)
        if _without(new) != _without(old):
            new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1

    def validate(self, obj: Object) -> list[FieldError]:
        """What is wrong with a new object."""
        meta = validate_object_meta(
            obj["metadata"], namespaced=self.kind.namespaced, name_rule=path_segment
        )
        return [*meta, *self.structural.validate(obj)]

    def validate_update(self, new: Object, old: Object, subresource: str) -> list[FieldError]:
        """What is wrong with a change."""
        meta = validate_object_meta_update(new["metadata"], old["metadata"])
        if subresource == "status":
            return [*meta, *self.structural.check_status(new, old)]
        return [*meta, *self.structural.validate_update(new, old)]

    def warnings(self, new: Object, old: Object | None) -> list[str]:
        """None."""
        del new, old
        return []

    def from_storage(self, obj: Object) -> Object:
        """The same object under this version's name."""
        if obj.get("apiVersion") == self.kind.api_version:
            return obj
        converted = thaw(obj) | {"apiVersion": self.kind.api_version}
        self.structural.default(converted)
        return converted

    def to_storage(self, obj: Object) -> Object:
        """Stored under the name of the version in which it was written last."""
        return obj

    def columns(self) -> tuple[Column, ...]:
        """What `kubectl get` shows."""
        if self._columns is None:
            printed = self._version.get("additionalPrinterColumns") or ()
            self._columns = tables.columns(self.kind, printed)
        return self._columns

    def node(self) -> Any:
        """The schema node for server-side apply."""
        return self.structural.node()

    @property
    def scale_paths(self) -> ScalePaths | None:
        """Where the replicas are, when the scale subresource is on."""
        scale = subresources_of(self._version).get("scale")
        if scale is None:
            return None
        return ScalePaths(
            spec=_steps(scale["specReplicasPath"]),
            status=_steps(scale["statusReplicasPath"]),
            selector=_steps(scale.get("labelSelectorPath") or ""),
        )


def _steps(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split(".") if part)


def _without(obj: Object) -> Object:
    return {name: value for name, value in obj.items() if name not in _NOT_SPEC}


def _deprecation(kind: Kind, version: Object) -> str:
    if not version.get("deprecated"):
        return ""
    return version.get("deprecationWarning") or f"{kind.api_version} {kind.kind} is deprecated"


def served_by(crd: Object) -> list[Served]:
    """The kinds that an established definition serves, in its order of versions."""
    stored = storage_version(crd)
    served: list[Served] = []
    for version in versions_of(crd):
        if not version.get("served"):
            continue
        kind = _kind(crd, version)
        strategy = CustomStrategy(kind, version, is_storage=version["name"] == stored)
        served.append(Served(kind, strategy))
    return served


def _kind(crd: Object, version: Object) -> Kind:
    spec, names = spec_of(crd), (crd.get("status") or {}).get("acceptedNames") or names_of(crd)
    subresources: list[Subresource] = []
    if has_status(version):
        subresources.append(
            Subresource(name="status", verbs=_SUBRESOURCE_VERBS, kind=names["kind"])
        )
    if subresources_of(version).get("scale") is not None:
        subresources.append(
            Subresource(
                name="scale",
                verbs=_SUBRESOURCE_VERBS,
                kind="Scale",
                group="autoscaling",
                version="v1",
            )
        )
    return Kind(
        group=spec["group"],
        version=version["name"],
        kind=names["kind"],
        plural=names["plural"],
        singular=names.get("singular") or names["kind"].lower(),
        namespaced=spec.get("scope") == "Namespaced",
        verbs=_VERBS,
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        subresources=tuple(subresources),
        list_kind=names.get("listKind") or f"{names['kind']}List",
        custom=True,
    )
