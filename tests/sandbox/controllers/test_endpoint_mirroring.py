"""Endpoints made by hand, as EndpointSlices. Source: pkg/controller/endpointslicemirroring."""

from typing import Any

import pytest

from tests.fakes.cluster import Api, obj
from tutor.sandbox.controllers.endpoint_mirroring import EndpointMirroring, slices_of
from tutor.sandbox.controllers.resources import ENDPOINT_SLICES, ENDPOINTS
from tutor.sandbox.kinds import Object

PLACE = ("here", "web")
SUBSETS = [{"addresses": [{"ip": "192.0.2.1"}], "ports": [{"port": 80, "protocol": "TCP"}]}]


async def made(api: Api, selector: Object | None = None, **meta: Any) -> list[Object]:
    spec: Object = {"ports": [{"port": 80}]} | ({"selector": selector} if selector else {})
    await api.make("/api/v1/namespaces/here/services", obj("Service", "web", spec=spec))
    endpoints = obj("Endpoints", "web", metadata=meta, subsets=SUBSETS)
    await api.make("/api/v1/namespaces/here/endpoints", endpoints)
    return await mirrored(api)


async def mirrored(api: Api) -> list[Object]:
    await EndpointMirroring(api.client).reconcile(PLACE)
    return list(api.client.list(ENDPOINT_SLICES, "here"))


async def test_endpoints_of_a_service_without_a_selector_are_mirrored(api: Api) -> None:
    (found,) = await made(api, labels={"a": "b"}, annotations={"k": "v"})
    meta = found["metadata"]
    assert meta["labels"] == {
        "a": "b",
        "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
        "kubernetes.io/service-name": "web",
    }
    assert meta["annotations"] == {"k": "v"}
    assert meta["ownerReferences"][0]["kind"] == "Endpoints"
    assert found["endpoints"] == [{"addresses": ["192.0.2.1"], "conditions": {"ready": True}}]
    assert found["ports"] == [{"name": "", "port": 80, "protocol": "TCP"}]
    (again,) = await mirrored(api)
    assert again["metadata"]["name"] == meta["name"]


@pytest.mark.parametrize(
    ("selector", "meta"),
    [
        ({"app": "web"}, {}),
        (None, {"labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}}),
        (None, {"annotations": {"control-plane.alpha.kubernetes.io/leader": "{}"}}),
    ],
)
async def test_others_are_not(api: Api, selector: Object | None, meta: Object) -> None:
    assert await made(api, selector, **meta) == []


async def test_slices_follow_their_endpoints(api: Api) -> None:
    await made(api)
    new = [{"notReadyAddresses": [{"ip": "192.0.2.9", "hostname": "h"}]}]
    await api.client.patch(ENDPOINTS, *PLACE, {"subsets": new})
    (found,) = await mirrored(api)
    assert found["endpoints"] == [
        {"addresses": ["192.0.2.9"], "conditions": {"ready": False}, "hostname": "h"}
    ]
    await api.client.delete(ENDPOINTS, *PLACE)
    assert await mirrored(api) == []


def test_each_subset_and_each_family_has_a_slice() -> None:
    addresses = [{"ip": "192.0.2.1"}, {"ip": "2001:db8::1"}]
    subsets = [{"addresses": addresses}, {"addresses": addresses[:1], "ports": [{"port": 9}]}]
    endpoints = obj("Endpoints", "web", namespace="here", metadata={"uid": "u"}, subsets=subsets)
    families = [found["addressType"] for found in slices_of(endpoints)]
    assert families == ["IPv4", "IPv6", "IPv4"]
