"""Pods that a node runs by itself."""

from tests.fakes.cluster import Api, obj
from tutor.sandbox.controllers.static_pods import StaticPods

PODS = "/api/v1/namespaces/kube-system/pods"
SPEC = {"containers": [{"name": "c", "image": "i"}], "nodeName": "n"}


async def test_only_pods_that_the_node_runs_itself_are_made_again(api: Api) -> None:
    await api.make("/api/v1/namespaces", obj("Namespace", "kube-system"))
    mirrors = {"annotations": {"kubernetes.io/config.mirror": "hash"}}
    etcd = obj("Pod", "etcd", namespace="kube-system", metadata=mirrors, spec=SPEC)
    controller = StaticPods(api.client, lambda: [etcd])
    await controller.reconcile("web")
    await controller.reconcile("etcd")
    found = (await api.get(f"{PODS}/etcd")).body
    assert (await api.get(f"{PODS}/web")).status == 404
    await controller.reconcile("etcd")
    assert (await api.get(f"{PODS}/etcd")).version == found["metadata"]["resourceVersion"]
