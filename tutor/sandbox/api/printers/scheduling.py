"""What decides which pods run, and how.

Source: kubernetes v1.36.2, pkg/printers/internalversion.
"""

from datetime import datetime
from typing import Any

from tutor.sandbox.api.printers.field import (
    NONE,
    age,
    at,
    condition,
    flag,
    is_true,
    items,
    name,
    number,
    text,
)
from tutor.sandbox.api.printers.printer import AGE, NAME, Column, Printer
from tutor.sandbox.kinds import GroupResource, Object


def _priority_class(obj: Object, now: datetime) -> list[Any]:
    return [
        name(obj),
        number(obj, "value"),
        flag(obj, "globalDefault"),
        age(obj, now),
        text(obj, "preemptionPolicy", default="PreemptLowerPriority"),
    ]


def _runtime_class(obj: Object, now: datetime) -> list[Any]:
    return [name(obj), text(obj, "handler"), age(obj, now)]


def _workload(obj: Object, now: datetime) -> list[Any]:
    return [name(obj), age(obj, now)]


def _pod_group(obj: Object, now: datetime) -> list[Any]:
    template = at(obj, "spec", "podGroupTemplateRef")
    is_gang = at(obj, "spec", "schedulingPolicy", "gang") is not None
    return [
        name(obj),
        "Gang" if is_gang else "Basic",
        NONE if template is None else text(template, "workload", "workloadName"),
        _pod_group_status(obj),
        age(obj, now),
    ]


def _pod_group_status(obj: Object) -> str:
    # Of several conditions of one type the last counts here.
    conditions = items(obj, "status", "conditions")[::-1]
    if (disrupted := condition(conditions, "DisruptionTarget")) is not None:
        return text(disrupted, "reason")
    scheduled = condition(conditions, "PodGroupScheduled")
    if scheduled is None:
        return "Pending"
    return "Scheduled" if is_true(scheduled) else "Unschedulable"


PRINTERS = {
    GroupResource("scheduling.k8s.io", "priorityclasses"): Printer(
        (
            NAME,
            Column("Value", "Priority of pods of the class.", type="integer"),
            Column("Global-Default", "Whether pods get it by default.", type="boolean"),
            AGE,
            Column("PreemptionPolicy", "Whether its pods may evict others."),
        ),
        _priority_class,
    ),
    GroupResource("scheduling.k8s.io", "workloads"): Printer((NAME, AGE), _workload),
    GroupResource("scheduling.k8s.io", "podgroups"): Printer(
        (
            NAME,
            Column("Policy", "How its pods are scheduled together."),
            Column("Workload", "Workload it belongs to."),
            Column("Status", "Whether it is scheduled."),
            AGE,
        ),
        _pod_group,
    ),
    GroupResource("node.k8s.io", "runtimeclasses"): Printer(
        (NAME, Column("Handler", "Handler that runs the containers."), AGE), _runtime_class
    ),
}
