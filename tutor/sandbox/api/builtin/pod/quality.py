"""Which pods go first when memory is short. Source: `apis/core/v1/helper/qos/qos.go`."""

from decimal import Decimal

from tutor.sandbox.api.builtin import quantity
from tutor.sandbox.api.builtin.reading import items, part
from tutor.sandbox.kinds import Object

_COMPUTE = ("cpu", "memory")


def quality_of_service(spec: Object) -> str:
    """`status.qosClass` of a pod with this spec."""
    pod = part(spec, "resources")
    own = pod.get("requests") or pod.get("limits")
    every = (
        [pod]
        if own
        else [
            part(container, "resources")
            for field in ("containers", "initContainers")
            for container in items(spec, field)
        ]
    )
    asked = [_compute(resources, "requests") for resources in every]
    limited = [_compute(resources, "limits") for resources in every]
    if not any(asked) and not any(limited):
        return "BestEffort"
    full = all(len(limits) == len(_COMPUTE) for limits in limited)
    totals = [_total(asked), _total(limited)]
    return "Guaranteed" if full and totals[0] == totals[1] else "Burstable"


def _compute(resources: Object, field: str) -> dict[str, quantity.Quantity]:
    listed = quantity.parse_all(part(resources, field))
    return {name: listed[name] for name in _COMPUTE if name in listed and listed[name].amount > 0}


def _total(listed: list[dict[str, quantity.Quantity]]) -> dict[str, Decimal]:
    total: dict[str, quantity.Quantity] = {}
    for one in listed:
        for name, value in one.items():
            total[name] = total.get(name, quantity.ZERO) + value
    return {name: value.amount for name, value in total.items()}
