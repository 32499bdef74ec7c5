"""Pods of nodes that are gone. Source: Kubernetes concepts, "Pod garbage collection"."""

from datetime import timedelta

import pytest

from tests.fakes.cluster import Api, obj, pod
from tutor.sandbox.controllers.pod_garbage import PodGarbage
from tutor.sandbox.controllers.resources import PODS
from tutor.sandbox.kinds import Object

PATH = "/api/v1/namespaces/here"


async def make_pod(api: Api, name: str) -> None:
    await api.make(f"{PATH}/pods", pod(name, nodeName="n"))


async def test_pods_of_a_node_that_is_gone_go_after_a_while(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.make(f"{PATH}/serviceaccounts", obj("ServiceAccount", "default"))
    await make_pod(api, "a")
    controller = PodGarbage(api.client)
    left = (await controller.reconcile("n")).again_s
    assert left is not None
    assert 30 < left <= 40
    assert api.stored(PODS, "a") is not None
    seen: list[Object] = []
    api.store.subscribe(PODS, lambda event: seen.append(event.stored.object["status"]))
    real = api.client.now
    monkeypatch.setattr(api.client, "now", lambda: real() + timedelta(seconds=41))
    await controller.reconcile("n")
    assert api.stored(PODS, "a") is None
    (told,) = [c for c in seen[0]["conditions"] if c["type"] == "DisruptionTarget"]
    assert (seen[0]["phase"], told["reason"]) == ("Failed", "DeletionByPodGC")
    assert told["message"] == "PodGC: node no longer exists"


async def test_pods_stay_when_their_node_comes(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await api.make(f"{PATH}/serviceaccounts", obj("ServiceAccount", "default"))
    await make_pod(api, "a")
    controller = PodGarbage(api.client)
    await controller.reconcile("n")
    await api.make("/api/v1/nodes", obj("Node", "n"))
    real = api.client.now
    monkeypatch.setattr(api.client, "now", lambda: real() + timedelta(seconds=41))
    assert (await controller.reconcile("n")).again_s is None
    assert api.stored(PODS, "a") is not None
