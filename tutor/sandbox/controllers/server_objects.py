"""What the API server itself keeps in a cluster, and makes again when somebody deletes it.

Source: pkg/controlplane (controllers of the kubernetes service and of system namespaces),
pkg/registry/flowcontrol/rest, controlplane/controller/clusterauthenticationtrust.
"""

from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.controllers.flow_schemas import LEVELS, SCHEMAS
from tutor.sandbox.controllers.resources import (
    CONFIG_MAPS,
    ENDPOINT_SLICES,
    ENDPOINTS,
    NAMESPACES,
    SERVICES,
    Place,
    place_of,
)
from tutor.sandbox.kinds import GroupResource, Object

_SERVICE_S, _MINUTE_S = 5.0, 30.0
"""Half of the ten seconds and of the minute after which the server looks again."""


class _Kept(NamedTuple):
    resource: GroupResource
    after_s: float


_KEPT = {
    "Service": _Kept(SERVICES, _SERVICE_S),
    "Endpoints": _Kept(ENDPOINTS, _SERVICE_S),
    "EndpointSlice": _Kept(ENDPOINT_SLICES, _SERVICE_S),
    "Namespace": _Kept(NAMESPACES, _MINUTE_S),
    "FlowSchema": _Kept(SCHEMAS, _MINUTE_S),
    "PriorityLevelConfiguration": _Kept(LEVELS, _MINUTE_S),
    "ConfigMap": _Kept(CONFIG_MAPS, 0.0),
}


_Key = tuple[str, Place]
"""Kind and place."""


class ServerObjects:
    """Brings back what every cluster has. Of `objects` it takes those that the server keeps."""

    name = "server-objects"

    def __init__(self, client: Client, objects: Iterable[Object]) -> None:
        self._client = client
        self._wanted: dict[Hashable, Object] = {
            _key(obj): obj for obj in objects if obj["kind"] in _KEPT
        }
        self._missing: set[Hashable] = set()
        self.watches: Sequence[Watches] = [
            Watches(kept.resource, self._concerned, always=self._all(kind))
            for kind, kept in _KEPT.items()
        ]

    def _all(self, kind: str) -> tuple[Hashable, ...]:
        return tuple(key for key, obj in self._wanted.items() if obj["kind"] == kind)

    def _concerned(self, obj: Object) -> list[_Key]:
        key = _key(obj)
        return [key] if key in self._wanted else []

    async def reconcile(self, key: Hashable) -> Result:
        """Make an object again that has been away for a while."""
        wanted = self._wanted[key]
        kept = _KEPT[wanted["kind"]]
        if self._client.find(kept.resource, *place_of(wanted)) is not None:
            self._missing.discard(key)
            return DONE
        if kept.after_s and key not in self._missing:
            self._missing.add(key)
            return Result(again_s=kept.after_s)
        try:
            await self._client.create(wanted)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
        self._missing.discard(key)
        return DONE


def _key(obj: Object) -> _Key:
    return obj["kind"], place_of(obj)
