"""What a Binding does to its pod. Source: pkg/registry/core/pod/storage (BindingREST)."""

from datetime import datetime

from tutor.sandbox.api.builtin.reading import items, part, text
from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.api.status import (
    ApiError,
    FieldError,
    go_quote,
    not_supported,
    required,
    unexplained,
)
from tutor.sandbox.kinds import Object, annotations_of, labels_of, name_of


def check_binding(binding: Object) -> None:
    """Refuse a binding to something else than a node that has a name."""
    target = part(binding, "target")
    errors: list[FieldError] = []
    if text(target, "kind") not in ("", "Node"):
        errors.append(not_supported("target.kind", text(target, "kind"), ("Node", "<empty>")))
    if not text(target, "name"):
        errors.append(required("target.name"))
    if errors:
        shown = ", ".join(str(error) for error in errors)
        raise unexplained(shown if len(errors) == 1 else f"[{shown}]")


def bind(pod: Object, binding: Object, now: datetime) -> Object:
    """Give a pod, in place, the node that a binding names; raises ApiError (409)."""
    name, spec = name_of(pod), pod["spec"]
    if pod["metadata"].get("deletionTimestamp"):
        raise _conflict(name, f"pod {name} is being deleted, cannot be assigned to a host")
    if node := spec.get("nodeName"):
        raise _conflict(name, f"pod {name} is already assigned to node {go_quote(node)}")
    if items(spec, "schedulingGates"):
        raise _conflict(name, f"pod {name} has non-empty .spec.schedulingGates")
    spec["nodeName"] = text(part(binding, "target"), "name")
    for field, given in (("annotations", annotations_of(binding)), ("labels", labels_of(binding))):
        if given:
            pod["metadata"][field] = {**(pod["metadata"].get(field) or {}), **given}
    _mark_scheduled(pod, timestamp(now))
    return pod


def _mark_scheduled(pod: Object, since: str) -> None:
    status = pod.setdefault("status", {})
    status.pop("nominatedNodeName", None)
    before = items(status, "conditions")
    found = next((c for c in before if c["type"] == "PodScheduled"), None)
    if found is not None and found["status"] == "True":
        since = found.get("lastTransitionTime") or since
    new: Object = {"type": "PodScheduled", "status": "True", "lastTransitionTime": since}
    if found is None:
        status["conditions"] = [*before, new]
    else:
        status["conditions"] = [new if c is found else c for c in before]


def _conflict(name: str, why: str) -> ApiError:
    told = f"Operation cannot be fulfilled on pods/binding {go_quote(name)}: {why}"
    details: Object = {"name": name, "kind": "pods/binding"}
    return ApiError(409, "Conflict", told, details=details)
