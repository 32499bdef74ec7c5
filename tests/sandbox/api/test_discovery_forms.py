"""Which form of discovery a caller gets."""

import pytest

from tests.fakes.cluster import Api

BETA = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"
AGGREGATED = BETA.replace("v2beta1", "v2")


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (AGGREGATED, "APIGroupDiscoveryList"),
        (f"{BETA},application/json", "APIGroupList"),
        (f"{AGGREGATED},{BETA},application/json", "APIGroupDiscoveryList"),
        ("application/json", "APIGroupList"),
        ("", "APIGroupList"),
    ],
)
async def test_first_form_that_is_served_is_taken(api: Api, accept: str, kind: str) -> None:
    headers = {"Accept": accept} if accept else {}
    assert (await api.get("/apis", headers=headers)).body["kind"] == kind


@pytest.mark.parametrize("path", ["/api", "/apis"])
async def test_beta_alone_is_not_acceptable_any_more(api: Api, path: str) -> None:
    reply = await api.get(path, headers={"Accept": BETA})
    assert (reply.status, reply.reason) == (406, "NotAcceptable")


async def test_lists_of_resources_know_no_aggregated_form(api: Api) -> None:
    reply = await api.get("/api/v1", headers={"Accept": AGGREGATED})
    assert reply.status == 406
