"""The addresses of services as objects of their own."""

from tests.fakes.cluster import Api, obj
from tutor.sandbox.api.allocation import ADDRESSES
from tutor.sandbox.controllers.resources import SERVICES
from tutor.sandbox.controllers.service_addresses import ServiceAddresses
from tutor.sandbox.kinds import Object

IP = "10.96.7.7"


async def a_service(api: Api) -> ServiceAddresses:
    spec: Object = {"clusterIP": IP, "ports": [{"port": 80}]}
    await api.make("/api/v1/namespaces/here/services", obj("Service", "web", spec=spec))
    keeper = ServiceAddresses(api.client)
    await keeper.reconcile(IP)
    return keeper


async def test_an_address_says_whose_it_is(api: Api) -> None:
    await a_service(api)
    found = api.client.get(ADDRESSES, "", IP)
    parent = {"resource": "services", "namespace": "here", "name": "web"}
    assert found["spec"] == {"parentRef": parent}
    assert found["metadata"]["labels"] == {
        "ipaddress.kubernetes.io/ip-family": "IPv4",
        "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
    }


async def test_an_address_goes_with_its_service_and_comes_back_with_it(api: Api) -> None:
    keeper = await a_service(api)
    await api.client.delete(ADDRESSES, "", IP)
    await keeper.reconcile(IP)
    assert api.client.find(ADDRESSES, "", IP) is not None
    await api.client.delete(SERVICES, "here", "web")
    await keeper.reconcile(IP)
    assert api.client.find(ADDRESSES, "", IP) is None


async def test_an_address_of_somebody_else_stays(api: Api) -> None:
    parent = {"resource": "gateways", "group": "example.com", "name": "g"}
    other = obj("IPAddress", IP, version="networking.k8s.io/v1", spec={"parentRef": parent})
    await api.make("/apis/networking.k8s.io/v1/ipaddresses", other)
    await ServiceAddresses(api.client).reconcile(IP)
    assert api.client.find(ADDRESSES, "", IP) is not None
