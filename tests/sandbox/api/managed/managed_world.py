"""A few served kinds and their field management, for tests."""

import json
from datetime import UTC, datetime
from typing import Any

import yaml

from tutor.sandbox.api.customresources.strategy import served_by
from tutor.sandbox.api.managed.tracking import Tracking
from tutor.sandbox.api.registry import Registry, Served
from tutor.sandbox.api.request import Call, User
from tutor.sandbox.api.strategies import builtin_served
from tutor.sandbox.kinds import Object, thaw

NOW = datetime(2030, 1, 1, 12, 0, 0, tzinfo=UTC)
STAMP = "2030-01-01T12:00:00Z"

BOATS: Object = yaml.safe_load("""
metadata: {name: boats.sea.io}
spec:
  group: sea.io
  names: {plural: boats, singular: boat, kind: Boat}
  scope: Namespaced
  versions:
  - &v1
    name: v1
    served: true
    storage: true
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.crew, statusReplicasPath: .status.crew}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              crew: {type: integer}
              tags: {type: array, items: {type: string}, x-kubernetes-list-type: set}
              ports:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [port, proto]
                items:
                  type: object
                  required: [port]
                  properties:
                    port: {type: integer}
                    proto: {type: string, default: TCP}
              free: {type: object, x-kubernetes-preserve-unknown-fields: true}
              atom:
                type: object
                x-kubernetes-map-type: atomic
                additionalProperties: {type: string}
          status:
            type: object
            properties: {crew: {type: integer}, phase: {type: string}}
  - <<: *v1
    name: v2
    storage: false
""")


class World:
    """Objects of one kind on their way through field management, without a store."""

    def __init__(self, api_version: str, plural: str, registry: Registry | None = None) -> None:
        self.registry = registry or Registry(builtin_served())
        if "sea.io" not in self.registry._owners:
            self.registry.replace("sea.io", served_by(BOATS))
        self.tracking = Tracking(self.registry.find)
        self.served = self.at(api_version, plural)

    def at(self, api_version: str, plural: str) -> Served:
        group, _, version = api_version.rpartition("/")
        found = self.registry.find(group, version, plural)
        assert found is not None
        return found

    def other(self, api_version: str) -> "World":
        return World(api_version, self.served.kind.plural, self.registry)

    def call(self, manager: str, subresource: str = "", *, force: bool = False) -> Call:
        user = User(name="me")
        return Call(
            user=user, verb="", now=NOW, manager=manager, subresource=subresource, force=force
        )

    def write(
        self, value: Object, manager: str, old: Object | None = None, subresource: str = ""
    ) -> Object:
        """Create, or update to the value."""
        new = self.served.strategy.decode(self._whole(value)).object
        new.setdefault("metadata", {})
        self.served.strategy.default(new)
        before = thaw(old)
        self.tracking.track(self.call(manager, subresource), self.served, new, old)
        assert old == before
        return new

    def change(self, old: Object, manager: str, subresource: str = "", **spec: Any) -> Object:
        """Update fields of `data` or `spec`, or those of the status."""
        new = thaw(old)
        place = "data" if "data" in new else "status" if subresource == "status" else "spec"
        new.setdefault(place, {}).update(spec)
        return self.write(new, manager, old, subresource)

    def apply(
        self,
        config: str | Object,
        manager: str,
        live: Object | None = None,
        *,
        subresource: str = "",
        force: bool = False,
    ) -> Object:
        value: Object = yaml.safe_load(config) if isinstance(config, str) else config
        before = thaw(live)
        call = self.call(manager, subresource, force=force)
        made = self.tracking.apply(
            call, self.served, value if subresource == "scale" else self._whole(value), live
        )
        assert live == before
        self.served.strategy.default(made)
        return made

    def _whole(self, value: Object) -> Object:
        kind = self.served.kind
        head = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": "a"}}
        return head | value


def owners(obj: Object) -> dict[str, Any]:
    """`manager operation[ subresource]` -> fields, in the order of the entries."""
    return {
        " ".join(filter(None, (e["manager"], e["operation"], e.get("subresource", "")))): e[
            "fieldsV1"
        ]
        for e in obj["metadata"].get("managedFields", [])
    }


def fields(text: str) -> Any:
    """Fields as a person writes them: names instead of elements."""
    return _elements(yaml.safe_load(text))


def _elements(value: Any) -> Any:
    if value is None:
        return {}
    return {
        name if name == "." or name[:2] in ("k:", "v:") else f"f:{name}": _elements(inner)
        for name, inner in value.items()
    }


def item(**keys: Any) -> str:
    """The element of a list's item."""
    return f"k:{json.dumps(keys, separators=(',', ':'))}"
