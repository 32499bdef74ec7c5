"""Bodies written to paths below an object: each field must be of its type."""

import json
from typing import Any

import pytest

from tests.fakes.cluster import Api, obj, pod

PODS = "/api/v1/namespaces/here/pods"
SETS = "/apis/apps/v1/namespaces/here/replicasets"
ACCOUNTS = "/api/v1/namespaces/here/serviceaccounts"
MERGE = {"content-type": "application/merge-patch+json"}


@pytest.fixture(autouse=True)
async def objects(api: Api) -> None:
    """One object of each kind."""
    labels = {"app": "a"}
    template = {"metadata": {"labels": labels}, "spec": pod("x")["spec"]}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    await api.make(SETS, obj("ReplicaSet", "a", version="apps/v1", spec=spec))
    await api.make(ACCOUNTS, obj("ServiceAccount", "a"))
    await api.make(PODS, pod("a", serviceAccountName="a"))


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("PUT", f"{SETS}/a/scale", {"spec": {"replicas": "two"}}),
        ("PUT", f"{SETS}/a/scale", {"spec": []}),
        ("PATCH", f"{SETS}/a/scale", {"spec": {"replicas": {"a": 1}}}),
        ("PATCH", f"{SETS}/a/scale", {"spec": "x"}),
        ("POST", f"{ACCOUNTS}/a/token", {"spec": {"expirationSeconds": {"a": 1}}}),
        ("POST", f"{ACCOUNTS}/a/token", {"spec": {"audiences": "x"}}),
        ("POST", f"{ACCOUNTS}/a/token", {"spec": {"boundObjectRef": 1}}),
        ("POST", f"{PODS}/a/binding", {"metadata": {"name": "a"}, "target": "x"}),
        ("POST", f"{PODS}/a/binding", {"metadata": {"name": "a"}, "target": {"name": 1}}),
        ("POST", f"{PODS}/a/eviction", {"deleteOptions": {"gracePeriodSeconds": "x"}}),
        ("POST", f"{PODS}/a/eviction", {"deleteOptions": []}),
    ],
)
async def test_field_of_another_type_is_refused(
    api: Api, method: str, target: str, body: Any
) -> None:
    headers = MERGE if method == "PATCH" else {}
    reply = await api.ask(method, target, body, headers=headers)
    # What is wrong with a patched object is a complaint about the patch.
    assert reply.status == (422 if method == "PATCH" else 400), reply.content
    assert "json: cannot unmarshal" in reply.message


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("serviceaccounts/a/token", {"spec": {}}),
        ("pods/a/eviction", {"metadata": {"name": "a"}}),
        ("pods/a/binding", {"metadata": {"name": "a"}, "target": {"name": "n"}}),
    ],
)
async def test_nothing_is_made_in_a_namespace_that_is_missing(
    api: Api, path: str, body: Any
) -> None:
    reply = await api.ask("POST", f"/api/v1/namespaces/none/{path}", body)
    assert (reply.status, reply.message) == (404, 'namespaces "none" not found')


async def test_scale_without_replicas_scales_to_none(api: Api) -> None:
    scale = {"metadata": {"name": "a"}, "spec": {"replicas": None}}
    reply = await api.ask("PUT", f"{SETS}/a/scale", scale)
    assert reply.status == 200
    assert json.loads((await api.get(f"{SETS}/a")).content)["spec"]["replicas"] == 0


async def test_scale_is_patched(api: Api) -> None:
    reply = await api.ask("PATCH", f"{SETS}/a/scale", {"spec": {"replicas": 3}}, headers=MERGE)
    assert reply.body["spec"]["replicas"] == 3
    assert (await api.get(f"{SETS}/a")).body["spec"]["replicas"] == 3


@pytest.mark.parametrize("told", [{}, {"resources": {}}])
async def test_resize_needs_a_node_that_tells_of_resources(api: Api, told: Any) -> None:
    running = {"name": "c", "image": "i", "imageID": "i", "ready": True, "restartCount": 0}
    running |= {"state": {"running": {"startedAt": "2020-01-01T00:00:00Z"}}} | told
    status = {"status": {"containerStatuses": [running]}}
    await api.ask("PATCH", f"{PODS}/a/status", status, headers=MERGE)
    wanted: dict[str, Any] = {"spec": {"resources": {}}}
    reply = await api.ask("PATCH", f"{PODS}/a/resize", wanted, headers=MERGE)
    assert ("Pod running on node without support for resize" in str(reply.body)) == (not told)
