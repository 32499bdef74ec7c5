"""Which flow schema a request belongs to.

Source: Kubernetes' documentation, "API Priority and Fairness", default objects.
"""

import pytest

from tests.fakes.cluster import MASTERS, Api
from tutor.sandbox.controllers import bootstrap_flow

GROUP = "/apis/flowcontrol.apiserver.k8s.io/v1"
SINCE = "2026-05-04T12:00:00Z"
ANYBODY = ("jane",)


@pytest.fixture
async def schemas(api: Api) -> dict[str, str]:
    """The names of the schemas and levels by their UIDs."""
    made = [await api.client.create(obj) for obj in bootstrap_flow.objects(SINCE)]
    return {obj["metadata"]["uid"]: obj["metadata"]["name"] for obj in made}


@pytest.mark.parametrize(
    ("user", "path", "schema", "level"),
    [
        (("root", *MASTERS), "/api/v1/namespaces/here/pods", "exempt", "exempt"),
        (ANYBODY, "/healthz", "probes", "exempt"),
        (ANYBODY, "/version", "global-default", "global-default"),
        (ANYBODY, "/api/v1/namespaces/here/pods", "global-default", "global-default"),
        (("system:node:n", "system:nodes"), "/api/v1/nodes/n", "system-node-high", "node-high"),
        (("system:node:n", "system:nodes"), "/api/v1/pods", "system-nodes", "system"),
        (
            ("system:kube-scheduler",),
            "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/x",
            "system-leader-election",
            "leader-election",
        ),
        (("system:kube-scheduler",), "/api/v1/pods", "kube-scheduler", "workload-high"),
        (
            ("system:serviceaccount:kube-system:x", "system:serviceaccounts"),
            "/api/v1/pods",
            "kube-system-service-accounts",
            "workload-high",
        ),
        (
            ("system:serviceaccount:here:x", "system:serviceaccounts"),
            "/api/v1/pods",
            "service-accounts",
            "workload-low",
        ),
    ],
)
async def test_request_names_its_schema_and_level(
    api: Api, schemas: dict[str, str], user: tuple[str, ...], path: str, schema: str, level: str
) -> None:
    reply = await api.get(path, user=user)
    named = [
        schemas[reply.header(f"X-Kubernetes-PF-{what}-UID")[0]]
        for what in ("FlowSchema", "PriorityLevel")
    ]
    assert named == [schema, level]


async def test_unknown_caller_gets_no_such_headers(api: Api, schemas: dict[str, str]) -> None:
    headers = {"authorization": "Bearer nonsense"}
    reply = await api.get("/api/v1/pods", user=(), headers=headers)
    assert (reply.status, reply.header("X-Kubernetes-PF-FlowSchema-UID")) == (401, [])
    assert schemas


async def test_changed_schemas_are_followed(api: Api, schemas: dict[str, str]) -> None:
    before = await api.get("/api/v1/pods", user=ANYBODY)
    await api.ask("DELETE", f"{GROUP}/flowschemas/global-default")
    after = await api.get("/api/v1/pods", user=ANYBODY)
    uids = [one.header("X-Kubernetes-PF-FlowSchema-UID")[0] for one in (before, after)]
    assert [schemas[uid] for uid in uids] == ["global-default", "catch-all"]


def test_default_objects_are_those_of_the_real_server() -> None:
    kinds = [obj["kind"] for obj in bootstrap_flow.objects(SINCE)]
    assert (kinds.count("FlowSchema"), kinds.count("PriorityLevelConfiguration")) == (11, 8)


@pytest.mark.usefixtures("schemas")
@pytest.mark.parametrize("below", ["log", "exec", "proxy"])
async def test_request_that_may_last_names_none(api: Api, below: str) -> None:
    reply = await api.get(f"/api/v1/namespaces/here/pods/none/{below}")
    assert reply.status == 404
    assert reply.header("X-Kubernetes-PF-FlowSchema-UID") == []
