from datetime import timedelta
from typing import Any

import pytest
from admission_world import NOW, Objects, obj, pod, refusal, write_of

from tutor.sandbox.api.builtin.admission.quota.resource_quota import ResourceQuota, recount
from tutor.sandbox.api.webhooks import Write
from tutor.sandbox.kinds import Object


def quota(hard: Object, used: Object | None = None, **spec: Any) -> Object:
    status = {"hard": hard, "used": dict.fromkeys(hard, "0") if used is None else used}
    return obj("ResourceQuota", "q", namespace="here", spec={"hard": hard} | spec, status=status)


def booked(write: Write, *quotas: Object) -> list[Object]:
    world = Objects(list(quotas))
    ResourceQuota(world, world.book).validate(write)
    return [one["status"]["used"] for one in world.booked]


def refused(write: Write, *quotas: Object) -> str:
    world = Objects(list(quotas))
    return refusal(ResourceQuota(world, world.book), write).message


def asking(requests: Object | None = None, limits: Object | None = None, **spec: Any) -> Object:
    resources = {"requests": requests or {}, "limits": limits or {}}
    return pod(containers=[{"name": "c", "resources": resources}], **spec)


CONFIG = obj("ConfigMap", "x", namespace="here")
DEPLOYMENT = obj("Deployment", "d", namespace="here", version="apps/v1", spec={})


def claim(size: str, storage_class: str = "fast") -> Object:
    resources = {"requests": {"storage": size}}
    spec = {"resources": resources, "storageClassName": storage_class}
    return obj("PersistentVolumeClaim", "c", namespace="here", spec=spec)


def service(kind: str, ports: int = 2, **spec: Any) -> Object:
    named = [{"port": 80 + index} for index in range(ports)]
    given = {"type": kind, "ports": named} | spec
    return obj("Service", "s", namespace="here", spec=given)


OF_CLASS = "fast.storageclass.storage.k8s.io/requests.storage"


@pytest.mark.parametrize(
    ("new", "hard", "used"),
    [
        (
            CONFIG,
            {"configmaps": "2", "count/configmaps": "5"},
            {"configmaps": "1", "count/configmaps": "1"},
        ),
        (DEPLOYMENT, {"count/deployments.apps": "1"}, {"count/deployments.apps": "1"}),
        (asking(), {"pods": "1"}, {"pods": "1"}),
        (
            asking({"cpu": "100m", "memory": "1Gi"}, {"cpu": "200m"}),
            {"cpu": "1", "requests.memory": "2Gi", "limits.cpu": "1"},
            {"cpu": "100m", "limits.cpu": "200m", "requests.memory": "1Gi"},
        ),
        (
            asking({"example.com/gpu": "2"}, {"example.com/gpu": "2"}),
            {"requests.example.com/gpu": "2"},
            {"requests.example.com/gpu": "2"},
        ),
        (
            claim("1Gi"),
            {"requests.storage": "2Gi", OF_CLASS: "1Gi", "persistentvolumeclaims": "1"},
            {OF_CLASS: "1Gi", "persistentvolumeclaims": "1", "requests.storage": "1Gi"},
        ),
        (service("NodePort"), {"services.nodeports": "2"}, {"services.nodeports": "2"}),
        (
            service("LoadBalancer", allocateLoadBalancerNodePorts=False),
            {"services.nodeports": "0", "services.loadbalancers": "1"},
            {"services.loadbalancers": "1", "services.nodeports": "0"},
        ),
    ],
)
def test_what_is_created_is_booked(new: Object, hard: Object, used: Object):
    assert booked(write_of(new), quota(hard)) == [used]


@pytest.mark.parametrize(
    ("new", "limits", "why"),
    [
        (
            CONFIG,
            quota({"configmaps": "2"}, {"configmaps": "2"}),
            (
                'configmaps "x" is forbidden: exceeded quota: q, requested: configmaps=1,'
                " used: configmaps=2, limited: configmaps=2"
            ),
        ),
        (
            DEPLOYMENT,
            quota({"count/deployments.apps": "0"}),
            (
                'deployments.apps "d" is forbidden: exceeded quota: q, requested:'
                " count/deployments.apps=1, used: count/deployments.apps=0, limited:"
                " count/deployments.apps=0"
            ),
        ),
        (
            asking({"cpu": "100m"}, {"memory": "64Mi"}),
            quota(
                {"requests.cpu": "150m", "limits.memory": "100Mi", "pods": "9"},
                {"requests.cpu": "100m", "limits.memory": "64Mi", "pods": "1"},
            ),
            (
                'pods "p" is forbidden: exceeded quota: q, requested: limits.memory=64Mi,'
                "requests.cpu=100m, used: limits.memory=64Mi,requests.cpu=100m, limited:"
                " limits.memory=100Mi,requests.cpu=150m"
            ),
        ),
        (
            asking(),
            quota({"requests.cpu": "150m", "limits.memory": "100Mi"}),
            (
                'pods "p" is forbidden: failed quota: q: must specify limits.memory for: c;'
                " requests.cpu for: c"
            ),
        ),
        (
            CONFIG,
            quota({"configmaps": "2", "count/configmaps": "2"}, {"configmaps": "0"}),
            (
                'configmaps "x" is forbidden: status unknown for quota: q, resources:'
                " configmaps,count/configmaps"
            ),
        ),
    ],
)
def test_what_goes_beyond_a_quota_is_forbidden(new: Object, limits: Object, why: str):
    assert refused(write_of(new), limits) == why


