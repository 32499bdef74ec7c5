"""Endpoints that somebody made by hand, as EndpointSlices.

Source: pkg/controller/endpointslicemirroring.
"""

from collections.abc import Hashable, Sequence
from ipaddress import ip_address
from typing import Any

from tutor.sandbox.api.builtin.reading import items, part
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.controllers.resources import (
    ENDPOINT_SLICES,
    ENDPOINTS,
    SERVICES,
    Place,
    as_place,
    is_deleted,
    owner_reference,
    place_of,
)
from tutor.sandbox.kinds import Object, annotations_of, labels_of, name_of, namespace_of

_SERVICE_NAME = "kubernetes.io/service-name"
_MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
_MANAGER = "endpointslicemirroring-controller.k8s.io"
_SKIP = "endpointslice.kubernetes.io/skip-mirror"
_LEADER = "control-plane.alpha.kubernetes.io/leader"
_NOT_COPIED = (
    "endpoints.kubernetes.io/last-change-trigger-time",
    "kubectl.kubernetes.io/last-applied-configuration",
)
_MOST = 1000


class EndpointMirroring:
    """Keeps the slices of Endpoints whose service selects no pods."""

    name = "endpoint-mirroring"

    def __init__(self, client: Client) -> None:
        self._client = client
        self.watches: Sequence[Watches] = (
            Watches(ENDPOINTS, lambda obj: [place_of(obj)]),
            Watches(SERVICES, lambda obj: [place_of(obj)]),
            Watches(ENDPOINT_SLICES, _mirrored),
        )

    async def reconcile(self, key: Hashable) -> Result:
        """Write the slices of one Endpoints object."""
        place = as_place(key)
        endpoints = self._client.find(ENDPOINTS, *place)
        service = self._client.find(SERVICES, *place)
        wanted = slices_of(endpoints) if endpoints and _is_mirrored(endpoints, service) else []
        found = self._client.list(ENDPOINT_SLICES, place[0])
        there = [each for each in found if place in _mirrored(each) and not is_deleted(each)]
        for old in there:
            same = next((new for new in wanted if _is_same(new, old)), None)
            if same is None:
                await self._delete(old)
            else:
                wanted.remove(same)
        for new in wanted:
            await self._client.create(new)
        return DONE

    async def _delete(self, old: Object) -> None:
        try:
            await self._client.delete(ENDPOINT_SLICES, namespace_of(old), name_of(old))
        except ApiError as error:
            if error.reason != "NotFound":
                raise


def _mirrored(each: Object) -> list[Place]:
    labels = labels_of(each)
    if labels.get(_MANAGED_BY) != _MANAGER or _SERVICE_NAME not in labels:
        return []
    return [(namespace_of(each), labels[_SERVICE_NAME])]


def _is_mirrored(endpoints: Object, service: Object | None) -> bool:
    if service is None or part(service, "spec").get("selector") or is_deleted(endpoints):
        return False
    return labels_of(endpoints).get(_SKIP) != "true" and _LEADER not in annotations_of(endpoints)


def slices_of(endpoints: Object) -> list[Object]:
    """The slices that mirror an Endpoints object: one for each subset and family."""
    labels = {**labels_of(endpoints), _MANAGED_BY: _MANAGER, _SERVICE_NAME: name_of(endpoints)}
    kept = {k: v for k, v in annotations_of(endpoints).items() if k not in _NOT_COPIED}
    slices: list[Object] = []
    for subset in items(endpoints, "subsets"):
        addresses = [(a, True) for a in items(subset, "addresses")]
        addresses += [(a, False) for a in items(subset, "notReadyAddresses")]
        for family in ("IPv4", "IPv6"):
            version = int(family[-1])
            mine = [one for one in addresses if ip_address(one[0]["ip"]).version == version]
            if not mine:
                continue
            meta: Object = {
                "generateName": f"{name_of(endpoints)}-",
                "namespace": namespace_of(endpoints),
                "labels": labels,
                "ownerReferences": [owner_reference(endpoints)],
            }
            if kept:
                meta["annotations"] = kept
            slices.append(
                {
                    "apiVersion": "discovery.k8s.io/v1",
                    "kind": "EndpointSlice",
                    "metadata": meta,
                    "addressType": family,
                    "endpoints": [_endpoint(one, ready=ready) for one, ready in mine[:_MOST]],
                    "ports": [_port(port) for port in items(subset, "ports")],
                }
            )
    return slices


def _endpoint(address: Object, *, ready: bool) -> Object:
    copied = {f: address[f] for f in ("hostname", "targetRef", "nodeName") if address.get(f)}
    return {"addresses": [address["ip"]], "conditions": {"ready": ready}, **copied}


def _port(port: Object) -> Object:
    copied: Object = {f: port[f] for f in ("port", "protocol", "appProtocol") if port.get(f)}
    return {"name": port.get("name", ""), **copied}


def _is_same(new: Object, old: Object) -> bool:
    def facts(each: Object) -> tuple[Any, ...]:
        described = dict(labels_of(each)), dict(annotations_of(each)), each["addressType"]
        return *described, items(each, "endpoints"), items(each, "ports")

    return facts(new) == facts(old)
