"""LimitRanger: containers and claims stay within the limits of their namespace.

Source: Kubernetes' `plugin/pkg/admission/limitranger`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tutor.sandbox.api.builtin import quantity
from tutor.sandbox.api.builtin.admission.plugin import (
    CLAIMS,
    PODS,
    Plugin,
    World,
    concerns,
    refusal,
)
from tutor.sandbox.api.builtin.pod.defaults import container_resources
from tutor.sandbox.api.builtin.quantity import Quantity, parse_all
from tutor.sandbox.api.builtin.reading import ensure, items, part, text
from tutor.sandbox.api.webhooks import Write
from tutor.sandbox.kinds import GroupResource, Object

LIMIT_RANGES = GroupResource("", "limitranges")
ANNOTATION = "kubernetes.io/limit-ranger"
_LISTS = (("containers", "container"), ("initContainers", "init container"))
_FINE_ENOUGH = 2**63 // 1000
"""Values up to this are compared in thousandths."""

Amounts = dict[str, Quantity]


@dataclass(frozen=True, slots=True)
class LimitRanger(Plugin):
    """Fills in and enforces what the limit ranges of the namespace say."""

    resources = frozenset({PODS, CLAIMS})

    world: World

    def admit(self, write: Write) -> None:
        """Give default requests and limits to the containers of a pod."""
        if write.new is None or not _limits_pod(write):
            return
        for limit_range in self._ranges(write):
            _fill(write.new, limit_range)

    def validate(self, write: Write) -> None:
        """Refuse what is out of range."""
        spec = part(write.new or {}, "spec")
        if _limits_pod(write):
            judge = _judge_pod
        elif concerns(write, CLAIMS, "CREATE", "UPDATE"):
            judge = _judge_claim
        else:
            return
        for limit_range in self._ranges(write):
            complaints = [
                complaint
                for limit in items(limit_range, "spec", "limits")
                for complaint in judge(spec, limit)
            ]
            if complaints:
                texts = list(dict.fromkeys(complaints))
                raise refusal(write, texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")

    def _ranges(self, write: Write) -> list[Object]:
        if part(write.old or {}, "metadata").get("deletionTimestamp"):
            return []
        return list(self.world.objects_of(LIMIT_RANGES, write.namespace))


def _limits_pod(write: Write) -> bool:
    return concerns(write, PODS, "CREATE") or concerns(write, PODS, "UPDATE", subresource="resize")


def _fill(pod: Object, limit_range: Object) -> None:
    requests: Object = {}
    limits: Object = {}
    for limit in items(limit_range, "spec", "limits"):
        if limit.get("type") == "Container":
            requests |= part(limit, "defaultRequest")
            limits |= part(limit, "default")
    notes: list[str] = []
    for field, label in _LISTS:
        for container in items(pod, "spec", field):
            target = f"{label} {text(container, 'name')}"
            notes += _fill_container(container, "requests", requests, f"request for {target}")
            notes += _fill_container(container, "limits", limits, f"limit for {target}")
    if notes:
        annotations = ensure(pod["metadata"], "annotations")
        annotations[ANNOTATION] = f"LimitRanger plugin set: {'; '.join(notes)}"


def _fill_container(container: Object, field: str, defaults: Object, note: str) -> list[str]:
    missing = sorted(defaults.keys() - part(container, "resources", field).keys())
    if not missing:
        return []
    own = ensure(ensure(container, "resources"), field)
    own |= {name: defaults[name] for name in missing}
    return [f"{', '.join(missing)} {note}"]


def _judge_claim(spec: Object, limit: Object) -> Iterator[str]:
    if limit.get("type") != "PersistentVolumeClaim":
        return
    requests = parse_all(part(spec, "resources", "requests"))
    yield from _each(limit, "min", _at_least, requests, {})
    yield from _each(limit, "max", _requests_at_most, requests, {})


def _judge_pod(spec: Object, limit: Object) -> Iterator[str]:
    if limit.get("type") == "Pod":
        yield from _judge_amounts(limit, _of_pod(spec, "requests"), _of_pod(spec, "limits"))
    if limit.get("type") == "Container":
        for field, _ in _LISTS:
            for container in items(spec, field):
                own = part(container, "resources")
                requests, limits = part(own, "requests"), part(own, "limits")
                yield from _judge_amounts(limit, parse_all(requests), parse_all(limits))


def _of_pod(spec: Object, field: str) -> Amounts:
    total = container_resources(spec, field)
    own = parse_all(part(spec, "resources", field))
    return total | {name: own[name] for name in ("cpu", "memory") if name in own}


def _judge_amounts(limit: Object, requests: Amounts, limits: Amounts) -> Iterator[str]:
    yield from _each(limit, "min", _at_least, requests, limits)
    yield from _each(limit, "max", _at_most, requests, limits)
    yield from _each(limit, "maxLimitRequestRatio", _ratio, requests, limits)


Constraint = Callable[[Quantity, Quantity | None, Quantity | None], str]


def _each(
    limit: Object, field: str, judge: Constraint, requests: Amounts, limits: Amounts
) -> Iterator[str]:
    """The complaints of one constraint about each resource it limits."""
    for name, bound in sorted(parse_all(part(limit, field)).items()):
        if complaint := judge(bound, requests.get(name), limits.get(name)):
            usage = f"per {limit.get('type')} is {bound}"
            yield complaint.format(name=name, usage=usage)


def _comparable(*amounts: Quantity | None) -> list[int]:
    """The amounts in one unit in which none is too large; what is absent counts as zero."""
    given = [amount or quantity.ZERO for amount in amounts]
    fine = all(amount.value <= _FINE_ENOUGH for amount in given)
    return [amount.milli_value if fine else amount.value for amount in given]


def _at_least(bound: Quantity, request: Quantity | None, limit: Quantity | None) -> str:
    requested, limited, least = _comparable(request, limit, bound)
    if request is None:
        return "minimum {name} usage {usage}.  No request is specified"
    if requested < least:
        return f"minimum {{name}} usage {{usage}}, but request is {request}"
    if limit is not None and limited < least:
        return f"minimum {{name}} usage {{usage}}, but limit is {limit}"
    return ""


def _at_most(bound: Quantity, request: Quantity | None, limit: Quantity | None) -> str:
    requested, limited, most = _comparable(request, limit, bound)
    if limit is None:
        return "maximum {name} usage {usage}.  No limit is specified"
    if limited > most:
        return f"maximum {{name}} usage {{usage}}, but limit is {limit}"
    if request is not None and requested > most:
        return f"maximum {{name}} usage {{usage}}, but request is {request}"
    return ""


def _requests_at_most(bound: Quantity, request: Quantity | None, _limit: Quantity | None) -> str:
    requested, most = _comparable(request, bound)
    if request is None:
        return "maximum {name} usage {usage}.  No request is specified"
    return f"maximum {{name}} usage {{usage}}, but request is {request}" if requested > most else ""


def _ratio(bound: Quantity, request: Quantity | None, limit: Quantity | None) -> str:
    requested, limited, _ = _comparable(request, limit, bound)
    rule = "{name} max limit to request ratio {usage}, but"
    if not requested:
        return f"{rule} no request is specified or request is 0"
    if not limited:
        return f"{rule} no limit is specified or limit is 0"
    ratio = limited / requested
    fine = bound.value <= _FINE_ENOUGH
    if ratio * 1000 > bound.milli_value if fine else ratio > bound.value:
        return f"{rule} provided ratio is {ratio:.6f}"
    return ""
