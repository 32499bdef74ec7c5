"""What one metric of an autoscaler asks for, and what its status says of it.

Source: pkg/controller/podautoscaler/horizontal.go (computeReplicasForMetric and what it calls).
"""

from decimal import Decimal
from typing import NamedTuple

from tutor.sandbox.api.builtin import quantity
from tutor.sandbox.api.builtin.quantity import Quantity
from tutor.sandbox.api.builtin.reading import part, text
from tutor.sandbox.api.selectors import LabelSelector, go_selector, label_selector
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.controllers.autoscaling.metrics import Metrics
from tutor.sandbox.controllers.autoscaling.replicas import (
    Asked,
    CannotCompute,
    Proposal,
    Sample,
    by_average,
    by_share,
    by_utilization,
    by_value,
)
from tutor.sandbox.kinds import Object

_INT64_MAX = 2**63 - 1
_REASONS = {
    "Object": "FailedGetObjectMetric",
    "Pods": "FailedGetPodsMetric",
    "Resource": "FailedGetResourceMetric",
    "ContainerResource": "FailedGetContainerResourceMetric",
    "External": "FailedGetExternalMetric",
}


class Failure(Exception):
    """A metric that says nothing: `reason` and `why` for its event, the text for the summary."""

    def __init__(self, reason: str, why: str, summary: str) -> None:
        super().__init__(f"{summary}: {why}")
        self.reason = reason
        self.why = why


class Target(NamedTuple):
    """What is scaled, as its scale tells."""

    namespace: str
    selector: str
    reported: int
    """The replicas that there are."""
    asked: Asked


class Found(NamedTuple):
    """What came of a metric."""

    replicas: int
    name: str
    status: Object


