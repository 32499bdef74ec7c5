"""HorizontalPodAutoscalers in both versions.

Source: Kubernetes' `apis/autoscaling`.
"""

from typing import Any

import pytest

from tests.fakes.cluster import Api, obj
from tutor.sandbox.kinds import Object

TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
CPU = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
}


def path(version: str) -> str:
    return f"/apis/autoscaling/{version}/namespaces/here/horizontalpodautoscalers"


def scaler(version: str = "v2", **spec: Any) -> Object:
    whole = {"maxReplicas": 3, "scaleTargetRef": TARGET} | spec
    kind = "HorizontalPodAutoscaler"
    return obj(kind, "web", version=f"autoscaling/{version}", namespace="here", spec=whole)


async def test_what_is_left_out_is_filled_in(api: Api) -> None:
    made = await api.make(path("v2"), scaler(behavior={"scaleDown": {"selectPolicy": "Min"}}))
    spec = made["spec"]
    assert (spec["minReplicas"], spec["metrics"]) == (1, [CPU])
    up, down = spec["behavior"]["scaleUp"], spec["behavior"]["scaleDown"]
    assert (up["stabilizationWindowSeconds"], len(up["policies"])) == (0, 2)
    assert down["selectPolicy"] == "Min"
    assert "stabilizationWindowSeconds" not in down


async def test_old_version_shows_cpu_and_keeps_the_rest_in_annotations(api: Api) -> None:
    memory = {
        "type": "Resource",
        "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}},
    }
    await api.make(path("v2"), scaler(metrics=[memory, CPU]))
    old = (await api.get(f"{path('v1')}/web")).body
    assert old["spec"]["targetCPUUtilizationPercentage"] == 80
    assert "metrics" not in old["spec"]
    assert "memory" in old["metadata"]["annotations"]["autoscaling.alpha.kubernetes.io/metrics"]
    written = await api.ask("PUT", f"{path('v1')}/web", old)
    assert written.status == 200
    again = (await api.get(f"{path('v2')}/web")).body
    assert again["spec"]["metrics"] == [memory, CPU]
    assert "annotations" not in again["metadata"]


async def test_object_of_the_old_version_is_stored_in_the_new_one(api: Api) -> None:
    made = await api.make(path("v1"), scaler("v1", targetCPUUtilizationPercentage=70))
    assert made["spec"]["targetCPUUtilizationPercentage"] == 70
    new = (await api.get(f"{path('v2')}/web")).body
    assert new["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 70
    assert new["apiVersion"] == "autoscaling/v2"
    listed = (await api.get(path("v1"))).body["items"]
    assert listed[0]["spec"]["targetCPUUtilizationPercentage"] == 70


async def test_old_version_without_a_target_means_the_default(api: Api) -> None:
    made = await api.make(path("v1"), scaler("v1"))
    assert made["spec"]["targetCPUUtilizationPercentage"] == 80


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"maxReplicas": 0}, "spec.maxReplicas: Required value: must be set and greater than 0"),
    ({"minReplicas": 4}, "must be greater than or equal to `minReplicas`"),
    ({"minReplicas": 0}, "spec.minReplicas: Invalid value: 0: must be greater than or equal"),
    ({"scaleTargetRef": {"kind": "Deployment"}}, "spec.scaleTargetRef.name: Required value"),
    (
        {"scaleTargetRef": TARGET | {"apiVersion": "v1"}},
        'spec.scaleTargetRef.apiVersion: Invalid value: "v1": apiVersion must specify API',
    ),
    ({"metrics": [{"type": "Pods"}]}, "spec.metrics[0].pods: Required value: must populate"),
    (
        {"metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {}}}]},
        "spec.metrics[0].resource.target.averageUtilization: Required value: must set either",
    ),
    (
        {"behavior": {"scaleUp": {"policies": [{"type": "Pods", "value": 0}]}}},
        "spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero",
    ),
]


@pytest.mark.parametrize(("spec", "why"), REFUSED)
async def test_senseless_autoscaler_is_refused(api: Api, spec: Object, why: str) -> None:
    refused = await api.ask("POST", path("v2"), scaler(**spec))
    assert refused.status == 422
    assert why in refused.message
