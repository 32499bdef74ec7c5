"""Horizontal pod autoscalers: what they say and do.

Source: recorded against kube-controller-manager v1.36.2; its podautoscaler for what is behind it.
"""

from functools import partial
from typing import Any

import pytest

from tests.fakes.cluster import Api, obj, pod
from tutor.sandbox.api.request import Request, Response
from tutor.sandbox.controllers.autoscaling.controller import AUTOSCALERS, HorizontalPodAutoscalers
from tutor.sandbox.controllers.requests import Requests
from tutor.sandbox.controllers.resources import DEPLOYMENTS, EVENTS, PODS, STATEFUL_SETS
from tutor.sandbox.kinds import GroupResource, Object

LABELS = {"app": "web"}
NO_METRICS = (
    "failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics"
    " from resource metrics API: the server could not find the requested resource"
    " (get pods.metrics.k8s.io)"
)


class World:
    """Deployments and their autoscalers."""

    def __init__(self, api: Api) -> None:
        self.api = api
        requests = Requests(partial(self._respond, api), api.client.now, "kube-controller-manager")
        self.controller = HorizontalPodAutoscalers(api.client, requests, 15.0)
        self.answers: dict[str, Response] = {}
        self.asked: list[str] = []

    async def _respond(self, api: Api, request: Request) -> Any:
        if request.path in self.answers:
            self.asked.append(request.target)
            return self.answers[request.path]
        return await api.parts.front.handle_as(api.client.user, request)

    async def deployment(
        self, replicas: int, name: str = "web", *, kind: str = "Deployment"
    ) -> None:
        template = {"metadata": {"labels": LABELS}, "spec": pod("x")["spec"]}
        spec = {"replicas": replicas, "selector": {"matchLabels": LABELS}, "template": template}
        more = {"serviceName": "web"} if kind == "StatefulSet" else {}
        made = obj(kind, name, version="apps/v1", namespace="here", spec=spec | more)
        path = f"/apis/apps/v1/namespaces/here/{kind.lower()}s"
        await self.api.make(path, made)
        status = {"status": {"replicas": replicas}}
        await self.api.client.patch(
            GroupResource("apps", f"{kind.lower()}s"), "here", name, status, "status"
        )

    async def autoscaler(self, name: str = "web", **spec: Any) -> Object:
        ref = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
        whole = {"scaleTargetRef": ref, "minReplicas": 2, "maxReplicas": 5} | spec
        made = obj(
            "HorizontalPodAutoscaler", name, version="autoscaling/v2", namespace="here", spec=whole
        )
        await self.api.make("/apis/autoscaling/v2/namespaces/here/horizontalpodautoscalers", made)
        return await self.synced(name)

    async def synced(self, name: str = "web") -> Object:
        for watch in self.controller.watches:
            list(watch.keys({"metadata": {"name": name, "namespace": "here"}}))
        await self.controller.reconcile(("here", name))
        found = await self.api.get(
            f"/apis/autoscaling/v2/namespaces/here/horizontalpodautoscalers/{name}"
        )
        return found.body["status"]

    def conditions(self, status: Object) -> list[tuple[str, str, str]]:
        return [(c["type"], c["status"], c["reason"]) for c in status["conditions"]]

    def events(self) -> list[tuple[str, str]]:
        found = self.api.client.list(EVENTS, "here")
        return [(event["reason"], event["message"]) for event in found]

    def replicas(self, name: str = "web") -> int:
        return self.api.client.get(DEPLOYMENTS, "here", name)["spec"]["replicas"]


async def test_target_above_the_most_is_scaled_down_without_metrics(api: Api) -> None:
    world = World(api)
    await world.deployment(7)
    status = await world.autoscaler()
    assert world.replicas() == 5
    assert world.conditions(status) == [("AbleToScale", "True", "SucceededRescale")]
    message = status["conditions"][0]["message"]
    assert message == "the HPA controller was able to update the target scale to 5"
    assert (status["currentReplicas"], status["desiredReplicas"]) == (7, 5)
    assert status["lastScaleTime"]
    reason = "New size: 5; reason: Current number of replicas above Spec.MaxReplicas"
    assert world.events() == [("SuccessfulRescale", reason)]


async def test_any_kind_that_has_a_scale_is_scaled(api: Api) -> None:
    world = World(api)
    await world.deployment(1, kind="StatefulSet")
    ref = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web"}
    await world.autoscaler(scaleTargetRef=ref)
    assert api.client.get(STATEFUL_SETS, "here", "web")["spec"]["replicas"] == 2
    reason = "New size: 2; reason: Current number of replicas below Spec.MinReplicas"
    assert world.events() == [("SuccessfulRescale", reason)]
    owners = api.client.get(STATEFUL_SETS, "here", "web")["metadata"]["managedFields"]
    scaling = [owner for owner in owners if owner.get("subresource") == "scale"]
    assert [owner["manager"] for owner in scaling] == ["kube-controller-manager"]


async def test_target_of_no_replicas_is_left_alone(api: Api) -> None:
    world = World(api)
    await world.deployment(0)
    status = await world.autoscaler()
    assert world.replicas() == 0
    assert world.conditions(status)[1] == ("ScalingActive", "False", "ScalingDisabled")
    assert world.events() == []


