"""The words every room of the cluster shares: objects, kinds and keys.

An `Object` is the JSON form of a Kubernetes object, fields spelled as Kubernetes spells them. A
stored object never changes: whoever wants another state makes a copy (`thaw`) and writes that.
"""

import base64
import copy
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Object = dict[str, Any]
_ATOMS = frozenset({str, int, bool, float, type(None)})
_VERSION = re.compile(r"v([0-9]+)(?:(alpha|beta)([0-9]+))?$")


class GroupVersion(NamedTuple):
    """An API group and one of its versions; the group of the core API is the empty string."""

    group: str
    version: str

    def __str__(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


def version_rank(version: str) -> tuple[int, int, int]:
    """Kubernetes' order of versions, best first: GA before beta before alpha, newer first."""
    found = _VERSION.match(version)
    if found is None:
        return (3, 0, 0)
    stage = {None: 0, "beta": 1, "alpha": 2}[found[2]]
    return (stage, -int(found[1]), -int(found[3] or 0))


class GroupResource(NamedTuple):
    """A resource independent of its version, as messages name it: `deployments.apps`, `pods`."""

    group: str
    resource: str

    def __str__(self) -> str:
        return f"{self.resource}.{self.group}" if self.group else self.resource


class Key(NamedTuple):
    """Where an object is stored. `namespace` is empty for cluster-scoped objects."""

    group: str
    resource: str
    namespace: str
    name: str

    @property
    def group_resource(self) -> GroupResource:
        """The collection the key belongs to."""
        return GroupResource(self.group, self.resource)


def storage_hash(group: str, version: str, kind: str) -> str:
    """What discovery says of the version that objects are stored in: the start of a hash."""
    digest = hashlib.sha256(f"{group}/{version}/{kind}".encode()).digest()
    return base64.b64encode(digest[:8]).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subresource:
    """A path below an object, such as `status`, `scale` or `log`.

    `group`, `version` and `kind` name the type it exchanges when that is not the object's own.
    """

    name: str
    verbs: tuple[str, ...]
    kind: str
    group: str = ""
    version: str = ""


_SHARED = {GroupResource("events.k8s.io", "events"): GroupResource("", "events")}
"""Collections that are kept as those of another group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A served type in one version, with what discovery says of it."""

    group: str
    version: str
    kind: str
    plural: str
    singular: str
    namespaced: bool
    verbs: tuple[str, ...]
    announced: tuple[str, ...] = ()
    """The verbs that discovery tells of, where these are not all."""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[Subresource, ...] = field(default=())
    list_kind: str = ""
    storage_hash: str = ""
    """`storageVersionHash`, where it is not that of this version."""
    custom: bool = False
    """True for kinds that a CustomResourceDefinition serves."""
    group_version: GroupVersion = field(init=False, repr=False, compare=False)
    """`apps/v1` and the like."""
    api_version: str = field(init=False, repr=False, compare=False)
    """The value of `apiVersion` in this kind's objects."""
    group_resource: GroupResource = field(init=False, repr=False, compare=False)
    """What discovery and refusals call this kind's collection."""
    collection: GroupResource = field(init=False, repr=False, compare=False)
    """Where the objects are stored: the same, but for what two groups have in common."""

    def __post_init__(self) -> None:
        """Note what every request asks for again and again."""
        version = GroupVersion(self.group, self.version)
        object.__setattr__(self, "group_version", version)
        object.__setattr__(self, "api_version", str(version))
        resource = GroupResource(self.group, self.plural)
        object.__setattr__(self, "group_resource", resource)
        object.__setattr__(self, "collection", _SHARED.get(resource, resource))

    def key(self, namespace: str, name: str) -> Key:
        """The key of one object; the namespace is dropped where the kind has none."""
        return Key(*self.collection, namespace if self.namespaced else "", name)

    @property
    def native_group(self) -> str:
        """The group under which refusals know the kind: events of both groups are the core one."""
        return "" if self.group == "events.k8s.io" else self.group

    def subresource(self, name: str) -> Subresource | None:
        """The subresource of that name, or None when the kind has none such."""
        return next((s for s in self.subresources if s.name == name), None)


def thaw(value: Any) -> Any:
    """A deep copy that may be changed."""
    # Several times as fast as `deepcopy`, and every write makes copies.
    kind = value.__class__
    if kind is dict:
        return {name: thaw(inner) for name, inner in value.items()}
    if kind is list:
        return [thaw(inner) for inner in value]
    return value if kind in _ATOMS else copy.deepcopy(value)


def random_uuid(bits: int) -> str:
    """A UUID of version 4, of 128 random bits.

    `uuid` asks the system for its bits, and lets other threads in while it waits: on the way of
    each write that costs more than all the rest of making one.
    """
    digits = f"{bits:032x}"
    variant = "89ab"[bits >> 62 & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def name_of(obj: Mapping[str, Any]) -> str:
    """`metadata.name`, empty when there is none yet."""
    return obj.get("metadata", {}).get("name", "")


def namespace_of(obj: Mapping[str, Any]) -> str:
    """`metadata.namespace`, empty for cluster-scoped objects."""
    return obj.get("metadata", {}).get("namespace", "")


def labels_of(obj: Mapping[str, Any]) -> dict[str, str]:
    """`metadata.labels`, empty when there are none."""
    return obj.get("metadata", {}).get("labels") or {}


def annotations_of(obj: Mapping[str, Any]) -> dict[str, str]:
    """`metadata.annotations`, empty when there are none."""
    return obj.get("metadata", {}).get("annotations") or {}
