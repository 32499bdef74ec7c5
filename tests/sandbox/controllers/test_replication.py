"""Replication controllers, which came before replica sets."""

from tests.fakes.cluster import Api, obj, pod
from tutor.sandbox.controllers.replicasets import CONTROLLERS, ReplicaSets
from tutor.sandbox.controllers.resources import PODS
from tutor.sandbox.kinds import Object, name_of

PATH = "/api/v1/namespaces/here/replicationcontrollers"
LABELS = {"app": "web"}
MERGE = {"content-type": "application/merge-patch+json"}


def controller(replicas: int) -> Object:
    template = {"metadata": {"labels": LABELS}, "spec": pod("x")["spec"]}
    spec = {"replicas": replicas, "selector": LABELS, "template": template}
    return obj("ReplicationController", "web", namespace="here", spec=spec)


async def test_pods_are_made_adopted_and_removed(api: Api) -> None:
    account = obj("ServiceAccount", "default", namespace="here")
    await api.make("/api/v1/namespaces/here/serviceaccounts", account)
    await api.make("/api/v1/namespaces/here/pods", pod("stray", metadata={"labels": LABELS}))
    await api.make(PATH, controller(2))
    keeper = ReplicaSets(api.client, CONTROLLERS)
    await keeper.reconcile(("here", "web"))
    pods = api.client.list(PODS, "here")
    assert len(pods) == 2
    owners = {ref["kind"] for one in pods for ref in one["metadata"]["ownerReferences"]}
    assert owners == {"ReplicationController"}
    assert "stray" in {name_of(one) for one in pods}
    status = (await api.get(f"{PATH}/web")).body["status"]
    assert (status["replicas"], status["observedGeneration"]) == (2, 1)
    await api.ask("PATCH", f"{PATH}/web", {"spec": {"replicas": 0}}, headers=MERGE)
    await keeper.reconcile(("here", "web"))
    assert api.client.list(PODS, "here") == []