async def test_autoscaler_says_that_nothing_measures(api: Api) -> None:
    world = World(api)
    await world.deployment(3)
    status = await world.autoscaler()
    assert world.conditions(status) == [
        ("AbleToScale", "True", "SucceededGetScale"),
        ("ScalingActive", "False", "FailedGetResourceMetric"),
    ]
    told = f"the HPA was unable to compute the replica count: {NO_METRICS}"
    assert status["conditions"][1]["message"] == told
    assert status["currentMetrics"] == [{"type": ""}]
    assert (status["currentReplicas"], status["desiredReplicas"]) == (3, 0)
    summary = "invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource"
    assert world.events() == [
        ("FailedGetResourceMetric", NO_METRICS),
        ("FailedComputeMetricsReplicas", f"{summary} metric value: {NO_METRICS}"),
    ]
    before = api.client.get(AUTOSCALERS, "here", "web")["metadata"]["resourceVersion"]
    await world.synced()
    assert api.client.get(AUTOSCALERS, "here", "web")["metadata"]["resourceVersion"] == before


@pytest.mark.parametrize(
    ("ref", "why"),
    [
        (("apps/v1", "Deployment"), 'deployments.apps "nope" not found'),
        (("apps/v1", "DaemonSet"), "the server could not find the requested resource"),
        (("apps/v1", "Thing"), 'no matches for kind "Thing" in group "apps"'),
    ],
)
async def test_autoscaler_says_why_it_has_no_target(
    api: Api, ref: tuple[str, str], why: str
) -> None:
    world = World(api)
    target = {"apiVersion": ref[0], "kind": ref[1], "name": "nope"}
    status = await world.autoscaler(scaleTargetRef=target)
    assert world.conditions(status) == [("AbleToScale", "False", "FailedGetScale")]
    assert status["conditions"][0]["message"].endswith(f"target's current scale: {why}")
    assert world.events() == [("FailedGetScale", why)]


async def test_two_autoscalers_of_the_same_pods_scale_nothing(api: Api) -> None:
    world = World(api)
    await world.deployment(3)
    await api.make("/api/v1/namespaces/here/serviceaccounts", obj("ServiceAccount", "default"))
    await api.make("/api/v1/namespaces/here/pods", pod("a", metadata={"labels": LABELS}))
    await world.autoscaler("one")
    status = await world.autoscaler("two")
    told = "pods by selector app=web are controlled by multiple HPAs: [here/one here/two]"
    assert world.conditions(status)[1] == ("ScalingActive", "False", "AmbiguousSelector")
    assert status["conditions"][1]["message"] == told
    assert ("AmbiguousSelector", told) in world.events()
    assert ("FailedComputeMetricsReplicas", told) in world.events()
    await api.client.delete(AUTOSCALERS, "here", "one")
    status = await world.synced("two")
    assert world.conditions(status)[1] == ("ScalingActive", "False", "FailedGetResourceMetric")


async def test_metrics_that_others_have_no_api_for_are_told_of(api: Api) -> None:
    world = World(api)
    await world.deployment(3)
    metric = {"name": "hits"}
    service = {"apiVersion": "v1", "kind": "Service", "name": "s"}
    ten = {"type": "Value", "value": "10"}
    selector = {"matchLabels": {"a": "b"}}
    listed = [
        {"type": "Object", "object": {"metric": metric, "describedObject": service, "target": ten}},
        {
            "type": "External",
            "external": {"metric": metric | {"selector": selector}, "target": ten},
        },
    ]
    await world.autoscaler(metrics=listed)
    told = dict(world.events())
    assert told["FailedGetObjectMetric"] == (
        "unable to get metric hits: Service on here s/unable to fetch metrics from custom metrics"
        " API: no custom metrics API (custom.metrics.k8s.io) registered"
    )
    assert told["FailedGetExternalMetric"] == (
        "unable to get external metric here/hits/&LabelSelector{MatchLabels:map[string]string{a:"
        " b,},MatchExpressions:[]LabelSelectorRequirement{},}: unable to fetch metrics from"
        " external metrics API: the server could not find the requested resource"
        " (get hits.external.metrics.k8s.io)"
    )
    assert told["FailedComputeMetricsReplicas"].startswith("invalid metrics (2 invalid out of 2)")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (
            Response(status=503, body=b"service unavailable\n", content_type="text/plain"),
            "the server is currently unable to handle the request (get pods.metrics.k8s.io)",
        ),
        (
            Response(status=500, body=b"oh\n", content_type="text/plain"),
            'an error on the server ("oh") has prevented the request from succeeding',
        ),
        (
            Response(status=403, body=b'{"kind": "Status", "message": "go away"}'),
            "go away",
        ),
    ],
)
async def test_failures_of_metrics_are_told_in_the_words_of_clients(
    api: Api, answer: Response, why: str
) -> None:
    world = World(api)
    await world.deployment(3)
    world.answers["/apis/metrics.k8s.io/v1beta1/namespaces/here/pods"] = answer
    told = (await world.autoscaler())["conditions"][1]["message"]
    assert f"unable to fetch metrics from resource metrics API: {why}" in told


async def test_deleted_autoscaler_is_forgotten(api: Api) -> None:
    world = World(api)
    await world.deployment(3)
    await world.autoscaler()
    await api.client.delete(AUTOSCALERS, "here", "web")
    assert (await world.controller.reconcile(("here", "web"))).again_s is None
    assert api.client.list(PODS, "here") == []
