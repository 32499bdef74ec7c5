"""Deployments: revisions, sizes of ReplicaSets, pauses and what their status says."""

from typing import Any

import pytest

from tests.fakes.cluster import Api, obj
from tutor.sandbox.controllers.deployments import Deployments
from tutor.sandbox.controllers.replicasets import ReplicaSets
from tutor.sandbox.controllers.rollouts import amount, scaled, shrunk
from tutor.sandbox.kinds import Object

PATH = "/apis/apps/v1/namespaces/here/deployments"
SETS = "/apis/apps/v1/namespaces/here/replicasets"
MERGE = {"Content-Type": "application/merge-patch+json"}
REVISION = "deployment.kubernetes.io/revision"


@pytest.fixture(autouse=True)
async def account(api: Api) -> None:
    """What every pod needs."""
    await api.make("/api/v1/namespaces/here/serviceaccounts", obj("ServiceAccount", "default"))


def container(image: str) -> Object:
    return {"name": "c", "image": image}


def deployment(replicas: int, **spec: Any) -> Object:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container("a:1")]}}
    whole = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return obj("Deployment", "web", version="apps/v1", spec=whole | spec)


async def change(api: Api, **spec: Any) -> None:
    reply = await api.ask("PATCH", f"{PATH}/web", {"spec": spec}, headers=MERGE)
    assert reply.status == 200, reply.content


async def image(api: Api, name: str) -> None:
    await change(api, template={"spec": {"containers": [container(name)]}})


async def settle(api: Api) -> None:
    """Let both controllers work until nothing changes any more."""
    deployments, sets = Deployments(api.client), ReplicaSets(api.client)
    before = -1
    while before != api.store.revision:
        before = api.store.revision
        await deployments.reconcile(("here", "web"))
        for name in (await api.get(SETS)).names:
            await sets.reconcile(("here", name))


async def sizes(api: Api) -> dict[str, int]:
    """Revision to size."""
    found = (await api.get(SETS)).body["items"]
    return {rs["metadata"]["annotations"][REVISION]: rs["spec"]["replicas"] for rs in found}


async def conditions(api: Api) -> dict[str, tuple[str, str]]:
    status = (await api.get(f"{PATH}/web")).body["status"]
    return {c["type"]: (c["status"], c["reason"]) for c in status["conditions"]}


async def test_rollout_of_pods_that_never_run_stops_at_its_bounds(api: Api) -> None:
    await api.make(PATH, deployment(4))
    await settle(api)
    assert await sizes(api) == {"1": 4}
    await image(api, "a:2")
    await settle(api)
    assert await sizes(api) == {"1": 3, "2": 2}
    assert (await conditions(api))["Progressing"] == ("True", "ReplicaSetUpdated")


async def test_undone_template_gets_a_new_revision_and_keeps_its_history(api: Api) -> None:
    await api.make(PATH, deployment(0))
    await settle(api)
    await image(api, "a:2")
    await settle(api)
    await image(api, "a:1")
    await settle(api)
    assert sorted(await sizes(api)) == ["2", "3"]
    found = (await api.get(SETS)).body["items"]
    notes = [rs["metadata"]["annotations"] for rs in found]
    key = "deployment.kubernetes.io/revision-history"
    assert [note[key] for note in notes if key in note] == ["1"]
    assert (await api.get(f"{PATH}/web")).body["metadata"]["annotations"] == {REVISION: "3"}


async def test_paused_deployment_scales_what_there_is_and_makes_nothing(api: Api) -> None:
    await api.make(PATH, deployment(1))
    await settle(api)
    await change(api, paused=True)
    await image(api, "a:2")
    await change(api, replicas=3)
    await settle(api)
    assert await sizes(api) == {"1": 3}
    assert (await conditions(api))["Progressing"] == ("Unknown", "DeploymentPaused")
    await change(api, paused=None)
    await settle(api)
    assert await sizes(api) == {"1": 3, "2": 1}


async def test_recreated_deployment_has_no_old_pods_left(api: Api) -> None:
    await api.make(PATH, deployment(2, strategy={"type": "Recreate"}))
    await settle(api)
    await image(api, "a:2")
    await settle(api)
    assert await sizes(api) == {"1": 0, "2": 2}


async def test_refused_pods_show_once_and_do_not_stir(api: Api) -> None:
    spec = {"hard": {"pods": "0"}}
    await api.make("/api/v1/namespaces/here/resourcequotas", obj("ResourceQuota", "q", spec=spec))
    quota = {"status": {"hard": {"pods": "0"}, "used": {"pods": "0"}}}
    path = "/api/v1/namespaces/here/resourcequotas/q/status"
    await api.ask("PATCH", path, quota, headers=MERGE)
    await api.make(PATH, deployment(1))
    sets = ReplicaSets(api.client)
    await Deployments(api.client).reconcile(("here", "web"))
    (name,) = (await api.get(SETS)).names
    assert (await sets.reconcile(("here", name))).failed
    first = (await api.get(f"{SETS}/{name}")).version
    await sets.reconcile(("here", name))
    assert (await api.get(f"{SETS}/{name}")).version == first
    await Deployments(api.client).reconcile(("here", "web"))
    assert (await conditions(api))["ReplicaFailure"] == ("True", "FailedCreate")


@pytest.mark.parametrize(
    ("value", "up", "expected"), [("25%", True, 1), ("25%", False, 0), (3, True, 3)]
)
def test_shares_are_rounded(value: object, up: bool, expected: int) -> None:
    assert amount(value, 3, up=up) == expected


def rs(name: str, size: int, available: int = 0, **notes: str) -> Object:
    notes = {f"deployment.kubernetes.io/{key}-replicas": value for key, value in notes.items()}
    meta = {"name": name, "creationTimestamp": f"2026-01-01T00:00:0{name}Z", "annotations": notes}
    status = {"availableReplicas": available}
    return {"metadata": meta, "spec": {"replicas": size}, "status": status}


def rolling(replicas: int, more: object, less: object) -> Object:
    update = {"maxSurge": more, "maxUnavailable": less}
    strategy = {"type": "RollingUpdate", "rollingUpdate": update}
    return {"spec": {"replicas": replicas, "strategy": strategy}}


def test_unhealthy_old_pods_go_first() -> None:
    owner = rolling(10, 3, 2)
    old = [rs("1", 5, 5), rs("2", 3, 1)]
    assert shrunk(owner, old, rs("3", 4, 4)) == {"1": 3, "2": 1}


def test_scaled_rollout_keeps_its_proportions() -> None:
    owner = rolling(20, 0, 1)
    old, new = [rs("1", 6, max="10")], rs("2", 4, max="10")
    assert scaled(owner, old, new) == {"1": 12, "2": 8}
    assert scaled(owner, old, None) == {"1": 20}
