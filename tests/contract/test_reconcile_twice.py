"""Every reconciler, run again over a world that is at rest, changes nothing of it."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract import certmanager_lab, concierge_lab
from tests.fakes.cluster import obj
from tests.fakes.waiting import until
from tutor.sandbox.cluster.assembly import Cluster
from tutor.sandbox.controllers.runtime import Runtime
from tutor.sandbox.kinds import Key, Object
from tutor.sandbox.log import Log
from tutor.sandbox.store import Store

pytestmark = [pytest.mark.contract, pytest.mark.timeout(120)]

LEASES = "leases"
"""Renewed by the clock, whatever happens."""
SELECTOR = {"matchLabels": {"app": "a"}}
TEMPLATE = {
    "metadata": {"labels": {"app": "a"}},
    "spec": {"containers": [{"name": "c", "image": "example.org/app:1"}]},
}
ONCE = {**TEMPLATE, "spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}}
RULE = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
CRD = {
    "group": "example.org",
    "names": {"kind": "Thing", "plural": "things", "singular": "thing", "listKind": "ThingList"},
    "scope": "Namespaced",
    "versions": [
        {
            "name": "v1",
            "served": True,
            "storage": True,
            "schema": {"openAPIV3Schema": {"type": "object"}},
        }
    ],
}


class World:
    """All reconcilers of a cluster, and its objects."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.runtimes: list[Runtime] = []
        self.stores: list[Store] = []
        self._collect(monkeypatch, Runtime, lambda made, _: self.runtimes.append(made))
        self._collect(monkeypatch, Log, lambda _, args: self.stores.append(args[1]))

    def _collect(
        self, monkeypatch: pytest.MonkeyPatch, of: Any, take: Callable[[Any, Any], None]
    ) -> None:
        original = of.__init__

        def make(made: Any, *args: Any, **more: Any) -> None:
            original(made, *args, **more)
            take(made, args)

        monkeypatch.setattr(of, "__init__", make)

    def revisions(self) -> dict[Key, int]:
        """The revision of every object that the clock does not change."""
        (store,) = self.stores
        return {
            stored.key: stored.revision
            for resource in list(store._collections)
            for stored in store.objects(resource)
            if resource.resource != LEASES
        }

    async def at_rest(self) -> dict[Key, int]:
        """Wait until nobody has anything to do, and nothing has changed for a while."""
        before: dict[Key, int] = {}
        async with asyncio.timeout(60):
            while before != (now := self.revisions()):
                before = now
                await until(lambda: not any(len(runtime._queue) for runtime in self.runtimes))
                await asyncio.sleep(0.5)
        return before

    def run_everything_again(self) -> None:
        for runtime in self.runtimes:
            runtime._fill()
            runtime._changed.set()


async def populate(cluster: Cluster) -> None:
    """Something for every built-in controller."""
    workload: dict[str, Any] = {"selector": SELECTOR, "template": TEMPLATE}
    objects: list[Object] = [
        obj("Namespace", "other"),
        obj("Deployment", "d", version="apps/v1", spec={"replicas": 2, **workload}),
        obj("StatefulSet", "s", version="apps/v1", spec={"serviceName": "s", **workload}),
        obj("DaemonSet", "d", version="apps/v1", spec=workload),
        obj("ReplicaSet", "r", version="apps/v1", spec=workload),
        obj("Job", "j", version="batch/v1", spec={"template": ONCE}),
        obj("Service", "s", spec={"selector": {"app": "a"}, "ports": [{"port": 80}]}),
        obj(
            "PodDisruptionBudget",
            "b",
            version="policy/v1",
            spec={"minAvailable": 1, "selector": SELECTOR},
        ),
        obj("ResourceQuota", "q", spec={"hard": {"pods": "50"}}),
        obj("ClusterRole", "part", **rbac(labels={"a": "b"}, rules=[RULE])),
        obj(
            "ClusterRole",
            "whole",
            **rbac(aggregationRule={"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}),
        ),
        obj("CustomResourceDefinition", "things.example.org", **definition()),
    ]
    for one in objects:
        namespaced = one["kind"] not in ("Namespace", "ClusterRole", "CustomResourceDefinition")
        meta = one["metadata"] | ({"namespace": "default"} if namespaced else {})
        await cluster.client.create({**one, "metadata": meta})


def rbac(labels: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "version": "rbac.authorization.k8s.io/v1",
        "metadata": {"labels": labels or {}},
        **more,
    }


def definition() -> dict[str, Any]:
    return {"version": "apiextensions.k8s.io/v1", "spec": CRD}


async def nothing_changes(
    world: World, caplog: pytest.LogCaptureFixture, repeats: tuple[str, ...] = ()
) -> None:
    before = await world.at_rest()
    caplog.clear()
    for _ in range(2):
        world.run_everything_again()
        after = await world.at_rest()
        changed = {key for key in before | after if before.get(key) != after.get(key)}
        assert {key for key in changed if key.resource not in repeats} == set()
    assert not [record for record in caplog.records if record.exc_info]


async def test_controllers_of_a_full_cluster_reconcile_twice_and_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(monkeypatch)
    async with concierge_lab.lab(tmp_path) as lab:
        await populate(lab.cluster)
        await lab.as_in_the_post()
        await lab.trust_local_users()
        await lab.until_available()
        await nothing_changes(world, caplog)
    assert len(world.runtimes) > 20


async def test_controllers_of_cert_manager_reconcile_twice_and_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(monkeypatch)
    async with certmanager_lab.installed(tmp_path) as lab:
        for document in certmanager_lab.documents():
            if document["kind"] != "Namespace":
                await lab.cluster.client.create(document)
        # A CA issuer's event is told at each look, as cert-manager's own controller tells it.
        await nothing_changes(world, caplog, repeats=("events",))
