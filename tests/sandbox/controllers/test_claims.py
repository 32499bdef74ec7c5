"""Adoption of orphans by the owners that select them, and their release."""

from typing import Any

import pytest

from tests.fakes.cluster import Api, obj
from tutor.sandbox.controllers.claims import Claims
from tutor.sandbox.controllers.deployments import Deployments
from tutor.sandbox.controllers.replicasets import ReplicaSets
from tutor.sandbox.controllers.resources import PODS, REPLICA_SETS, is_active
from tutor.sandbox.kinds import Object

SETS = "/apis/apps/v1/namespaces/here/replicasets"
PODS_PATH = "/api/v1/namespaces/here/pods"
CONTAINERS = [{"name": "c", "image": "example/c"}]


@pytest.fixture(autouse=True)
async def account(api: Api) -> None:
    """What every pod needs."""
    await api.make("/api/v1/namespaces/here/serviceaccounts", obj("ServiceAccount", "default"))


def template(app: str) -> Object:
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": CONTAINERS}}


def workload(kind: str, name: str, app: str, replicas: int = 1) -> Object:
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": app}},
        "template": template(app),
    }
    return obj(kind, name, version="apps/v1", spec=spec)


def pod(name: str, app: str) -> Object:
    return obj("Pod", name, metadata={"labels": {"app": app}}, spec={"containers": CONTAINERS})


async def owners(api: Api, name: str) -> list[str]:
    meta = (await api.get(f"{PODS_PATH}/{name}")).body["metadata"]
    return [ref["name"] for ref in meta.get("ownerReferences", ())]


async def label(api: Api, name: str, app: Any) -> None:
    change = {"metadata": {"labels": {"app": app}}}
    headers = {"Content-Type": "application/merge-patch+json"}
    await api.ask("PATCH", f"{PODS_PATH}/{name}", change, headers=headers)


async def test_replica_set_adopts_a_pod_instead_of_making_one(api: Api) -> None:
    await api.make(SETS, workload("ReplicaSet", "web", "web"))
    await api.make(PODS_PATH, pod("lost", "web"))
    await api.make(PODS_PATH, pod("other", "db"))
    await ReplicaSets(api.client).reconcile(("here", "web"))
    assert await owners(api, "lost") == ["web"]
    assert await owners(api, "other") == []
    assert (await api.get(PODS_PATH)).names == ["lost", "other"]


async def test_replica_set_lets_go_of_a_relabelled_pod_and_makes_another(api: Api) -> None:
    controller = ReplicaSets(api.client)
    await api.make(SETS, workload("ReplicaSet", "web", "web"))
    await api.make(PODS_PATH, pod("first", "web"))
    await controller.reconcile(("here", "web"))
    await label(api, "first", "aside")
    await controller.reconcile(("here", "web"))
    assert await owners(api, "first") == []
    assert len((await api.get(PODS_PATH)).names) == 2


async def test_pod_of_another_owner_stays_there(api: Api) -> None:
    await api.make(SETS, workload("ReplicaSet", "one", "web"))
    second = await api.make(SETS, workload("ReplicaSet", "two", "web"))
    await api.make(PODS_PATH, pod("p", "web"))
    claims = Claims(api.client, REPLICA_SETS, "ReplicaSet", PODS)
    await ReplicaSets(api.client).reconcile(("here", "one"))
    assert await claims.claim(second, is_active) == []
    assert await owners(api, "p") == ["one"]


async def test_orphan_wakes_every_owner_that_selects_it(api: Api) -> None:
    await api.make(SETS, workload("ReplicaSet", "one", "web"))
    await api.make(SETS, workload("ReplicaSet", "two", "web"))
    await api.make(SETS, workload("ReplicaSet", "three", "db"))
    orphan = await api.make(PODS_PATH, pod("p", "web"))
    watch = Claims(api.client, REPLICA_SETS, "ReplicaSet", PODS).watch()
    assert watch.keys(orphan) == [("here", "one"), ("here", "two")]


async def test_revision_of_a_deployment_is_no_new_generation(api: Api) -> None:
    path = "/apis/apps/v1/namespaces/here/deployments"
    await api.make(path, workload("Deployment", "web", "web", replicas=0))
    await Deployments(api.client).reconcile(("here", "web"))
    meta = (await api.get(f"{path}/web")).body["metadata"]
    assert meta["annotations"] == {"deployment.kubernetes.io/revision": "1"}
    assert meta["generation"] == 1
