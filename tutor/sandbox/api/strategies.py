"""How built-in kinds are handled: the schema's decoder and the behaviours of `builtin`."""

from typing import Any

from tutor.sandbox.api import tables
from tutor.sandbox.api.builtin import strategy as builtin
from tutor.sandbox.api.builtin.pod.capabilities import allowing_privileged
from tutor.sandbox.api.printers.printer import Column
from tutor.sandbox.api.registry import Decoded, Served
from tutor.sandbox.api.scale import BUILTIN as SCALES
from tutor.sandbox.api.scale import ScalePaths
from tutor.sandbox.api.status import FieldError
from tutor.sandbox.kinds import GroupResource, Kind, Object
from tutor.sandbox.schema.decode import decode
from tutor.sandbox.schema.encode import encode
from tutor.sandbox.schema.resources import builtin_kinds
from tutor.sandbox.schema.table import node_of

_BINDING = "binding"
"""The path that sets a pod's node, which no other may change."""


class BuiltinStrategy:
    """One built-in kind in one version; `stored` is it in the version that is stored instead."""

    selectable: tuple[str, ...] = ()

    def __init__(
        self, kind: Kind, stored: Kind | None = None, *, allow_privileged: bool = True
    ) -> None:
        self.kind = kind
        self._allow_privileged = allow_privileged
        self._stored = stored
        self.is_storage = stored is None
        self.unconditional_update = builtin.allows_unconditional_update(kind)
        self.create_on_update = builtin.allows_create_on_update(kind)
        self.deprecation = builtin.deprecation(kind)
        self._columns: tuple[Column, ...] | None = None

    def decode(self, value: Object) -> Decoded:
        """Normalise; raises DecodeError."""
        return decode(self.kind.group, self.kind.version, self.kind.kind, value)

    def default(self, obj: Object) -> None:
        """Fill in what was left out."""
        builtin.default(self.kind, obj)

    def normalise(self, obj: Object) -> Object:
        """Canonical field order after changes were made in place."""
        return self.decode(obj).object

    def encode(self, obj: Object) -> bytes:
        """Fields in the order they have."""
        return encode(obj)

    def prepare_create(self, obj: Object) -> None:
        """Reset what a creator may not set."""
        builtin.prepare_create(self.kind, obj)

    def prepare_update(self, new: Object, old: Object, subresource: str) -> None:
        """Keep what this path may not change."""
        if subresource == _BINDING:
            return
        if subresource and subresource != "scale":
            builtin.prepare_subresource_update(self.kind, subresource, new, old)
        else:
            builtin.prepare_update(self.kind, new, old)

    def validate(self, obj: Object) -> list[FieldError]:
        """What is wrong with a new object."""
        with allowing_privileged(self._allow_privileged):
            return builtin.validate(self.kind, obj)

    def validate_update(self, new: Object, old: Object, subresource: str) -> list[FieldError]:
        """What is wrong with a change."""
        if subresource == _BINDING:
            return []
        with allowing_privileged(self._allow_privileged):
            if subresource and subresource != "scale":
                return builtin.validate_subresource_update(self.kind, subresource, new, old)
            return builtin.validate_update(self.kind, new, old)

    def warnings(self, new: Object, old: Object | None, subresource: str) -> list[str]:
        """What is allowed and unwise."""
        if old is not None and subresource and subresource != "scale":
            return builtin.subresource_warnings(self.kind, subresource, new, old)
        return builtin.warnings(self.kind, new, old)

    def from_storage(self, obj: Object) -> Object:
        """A stored object in this version."""
        if self.is_storage:
            return obj
        return self.decode(builtin.convert(self.kind, obj, self.kind.api_version)).object

    def to_storage(self, obj: Object) -> Object:
        """The form to store."""
        if self._stored is None:
            builtin.read_back(self.kind, obj)
            return obj
        value = builtin.convert(self.kind, obj, self._stored.api_version)
        return decode(self._stored.group, self._stored.version, self._stored.kind, value).object

    def is_outdated(self, stored: Object) -> bool:  # noqa: ARG002 - the protocol's argument
        """Built-in types do not change under their objects."""
        return False

    def columns(self) -> tuple[Column, ...]:
        """What `kubectl get` shows."""
        if self._columns is None:
            self._columns = tables.columns(self.kind, ())
        return self._columns

    def node(self) -> Any:
        """The schema node."""
        return node_of(self.kind.group, self.kind.version, self.kind.kind)

    @property
    def scale_paths(self) -> ScalePaths | None:
        """Where the replicas are."""
        return SCALES.get(self.kind.group_resource)


def builtin_served(*, allow_privileged: bool = True) -> list[Served]:
    """Every built-in kind; the first version of a resource is the one that is stored.

    `allow_privileged` is the flag of that name, with which kind starts its API server.
    """
    first: dict[GroupResource, Kind] = {}
    served: list[Served] = []
    for kind in builtin_kinds():
        stored = first.setdefault(kind.collection, kind)
        other = stored if stored is not kind else None
        strategy = BuiltinStrategy(kind, other, allow_privileged=allow_privileged)
        served.append(Served(kind, strategy))
    return served
