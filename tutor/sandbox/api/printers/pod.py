"""Pods: the STATUS column sums up the phase, the conditions and every container.

Source: kubernetes v1.36.2, pkg/printers/internalversion (printPod).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tutor.sandbox.api.printers.age import since
from tutor.sandbox.api.printers.field import (
    NONE,
    age,
    at,
    condition,
    flag,
    is_deleting,
    is_true,
    items,
    name,
    number,
    text,
)
from tutor.sandbox.api.printers.printer import AGE, NAME, WIDE, Column, Printer
from tutor.sandbox.kinds import GroupResource, Object

_GATED = "SchedulingGated"
_LOST_NODE = "NodeLost"

_FINISHED = {
    "Succeeded": "The pod has completed successfully.",
    "Failed": "The pod failed.",
}


@dataclass(slots=True)
class _Restarts:
    """How often containers were restarted, and when one last ended before a restart."""

    count: int = 0
    last: str = ""

    def add(self, status: Object) -> None:
        self.count += number(status, "restartCount")
        # Timestamps of containers are whole seconds in UTC, so their order is that of the text.
        self.last = max(self.last, text(status, "lastState", "terminated", "finishedAt"))

    def shown(self, now: datetime) -> str:
        if self.count and self.last:
            return f"{self.count} ({since(self.last, now)} ago)"
        return str(self.count)


@dataclass(slots=True)
class _Summary:
    reason: str
    restarts: _Restarts
    ready: int = 0


def _cells(pod: Object, now: datetime) -> list[Any]:
    summary = _summary(pod)
    return [
        name(pod),
        f"{summary.ready}/{len(items(pod, 'spec', 'containers')) + len(_sidecars(pod))}",
        summary.reason,
        summary.restarts.shown(now),
        age(pod, now),
        _ip(pod) or NONE,
        text(pod, "spec", "nodeName") or NONE,
        text(pod, "status", "nominatedNodeName") or NONE,
        _readiness_gates(pod),
    ]


def _conditions(pod: Object) -> list[Object]:
    phase = text(pod, "status", "phase")
    if phase not in _FINISHED:
        return []
    return [{"type": "Completed", "status": "True", "reason": phase, "message": _FINISHED[phase]}]


def _summary(pod: Object) -> _Summary:
    summary = _Summary(_reason(pod), _Restarts())
    sidecar_restarts = _Restarts()
    initializing = _add_init_containers(summary, sidecar_restarts, pod)
    if not initializing or is_true(condition(items(pod, "status", "conditions"), "Initialized")):
        summary.restarts = sidecar_restarts
        _add_containers(summary, pod)
    if is_deleting(pod):
        if text(pod, "status", "reason") == _LOST_NODE:
            summary.reason = "Unknown"
        elif text(pod, "status", "phase") not in _FINISHED:
            summary.reason = "Terminating"
    return summary


def _reason(pod: Object) -> str:
    for one in items(pod, "status", "conditions"):
        if text(one, "type") == "PodScheduled" and text(one, "reason") == _GATED:
            return _GATED
    return text(pod, "status", "reason") or text(pod, "status", "phase")


def _sidecars(pod: Object) -> set[str]:
    """Names of the init containers that keep running beside the containers."""
    return {
        text(one, "name")
        for one in items(pod, "spec", "initContainers")
        if text(one, "restartPolicy") == "Always"
    }


def _add_init_containers(summary: _Summary, sidecar_restarts: _Restarts, pod: Object) -> bool:
    """Count init containers up to the first that is not done; False when all are."""
    sidecars = _sidecars(pod)
    for index, status in enumerate(items(pod, "status", "initContainerStatuses")):
        summary.restarts.add(status)
        is_sidecar = text(status, "name") in sidecars
        if is_sidecar:
            sidecar_restarts.add(status)
        ended = at(status, "state", "terminated")
        if ended is not None and number(ended, "exitCode") == 0:
            continue
        if is_sidecar and flag(status, "started"):
            summary.ready += flag(status, "ready")
            continue
        summary.reason = "Init:" + (
            _init_problem(status) or f"{index}/{len(items(pod, 'spec', 'initContainers'))}"
        )
        return True
    return False


def _init_problem(status: Object) -> str:
    ended = at(status, "state", "terminated")
    if ended is not None:
        return _ending(ended)
    waiting = text(status, "state", "waiting", "reason")
    return "" if waiting == "PodInitializing" else waiting


def _ending(terminated: Object) -> str:
    if reason := text(terminated, "reason"):
        return reason
    if signal := number(terminated, "signal"):
        return f"Signal:{signal}"
    return f"ExitCode:{number(terminated, 'exitCode')}"


def _add_containers(summary: _Summary, pod: Object) -> None:
    is_running = False
    failure = ""
    for status in reversed(items(pod, "status", "containerStatuses")):
        summary.restarts.add(status)
        ended = at(status, "state", "terminated")
        if waiting := text(status, "state", "waiting", "reason"):
            summary.reason = waiting
        elif ended is not None:
            summary.reason = _ending(ended)
            if number(ended, "exitCode") != 0:
                failure = summary.reason
        elif flag(status, "ready") and at(status, "state", "running") is not None:
            is_running = True
            summary.ready += 1
    if summary.reason == "Completed":
        summary.reason = _reason_beside_completed(pod, failure, is_running=is_running)


def _reason_beside_completed(pod: Object, failure: str, *, is_running: bool) -> str:
    """What counts when one container has completed and others have not."""
    ready = ("Ready", "True")
    conditions = items(pod, "status", "conditions")
    if is_running and any((text(one, "type"), text(one, "status")) == ready for one in conditions):
        return "Running"
    if failure:
        return failure
    return "NotReady" if is_running else "Completed"


def _ip(pod: Object) -> str:
    ips = items(pod, "status", "podIPs")
    return text(ips[0], "ip") if ips else text(pod, "status", "podIP")


def _readiness_gates(pod: Object) -> str:
    gates = items(pod, "spec", "readinessGates")
    conditions = items(pod, "status", "conditions")
    met = sum(is_true(condition(conditions, text(gate, "conditionType"))) for gate in gates)
    return f"{met}/{len(gates)}" if gates else NONE


PRINTERS = {
    GroupResource("", "pods"): Printer(
        (
            NAME,
            Column("Ready", "Ready containers out of all containers."),
            Column("Status", "What the pod and its containers are doing."),
            Column("Restarts", "Container restarts, and how long ago the last one was."),
            AGE,
            Column("IP", "First address of the pod.", priority=WIDE),
            Column("Node", "Node the pod was assigned to.", priority=WIDE),
            Column("Nominated Node", "Node where room is being made for it.", priority=WIDE),
            Column("Readiness Gates", "Extra conditions met out of all.", priority=WIDE),
        ),
        _cells,
        conditions=_conditions,
    )
}
