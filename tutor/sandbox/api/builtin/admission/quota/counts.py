"""What everything else uses: one of its kind.

Source: Kubernetes' `evaluator/core/services.go` and `registry.go`, apiserver's
`pkg/quota/v1/generic`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tutor.sandbox.api.builtin import quantity
from tutor.sandbox.api.builtin.admission.plugin import CLAIMS, PODS
from tutor.sandbox.api.builtin.admission.quota.claims import CLAIM_USAGE
from tutor.sandbox.api.builtin.admission.quota.evaluator import (
    ONE,
    Evaluator,
    Usage,
    on_change,
    on_creation,
)
from tutor.sandbox.api.builtin.admission.quota.pods import POD_USAGE
from tutor.sandbox.api.builtin.reading import items, part
from tutor.sandbox.kinds import GroupResource, Object

_COUNT = "count/"
_NODE_PORTS = "services.nodeports"
_LOAD_BALANCERS = "services.loadbalancers"
_SERVICE_LIMITS = (f"{_COUNT}services", "services", _NODE_PORTS, _LOAD_BALANCERS)
_SERVICES = GroupResource("", "services")
_PLAIN_NAMES = ("configmaps", "resourcequotas", "replicationcontrollers", "secrets")
"""What could be counted before there was `count/`, and still can by its name alone."""


def _service_limits(names: Iterable[str]) -> list[str]:
    return [name for name in names if name in _SERVICE_LIMITS]


def _service_usage(service: Object, _now: datetime) -> Usage:
    spec = part(service, "spec")
    kind, ports = spec.get("type"), items(spec, "ports")
    balanced = kind == "LoadBalancer"
    if balanced and spec.get("allocateLoadBalancerNodePorts") is False:
        ports = [port for port in ports if port.get("nodePort")]
    counted = len(ports) if balanced or kind == "NodePort" else 0
    return {
        f"{_COUNT}services": ONE,
        "services": ONE,
        _LOAD_BALANCERS: ONE if balanced else quantity.ZERO,
        _NODE_PORTS: quantity.parse(counted),
    }


_SPECIAL = {
    PODS: POD_USAGE,
    _SERVICES: Evaluator(usage=_service_usage, matching=_service_limits, handles=on_change),
    CLAIMS: CLAIM_USAGE,
}


@dataclass(frozen=True, slots=True)
class _Numbers:
    names: tuple[str, ...]

    def usage(self, _obj: Object, _now: datetime) -> Usage:
        return dict.fromkeys(self.names, ONE)

    def matching(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if name in self.names]


def evaluator_of(resource: GroupResource) -> Evaluator:
    """How objects of this resource count."""
    if resource in _SPECIAL:
        return _SPECIAL[resource]
    plain = not resource.group and resource.resource in _PLAIN_NAMES
    names = (f"{_COUNT}{resource}", resource.resource) if plain else (f"{_COUNT}{resource}",)
    numbers = _Numbers(names)
    return Evaluator(usage=numbers.usage, matching=numbers.matching, handles=on_creation)


def resources_limited_by(names: Iterable[str]) -> list[GroupResource]:
    """The resources that count against limits of these names."""
    names = list(names)
    plain = [GroupResource("", name) for name in names if name in _PLAIN_NAMES]
    counted = [
        GroupResource(group, plural)
        for name in names
        if name.startswith(_COUNT)
        for plural, _, group in [name.removeprefix(_COUNT).partition(".")]
    ]
    special = [one for one, evaluator in _SPECIAL.items() if evaluator.matching(names)]
    return list(dict.fromkeys([*special, *plain, *counted]))
