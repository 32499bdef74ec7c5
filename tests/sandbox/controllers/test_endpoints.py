"""Where a service leads: both forms of its endpoints."""

from tests.fakes.cluster import Api, obj, pod
from tutor.sandbox.controllers.endpoints import Endpoints
from tutor.sandbox.controllers.resources import ENDPOINT_SLICES, ENDPOINTS, EVENTS, PODS

TRIGGER = "endpoints.kubernetes.io/last-change-trigger-time"
SERVICE = obj("Service", "web", spec={"selector": {"app": "web"}, "ports": [{"port": 80}]})


async def test_new_service_is_what_its_first_endpoints_were_made_for(api: Api) -> None:
    service = await api.make("/api/v1/namespaces/here/services", SERVICE)
    await Endpoints(api.client).reconcile(("here", "web"))
    both = [*api.client.list(ENDPOINTS, "here"), *api.client.list(ENDPOINT_SLICES, "here")]
    since = service["metadata"]["creationTimestamp"]
    assert [found["metadata"]["annotations"] for found in both] == [{TRIGGER: since}] * 2


async def test_endpoints_that_belong_to_no_service_concern_nobody(api: Api) -> None:
    path = "/api/v1/namespaces/here/endpoints"
    subsets = [{"addresses": [{"ip": "192.0.2.1"}], "ports": [{"port": 80}]}]
    own = await api.make(path, obj("Endpoints", "own", subsets=subsets))
    keeper = Endpoints(api.client)
    places = {watched.resource: watched.keys for watched in keeper.watches}
    assert places[ENDPOINTS](own) == []
    await api.make("/api/v1/namespaces/here/services", SERVICE)
    web = await api.make(path, obj("Endpoints", "web", subsets=subsets))
    assert places[ENDPOINTS](web) == [("here", "web")]


async def a_pod(api: Api, node: str) -> None:
    account = obj("ServiceAccount", "default", namespace="here")
    await api.make("/api/v1/namespaces/here/serviceaccounts", account)
    labelled = pod("p", metadata={"labels": {"app": "web"}}, nodeName=node)
    await api.make("/api/v1/namespaces/here/pods", labelled)
    ready = {"type": "Ready", "status": "True"}
    status = {"phase": "Running", "podIP": "192.0.2.7", "podIPs": [{"ip": "192.0.2.7"}]}
    change = {"status": status | {"conditions": [ready]}}
    await api.client.patch(PODS, "here", "p", change, "status")


async def test_a_pod_whose_node_is_missing_is_left_out_of_slices_and_told_of(api: Api) -> None:
    await api.make("/api/v1/namespaces/here/services", SERVICE)
    await a_pod(api, "gone")
    keeper = Endpoints(api.client)
    assert (await keeper.reconcile(("here", "web"))).again_s == 1
    (found,) = api.client.list(ENDPOINT_SLICES, "here")
    assert not found.get("endpoints")
    (event,) = api.client.list(EVENTS, "here")
    assert (event["reason"], event["involvedObject"]["kind"]) == (
        "FailedToUpdateEndpointSlices",
        "Service",
    )
    assert event["message"] == (
        "Error updating Endpoint Slices for Service here/web: skipping Pod p for Service here/web:"
        " Node gone Not Found"
    )
    assert (await keeper.reconcile(("here", "web"))).again_s == 2
    await api.make("/api/v1/nodes", obj("Node", "gone"))
    assert (await keeper.reconcile(("here", "web"))).again_s is None
    (found,) = api.client.list(ENDPOINT_SLICES, "here")
    assert found["endpoints"][0]["addresses"] == ["192.0.2.7"]


async def test_a_service_that_publishes_all_addresses_asks_for_no_node(api: Api) -> None:
    spec = SERVICE["spec"] | {"publishNotReadyAddresses": True}
    await api.make("/api/v1/namespaces/here/services", obj("Service", "web", spec=spec))
    await a_pod(api, "gone")
    await Endpoints(api.client).reconcile(("here", "web"))
    (found,) = api.client.list(ENDPOINT_SLICES, "here")
    assert len(found["endpoints"]) == 1


async def test_the_slices_of_a_headless_service_say_so(api: Api) -> None:
    spec = {"selector": {"app": "web"}, "clusterIP": "None"}
    await api.make("/api/v1/namespaces/here/services", obj("Service", "web", spec=spec))
    await Endpoints(api.client).reconcile(("here", "web"))
    (found,) = api.client.list(ENDPOINT_SLICES, "here")
    assert found["metadata"]["labels"]["service.kubernetes.io/headless"] == ""


async def test_a_pod_with_an_address_and_no_node_is_told_of_and_nowhere_else(api: Api) -> None:
    await api.make("/api/v1/namespaces/here/services", SERVICE)
    await a_pod(api, "")
    assert (await Endpoints(api.client).reconcile(("here", "web"))).again_s == 1
    (event,) = api.client.list(EVENTS, "here")
    assert event["message"].endswith("skipping Pod p for Service here/web: Node  Not Found")
    (found,) = api.client.list(ENDPOINTS, "here")
    assert not found.get("subsets")
