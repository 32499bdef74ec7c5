"""Nodes that come, change and go, and the pods on them.

Source: Kubernetes documentation, "Taints and Tolerations".
"""

from datetime import timedelta
from typing import Any

from tests.fakes.cluster import Api, obj, pod
from tutor.sandbox.controllers.node_lifecycle import NodeLifecycle, TaintEviction
from tutor.sandbox.controllers.resources import EVENTS, NODES, PODS, SERVICE_ACCOUNTS, condition

NODES_PATH = "/api/v1/nodes"
PODS_PATH = "/api/v1/namespaces/here/pods"


def kinds(api: Api) -> list[tuple[str, str]]:
    taints = api.client.get(NODES, "", "n")["spec"].get("taints") or ()
    return sorted((t["key"].removeprefix("node.kubernetes.io/"), t["effect"]) for t in taints)


async def with_conditions(api: Api, **conditions: str) -> None:
    found = [{"type": kind, "status": status} for kind, status in conditions.items()]
    await api.client.patch(NODES, "", "n", {"status": {"conditions": found}}, "status")


async def test_a_new_node_without_conditions_loses_the_taint_it_was_made_with(api: Api) -> None:
    made = await api.make(NODES_PATH, obj("Node", "n"))
    assert made["spec"]["taints"][0]["key"] == "node.kubernetes.io/not-ready"
    await NodeLifecycle(api.client).reconcile("n")
    assert kinds(api) == []


async def test_taints_follow_conditions_and_leave_those_of_others(api: Api) -> None:
    mine = {"key": "mine", "value": "x", "effect": "NoSchedule"}
    await api.make(NODES_PATH, obj("Node", "n", spec={"taints": [mine]}))
    controller = NodeLifecycle(api.client)
    for conditions, expected in (
        ({"Ready": "False"}, [("not-ready", "NoExecute"), ("not-ready", "NoSchedule")]),
        ({"Ready": "Unknown"}, [("unreachable", "NoExecute"), ("unreachable", "NoSchedule")]),
        (
            {"Ready": "True", "MemoryPressure": "True", "DiskPressure": "True"},
            [("disk-pressure", "NoSchedule"), ("memory-pressure", "NoSchedule")],
        ),
        (
            {"PIDPressure": "True", "NetworkUnavailable": "True"},
            [("network-unavailable", "NoSchedule"), ("pid-pressure", "NoSchedule")],
        ),
        ({"Ready": "True", "MemoryPressure": "False"}, []),
    ):
        await with_conditions(api, **conditions)
        await controller.reconcile("n")
        assert kinds(api) == sorted([("mine", "NoSchedule"), *expected])


async def test_a_cordoned_node_is_tainted_with_the_time_until_it_is_uncordoned(api: Api) -> None:
    await api.make(NODES_PATH, obj("Node", "n", spec={"unschedulable": True}))
    controller = NodeLifecycle(api.client)
    await controller.reconcile("n")
    assert kinds(api) == [("unschedulable", "NoSchedule")]
    (taint,) = api.client.get(NODES, "", "n")["spec"]["taints"]
    assert taint["timeAdded"]
    version = api.client.get(NODES, "", "n")["metadata"]["resourceVersion"]
    await controller.reconcile("n")
    assert api.client.get(NODES, "", "n")["metadata"]["resourceVersion"] == version
    await api.client.patch(NODES, "", "n", {"spec": {"unschedulable": None}})
    await controller.reconcile("n")
    assert kinds(api) == []


async def test_nodes_that_come_and_go_are_told_of_once(api: Api) -> None:
    await api.make("/api/v1/namespaces", obj("Namespace", "default"))
    await api.make(NODES_PATH, obj("Node", "n"))
    controller = NodeLifecycle(api.client)
    await controller.reconcile("n")
    await controller.reconcile("n")
    await api.client.delete(NODES, "", "n")
    await controller.reconcile("n")
    await controller.reconcile("n")
    told = [(e["reason"], e["message"], e["count"], e["source"]) for e in api.client.list(EVENTS)]
    source = {"component": "node-controller"}
    assert told == [
        ("RegisteredNode", "Node n event: Registered Node n in Controller", 1, source),
        ("RemovingNode", "Node n event: Removing Node n from Controller", 1, source),
    ]


async def a_pod(api: Api, *tolerations: Any) -> TaintEviction:
    taint = {"key": "k", "value": "v", "effect": "NoExecute"}
    await api.make(NODES_PATH, obj("Node", "n", spec={"taints": [taint]}))
    if api.stored(SERVICE_ACCOUNTS, "default") is None:
        account = obj("ServiceAccount", "default", namespace="here")
        await api.make("/api/v1/namespaces/here/serviceaccounts", account)
    await api.make(PODS_PATH, pod("p", nodeName="n", tolerations=list(tolerations)))
    return TaintEviction(api.client)


async def test_a_pod_that_does_not_tolerate_its_node_is_deleted_and_told_why(api: Api) -> None:
    controller = await a_pod(api, {"key": "k", "value": "other"})
    assert (await controller.reconcile(("here", "p"))).again_s is None
    left = api.client.get(PODS, "here", "p")
    assert left["metadata"]["deletionGracePeriodSeconds"] == 30
    target = condition(left, "DisruptionTarget")
    assert target is not None
    assert target["reason"] == "DeletionByTaintManager"
    (event,) = api.client.list(EVENTS)
    assert (event["reason"], event["message"]) == (
        "TaintManagerEviction",
        "Marking for deletion Pod here/p",
    )


async def test_a_pod_that_tolerates_for_a_while_is_looked_at_again(api: Api) -> None:
    controller = await a_pod(
        api, {"operator": "Exists", "tolerationSeconds": 60, "effect": "NoExecute"}
    )
    again = (await controller.reconcile(("here", "p"))).again_s
    assert again is not None
    assert timedelta(0) < timedelta(seconds=again) <= timedelta(seconds=60)
    assert "deletionTimestamp" not in api.client.get(PODS, "here", "p")["metadata"]


async def test_a_pod_that_tolerates_for_ever_stays(api: Api) -> None:
    controller = await a_pod(api, {"key": "k", "operator": "Equal", "value": "v"})
    assert (await controller.reconcile(("here", "p"))).again_s is None
    assert "deletionTimestamp" not in api.client.get(PODS, "here", "p")["metadata"]
