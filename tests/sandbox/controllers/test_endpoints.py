"""Where a service leads: both forms of its endpoints."""

from tests.fakes.cluster import Api, obj
from tutor.sandbox.controllers.endpoints import Endpoints
from tutor.sandbox.controllers.resources import ENDPOINT_SLICES, ENDPOINTS

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
