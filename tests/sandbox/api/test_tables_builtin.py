"""Rows of built-in kinds, as the printers of Kubernetes 1.36 make them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from tutor.sandbox.api.printers.catalogue import PRINTERS
from tutor.sandbox.kinds import GroupResource, Object

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR_AGO = "2026-11-23T11:00:00Z"
AGE = "60m"


def cells(resource: str, fields: Object, **metadata: Any) -> list[Any]:
    """The cells of an object named `x` that is one hour old."""
    plural, _, group = resource.partition(".")
    obj = {"metadata": {"name": "x", "creationTimestamp": HOUR_AGO, **metadata}, **fields}
    return PRINTERS[GroupResource(group, plural)].cells(obj, NOW)


def conditions(*found: str) -> list[Object]:
    """Conditions from `Type`, `Type=Status` or `Type=Status:Reason`."""
    made: list[Object] = []
    for one in found:
        type_, _, rest = one.partition("=")
        status, _, reason = rest.partition(":")
        made.append({"type": type_, "status": status or "True", "reason": reason})
    return made


TEMPLATE: Object = {
    "spec": {"containers": [{"name": "a", "image": "i:1"}, {"name": "b", "image": "j:2"}]}
}
SELECTOR: Object = {
    "matchLabels": {"app": "x"},
    "matchExpressions": [
        {"key": "tier", "operator": "In", "values": ["web", "api"]},
        {"key": "alone", "operator": "DoesNotExist"},
    ],
}
SELECTED = "!alone,app=x,tier in (api,web)"


@pytest.mark.parametrize("resource", sorted(PRINTERS))
def test_row_has_a_cell_for_each_column_when_nothing_but_the_name_is_there(
    resource: GroupResource,
) -> None:
    shown = PRINTERS[resource].cells({"metadata": {"name": "x"}}, NOW)

    extra = 1 if resource.resource == "ipaddresses" else 0
    assert len(shown) == len(PRINTERS[resource].columns) + extra
    assert "x" in shown


@pytest.mark.parametrize(
    ("status", "spec", "shown"),
    [
        ({}, {"completions": 1}, ("Running", "0/1", "")),
        ({"succeeded": 2}, {"completions": 3}, ("Running", "2/3", "")),
        ({"succeeded": 1}, {"parallelism": 1}, ("Running", "1/1", "")),
        ({"succeeded": 1}, {"parallelism": 3}, ("Running", "1/1 of 3", "")),
        ({"startTime": "2026-11-23T11:59:00Z"}, {"completions": 1}, ("Running", "0/1", "60s")),
        (
            {
                "startTime": "2026-11-23T11:50:00Z",
                "completionTime": "2026-11-23T11:50:07Z",
                "succeeded": 1,
                "conditions": conditions("SuccessCriteriaMet", "Complete"),
            },
            {"completions": 1},
            ("Complete", "1/1", "7s"),
        ),
        (
            {"conditions": conditions("FailureTarget", "Failed")},
            {"completions": 1},
            ("Failed", "0/1", ""),
        ),
        ({"conditions": conditions("Suspended")}, {"completions": 1}, ("Suspended", "0/1", "")),
        (
            {"conditions": conditions("Suspended=False")},
            {"completions": 1},
            ("Running", "0/1", ""),
        ),
        (
            {"conditions": conditions("FailureTarget")},
            {"completions": 1},
            ("FailureTarget", "0/1", ""),
        ),
        (
            {"conditions": conditions("SuccessCriteriaMet")},
            {"completions": 1},
            ("SuccessCriteriaMet", "0/1", ""),
        ),
    ],
)
def test_job_shows_status_completions_and_duration(
    status: Object, spec: Object, shown: tuple[str, str, str]
) -> None:
    fields = {"spec": {**spec, "template": TEMPLATE, "selector": SELECTOR}, "status": status}

    assert cells("jobs.batch", fields) == ["x", *shown, AGE, "a,b", "i:1,j:2", SELECTED]


def test_job_is_terminating_when_it_is_being_deleted() -> None:
    assert cells("jobs.batch", {}, deletionTimestamp=HOUR_AGO)[1] == "Terminating"


@pytest.mark.parametrize(
    ("spec", "status", "shown"),
    [
        ({"clusterIPs": ["10.96.0.1"]}, {}, ("ClusterIP", "10.96.0.1", "<none>")),
        ({"clusterIPs": ["None"]}, {}, ("ClusterIP", "None", "<none>")),
        (
            {"clusterIPs": ["10.96.0.1", "fd00::1"], "externalIPs": ["1.2.3.4", "1.2.3.5"]},
            {},
            ("ClusterIP", "10.96.0.1", "1.2.3.4,1.2.3.5"),
        ),
        (
            {"type": "NodePort", "clusterIPs": ["10.96.0.1"]},
            {},
            ("NodePort", "10.96.0.1", "<none>"),
        ),
        (
            {"type": "LoadBalancer", "clusterIPs": ["10.96.0.1"]},
            {"loadBalancer": {}},
            ("LoadBalancer", "10.96.0.1", "<pending>"),
        ),
        (
            {"type": "LoadBalancer", "clusterIPs": ["10.96.0.1"], "externalIPs": ["1.2.3.4"]},
            {"loadBalancer": {"ingress": [{"ip": "9.9.9.9"}, {"hostname": "a.example.com"}]}},
            ("LoadBalancer", "10.96.0.1", "9.9.9.9,a.example.com,1.2.3.4"),
        ),
        (
            {"type": "ExternalName", "externalName": "example.com"},
            {},
            ("ExternalName", "<none>", "example.com"),
        ),
    ],
)
def test_service_shows_its_addresses(
    spec: Object, status: Object, shown: tuple[str, str, str]
) -> None:
    found = cells("services", {"spec": {"type": "ClusterIP", **spec}, "status": status})

    assert found == ["x", *shown, "<none>", AGE, "<none>"]


def test_service_shows_ports_and_selector() -> None:
    ports = [
        {"port": 80, "protocol": "TCP"},
        {"port": 53, "protocol": "UDP", "nodePort": 30053},
    ]

    found = cells("services", {"spec": {"ports": ports, "selector": {"b": "2", "a": "1"}}})

    assert found[4:] == ["80/TCP,53:30053/UDP", AGE, "a=1,b=2"]


@pytest.mark.parametrize(
    ("found", "unschedulable", "shown"),
    [
        (conditions("MemoryPressure=False", "Ready"), False, "Ready"),
        (conditions("Ready=False"), False, "NotReady"),
        (conditions("Ready=Unknown"), False, "NotReady"),
        (conditions(), False, "Unknown"),
        (conditions("Ready"), True, "Ready,SchedulingDisabled"),
    ],
)
def test_node_shows_whether_it_is_ready(
    found: list[Object], unschedulable: bool, shown: str
) -> None:
    fields = {"spec": {"unschedulable": unschedulable}, "status": {"conditions": found}}

    assert cells("nodes", fields)[1] == shown


def test_node_shows_roles_from_labels_and_what_it_runs() -> None:
    labels = {
        "node-role.kubernetes.io/control-plane": "",
        "node-role.kubernetes.io/": "",
        "kubernetes.io/role": "builder",
        "kubernetes.io/os": "linux",
    }
    status = {
        "addresses": [
            {"type": "Hostname", "address": "x"},
            {"type": "InternalIP", "address": "172.18.0.2"},
        ],
        "nodeInfo": {
            "architecture": "arm64",
            "containerRuntimeVersion": "containerd://1.7.1",
            "kernelVersion": "6.1.0",
            "kubeletVersion": "v1.27.3",
            "osImage": "",
        },
    }

    assert cells("nodes", {"status": status}, labels=labels)[2:] == [
        *("builder,control-plane", AGE, "v1.27.3", "172.18.0.2", "<none>"),
        *("<unknown>", "6.1.0 (arm64)", "containerd://1.7.1"),
    ]


EVENT: Object = {
    "type": "Warning",
    "reason": "Failed",
    "message": " no such image\n",
    "involvedObject": {"kind": "Pod", "name": "p", "fieldPath": "spec.containers{c}"},
    "source": {"component": "kubelet", "host": "node"},
    "firstTimestamp": "2026-11-23T11:50:00Z",
    "lastTimestamp": "2026-11-23T11:58:00Z",
    "count": 3,
}
EVENT_CELLS = [
    *("2m", "Warning", "Failed", "pod/p", "spec.containers{c}", "kubelet, node"),
    *("no such image", "10m", 3, "x"),
]


def test_event_shows_what_happened_to_what() -> None:
    assert cells("events", EVENT) == EVENT_CELLS


def test_event_shows_the_same_when_it_has_the_names_of_the_newer_group() -> None:
    newer = {
        "type": "Warning",
        "reason": "Failed",
        "note": EVENT["message"],
        "regarding": EVENT["involvedObject"],
        "deprecatedSource": EVENT["source"],
        "deprecatedFirstTimestamp": EVENT["firstTimestamp"],
        "deprecatedLastTimestamp": EVENT["lastTimestamp"],
        "deprecatedCount": 3,
    }

    assert cells("events.events.k8s.io", newer) == EVENT_CELLS


def test_event_shows_its_series_when_it_has_one() -> None:
    newer = {
        "eventTime": "2026-11-23T11:50:00.000000Z",
        "series": {"count": 7, "lastObservedTime": "2026-11-23T11:59:30.000000Z"},
        "reportingController": "scheduler",
        "reportingInstance": "scheduler-0",
        "regarding": {"kind": "Node"},
    }

    assert cells("events.events.k8s.io", newer) == [
        *("30s", "", "", "node", "", "scheduler, scheduler-0", "", "10m", 7, "x")
    ]


def metric(type_: str, source: Object) -> Object:
    return {"type": type_, type_[0].lower() + type_[1:]: source}


@pytest.mark.parametrize(
    ("specs", "statuses", "shown"),
    [
        ([], [], "<none>"),
        (
            [metric("Resource", {"name": "cpu", "target": {"averageUtilization": 80}})],
            [],
            "cpu: <unknown>/80%",
        ),
        (
            [metric("Resource", {"name": "cpu", "target": {"averageUtilization": 80}})],
            [metric("Resource", {"name": "cpu", "current": {"averageUtilization": 12}})],
            "cpu: 12%/80%",
        ),
        (
            [metric("Resource", {"name": "memory", "target": {"averageValue": "100Mi"}})],
            [metric("Resource", {"name": "memory", "current": {"averageValue": "20Mi"}})],
            "memory: 20Mi/100Mi",
        ),
        (
            [metric("Pods", {"target": {"averageValue": "5"}})],
            [metric("Pods", {"current": {"averageValue": "3"}})],
            "3/5",
        ),
        (
            [metric("Object", {"target": {"averageValue": "5"}})],
            [metric("Object", {"current": {"averageValue": "3"}})],
            "3/5 (avg)",
        ),
        (
            [metric("External", {"target": {"value": "7k"}})] * 3,
            [metric("External", {"current": {"value": "1"}})],
            "1/7k, <unknown>/7k + 1 more...",
        ),
    ],
)
def test_autoscaler_shows_current_and_wanted_metrics(
    specs: list[Object], statuses: list[Object], shown: str
) -> None:
    spec = {
        "scaleTargetRef": {"kind": "Deployment", "name": "d"},
        "minReplicas": 2,
        "maxReplicas": 5,
        "metrics": specs,
    }
    status = {"currentReplicas": 3, "currentMetrics": statuses}

    found = cells("horizontalpodautoscalers.autoscaling", {"spec": spec, "status": status})

    assert found == ["x", "Deployment/d", shown, "2", 5, 3, AGE]


def test_autoscaler_shows_its_cpu_target_when_it_is_of_version_one() -> None:
    fields = {
        "apiVersion": "autoscaling/v1",
        "spec": {"targetCPUUtilizationPercentage": 80, "maxReplicas": 5},
        "status": {"currentCPUUtilizationPercentage": 7},
    }

    assert cells("horizontalpodautoscalers.autoscaling", fields)[2] == "cpu: 7%/80%"


ROWS: list[Object] = yaml.safe_load(Path(__file__).with_name("printed_rows.yaml").read_text())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["resource"])
def test_row_is_printed_as_the_real_server_does(row: Object) -> None:
    shown = cells(row["resource"], row["fields"], **row.get("metadata", {}))

    assert shown == row["cells"]
