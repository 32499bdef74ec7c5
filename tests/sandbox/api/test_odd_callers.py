"""Odd credentials, users and paths, as a kube-apiserver v1.36.2 answered them."""

import pytest

from tests.fakes.cluster import Api, obj

REVIEWS = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
PODS = "/api/v1/namespaces/here/pods"


async def allow_reviews(api: Api) -> None:
    """Let everybody ask who they are."""
    rbac = "rbac.authorization.k8s.io"
    rule = {"verbs": ["create"], "apiGroups": ["authentication.k8s.io"], "resources": ["*"]}
    role = obj("ClusterRole", "ask", version=f"{rbac}/v1", rules=[rule])
    await api.make(f"/apis/{rbac}/v1/clusterroles", role)
    everybody = [
        {"apiGroup": rbac, "kind": "Group", "name": f"system:{name}authenticated"}
        for name in ("", "un")
    ]
    ref = {"apiGroup": rbac, "kind": "ClusterRole", "name": "ask"}
    binding = obj(
        "ClusterRoleBinding", "ask", version=f"{rbac}/v1", roleRef=ref, subjects=everybody
    )
    await api.make(f"/apis/{rbac}/v1/clusterrolebindings", binding)


@pytest.mark.parametrize(
    ("headers", "groups"),
    [
        ({"impersonate-user": "system:serviceaccount:a:b:c"}, ["system:authenticated"]),
        (
            {"impersonate-user": "system:anonymous", "impersonate-group": "system:authenticated"},
            ["system:authenticated", "system:unauthenticated"],
        ),
    ],
)
async def test_groups_of_odd_users(api: Api, headers: dict[str, str], groups: list[str]) -> None:
    await allow_reviews(api)
    reply = await api.ask("POST", REVIEWS, REVIEW, headers=headers)
    assert reply.body["status"]["userInfo"]["groups"] == groups


async def test_user_whose_name_is_no_text_is_told_by_its_bytes(api: Api) -> None:
    await allow_reviews(api)
    headers = {"impersonate-user": "\udce4", "accept": "application/json"}
    known = await api.ask("POST", REVIEWS, REVIEW, headers=headers)
    assert rb'"username":"\ufffd"' in known.content
    for more in ({}, {"user-agent": "curl/8"}):
        refused = await api.get(PODS, headers=headers | more)
        assert refused.status == 403
        assert 'User "\\xe4" cannot list' in refused.message
    marked = await api.get(PODS, headers={"impersonate-user": '<"&>'})
    assert 'User "&lt;\\"&amp;&gt;" cannot list' in marked.message


async def test_token_after_two_spaces_is_ignored_with_a_warning(api: Api) -> None:
    token = api.parts.tokens.issue_legacy(
        await api.make("/api/v1/namespaces/here/serviceaccounts", obj("ServiceAccount", "a")), "s"
    )
    odd = await api.get(PODS, user=(), headers={"authorization": f"Bearer  {token}"})
    assert 'User "system:anonymous"' in odd.message
    (warning,) = odd.header("warning")
    assert "contains extra space before the bearer token, and is ignored" in warning
    for header in ("Bearer nope x", "bearer nope"):
        assert (await api.get(PODS, user=(), headers={"authorization": header})).status == 401
    for header in ("Bearer", "Basic YTpi"):
        refused = await api.get(PODS, user=(), headers={"authorization": header})
        assert (refused.status, refused.header("warning")) == (403, [])


@pytest.mark.parametrize(
    ("path", "exists"),
    [
        ("/api/v1/namespaces/here/pods", True),
        ("/api/v1/namespaces/here/pods/x/log", True),
        ("/api/v1/namespaces/here/status", True),
        ("/apis/authentication.k8s.io/v1/tokenreviews", True),
        ("/api/v1/pods/x", False),
        ("/api/v1/namespaces/here/nodes", False),
        ("/api/v1/namespaces/here/namespaces", False),
        ("/api/v1/namespaces/here/configmaps/x/status", False),
        ("/api/v1/namespaces/here/pods/x/log/y", False),
        ("/api/v1/Pods", False),
    ],
)
async def test_method_is_refused_only_where_there_is_something(
    api: Api, path: str, exists: bool
) -> None:
    for method in ("HEAD", "OPTIONS"):
        assert (await api.ask(method, path)).status == (405 if exists else 404)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/namespaces/here/namespaces",
        "/api/v1/namespaces/here/namespaces/x",
        "/api/v1/watch/namespaces/here/pods/x/log",
        "/api/v1/proxy/namespaces/here/pods/x",
    ],
)
async def test_paths_that_lead_nowhere(api: Api, path: str) -> None:
    reply = await api.get(path)
    told = "the server could not find the requested resource"
    assert (reply.status, reply.message) == (404, told)


@pytest.mark.parametrize("accept", ["application/json;stream=foo", "application/yaml;stream=watch"])
async def test_stream_of_another_kind_is_not_acceptable(api: Api, accept: str) -> None:
    for query in ("", "?watch=1"):
        reply = await api.get(PODS + query, headers={"accept": accept})
        assert (reply.status, reply.media) == (406, "application/json")
        assert reply.message.startswith("only the following media types are accepted: ")
