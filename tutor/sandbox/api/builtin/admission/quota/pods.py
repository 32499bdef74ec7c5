"""What pods use. Source: Kubernetes' `pkg/quota/v1/evaluator/core/pods.go`."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from tutor.sandbox.api.builtin.admission.quota.evaluator import (
    ONE,
    Evaluator,
    Usage,
    added,
    selects,
)
from tutor.sandbox.api.builtin.pod.quality import quality_of_service
from tutor.sandbox.api.builtin.pod.resources import is_extended, is_native
from tutor.sandbox.api.builtin.pod.totals import effective, pod_limits, pod_requests
from tutor.sandbox.api.builtin.quantity import Quantity, parse_all
from tutor.sandbox.api.builtin.reading import items, part, text
from tutor.sandbox.api.webhooks import Write
from tutor.sandbox.kinds import Object

_COUNT = "count/pods"
_COMPUTE = ("cpu", "memory", "ephemeral-storage")
_LIMITED = (
    _COUNT,
    "pods",
    *(f"{prefix}{name}" for prefix in ("", "requests.", "limits.") for name in _COMPUTE),
)
_HUGE_PAGES = ("hugepages-", "requests.hugepages-")
_MUST_BE_SAID = (
    "cpu",
    "memory",
    "requests.cpu",
    "requests.memory",
    "limits.cpu",
    "limits.memory",
)
_POD_LEVEL = ("cpu", "memory")
_TERMS = "requiredDuringSchedulingIgnoredDuringExecution"
_WEIGHTED_TERMS = "preferredDuringSchedulingIgnoredDuringExecution"


def _matching(names: Iterable[str]) -> list[str]:
    return [
        name
        for name in names
        if name in _LIMITED
        or name.startswith(_HUGE_PAGES)
        or (name.startswith("requests.") and not is_native(name))
    ]


def _usage(pod: Object, now: datetime) -> Usage:
    counted: Usage = {_COUNT: ONE}
    if _has_gone(pod, now):
        return counted
    running = effective(pod)
    return added(counted, _compute(pod_requests(running), pod_limits(running)))


def _compute(requests: Mapping[str, Quantity], limits: Mapping[str, Quantity]) -> Usage:
    usage: Usage = {"pods": ONE}
    for name, value in requests.items():
        huge = name.startswith("hugepages-")
        if name in _COMPUTE or huge:
            usage[name] = value
        if name in _COMPUTE or huge or is_extended(name):
            usage[f"requests.{name}"] = value
    for name in _COMPUTE:
        if name in limits:
            usage[f"limits.{name}"] = limits[name]
    return usage


def _has_gone(pod: Object, now: datetime) -> bool:
    """Whether a pod uses nothing any more: it has ended, or its node never said it did."""
    if text(part(pod, "status"), "phase") in ("Failed", "Succeeded"):
        return True
    meta = part(pod, "metadata")
    deleted, grace = meta.get("deletionTimestamp"), meta.get("deletionGracePeriodSeconds")
    if not deleted or grace is None:
        return False
    return now > datetime.fromisoformat(deleted) + timedelta(seconds=grace)


def _lacking(names: Collection[str], pod: Object) -> str:
    spec = part(pod, "spec")
    own = part(spec, "resources")
    said = [*part(own, "requests"), *part(own, "limits")]
    if any(name in _POD_LEVEL or name.startswith("hugepages-") for name in said):
        return ""
    missing: dict[str, set[str]] = {}
    for container in (*items(spec, "containers"), *items(spec, "initContainers")):
        resources = part(container, "resources")
        requests, limits = part(resources, "requests"), part(resources, "limits")
        has = _compute(parse_all(requests), parse_all(limits))
        for name in names:
            if name in _MUST_BE_SAID and name not in has:
                missing.setdefault(name, set()).add(text(container, "name"))
    if not missing:
        return ""
    told = [f"{name} for: {','.join(sorted(who))}" for name, who in sorted(missing.items())]
    return f"must specify {'; '.join(told)}"


def _handles(write: Write) -> bool:
    if write.call.subresource == "resize":
        return write.operation == "UPDATE"
    if write.call.subresource:
        return False
    if write.operation == "UPDATE":
        return _is_terminating(write.new or {}) != _is_terminating(write.old or {})
    return write.operation == "CREATE"


def _is_terminating(pod: Object) -> bool:
    deadline = part(pod, "spec").get("activeDeadlineSeconds")
    return deadline is not None and deadline >= 0


def _in_scope(requirement: Object, pod: Object) -> bool:
    spec = part(pod, "spec")
    match requirement["scopeName"]:
        case "Terminating":
            return _is_terminating(pod)
        case "NotTerminating":
            return not _is_terminating(pod)
        case "BestEffort":
            return quality_of_service(spec) == "BestEffort"
        case "NotBestEffort":
            return quality_of_service(spec) != "BestEffort"
        case "PriorityClass":
            name = text(spec, "priorityClassName")
            return selects(requirement, [name] if name else [])
        case "CrossNamespacePodAffinity":
            return any(_reaches_out(term) for term in _affinity_terms(spec))
        case _:
            return False


def _affinity_terms(spec: Object) -> list[Any]:
    terms: list[Any] = []
    for kind in ("podAffinity", "podAntiAffinity"):
        affinity = part(spec, "affinity", kind)
        terms += items(affinity, _TERMS)
        terms += [part(one, "podAffinityTerm") for one in items(affinity, _WEIGHTED_TERMS)]
    return terms


def _reaches_out(term: Object) -> bool:
    return bool(term.get("namespaces")) or term.get("namespaceSelector") is not None


POD_USAGE = Evaluator(
    usage=_usage, matching=_matching, handles=_handles, in_scope=_in_scope, lacking=_lacking
)
"""Pods count by number, and by what their containers ask for."""
