"""Autoscalers that read a metrics API: a real server of its own, behind APIServices.

Source: k8s.io/metrics for the three APIs.
"""

import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.cluster import HOUR, now, obj
from tests.fakes.waiting import until
from tutor.sandbox import pki
from tutor.sandbox.api.request import Request, Response
from tutor.sandbox.cluster.assembly import Cluster, running
from tutor.sandbox.cluster.settings import BARE_VERSION, ClusterSettings
from tutor.sandbox.component import ServerTls
from tutor.sandbox.controllers.autoscaling.controller import AUTOSCALERS
from tutor.sandbox.controllers.resources import DEPLOYMENTS, EVENTS, PODS
from tutor.sandbox.kinds import Object, name_of
from tutor.sandbox.pace import INSTANT
from tutor.sandbox.server.aggregation import API_SERVICES, is_available
from tutor.sandbox.server.wire import serving

pytestmark = pytest.mark.contract

LABELS = {"app": "web"}
LONG_AGO = "2024-05-01T12:00:00Z"
APIS = (
    "v1beta1.metrics.k8s.io",
    "v1beta2.custom.metrics.k8s.io",
    "v1beta1.external.metrics.k8s.io",
)
HITS = "/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/pods/*/hits"
ORDERS = "/apis/external.metrics.k8s.io/v1beta1/namespaces/default/orders"
USAGE = "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods"


class MetricsApi:
    """Says of the pods what a test wants it to say."""

    def __init__(self) -> None:
        self.cpu = ""
        self.hits = ""
        self.orders: list[str] = []
        self.pods: list[str] = []
        self.asked: dict[str, str] = {}
        self.callers: set[str] = set()

    async def handle(self, request: Request) -> Response:
        self.asked[request.path] = request.query.get("labelSelector")
        self.callers.add(request.header("x-remote-user"))
        stamp = now().isoformat()
        items: list[Object] = []
        if request.path == USAGE:
            items = [
                {
                    "metadata": {"name": name},
                    "timestamp": stamp,
                    "window": "15s",
                    "containers": [{"name": "c", "usage": {"cpu": self.cpu}}],
                }
                for name in self.pods
            ]
        elif request.path == HITS:
            items = [
                {"describedObject": {"name": name}, "timestamp": stamp, "value": self.hits}
                for name in self.pods
            ]
        elif request.path == ORDERS:
            items = [{"timestamp": stamp, "value": value} for value in self.orders]
        kind = "List" if "/namespaces/" in request.path else "APIResourceList"
        return Response(status=200, body=json.dumps({"kind": kind, "items": items}).encode())


@pytest.fixture
def metrics() -> MetricsApi:
    """A server that has measured nothing yet."""
    return MetricsApi()


@pytest.fixture
async def cluster(tmp_path: Path, metrics: MetricsApi) -> AsyncGenerator[Cluster]:
    """A bare cluster whose metrics come from that server, and which has a deployment."""
    authority = pki.new_authority("metrics", now=now() - HOUR, lifetime=24 * HOUR)
    pair = pki.issue(
        authority,
        subject=pki.subject_of("metrics"),
        now=now(),
        lifetime=HOUR,
        hosts=("metrics.default.svc",),
    )
    tls = ServerTls(pair=lambda: pair)
    async with serving(metrics.handle, tls=tls, now=now) as port:
        settings = ClusterSettings(
            name="bare",
            folder=tmp_path / "cluster",
            version=BARE_VERSION,
            pace=replace(INSTANT, autoscaling=0.02),
            peers={"default/metrics": port},
        )
        async with running(settings) as made:
            await serve_metrics(made)
            await deploy(made, metrics)
            yield made


async def serve_metrics(cluster: Cluster) -> None:
    client = cluster.client
    spec: Object = {"ports": [{"port": 443}]}
    await client.create(obj("Service", "metrics", namespace="default", spec=spec))
    subset = {"addresses": [{"ip": "10.9.8.7"}], "ports": [{"port": 443}]}
    await client.create(obj("Endpoints", "metrics", namespace="default", subsets=[subset]))
    for name in APIS:
        version, _, group = name.partition(".")
        spec = {
            "group": group,
            "version": version,
            "groupPriorityMinimum": 100,
            "versionPriority": 10,
            "insecureSkipTLSVerify": True,
            "service": {"namespace": "default", "name": "metrics"},
        }
        await client.create(obj("APIService", name, version="apiregistration.k8s.io/v1", spec=spec))

    def served() -> bool:
        found = [client.find(API_SERVICES, "", name) for name in APIS]
        return all(one and is_available(one) for one in found)

    await until(served)


