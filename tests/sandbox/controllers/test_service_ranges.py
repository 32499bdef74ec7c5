"""The ranges that services get their addresses from.

Source: Kubernetes tasks, "Extend Service IP Ranges"; recorded against kube-controller-manager
v1.36.2.
"""

from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.cluster import Api, obj
from tutor.sandbox.api.allocation import RANGES
from tutor.sandbox.controllers.service_ranges import ServiceRanges
from tutor.sandbox.kinds import Object

PATH = "/apis/networking.k8s.io/v1"
FINALIZER = "networking.k8s.io/service-cidr-finalizer"
ALLOCATED = {
    "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
    "ipaddress.kubernetes.io/ip-family": "IPv4",
}


async def make_range(api: Api, name: str, cidr: str) -> None:
    spec = {"cidrs": [cidr]}
    made = obj("ServiceCIDR", name, version="networking.k8s.io/v1", spec=spec)
    await api.make(f"{PATH}/servicecidrs", made)


async def make_address(api: Api, ip: str) -> None:
    parent = {"parentRef": {"resource": "services", "namespace": "here", "name": "s"}}
    version = "networking.k8s.io/v1"
    made = obj("IPAddress", ip, version=version, metadata={"labels": ALLOCATED}, spec=parent)
    await api.make(f"{PATH}/ipaddresses", made)


def ready(api: Api, name: str) -> tuple[str, str]:
    (found,) = api.client.get(RANGES, "", name)["status"]["conditions"]
    return found["status"], found["reason"]


@pytest.fixture
def later(api: Api, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A controller to which it is a minute later."""
    real = api.client.now
    monkeypatch.setattr(api.client, "now", lambda: real() + timedelta(minutes=1))
    return ServiceRanges(api.client)


async def test_range_is_held_and_ready(api: Api) -> None:
    await make_range(api, "more", "10.201.0.0/24")
    controller = ServiceRanges(api.client)
    await controller.reconcile("more")
    found: Object = api.client.get(RANGES, "", "more")
    assert found["metadata"]["finalizers"] == [FINALIZER]
    (condition,) = found["status"]["conditions"]
    assert (condition["status"], condition["reason"]) == ("True", "")
    assert condition["message"] == "Kubernetes Service CIDR is ready"
    before = api.store.revision
    await controller.reconcile("more")
    assert api.store.revision == before


async def test_range_with_addresses_stays_until_another_has_them(api: Api, later: Any) -> None:
    await make_range(api, "more", "10.201.0.0/24")
    await make_address(api, "10.201.0.9")
    await later.reconcile("more")
    await api.client.delete(RANGES, "", "more")
    await later.reconcile("more")
    assert ready(api, "more") == ("False", "Terminating")
    await make_range(api, "whole", "10.200.0.0/15")
    await later.reconcile("more")
    assert api.client.find(RANGES, "", "more") is None


async def test_empty_range_goes_after_all_have_heard_of_it(api: Api) -> None:
    controller = ServiceRanges(api.client)
    await make_range(api, "more", "10.201.0.0/24")
    await controller.reconcile("more")
    await api.client.delete(RANGES, "", "more")
    left = (await controller.reconcile("more")).again_s
    assert left is not None
    assert 0 < left <= 10
    assert api.client.find(RANGES, "", "more") is not None


async def test_empty_range_is_gone_later(api: Api, later: Any) -> None:
    await make_range(api, "more", "10.201.0.0/24")
    await later.reconcile("more")
    await api.client.delete(RANGES, "", "more")
    await later.reconcile("more")
    assert api.client.find(RANGES, "", "more") is None
