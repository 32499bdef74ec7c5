"""Scales that are sent: they are read as such, whatever they scale."""

from typing import Any

import pytest

from tests.fakes.cluster import Api, obj

DEPLOYMENTS = "/apis/apps/v1/namespaces/here/deployments"
SCALE = f"{DEPLOYMENTS}/d/scale"
POD = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
SPEC = {"replicas": 2, "selector": {"matchLabels": {"a": "b"}}, "template": POD}
TYPES = {kind: f"application/{kind}-patch+json" for kind in ("json", "merge", "strategic-merge")}


async def scaled(api: Api, kind: str, patch: Any) -> Any:
    await api.make(DEPLOYMENTS, obj("Deployment", "d", version="apps/v1", spec=SPEC))
    return await api.ask("PATCH", SCALE, patch, headers={"Content-Type": TYPES[kind]})


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("json", [{"op": "replace", "path": "/spec/replicas", "value": "x"}]),
        ("json", [{"op": "replace", "path": "/spec/replicas", "value": 2.5}]),
        ("merge", {"spec": {"replicas": "x"}}),
        ("merge", {"spec": 5}),
        ("merge", {"kind": "Other"}),
        ("strategic-merge", {"spec": {"replicas": "x"}}),
    ],
)
async def test_a_patch_that_makes_no_scale_is_refused(api: Api, kind: str, patch: Any) -> None:
    reply = await scaled(api, kind, patch)
    assert (reply.status, reply.reason) == (422, "Invalid")
    assert "patch: Invalid value: " in reply.message


@pytest.mark.parametrize("kind", ["merge", "strategic-merge"])
async def test_a_patch_of_a_scale_changes_the_replicas(api: Api, kind: str) -> None:
    reply = await scaled(api, kind, {"spec": {"replicas": 5, "other": 1}})
    assert reply.body["spec"] == {"replicas": 5}
    assert reply.header("Warning") == ['299 - "unknown field \\"spec.other\\""']
    assert (await api.get(f"{DEPLOYMENTS}/d")).body["spec"]["replicas"] == 5


async def test_a_scale_with_a_wrong_number_is_refused(api: Api) -> None:
    await api.make(DEPLOYMENTS, obj("Deployment", "d", version="apps/v1", spec=SPEC))
    scale = (await api.get(SCALE)).body | {"spec": {"replicas": "x"}}
    reply = await api.ask("PUT", SCALE, scale)
    assert (reply.status, reply.reason) == (400, "BadRequest")
    told = 'Scale in version "v1" cannot be handled as a Scale: json: cannot unmarshal string into'
    assert reply.message.startswith(told)


async def test_a_scale_of_another_name_is_refused(api: Api) -> None:
    await api.make(DEPLOYMENTS, obj("Deployment", "d", version="apps/v1", spec=SPEC))
    scale = {"metadata": {"name": "other", "namespace": "here"}, "spec": {"replicas": 4}}
    reply = await api.ask("PUT", SCALE, scale)
    told = "the name of the object (other) does not match the name on the URL (d)"
    assert (reply.status, reply.message) == (400, told)
