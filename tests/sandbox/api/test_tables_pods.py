"""Rows of pods: READY, STATUS and RESTARTS for every state that pods go through."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tutor.sandbox.api.printers.catalogue import PRINTERS
from tutor.sandbox.kinds import GroupResource, Object

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
POD = PRINTERS[GroupResource("", "pods")]

RUNNING: Object = {"running": {"startedAt": "2026-11-23T11:50:00Z"}}


def waiting(reason: str) -> Object:
    return {"waiting": {"reason": reason}}


def ended(code: int = 0, **more: Any) -> Object:
    return {"terminated": {"exitCode": code, "finishedAt": "2026-11-23T11:55:00Z", **more}}


def status(name: str = "c0", state: Object | None = None, **more: Any) -> Object:
    return {"name": name, "restartCount": 0, "ready": False, "state": state or {}, **more}


def up(name: str = "c0", **more: Any) -> Object:
    return status(name, RUNNING, ready=True, started=True, **more)


def pod(
    phase: str = "Running",
    containers: tuple[Object, ...] = (),
    init: tuple[Object, ...] = (),
    *,
    sidecars: tuple[str, ...] = (),
    conditions: tuple[tuple[str, str], ...] = (),
    metadata: Object | None = None,
    **more: Any,
) -> Object:
    specs = [{"name": one["name"], "image": "i"} for one in init]
    for spec in specs:
        if spec["name"] in sidecars:
            spec["restartPolicy"] = "Always"
    return {
        "metadata": {"name": "p", "creationTimestamp": "2026-11-23T11:00:00Z", **(metadata or {})},
        "spec": {
            "containers": [{"name": one["name"]} for one in containers or (status(),)],
            "initContainers": specs,
        },
        "status": {
            "phase": phase,
            "conditions": [{"type": type_, "status": value} for type_, value in conditions],
            "containerStatuses": list(containers),
            "initContainerStatuses": list(init),
            **more,
        },
    }


CREATING = waiting("ContainerCreating")
INITIALIZING = waiting("PodInitializing")
DELETED = {"deletionTimestamp": "2026-11-23T12:00:00Z"}
DONE = ended(0, reason="Completed")
CRASH: Object = {"lastState": ended(1, reason="Error"), "restartCount": 4}

CASES: dict[str, tuple[Object, tuple[str, str, str]]] = {
    "unscheduled": (pod("Pending"), ("0/1", "Pending", "0")),
    "creating": (
        pod("Pending", (status(state=CREATING),)),
        ("0/1", "ContainerCreating", "0"),
    ),
    "running": (pod(containers=(up(),)), ("1/1", "Running", "0")),
    "running, not ready": (pod(containers=(status(state=RUNNING),)), ("0/1", "Running", "0")),
    "image cannot be pulled": (
        pod("Pending", (status(state=waiting("ImagePullBackOff")), up("c1"))),
        ("1/2", "ImagePullBackOff", "0"),
    ),
    "crashing": (
        pod(containers=(status(state=waiting("CrashLoopBackOff"), **CRASH),)),
        ("0/1", "CrashLoopBackOff", "4 (5m ago)"),
    ),
    "back after a crash": (
        pod(containers=(up(**CRASH), up("c1", restartCount=1))),
        ("2/2", "Running", "5 (5m ago)"),
    ),
    "restarted, nobody knows when": (
        pod(containers=(up(restartCount=2),)),
        ("1/1", "Running", "2"),
    ),
    "completed": (pod("Succeeded", (status(state=DONE),)), ("0/1", "Completed", "0")),
    "failed": (
        pod("Failed", (status(state=ended(1, reason="Error")),)),
        ("0/1", "Error", "0"),
    ),
    "exit code without a reason": (
        pod("Failed", (status(state=ended(3)),)),
        ("0/1", "ExitCode:3", "0"),
    ),
    "killed by a signal": (
        pod("Failed", (status(state=ended(137, signal=9)),)),
        ("0/1", "Signal:9", "0"),
    ),
    "the first container gives the status": (
        pod("Failed", (status(state=ended(1, reason="OOMKilled")), status("c1", DONE))),
        ("0/2", "OOMKilled", "0"),
    ),
    "one completed, one failed": (
        pod("Failed", (status(state=DONE), status("c1", ended(1, reason="Error")))),
        ("0/2", "Error", "0"),
    ),
    "one completed, one runs, pod ready": (
        pod(containers=(status(state=DONE), up("c1")), conditions=(("Ready", "True"),)),
        ("1/2", "Running", "0"),
    ),
    "one completed, one runs, pod not ready": (
        pod(containers=(status(state=DONE), up("c1")), conditions=(("Ready", "False"),)),
        ("1/2", "NotReady", "0"),
    ),
    "first init container to come": (
        pod("Pending", (status(state=INITIALIZING),), (status("i0", INITIALIZING), status("i1"))),
        ("0/1", "Init:0/2", "0"),
    ),
    "second init container runs": (
        pod("Pending", (status(state=INITIALIZING),), (status("i0", DONE), status("i1", RUNNING))),
        ("0/1", "Init:1/2", "0"),
    ),
    "init containers done": (
        pod("Pending", (status(state=INITIALIZING),), (status("i0", DONE),)),
        ("0/1", "PodInitializing", "0"),
    ),
    "init container fails": (
        pod("Pending", init=(status("i0", ended(1, reason="Error"), restartCount=1),)),
        ("0/1", "Init:Error", "1"),
    ),
    "init container fails without a reason": (
        pod("Pending", init=(status("i0", ended(2)),)),
        ("0/1", "Init:ExitCode:2", "0"),
    ),
    "init container killed": (
        pod("Pending", init=(status("i0", ended(137, signal=9)),)),
        ("0/1", "Init:Signal:9", "0"),
    ),
    "init container crashes": (
        pod("Pending", init=(status("i0", waiting("CrashLoopBackOff"), **CRASH),)),
        ("0/1", "Init:CrashLoopBackOff", "4 (5m ago)"),
    ),
    "restarts of init containers no longer count": (
        pod(containers=(up(),), init=(status("i0", DONE, **CRASH),)),
        ("1/1", "Running", "0"),
    ),
    "sidecar runs": (
        pod(containers=(up(),), init=(up("s", **CRASH),), sidecars=("s",)),
        ("2/2", "Running", "4 (5m ago)"),
    ),
    "sidecar not ready": (
        pod(
            containers=(up(),),
            init=(status("s", RUNNING, started=True),),
            sidecars=("s",),
        ),
        ("1/2", "Running", "0"),
    ),
    "sidecar starts": (
        pod("Pending", init=(status("s", RUNNING, started=False),), sidecars=("s",)),
        ("0/2", "Init:0/1", "0"),
    ),
    "sidecar failed after initialization": (
        pod(
            containers=(up(),),
            init=(status("s", ended(1, reason="Error")),),
            sidecars=("s",),
            conditions=(("Initialized", "True"),),
        ),
        ("1/2", "Init:Error", "0"),
    ),
    "evicted": (pod("Failed", reason="Evicted"), ("0/1", "Evicted", "0")),
    "gated": (
        {
            **pod("Pending"),
            "status": {
                "phase": "Pending",
                "conditions": [
                    {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}
                ],
            },
        },
        ("0/1", "SchedulingGated", "0"),
    ),
    "being deleted": (
        pod(containers=(up(),), metadata=DELETED),
        ("1/1", "Terminating", "0"),
    ),
    "being deleted when finished": (
        pod("Succeeded", (status(state=DONE),), metadata=DELETED),
        ("0/1", "Completed", "0"),
    ),
    "being deleted on a lost node": (
        pod(containers=(up(),), metadata=DELETED, reason="NodeLost"),
        ("1/1", "Unknown", "0"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_pod_shows_ready_status_and_restarts(case: str) -> None:
    obj, shown = CASES[case]

    assert POD.cells(obj, NOW)[:5] == ["p", *shown, "60m"]


@pytest.mark.parametrize(
    ("phase", "conditions"),
    [
        ("Running", []),
        ("Pending", []),
        (
            "Succeeded",
            [
                {
                    "type": "Completed",
                    "status": "True",
                    "reason": "Succeeded",
                    "message": "The pod has completed successfully.",
                }
            ],
        ),
        (
            "Failed",
            [
                {
                    "type": "Completed",
                    "status": "True",
                    "reason": "Failed",
                    "message": "The pod failed.",
                }
            ],
        ),
    ],
)
def test_pod_marks_its_row_when_it_has_finished(phase: str, conditions: list[Object]) -> None:
    assert POD.conditions is not None
    assert POD.conditions(pod(phase)) == conditions


def test_pod_shows_where_it_runs_when_wide() -> None:
    obj = pod(
        containers=(up(),),
        conditions=(("example.com/one", "True"), ("example.com/two", "False")),
        podIPs=[{"ip": "10.244.0.7"}, {"ip": "fd00::7"}],
        nominatedNodeName="worker-2",
    )
    obj["spec"] |= {
        "nodeName": "worker-1",
        "readinessGates": [
            {"conditionType": f"example.com/{name}"} for name in ("one", "two", "three")
        ],
    }

    assert POD.cells(obj, NOW)[5:] == ["10.244.0.7", "worker-1", "worker-2", "1/3"]


def test_pod_shows_none_when_it_runs_nowhere() -> None:
    assert POD.cells(pod("Pending"), NOW)[5:] == ["<none>"] * 4


def test_pod_can_be_shown_when_it_is_a_bookmark_that_ends_the_initial_events() -> None:
    cells = POD.cells({"metadata": {"resourceVersion": "7"}}, NOW)

    assert cells == ["", "0/0", "", "0", "<unknown>", *["<none>"] * 4]