def test_dry_run_books_nothing_and_still_refuses():
    assert booked(write_of(CONFIG, dry_run=True), quota({"configmaps": "1"})) == []
    assert "exceeded" in refused(write_of(CONFIG, dry_run=True), quota({"configmaps": "0"}))


def test_quota_of_another_namespace_or_of_other_things_is_left_alone():
    other = quota({"configmaps": "0"})
    other["metadata"]["namespace"] = "there"
    assert booked(write_of(CONFIG), other, quota({"secrets": "0"})) == []


def test_event_is_never_counted():
    event = obj("Event", "e", namespace="here")
    assert booked(write_of(event), quota({"count/events": "0"})) == []


def test_only_the_growth_of_a_claim_is_booked():
    limits = quota({"requests.storage": "5Gi"}, {"requests.storage": "2Gi"})
    assert booked(write_of(claim("3Gi"), claim("2Gi")), limits) == [{"requests.storage": "3Gi"}]
    assert booked(write_of(claim("2Gi"), claim("2Gi")), limits) == []


def test_update_of_a_pod_is_counted_when_it_gets_a_deadline():
    scoped = quota({"pods": "5"}, scopes=["Terminating"])
    assert booked(write_of(pod(activeDeadlineSeconds=5), pod()), scoped) == [{"pods": "1"}]
    assert booked(write_of(pod(), pod()), scoped) == []


@pytest.mark.parametrize(
    ("spec", "scope", "counted"),
    [
        ({"activeDeadlineSeconds": 9}, {"scopes": ["Terminating"]}, True),
        ({}, {"scopes": ["Terminating"]}, False),
        ({}, {"scopes": ["NotTerminating"]}, True),
        ({}, {"scopes": ["BestEffort"]}, True),
        ({}, {"scopes": ["NotBestEffort"]}, False),
        ({"priorityClassName": "high"}, {"scopes": ["PriorityClass"]}, True),
        ({}, {"scopes": ["PriorityClass"]}, False),
        ({"priorityClassName": "high"}, "In", True),
        ({"priorityClassName": "low"}, "In", False),
        ({"priorityClassName": "low"}, "NotIn", True),
        ({}, "NotIn", True),
        (
            {
                "affinity": {
                    "podAffinity": {
                        "requiredDuringSchedulingIgnoredDuringExecution": [{"namespaces": ["a"]}]
                    }
                }
            },
            {"scopes": ["CrossNamespacePodAffinity"]},
            True,
        ),
    ],
)
def test_quota_with_a_scope_counts_only_its_pods(spec: Object, scope: Object | str, counted: bool):
    if isinstance(scope, str):
        one = {"scopeName": "PriorityClass", "operator": scope, "values": ["high"]}
        scope = {"scopeSelector": {"matchExpressions": [one]}}
    assert bool(booked(write_of(asking(**spec)), quota({"pods": "5"}, **scope))) is counted


def test_recount_adds_up_what_is_there():
    ended = asking({"cpu": "1"}) | {"status": {"phase": "Succeeded"}}
    resized = asking({"cpu": "100m"}) | {
        "status": {
            "containerStatuses": [{"name": "c", "resources": {"requests": {"cpu": "300m"}}}],
        }
    }
    lost = asking({"cpu": "1"})
    lost["metadata"]["deletionTimestamp"] = (NOW - timedelta(seconds=60)).isoformat()
    lost["metadata"]["deletionGracePeriodSeconds"] = 30
    sidecar = {"name": "s", "restartPolicy": "Always", "resources": {"requests": {"cpu": "1"}}}
    initial = {"name": "i", "resources": {"requests": {"cpu": "5"}}}
    staged = asking({"cpu": "1"}, initContainers=[sidecar, initial], overhead={"cpu": "10m"})
    stored = [ended, resized, lost, staged, CONFIG, DEPLOYMENT]
    hard = {
        "requests.cpu": "9",
        "pods": "9",
        "count/pods": "9",
        "configmaps": "9",
        "count/deployments.apps": "9",
        "secrets": "9",
        "requests.storage": "9",
    }
    assert recount(quota(hard), Objects(stored), NOW) == {
        "configmaps": "1",
        "count/deployments.apps": "1",
        "count/pods": "4",
        "pods": "2",
        "requests.cpu": "6310m",
        "requests.storage": "0",
        "secrets": "0",
    }
