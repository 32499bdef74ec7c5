"""How many replicas measurements ask for.

Quantities are whole thousandths, as in the source: pkg/controller/podautoscaler's
replica_calculator.go and metrics/utilization.go.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil, inf, isfinite, nan
from typing import NamedTuple

from tutor.sandbox.api.builtin import quantity
from tutor.sandbox.api.builtin.pod.reading import is_sidecar
from tutor.sandbox.api.builtin.pod.totals import pod_requests
from tutor.sandbox.api.builtin.reading import INT32_MAX, items, part, text
from tutor.sandbox.controllers.resources import condition, is_deleted, is_ready
from tutor.sandbox.kinds import Object, name_of

_INT64_MAX, _INT64_MIN = 2**63 - 1, -(2**63)
_CPU_SETTLES = timedelta(minutes=5)
"""After its start a pod's use of CPU counts only while it is ready."""
_FIRST_READINESS = timedelta(seconds=30)
"""A pod that is not ready any more so soon after its start has never been ready."""


class CannotCompute(Exception):
    """Why there is no number of replicas; the text is the controller's own sentence."""


class Tolerances(NamedTuple):
    """How far a ratio may be from 1 before it counts."""

    down: float
    up: float

    def hold(self, ratio: float) -> bool:
        """Whether nothing follows from the ratio."""
        return 1.0 - self.down <= ratio <= 1.0 + self.up


class Sample(NamedTuple):
    """What was measured of one pod."""

    value: int
    at: datetime
    window: timedelta


Samples = Mapping[str, Sample]
"""By the names of pods."""
_Ratio = Callable[[Mapping[str, int]], float]


class Asked(NamedTuple):
    """What a number of replicas is asked for."""

    replicas: int
    """That the target wants now."""
    tolerances: Tolerances
    pods: Sequence[Object]
    """That the target's selector selects."""
    now: datetime


class Proposal(NamedTuple):
    """A number of replicas, and what it follows from."""

    replicas: int
    usage: int
    utilization: int = 0
    """In percent of what the pods requested."""


class _Groups(NamedTuple):
    ready: int
    unready: frozenset[str]
    missing: frozenset[str]
    ignored: frozenset[str]