class Sources:
    """Reads the metrics of autoscalers."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def read(self, metric: Object, target: Target) -> Found:
        """What one metric says; raises Failure."""
        kind = text(metric, "type")
        try:
            match kind:
                case "Object":
                    return await self._object(part(metric, "object"), target)
                case "Pods":
                    return await self._pods(part(metric, "pods"), target)
                case "Resource":
                    return await self._resource(kind, "resource", metric, target)
                case "ContainerResource":
                    return await self._resource(kind, "containerResource", metric, target)
                case _:
                    return await self._external(part(metric, "external"), target)
        except CannotCompute as error:
            raise Failure(_REASONS[kind], str(error), _summary(metric)) from error

    async def _object(self, source: Object, target: Target) -> Found:
        described, named = part(source, "describedObject"), part(source, "metric")
        wanted = part(source, "target")
        kind, metric = text(described, "kind"), text(named, "name")
        try:
            usage = await self._metrics.of_object(
                metric, target.namespace, described, _text_of(named)
            )
        except CannotCompute as error:
            # The controller's own sentence has its words in this order.
            where = f"{kind} on {target.namespace} {text(described, 'name')}/{error}"
            raise CannotCompute(f"unable to get metric {metric}: {where}") from error
        if text(wanted, "type") == "Value" and wanted.get("value") is not None:
            found = by_value(target.asked, usage, _milli(wanted, "value"))
            name, current = f"{kind} metric {metric}", {"value": _written(found.usage)}
        else:
            found = by_share(target.asked, usage, _milli(wanted, "averageValue"), target.reported)
            name = f"external metric {metric}({go_selector(named.get('selector'))})"
            current = {"averageValue": _written(found.usage)}
        status = {"metric": named, "current": current, "describedObject": described}
        return Found(found.replicas, name, {"type": "Object", "object": status})

    async def _pods(self, source: Object, target: Target) -> Found:
        named = part(source, "metric")
        metric = text(named, "name")
        try:
            samples = await self._metrics.of_pods(
                metric, target.namespace, target.selector, _text_of(named)
            )
        except CannotCompute as error:
            raise CannotCompute(f"unable to get metric {metric}: {error}") from error
        found = by_average(target.asked, samples, _milli(part(source, "target"), "averageValue"))
        status = {"metric": named, "current": {"averageValue": _written(found.usage)}}
        return Found(found.replicas, f"pods metric {metric}", {"type": "Pods", "pods": status})

    async def _resource(self, kind: str, field: str, metric: Object, target: Target) -> Found:
        source = part(metric, field)
        wanted = part(source, "target")
        share = wanted.get("averageUtilization")
        resource, container = text(source, "name"), text(source, "container")
        averaged = wanted.get("averageValue") is not None
        try:
            samples = await self._samples(resource, container, target)
            if averaged:
                found = by_average(target.asked, samples, _milli(wanted, "averageValue"), resource)
            else:
                found = by_utilization(target.asked, samples, resource, container, share or 0)
        except CannotCompute as error:
            what = "usage" if averaged else "utilization"
            raise CannotCompute(f"failed to get {resource} {what}: {error}") from error
        current: Object = {"averageValue": _written(found.usage, resource)}
        name = f"{resource} resource"
        if not averaged:
            current = {"averageUtilization": found.utilization, **current}
            of = f"{resource} container" if container else resource
            name = f"{of} resource utilization (percentage of request)"
        status: Object = {"name": resource, "current": current}
        if container:
            status["container"] = container
        return Found(found.replicas, name, {"type": kind, field: status})

    async def _samples(self, resource: str, container: str, target: Target) -> dict[str, Sample]:
        try:
            return await self._metrics.of_resource(
                resource, target.namespace, target.selector, container
            )
        except CannotCompute as error:
            raise CannotCompute(
                f"unable to get metrics for resource {resource}: {error}"
            ) from error

    async def _external(self, source: Object, target: Target) -> Found:
        named, wanted = part(source, "metric"), part(source, "target")
        metric = text(named, "name")
        try:
            values = await self._metrics.of_elsewhere(metric, target.namespace, _text_of(named))
        except CannotCompute as error:
            where = f"{target.namespace}/{metric}/{go_selector(named.get('selector'))}"
            raise CannotCompute(f"unable to get external metric {where}: {error}") from error
        usage = min(sum(values), _INT64_MAX)
        found: Proposal
        if wanted.get("averageValue") is not None:
            found = by_share(target.asked, usage, _milli(wanted, "averageValue"), target.reported)
            current = {"averageValue": _written(found.usage)}
        else:
            found = by_value(target.asked, usage, _milli(wanted, "value"))
            current = {"value": _written(found.usage)}
        status = {"metric": named, "current": current}
        name = f"external metric {metric}({go_selector(named.get('selector'))})"
        return Found(found.replicas, name, {"type": "External", "external": status})


def _summary(metric: Object) -> str:
    """What the summary of all metrics says before the reason."""
    match text(metric, "type"):
        case "Object":
            named = text(part(metric, "object", "metric"), "name")
            averaged = text(part(metric, "object", "target"), "type") == "AverageValue"
            told = f": failed to get {named} object metric" if averaged else ""
            return f"failed to get object metric value{told}"
        case "Pods":
            return "failed to get pods metric value"
        case "Resource":
            return f"failed to get {part(metric, 'resource')['name']} resource metric value"
        case "ContainerResource":
            container = part(metric, "containerResource")["container"]
            return f"failed to get {container} container metric value"
        case _:
            named = part(metric, "external", "metric")["name"]
            averaged = part(metric, "external", "target").get("averageValue") is not None
            told = f"{named} external metric" if averaged else f"external metric {named}"
            return f"failed to get {named} external metric value: failed to get {told}"


def _milli(target: Object, field: str) -> int:
    return quantity.parse(target.get(field) or 0).milli_value


def _written(milli: int, resource: str = "") -> str:
    form = "BinarySI" if resource == "memory" else "DecimalSI"
    return str(Quantity(Decimal(milli) / 1000, form))


def _text_of(named: Object) -> str:
    """The selector of a metric as a query has it."""
    try:
        return str(_compiled(named))
    except ApiError as error:
        raise CannotCompute(error.message) from error


def _compiled(named: Object) -> LabelSelector:
    return label_selector(named.get("selector"))
