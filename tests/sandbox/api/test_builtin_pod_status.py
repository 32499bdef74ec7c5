"""What may be said of the state of a pod, by the sentences of a kube-apiserver v1.36.2."""

from typing import Any

import pytest

from tests.fakes.cluster import Api, Reply, obj, pod
from tutor.sandbox.kinds import Object

PODS = "/api/v1/namespaces/here/pods"
MERGE = {"content-type": "application/merge-patch+json"}
FINAL = "may not be transitioned to non-terminated state"


async def say(api: Api, **status: Any) -> Reply:
    return await api.ask("PATCH", f"{PODS}/a/status", {"status": status}, headers=MERGE)


def state(code: int | None) -> list[Object]:
    told: Object = {"running": {}} if code is None else {"terminated": {"exitCode": code}}
    entry: Object = {"name": "c", "image": "i", "imageID": "", "ready": False, "restartCount": 0}
    return [entry | {"state": told}]


def container(**own: Any) -> list[Object]:
    return [{"name": "c", "image": "i"} | own]


RULE = {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}


@pytest.mark.parametrize(
    ("spec", "code", "restarts"),
    [
        ({"restartPolicy": "Always"}, 0, True),
        ({"restartPolicy": "OnFailure"}, 0, False),
        ({"restartPolicy": "OnFailure"}, 1, True),
        ({"restartPolicy": "Never"}, 1, False),
        ({"restartPolicy": "Never", "containers": container(restartPolicy="Always")}, 0, True),
        ({"restartPolicy": "Always", "containers": container(restartPolicy="Never")}, 1, False),
        (
            {"containers": container(restartPolicy="Never", restartPolicyRules=[RULE])},
            42,
            True,
        ),
        (
            {"containers": container(restartPolicy="Never", restartPolicyRules=[RULE])},
            41,
            False,
        ),
    ],
)
async def test_container_runs_again_only_where_its_policy_says_so(
    api: Api, spec: Object, code: int, restarts: bool
) -> None:
    await api.make("/api/v1/namespaces/here/serviceaccounts", obj("ServiceAccount", "default"))
    made = pod("a")
    made["spec"] |= {"containers": container()} | spec
    await api.make(PODS, made)
    assert (await say(api, containerStatuses=state(code))).status == 200
    again = await say(api, containerStatuses=state(None))
    if restarts:
        assert again.status == 200
    else:
        assert again.message.endswith(f"status.containerStatuses[0].state: Forbidden: {FINAL}")


async def test_nominated_node_is_a_name_and_only_before_the_pod_has_one(api: Api) -> None:
    await api.make("/api/v1/namespaces/here/serviceaccounts", obj("ServiceAccount", "default"))
    await api.make(PODS, pod("a"))
    refused = await say(api, nominatedNodeName="X_")
    assert 'status.nominatedNodeName: Invalid value: "X_": a lowercase RFC 1123' in refused.message
    assert (await say(api, nominatedNodeName="x")).status == 200
    target = {"target": {"kind": "Node", "name": "n"}}
    await api.make(f"{PODS}/a/binding", obj("Binding", "a") | target)
    refused = await say(api, nominatedNodeName="y")
    assert refused.message.endswith(
        "status.nominatedNodeName: Forbidden: may not be set on pods that are already bound to a"
        " node"
    )
