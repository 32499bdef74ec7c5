"""The cluster addresses of services as objects.

Source: pkg/registry/core/service/ipallocator; the API server itself makes and deletes them.
"""

from collections.abc import Hashable, Sequence

from tutor.sandbox.api.allocation import ADDRESSES, ALLOCATOR, MANAGED_BY, is_allocated
from tutor.sandbox.api.builtin.reading import items, part
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.controllers.resources import SERVICES, Place, place_of
from tutor.sandbox.kinds import Object, name_of

_LABELS = {"ipaddress.kubernetes.io/ip-family": "IPv4", MANAGED_BY: ALLOCATOR}


class ServiceAddresses:
    """Keeps an IPAddress for every cluster address that a service has."""

    name = "service-addresses"

    def __init__(self, client: Client) -> None:
        self._client = client
        self.watches: Sequence[Watches] = (
            Watches(SERVICES, _addresses),
            Watches(ADDRESSES, lambda obj: [name_of(obj)]),
        )

    async def reconcile(self, key: Hashable) -> Result:
        """Make, correct or delete the object of one address."""
        address = str(key)
        services = self._client.list(SERVICES)
        owner = next((place_of(s) for s in services if address in _addresses(s)), None)
        found = self._client.find(ADDRESSES, "", address)
        try:
            if found is None and owner is not None:
                await self._client.create(_object(address, owner))
            elif found is not None and not _is_of(found, owner):
                await self._client.delete(ADDRESSES, "", address)
        except ApiError as error:
            if error.reason not in ("AlreadyExists", "NotFound"):
                raise
        return DONE


def _addresses(service: Object) -> list[str]:
    return [ip for ip in items(service, "spec", "clusterIPs") if ip != "None"]


def _object(address: str, owner: Place) -> Object:
    namespace, name = owner
    parent = {"resource": "services", "namespace": namespace, "name": name}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IPAddress",
        "metadata": {"name": address, "labels": _LABELS},
        "spec": {"parentRef": parent},
    }


def _is_of(found: Object, owner: Place | None) -> bool:
    """Whether an address is its service's, or was made by somebody else who looks after it."""
    if not is_allocated(found):
        return True
    parent = part(found, "spec", "parentRef")
    return owner == (parent.get("namespace", ""), parent.get("name", ""))
