"""Bindings that are posted beside the pods. Source: pkg/registry/core/pod/storage."""

import pytest

from tests.fakes.cluster import Api, now, obj, pod
from tutor.sandbox.api.binding import bind
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.controllers.resources import PODS
from tutor.sandbox.kinds import Object

PATH = "/api/v1/namespaces/here/bindings"
BINDING = obj("Binding", "p", target={"name": "n"})


async def test_a_binding_gives_its_pod_a_node_once(api: Api) -> None:
    account = obj("ServiceAccount", "default", namespace="here")
    await api.make("/api/v1/namespaces/here/serviceaccounts", account)
    await api.make("/api/v1/namespaces/here/pods", pod("p"))
    made = await api.make(PATH, BINDING)
    assert (made["kind"], made["status"]) == ("Status", "Success")
    assert api.client.get(PODS, "here", "p")["spec"]["nodeName"] == "n"
    again = await api.ask("POST", PATH, BINDING)
    assert again.status == 409
    assert again.message == (
        'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "n"'
    )


async def test_a_binding_of_no_pod_is_not_found(api: Api) -> None:
    reply = await api.ask("POST", PATH, BINDING)
    assert (reply.status, reply.message) == (404, 'pods "p" not found')


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({}, "target.name: Required value"),
        (
            {"kind": "Pod", "name": "n"},
            'target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>"',
        ),
    ],
)
async def test_a_binding_is_to_a_node_with_a_name(api: Api, target: Object, message: str) -> None:
    reply = await api.ask("POST", PATH, obj("Binding", "p", target=target))
    assert (reply.status, reply.message) == (500, message)


def test_a_pod_takes_what_its_binding_says_and_is_scheduled_since_then() -> None:
    meta = {"annotations": {"k": "v"}, "labels": {"a": "new"}}
    waiting = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    made = pod("p", metadata={"labels": {"a": "old", "b": "c"}})
    made["status"] = {"conditions": [waiting], "nominatedNodeName": "x"}
    bound = bind(made, obj("Binding", "p", target={"name": "n"}, metadata=meta), now())
    assert bound["metadata"]["labels"] == {"a": "new", "b": "c"}
    assert bound["metadata"]["annotations"] == {"k": "v"}
    (condition,) = bound["status"].pop("conditions")
    assert condition.pop("lastTransitionTime")
    assert condition == {"type": "PodScheduled", "status": "True"}
    assert bound["status"] == {}


@pytest.mark.parametrize(
    ("meta", "spec", "why"),
    [
        (
            {"deletionTimestamp": "2020-01-01T00:00:00Z"},
            {},
            "pod p is being deleted, cannot be assigned to a host",
        ),
        ({}, {"schedulingGates": [{"name": "g"}]}, "pod p has non-empty .spec.schedulingGates"),
    ],
)
def test_a_pod_that_goes_or_waits_is_not_bound(meta: Object, spec: Object, why: str) -> None:
    with pytest.raises(ApiError) as refused:
        bind(pod("p", metadata=meta, **spec), BINDING, now())
    assert refused.value.message.endswith(why)