async def deploy(cluster: Cluster, metrics: MetricsApi) -> None:
    """A deployment of two pods that have been ready for long."""
    client = cluster.client
    container = {"name": "c", "image": "x", "resources": {"requests": {"cpu": "100m"}}}
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": [container]}}
    spec = {"replicas": 2, "selector": {"matchLabels": LABELS}, "template": template}
    await client.create(obj("Deployment", "web", version="apps/v1", namespace="default", spec=spec))
    await until(lambda: len(client.list(PODS, "default")) == 2)
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": LONG_AGO}
    status = {"phase": "Running", "startTime": LONG_AGO, "conditions": [ready]}
    metrics.pods = [name_of(pod) for pod in client.list(PODS, "default")]
    for name in metrics.pods:
        await client.patch(PODS, "default", name, {"status": status}, "status")


async def autoscale(cluster: Cluster, *metrics: Object) -> None:
    ref = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = {"scaleTargetRef": ref, "maxReplicas": 9, "metrics": list(metrics)}
    made = obj(
        "HorizontalPodAutoscaler", "web", version="autoscaling/v2", namespace="default", spec=spec
    )
    await cluster.client.create(made)


def wanted(cluster: Cluster) -> int:
    return cluster.client.get(DEPLOYMENTS, "default", "web")["spec"]["replicas"]


def status(cluster: Cluster) -> Any:
    return cluster.client.get(AUTOSCALERS, "default", "web").get("status", {})


def messages(cluster: Cluster) -> list[str]:
    return [event["message"] for event in cluster.client.list(EVENTS, "default")]


def reasons(cluster: Cluster) -> list[str]:
    return [c["reason"] for c in status(cluster).get("conditions", ())]


async def test_deployment_grows_with_what_its_pods_use(
    cluster: Cluster, metrics: MetricsApi
) -> None:
    metrics.cpu = "90m"
    target = {"type": "Utilization", "averageUtilization": 50}
    await autoscale(cluster, {"type": "Resource", "resource": {"name": "cpu", "target": target}})
    await until(lambda: wanted(cluster) == 4)
    reason = "cpu resource utilization (percentage of request) above target"
    await until(lambda: f"New size: 4; reason: {reason}" in messages(cluster))
    await until(lambda: status(cluster).get("currentMetrics"))
    assert metrics.asked[USAGE] == "app=web"
    assert "system:serviceaccount:kube-system:horizontal-pod-autoscaler" in metrics.callers
    current = {"averageUtilization": 90, "averageValue": "90m"}
    assert status(cluster)["currentMetrics"] == [
        {"type": "Resource", "resource": {"name": "cpu", "current": current}}
    ]
    metrics.cpu = "10m"
    await until(lambda: reasons(cluster)[0] == "ScaleDownStabilized")
    assert wanted(cluster) == 4


async def test_deployment_grows_with_metrics_of_its_pods_and_of_others(
    cluster: Cluster, metrics: MetricsApi
) -> None:
    metrics.hits, metrics.orders = "1500m", ["10", "22500m"]
    each = {"type": "AverageValue", "averageValue": "1"}
    ten = {"type": "Value", "value": "20"}
    await autoscale(
        cluster,
        {"type": "Pods", "pods": {"metric": {"name": "hits"}, "target": each}},
        {"type": "External", "external": {"metric": {"name": "orders"}, "target": ten}},
    )
    await until(lambda: wanted(cluster) == 4)
    told = "New size: 4; reason: external metric orders(nil) above target"
    await until(lambda: told in messages(cluster))
    await until(lambda: status(cluster).get("currentMetrics"))
    assert reasons(cluster)[1] == "ValidMetricFound"
    hits, orders = status(cluster)["currentMetrics"]
    assert hits["pods"]["current"] == {"averageValue": "1500m"}
    assert orders["external"]["current"] == {"value": "32500m"}
