"""How many pods there may be: autoscalers, scales and disruption budgets.

Source: kubernetes v1.36.2, pkg/printers/internalversion.
"""

from datetime import datetime
from typing import Any

from tutor.sandbox.api.printers.age import UNKNOWN
from tutor.sandbox.api.printers.field import NONE, age, at, items, name, number, text
from tutor.sandbox.api.printers.printer import AGE, NAME, Column, Printer
from tutor.sandbox.kinds import GroupResource, Object

_METRICS_SHOWN = 2
_SOURCES = {
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
    "ContainerResource": "containerResource",
}
"""Type of a metric, to the field that holds it."""
_SINGLE_VALUES = ("External", "Object")


def _autoscaler(obj: Object, now: datetime) -> list[Any]:
    scaled = at(obj, "spec", "scaleTargetRef")
    return [
        name(obj),
        f"{text(scaled, 'kind')}/{text(scaled, 'name')}",
        _targets(obj),
        str(number(obj, "spec", "minReplicas", default=1)),
        number(obj, "spec", "maxReplicas"),
        number(obj, "status", "currentReplicas"),
        age(obj, now),
    ]


def _targets(obj: Object) -> str:
    specs, statuses = items(obj, "spec", "metrics"), items(obj, "status", "currentMetrics")
    if text(obj, "apiVersion") == "autoscaling/v1":
        specs, statuses = _cpu_metrics(obj)
    shown = [
        _metric(spec, statuses[index] if index < len(statuses) else None)
        for index, spec in enumerate(specs)
    ]
    more = len(shown) - _METRICS_SHOWN
    listed = ", ".join(shown[:_METRICS_SHOWN]) or NONE
    return f"{listed} + {more} more..." if more > 0 else listed


def _cpu_metrics(obj: Object) -> tuple[list[Object], list[Object]]:
    """The one metric of autoscaling/v1, as autoscaling/v2 spells it."""
    wanted = at(obj, "spec", "targetCPUUtilizationPercentage")
    current = at(obj, "status", "currentCPUUtilizationPercentage")
    spec = {"name": "cpu", "target": {"averageUtilization": wanted}}
    status = {"name": "cpu", "current": {"averageUtilization": current}}
    return (
        [] if wanted is None else [{"type": "Resource", "resource": spec}],
        [] if current is None else [{"type": "Resource", "resource": status}],
    )


def _metric(spec: Object, status: Object | None) -> str:
    type_ = text(spec, "type")
    if type_ not in _SOURCES:
        return "<unknown type>"
    source = _SOURCES[type_]
    target = at(spec, source, "target")
    current = at(status, source, "current")
    resource = text(spec, source, "name") if "Resource" in type_ else ""
    label = f"{resource}: " if resource else ""
    if (average := at(target, "averageValue")) is not None:
        suffix = " (avg)" if type_ in _SINGLE_VALUES else ""
        return f"{label}{text(current, 'averageValue', default=UNKNOWN)}/{average}{suffix}"
    if type_ in _SINGLE_VALUES:
        return f"{text(current, 'value', default=UNKNOWN)}/{text(target, 'value')}"
    used, wanted = at(current, "averageUtilization"), at(target, "averageUtilization")
    shown = UNKNOWN if used is None else f"{used}%"
    return f"{label}{shown}/{'<auto>' if wanted is None else f'{wanted}%'}"


def _scale(obj: Object, now: datetime) -> list[Any]:
    return [
        name(obj),
        number(obj, "spec", "replicas"),
        number(obj, "status", "replicas"),
        age(obj, now),
    ]


def _disruption_budget(obj: Object, now: datetime) -> list[Any]:
    bounds = (at(obj, "spec", key) for key in ("minAvailable", "maxUnavailable"))
    return [
        name(obj),
        *("N/A" if bound is None else str(bound) for bound in bounds),
        number(obj, "status", "disruptionsAllowed"),
        age(obj, now),
    ]


PRINTERS = {
    GroupResource("autoscaling", "horizontalpodautoscalers"): Printer(
        (
            NAME,
            Column("Reference", "What is scaled."),
            Column("Targets", "Current and wanted value of each metric."),
            Column("MinPods", "Lowest number of pods."),
            Column("MaxPods", "Highest number of pods."),
            Column("Replicas", "Current number of pods."),
            AGE,
        ),
        _autoscaler,
    ),
    # Not a resource of its own: what the scale subresource of any kind exchanges.
    GroupResource("autoscaling", "scale"): Printer(
        (
            Column("Name", NAME.description),
            Column("Desired", "Number of pods that are wanted.", type="integer"),
            Column("Available", "Number of pods that exist.", type="integer"),
            AGE,
        ),
        _scale,
    ),
    GroupResource("policy", "poddisruptionbudgets"): Printer(
        (
            NAME,
            Column("Min Available", "Pods that must stay."),
            Column("Max Unavailable", "Pods that may be missing."),
            Column("Allowed Disruptions", "Pods that may be evicted now.", type="integer"),
            AGE,
        ),
        _disruption_budget,
    ),
}