def by_utilization(
    asked: Asked, samples: Samples, resource: str, container: str, target: int
) -> Proposal:
    """For a share of the requests of the pods, or of one container of each, in percent.

    Raises:
        CannotCompute: Nothing was measured of the pods, or they request nothing.
    """
    groups, measured = _grouped(asked, samples, resource)
    requests = {name_of(pod): _request(pod, container, resource) for pod in asked.pods}

    def ratio(values: Mapping[str, int]) -> tuple[float, int, int]:
        known = {name: value for name, value in values.items() if name in requests}
        total, requested = sum(known.values()), sum(requests[name] for name in known)
        if not requested:
            raise CannotCompute("no metrics returned matched known pods")
        percent = total * 100 // requested
        return percent / target, percent, total // len(known)

    usage_ratio, percent, usage = ratio(measured)
    full = max(100, target)
    assumed = {name: requests[name] * full // 100 for name in groups.missing}
    replicas = _replicas(asked, groups, usage_ratio, measured, assumed, lambda v: ratio(v)[0])
    return Proposal(replicas, usage, percent)


def by_average(asked: Asked, samples: Samples, target: int, resource: str = "") -> Proposal:
    """For an average of the pods.

    Raises:
        CannotCompute: Nothing was measured of the pods.
    """
    groups, measured = _grouped(asked, samples, resource)

    def average(values: Mapping[str, int]) -> int:
        return sum(values.values()) // len(values)

    usage = average(measured)
    assumed = dict.fromkeys(groups.missing, target)
    replicas = _replicas(
        asked, groups, usage / target, measured, assumed, lambda values: average(values) / target
    )
    return Proposal(replicas, usage)


def by_value(asked: Asked, usage: int, target: int) -> Proposal:
    """For a value that all the pods bring about together.

    Raises:
        CannotCompute: There are no pods.
    """
    ratio = usage / target
    if not asked.replicas:
        return Proposal(ceil(ratio), usage)
    if asked.tolerances.hold(ratio):
        return Proposal(asked.replicas, usage)
    if not asked.pods:
        why = "no pods returned by selector while calculating replica count"
        raise CannotCompute(f"unable to calculate ready pods: {why}")
    ready = sum(1 for pod in asked.pods if _phase(pod) == "Running" and is_ready(pod))
    return Proposal(min(ceil(ratio * ready), INT32_MAX), usage)


def by_share(asked: Asked, usage: int, target: int, replicas: int) -> Proposal:
    """For a value of which each of the `replicas` that there are is to have its share."""
    proposed = replicas
    if not asked.tolerances.hold(_quotient(usage, target * replicas)):
        proposed = min(ceil(usage / target), INT32_MAX)
    share = _quotient(usage, replicas)
    # What is no number becomes the least integer where the real controller runs.
    return Proposal(proposed, min(ceil(share), _INT64_MAX) if isfinite(share) else _INT64_MIN)


def _quotient(one: int, other: int) -> float:
    if other:
        return one / other
    return inf if one else nan


def _grouped(asked: Asked, samples: Samples, resource: str) -> tuple[_Groups, dict[str, int]]:
    """The pods by what they count for, and what was measured of those that count."""
    if not asked.pods:
        raise CannotCompute("no pods returned by selector while calculating replica count")
    kinds = {name_of(pod): _standing(pod, samples, resource, asked.now) for pod in asked.pods}
    of = {
        kind: frozenset(name for name, found in kinds.items() if found == kind)
        for kind in ("unready", "missing", "ignored")
    }
    ready = sum(1 for kind in kinds.values() if kind == "ready")
    groups = _Groups(ready, of["unready"], of["missing"], of["ignored"])
    left_out = groups.unready | groups.ignored
    measured = {name: sample.value for name, sample in samples.items() if name not in left_out}
    if not measured:
        raise CannotCompute("did not receive metrics for targeted pods (pods might be unready)")
    return groups, measured


def _standing(pod: Object, samples: Samples, resource: str, now: datetime) -> str:
    phase = _phase(pod)
    if is_deleted(pod) or phase == "Failed":
        return "ignored"
    if phase == "Pending":
        return "unready"
    sample = samples.get(name_of(pod))
    if sample is None:
        return "missing"
    return "unready" if resource == "cpu" and _cpu_unsettled(pod, sample, now) else "ready"


def _cpu_unsettled(pod: Object, sample: Sample, now: datetime) -> bool:
    ready = condition(pod, "Ready")
    started = text(part(pod, "status"), "startTime")
    if ready is None or not started:
        return True
    start = datetime.fromisoformat(started)
    since = datetime.fromisoformat(text(ready, "lastTransitionTime") or started)
    is_false = ready.get("status") == "False"
    if start + _CPU_SETTLES > now:
        return is_false or sample.at < since + sample.window
    return is_false and start + _FIRST_READINESS > since


def _replicas(
    asked: Asked,
    groups: _Groups,
    ratio: float,
    measured: Mapping[str, int],
    missing: Mapping[str, int],
    again: _Ratio,
) -> int:
    """The replicas for a ratio; `missing` is what pods that were not measured may use at most."""
    grows = bool(groups.unready) and ratio > 1.0
    if not grows and not groups.missing:
        return asked.replicas if asked.tolerances.hold(ratio) else ceil(ratio * groups.ready)
    values = dict(measured)
    if ratio < 1.0:
        values |= missing
    elif ratio > 1.0:
        values |= dict.fromkeys(groups.missing, 0)
    if grows:
        values |= dict.fromkeys(groups.unready, 0)
    other = again(values)
    turned = (ratio < 1.0 < other) or (ratio > 1.0 > other)
    if asked.tolerances.hold(other) or turned:
        return asked.replicas
    proposed = ceil(other * len(values))
    if (other < 1.0 and proposed > asked.replicas) or (other > 1.0 and proposed < asked.replicas):
        return asked.replicas
    return proposed


def _request(pod: Object, container: str, resource: str) -> int:
    if not container and _whole_pod_requests(pod):
        found = pod_requests(pod).get(resource)
        if found is None:
            raise CannotCompute(f"missing pod-level request for {resource} in Pod {name_of(pod)}")
        return found.milli_value
    spec = part(pod, "spec")
    containers = [*items(spec, "containers"), *filter(is_sidecar, items(spec, "initContainers"))]
    if container:
        containers = [one for one in containers if one["name"] == container]
        if not containers:
            raise CannotCompute(f"container {container} not found in Pod {name_of(pod)}")
    total = 0
    for one in containers:
        written = part(one, "resources", "requests").get(resource)
        if written is None:
            where = f"container {one['name']} of Pod {name_of(pod)}"
            raise CannotCompute(f"missing request for {resource} in {where}")
        total += quantity.parse(written).milli_value
    return total


def _whole_pod_requests(pod: Object) -> bool:
    named = part(pod, "spec", "resources", "requests")
    return any(name in ("cpu", "memory") or name.startswith("hugepages-") for name in named)


def _phase(pod: Object) -> str:
    return text(part(pod, "status"), "phase")
