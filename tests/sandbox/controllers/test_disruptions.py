"""Disruption budgets and evictions.

Source: Kubernetes tasks, "Specifying a Disruption Budget", "API-initiated Eviction".
"""

from functools import partial
from typing import Any

import pytest

from tests.fakes.cluster import Api, Reply, obj, pod
from tutor.sandbox.api.eviction import BUDGETS
from tutor.sandbox.controllers.disruptions import Disruptions
from tutor.sandbox.controllers.requests import Requests
from tutor.sandbox.controllers.resources import EVENTS, PODS, SERVICE_ACCOUNTS
from tutor.sandbox.kinds import Object

PATH = "/apis/policy/v1/namespaces/here/poddisruptionbudgets"
POD_PATH = "/api/v1/namespaces/here/pods"
LABELS = {"app": "web"}


class World:
    """Pods and a budget."""

    def __init__(self, api: Api) -> None:
        self.api = api
        respond = partial(api.parts.front.handle_as, api.client.user)
        requests = Requests(respond, api.client.now, "kube-controller-manager")
        self.controller = Disruptions(api.client, api.parts, requests)

    async def pods(
        self,
        *names: str,
        ready: bool = True,
        owner: Object | None = None,
        version: str = "apps/v1",
    ) -> None:
        if self.api.stored(SERVICE_ACCOUNTS, "default") is None:
            account = obj("ServiceAccount", "default", namespace="here")
            await self.api.make("/api/v1/namespaces/here/serviceaccounts", account)
        meta: Object = {"labels": LABELS}
        if owner is not None:
            ref = {"apiVersion": version, "kind": owner["kind"], "name": "web"}
            meta["ownerReferences"] = [ref | {"uid": owner["metadata"]["uid"], "controller": True}]
        status: Object = {"phase": "Running"}
        status["conditions"] = [{"type": "Ready", "status": "True" if ready else "False"}]
        for name in names:
            await self.api.make(POD_PATH, pod(name, metadata=meta))
            await self.api.client.patch(PODS, "here", name, {"status": status}, "status")

    async def budget(self, **spec: Any) -> Object:
        whole = {"selector": {"matchLabels": LABELS}} | spec
        made = obj("PodDisruptionBudget", "b", version="policy/v1", namespace="here", spec=whole)
        await self.api.make(PATH, made)
        return await self.counted()

    async def counted(self) -> Object:
        await self.controller.reconcile(("here", "b"))
        status = self.api.client.get(BUDGETS, "here", "b")["status"]
        names = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
        return {name: status[name] for name in names}

    async def evict(self, name: str, query: str = "") -> Reply:
        body = obj("Eviction", name, version="policy/v1", namespace="here")
        return await self.api.ask("POST", f"{POD_PATH}/{name}/eviction{query}", body)


def counts(allowed: int, current: int, desired: int, expected: int) -> Object:
    return {
        "disruptionsAllowed": allowed,
        "currentHealthy": current,
        "desiredHealthy": desired,
        "expectedPods": expected,
    }


async def test_budget_counts_ready_pods_and_says_what_it_allows(api: Api) -> None:
    world = World(api)
    await world.pods("a", "b")
    await world.pods("c", ready=False)
    assert await world.budget(minAvailable=1) == counts(1, 2, 1, 3)
    (condition,) = api.client.get(BUDGETS, "here", "b")["status"]["conditions"]
    assert (condition["type"], condition["status"]) == ("DisruptionAllowed", "True")
    before = api.store.revision
    await world.counted()
    assert api.store.revision == before


async def test_percentages_are_of_what_the_owners_want(api: Api) -> None:
    world = World(api)
    template = {"metadata": {"labels": LABELS}, "spec": pod("x")["spec"]}
    spec = {"replicas": 4, "selector": {"matchLabels": LABELS}, "template": template}
    owner = await api.make(
        "/apis/apps/v1/namespaces/here/replicasets",
        obj("ReplicaSet", "web", version="apps/v1", namespace="here", spec=spec),
    )
    await world.pods("a", "b", "c", owner=owner)
    assert await world.budget(maxUnavailable="30%") == counts(1, 3, 2, 4)


