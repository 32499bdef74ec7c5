"""Paths below objects and reviews, as a kube-apiserver v1.36.2 was seen to answer them."""

import pytest

from tests.fakes.cluster import Api, obj, pod

ACCOUNTS = "/api/v1/namespaces/here/serviceaccounts"
PODS = "/api/v1/namespaces/here/pods"
REVIEWS = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


@pytest.fixture
async def account(api: Api) -> None:
    """What pods run as."""
    await api.make(ACCOUNTS, obj("ServiceAccount", "default"))


def eviction(version: str = "policy/v1", **options: object) -> object:
    return obj("Eviction", "a", version=version, deleteOptions=options)


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize("version", ["policy/v1", "policy/v1beta1"])
async def test_pod_is_evicted_in_either_version(api: Api, version: str) -> None:
    await api.make(PODS, pod("a"))
    reply = await api.ask("POST", f"{PODS}/a/eviction", eviction(version))
    assert (reply.status, reply.body["code"]) == (201, 201)
    assert (await api.get(f"{PODS}/a")).status == 404


@pytest.mark.usefixtures("account")
async def test_eviction_of_another_pod_leaves_this_one_as_it_is(api: Api) -> None:
    before = await api.make(PODS, pod("a"))
    body = eviction(preconditions={"uid": "x"})
    refused = await api.ask("POST", f"{PODS}/a/eviction", body)
    assert refused.status == 409
    assert (await api.get(f"{PODS}/a")).body == before


@pytest.mark.parametrize(
    ("query", "status", "why"),
    [
        ("tailLines=x", 400, 'strconv.ParseInt: parsing "x": invalid syntax'),
        ("tailLines=-1", 422, "tailLines: Invalid value: -1: must be greater than or equal to 0"),
        ("stream=All", 422, "stream: Forbidden: may not be specified"),
        ("tailLines=1", 404, 'pods "none" not found'),
    ],
)
async def test_query_for_a_log_is_judged_before_the_pod_is_looked_for(
    api: Api, query: str, status: int, why: str
) -> None:
    refused = await api.get(f"{PODS}/none/log?{query}")
    assert refused.status == status
    assert refused.message.endswith(why)


@pytest.mark.usefixtures("account")
async def test_lifetime_of_a_token_is_a_field_that_somebody_set(api: Api) -> None:
    body = obj("TokenRequest", "", version="authentication.k8s.io/v1", spec={})
    del body["metadata"]
    made = await api.make(f"{ACCOUNTS}/default/token", body)
    (entry,) = made["metadata"]["managedFields"]
    assert entry["fieldsV1"] == {"f:spec": {"f:expirationSeconds": {}}}


async def test_node_that_somebody_acts_as_is_among_the_nodes(api: Api) -> None:
    group = "rbac.authorization.k8s.io"
    rule = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
    role = obj("ClusterRole", "all", version=f"{group}/v1", rules=[rule])
    await api.make(f"/apis/{group}/v1/clusterroles", role)
    binding = obj(
        "ClusterRoleBinding",
        "all",
        version=f"{group}/v1",
        roleRef={"apiGroup": group, "kind": "ClusterRole", "name": "all"},
        subjects=[{"kind": "User", "name": "system:node:n"}],
    )
    await api.make(f"/apis/{group}/v1/clusterrolebindings", binding)
    review = obj("SelfSubjectReview", "", version="authentication.k8s.io/v1")
    reply = await api.ask("POST", REVIEWS, review, headers={"impersonate-user": "system:node:n"})
    assert reply.body["status"]["userInfo"]["groups"] == ["system:nodes", "system:authenticated"]


async def test_reviews_are_not_kept_under_a_name(api: Api) -> None:
    assert (await api.get(f"{REVIEWS}/x")).status == 404
    assert (await api.get(REVIEWS)).status == 405
