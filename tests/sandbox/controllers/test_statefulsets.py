"""Stateful sets, step by step. Source: Kubernetes concepts, "StatefulSets"."""

from typing import Any

from tests.fakes.cluster import Api, obj
from tutor.sandbox.controllers.resources import CONTROLLER_REVISIONS, PODS, STATEFUL_SETS
from tutor.sandbox.controllers.statefulsets import StatefulSets
from tutor.sandbox.kinds import Object, labels_of, name_of

PATH = "/apis/apps/v1/namespaces/here/statefulsets"
LABELS = {"app": "db"}
MERGE = {"content-type": "application/merge-patch+json"}


def stateful_set(replicas: int = 2, image: str = "example.org/db:1", **spec: Any) -> Object:
    template = {
        "metadata": {"labels": LABELS},
        "spec": {"containers": [{"name": "c", "image": image}]},
    }
    whole = {
        "serviceName": "db",
        "replicas": replicas,
        "selector": {"matchLabels": LABELS},
        "template": template,
    }
    return obj("StatefulSet", "db", version="apps/v1", namespace="here", spec=whole | spec)


class World:
    """A set, its controller, and pods that become ready or go when the test says so."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.controller = StatefulSets(api.client)

    async def begin(self, made: Object) -> None:
        account = obj("ServiceAccount", "default", namespace="here")
        await self.api.make("/api/v1/namespaces/here/serviceaccounts", account)
        await self.api.make(PATH, made)
        await self.step()

    async def step(self) -> list[str]:
        await self.controller.reconcile(("here", "db"))
        return self.pods

    @property
    def pods(self) -> list[str]:
        return sorted(name_of(pod) for pod in self.api.client.list(PODS, "here"))

    def pod(self, name: str) -> Object:
        return self.api.client.get(PODS, "here", name)

    @property
    def status(self) -> Object:
        return self.api.client.get(STATEFUL_SETS, "here", "db")["status"]

    async def ready(self, name: str) -> list[str]:
        status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        await self.api.client.patch(PODS, "here", name, {"status": status}, "status")
        return await self.step()

    async def change(self, **spec: Any) -> list[str]:
        await self.api.ask("PATCH", f"{PATH}/db", {"spec": spec}, headers=MERGE)
        return await self.step()


async def test_pods_come_one_after_the_other(api: Api) -> None:
    world = World(api)
    await world.begin(stateful_set(3))
    assert world.pods == ["db-0"]
    assert await world.step() == ["db-0"]
    assert await world.ready("db-0") == ["db-0", "db-1"]
    assert await world.ready("db-1") == ["db-0", "db-1", "db-2"]
    await world.ready("db-2")
    assert world.status["readyReplicas"] == 3
    assert world.status["currentRevision"] == world.status["updateRevision"]


async def test_pod_has_the_identity_of_its_number(api: Api) -> None:
    world = World(api)
    await world.begin(stateful_set(1))
    pod = world.pod("db-0")
    assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("db-0", "db")
    assert labels_of(pod)["statefulset.kubernetes.io/pod-name"] == "db-0"
    assert labels_of(pod)["apps.kubernetes.io/pod-index"] == "0"
    assert labels_of(pod)["controller-revision-hash"] == world.status["updateRevision"]


async def test_parallel_pods_come_and_go_at_once(api: Api) -> None:
    world = World(api)
    await world.begin(stateful_set(3, podManagementPolicy="Parallel"))
    assert world.pods == ["db-0", "db-1", "db-2"]
    assert await world.change(replicas=1) == ["db-0"]


async def test_last_pod_goes_first_and_a_second_look_changes_nothing(api: Api) -> None:
    world = World(api)
    await world.begin(stateful_set(3))
    for number in range(3):
        await world.ready(f"db-{number}")
    assert await world.change(replicas=1) == ["db-0", "db-1"]
    assert await world.step() == ["db-0"]
    before = api.store.revision
    await world.step()
    await world.step()
    assert api.store.revision - before <= 1


async def test_new_template_replaces_pods_from_the_last_on(api: Api) -> None:
    world = World(api)
    await world.begin(stateful_set(2))
    for number in range(2):
        await world.ready(f"db-{number}")
    old = world.status["updateRevision"]
    changed = stateful_set(2, "example.org/db:2")["spec"]["template"]
    assert await world.change(template=changed) == ["db-0"]
    assert world.status["updateRevision"] != old
    assert await world.step() == ["db-0", "db-1"]
    assert await world.step() == ["db-0", "db-1"]
    assert await world.ready("db-1") == ["db-1"]
    assert await world.step() == ["db-0", "db-1"]
    await world.ready("db-0")
    assert world.status["currentRevision"] == world.status["updateRevision"]
    assert len(api.client.list(CONTROLLER_REVISIONS, "here")) == 2


async def test_partition_leaves_the_first_pods_alone(api: Api) -> None:
    world = World(api)
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
    await world.begin(stateful_set(2, updateStrategy=strategy))
    for number in range(2):
        await world.ready(f"db-{number}")
    await world.change(template=stateful_set(2, "example.org/db:2")["spec"]["template"])
    await world.step()
    await world.ready("db-1")
    assert await world.step() == ["db-0", "db-1"]
    assert world.pod("db-0")["spec"]["containers"][0]["image"] == "example.org/db:1"
    assert world.pod("db-1")["spec"]["containers"][0]["image"] == "example.org/db:2"


async def test_return_to_an_old_template_makes_its_revision_the_newest(api: Api) -> None:
    world = World(api)
    await world.begin(stateful_set(0))
    first = world.status["updateRevision"]
    await world.change(template=stateful_set(0, "example.org/db:2")["spec"]["template"])
    await world.change(template=stateful_set(0)["spec"]["template"])
    assert world.status["updateRevision"] == first
    numbers = {name_of(r): r["revision"] for r in api.client.list(CONTROLLER_REVISIONS, "here")}
    assert sorted(numbers.values()) == [2, 3]
    assert numbers[first] == 3


async def test_claims_are_made_for_each_number_and_mounted(api: Api) -> None:
    world = World(api)
    resources = {"requests": {"storage": "1Gi"}}
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": resources},
    }
    await world.begin(stateful_set(1, volumeClaimTemplates=[claim]))
    path = "/api/v1/namespaces/here/persistentvolumeclaims"
    assert (await api.get(path)).names == ["data-db-0"]
    (volume,) = (v for v in world.pod("db-0")["spec"]["volumes"] if v["name"] == "data")
    assert volume["persistentVolumeClaim"]["claimName"] == "data-db-0"