async def test_budget_without_pods_allows_nothing(api: Api) -> None:
    assert await World(api).budget(minAvailable=0) == counts(0, 0, 0, 0)


async def test_eviction_takes_from_the_budget_until_it_is_used_up(api: Api) -> None:
    world = World(api)
    await world.pods("a", "b")
    await world.budget(minAvailable=1)
    tried = await world.evict("a", "?dryRun=All")
    assert tried.status == 201
    assert (await world.evict("a")).status == 201
    refused = await world.evict("b")
    assert (refused.status, refused.reason) == (429, "TooManyRequests")
    assert refused.message == "Cannot evict pod as it would violate the pod's disruption budget."
    (cause,) = refused.body["details"]["causes"]
    assert cause["reason"] == "DisruptionBudget"
    assert await world.counted() == counts(0, 1, 1, 1)


async def test_eviction_before_the_budget_was_counted_is_to_be_tried_again(api: Api) -> None:
    world = World(api)
    await world.pods("a")
    spec = {"minAvailable": 0, "selector": {"matchLabels": LABELS}}
    made = obj("PodDisruptionBudget", "b", version="policy/v1", namespace="here", spec=spec)
    await api.make(PATH, made)
    refused = await world.evict("a")
    assert (refused.status, refused.header("Retry-After")) == (429, ["10"])
    assert "is still being processed by the server" in str(refused.body["details"]["causes"])


async def test_pods_that_are_not_ready_may_go_when_enough_are(api: Api) -> None:
    world = World(api)
    await world.pods("a")
    await world.pods("b", ready=False)
    await world.budget(minAvailable=1)
    assert (await world.evict("b")).status == 201
    assert (await world.evict("a")).status == 429


async def test_two_budgets_for_one_pod_are_not_supported(api: Api) -> None:
    world = World(api)
    await world.pods("a")
    await world.budget(minAvailable=0)
    spec = {"minAvailable": 0, "selector": {"matchLabels": LABELS}}
    other = obj("PodDisruptionBudget", "c", version="policy/v1", namespace="here", spec=spec)
    await api.make(PATH, other)
    refused = await world.evict("a")
    assert refused.status == 500
    assert refused.message.startswith("This pod has more than one PodDisruptionBudget")


async def test_pod_without_a_budget_is_marked_and_deleted(api: Api) -> None:
    world = World(api)
    await world.pods("a")
    assert (await world.evict("a")).body["status"] == "Success"
    assert api.stored(PODS, "a") is None


async def test_share_of_pods_that_nobody_controls_is_told_of(api: Api) -> None:
    world = World(api)
    await world.pods("a", "b")
    assert await world.budget(minAvailable="50%") == counts(0, 2, 0, 0)
    (event,) = api.client.list(EVENTS, "here")
    assert event["reason"] == "UnmanagedPods"
    shown = "&LabelSelector{MatchLabels:map[string]string{app: web,},MatchExpressions:[]"
    assert f"(selector: {shown}LabelSelectorRequirement{{}},}}) were found" in event["message"]


@pytest.mark.parametrize(
    ("kind", "version", "why"),
    [
        ("Job", "batch/v1", "jobs.batch does not implement the scale subresource"),
        ("Thing", "x.org/v1", 'no matches for kind "Thing" in version "x.org/v1"'),
        ("ReplicaSet", "apps/v1", 'found no controllers for pod "a"'),
    ],
)
async def test_share_of_what_cannot_be_counted_allows_nothing(
    api: Api, kind: str, version: str, why: str
) -> None:
    world = World(api)
    await world.pods("a", owner={"kind": kind, "metadata": {"uid": "u"}}, version=version)
    assert (await world.budget(maxUnavailable=1))["disruptionsAllowed"] == 0
    status = api.client.get(BUDGETS, "here", "b")["status"]
    (condition,) = status["conditions"]
    assert (condition["status"], condition["reason"]) == ("False", "SyncFailed")
    assert condition["message"] == why
    (event,) = api.client.list(EVENTS, "here")
    told = f"Failed to calculate the number of expected pods: {why}"
    assert (event["reason"], event["message"]) == ("CalculateExpectedPodCountFailed", told)
