"""What a pod asks for and is limited to, altogether.

Source: component-helpers' `resource/helpers.go`.
"""

from tutor.sandbox.api.builtin import quantity
from tutor.sandbox.api.builtin.pod.defaults import container_resources
from tutor.sandbox.api.builtin.pod.reading import is_sidecar
from tutor.sandbox.api.builtin.quantity import Quantity, parse_all
from tutor.sandbox.api.builtin.reading import items, part
from tutor.sandbox.kinds import Object

Amounts = dict[str, Quantity]


def pod_requests(pod: Object) -> Amounts:
    """The requests of the containers, or of the pod as a whole where it has its own."""
    return _with_overhead(pod, _total(pod, "requests"), everywhere=True)


def pod_limits(pod: Object) -> Amounts:
    """The limits of the containers, or of the pod as a whole where it has its own."""
    return _with_overhead(pod, _total(pod, "limits"), everywhere=False)


def effective(pod: Object) -> Object:
    """The pod with the resources that its containers have as long as a resize is under way."""
    status = part(pod, "status")
    reported = {
        one["name"]: one
        for field in ("initContainerStatuses", "containerStatuses")
        for one in items(status, field)
        if one.get("resources") is not None
    }
    spec = part(pod, "spec")
    infeasible = _infeasible(status)
    changed = {
        field: [
            _effective(container, reported.get(container["name"]), infeasible=infeasible)
            if field == "containers" or is_sidecar(container)
            else container
            for container in items(spec, field)
        ]
        for field in ("initContainers", "containers")
    }
    return pod | {"spec": spec | changed}


def _infeasible(status: Object) -> bool:
    conditions = items(status, "conditions")
    pending = [one["reason"] for one in conditions if one["type"] == "PodResizePending"]
    return pending[:1] == ["Infeasible"]


def _effective(container: Object, reported: Object | None, *, infeasible: bool) -> Object:
    if reported is None:
        return container
    wanted = {} if infeasible else part(container, "resources")
    actual = part(reported, "resources")
    allocated = part(reported, "allocatedResources")
    resources = {
        "requests": _largest(part(wanted, "requests"), part(actual, "requests"), allocated),
        "limits": _largest(part(wanted, "limits"), part(actual, "limits")),
    }
    return container | {"resources": resources}


def _largest(*listed: Object) -> Object:
    names = {name for one in listed for name in one}
    return {
        name: max((one[name] for one in listed if name in one), key=quantity.parse)
        for name in names
    }


def _total(pod: Object, field: str) -> Amounts:
    spec = part(pod, "spec")
    own = parse_all(part(spec, "resources", field))
    covered = {
        name: value
        for name, value in own.items()
        if name in ("cpu", "memory") or name.startswith("hugepages-")
    }
    return container_resources(spec, field) | covered


def _with_overhead(pod: Object, total: Amounts, *, everywhere: bool) -> Amounts:
    for name, value in parse_all(part(pod, "spec", "overhead")).items():
        before = total.get(name, quantity.ZERO)
        if everywhere or before.amount:
            total[name] = before + value
    return total
