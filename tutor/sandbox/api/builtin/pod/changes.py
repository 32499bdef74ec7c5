"""What of a pod may change once it is there. Source: `apis/core/validation/validation.go`."""

from tutor.sandbox.api import formats, metadata
from tutor.sandbox.api.builtin import addresses, checks, go_struct
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.pod import annotations, restarts, scheduling
from tutor.sandbox.api.builtin.pod.spec import metadata_and_spec
from tutor.sandbox.api.builtin.reading import (
    INT32_MAX,
    indexed,
    items,
    keep,
    number,
    ordered,
    part,
    same,
    text,
)
from tutor.sandbox.api.status import forbidden_field, invalid, required
from tutor.sandbox.kinds import Object, annotations_of, thaw

_UPDATABLE = (
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_FREE = ("activeDeadlineSeconds", "schedulingGates", "tolerations")


def validate_update(new: Object, old: Object) -> Errors:
    """A change on the main path: images, a deadline, more tolerations, fewer gates."""
    errors = metadata.built_in_update(new, old) + metadata_and_spec(new)
    errors += annotations.changes(new, old, "metadata.annotations")
    spec, before = part(new, "spec"), part(old, "spec")
    for field in ("containers", "initContainers"):
        listed, known = items(spec, field), items(before, field)
        if len(listed) != len(known):
            why = "pod updates may not add or remove containers"
            return [*errors, forbidden_field(f"spec.{field}", why)]
        errors += _images(spec, field)
    if stopped := _deadline(spec, before):
        errors += stopped
        if spec.get("activeDeadlineSeconds") is not None:
            return errors
    errors += _added_tolerations(spec, before) + _removed_gates(spec, before)
    return errors if same(spec, before) else errors + _else_unchanged(spec, before)


def _images(spec: Object, field: str) -> Errors:
    errors: Errors = []
    for container, at in indexed(spec, field, "spec"):
        image = text(container, "image")
        if not image:
            errors.append(required(f"{at}.image"))
        if image != image.strip():
            why = "must not have leading or trailing whitespace"
            errors.append(invalid(f"{at}.image", image, why))
    return errors


def _deadline(spec: Object, before: Object) -> Errors:
    path = "spec.activeDeadlineSeconds"
    now, was = spec.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds")
    if now is None:
        why = "must not update from a positive integer to nil value"
        return [] if was is None else [invalid(path, None, why)]
    if not 0 <= now <= INT32_MAX:
        return [invalid(path, now, checks.between(0, INT32_MAX))]
    if was is not None and was < now:
        return [invalid(path, now, "must be less than or equal to previous value")]
    return []


def _added_tolerations(spec: Object, before: Object) -> Errors:
    listed, path = items(spec, "tolerations"), "spec.tolerations"
    patient = [_without_patience(toleration) for toleration in listed]
    if any(_without_patience(known) not in patient for known in items(before, "tolerations")):
        why = "existing toleration can not be modified except its tolerationSeconds"
        return [forbidden_field(path, why)]
    return scheduling.tolerations(listed, path)


def _without_patience(toleration: Object) -> Object:
    return {key: value for key, value in toleration.items() if key != "tolerationSeconds"}


def _removed_gates(spec: Object, before: Object) -> Errors:
    known = {text(gate, "name") for gate in items(before, "schedulingGates")}
    return [
        forbidden_field(
            f"{at}.name",
            f"only deletion is allowed, but found new scheduling gate '{gate['name']}'",
        )
        for gate, at in indexed(spec, "schedulingGates", "spec")
        if text(gate, "name") not in known
    ]


def _else_unchanged(spec: Object, before: Object) -> Errors:
    errors: Errors = []
    rest = thaw(spec)
    for field in ("containers", "initContainers"):
        for container, known in zip(items(rest, field), items(before, field), strict=True):
            keep(container, known, "image")
    keep(rest, before, *_FREE)
    grace = before.get("terminationGracePeriodSeconds") or 0
    if grace < 0 and rest.get("terminationGracePeriodSeconds") == 1:
        keep(rest, before, "terminationGracePeriodSeconds")
    if items(before, "schedulingGates"):
        errors += _gated(rest, before)
    if same(rest, before):
        return errors
    difference = go_struct.difference("PodSpec", before, rest)
    why = f"pod updates may not change fields other than {_UPDATABLE}\n{difference}"
    return [*errors, forbidden_field("spec", why)]


def _gated(rest: Object, before: Object) -> Errors:
    """A pod that is not yet to be scheduled may be told more about where it may run."""
    errors: Errors = []
    selector, known = part(rest, "nodeSelector"), part(before, "nodeSelector")
    if any(selector.get(key) != value for key, value in known.items()):
        why = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
        errors.append(invalid("spec.nodeSelector", ordered(selector) or None, why))
    keep(rest, before, "nodeSelector")
    errors += _gated_affinity(rest, before)
    affinity, was = part(rest, "affinity"), part(before, "affinity")
    affinity = {key: value for key, value in affinity.items() if key != "nodeAffinity"}
    keep(affinity, was, "nodeAffinity")
    rest["affinity"] = affinity if affinity or before.get("affinity") is not None else None
    return errors


def _gated_affinity(rest: Object, before: Object) -> Errors:
    keys = ("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    terms = items(part(rest, *keys), "nodeSelectorTerms")
    known = items(part(before, *keys), "nodeSelectorTerms")
    path = f"spec.{'.'.join(keys)}.nodeSelectorTerms"
    if known and len(terms) != len(known):
        why = "no additions/deletions to non-empty NodeSelectorTerms list are allowed"
        shown = [go_struct.render("NodeSelectorTerm", term) for term in terms] or None
        return [invalid(path, shown, why)]
    why = "only additions are allowed (no mutations or deletions)"
    return [
        invalid(f"{path}[{index}]", go_struct.render("NodeSelectorTerm", term), why)
        for index, (term, was) in enumerate(zip(terms, known, strict=False))
        if not _only_adds(term, was)
    ]


def _only_adds(term: Object, was: Object) -> bool:
    fields = ("matchExpressions", "matchFields")
    if not any(items(was, field) for field in fields):
        return not any(items(term, field) for field in fields)
    return all(
        items(term, field)[: len(items(was, field))] == items(was, field) for field in fields
    )


def validate_ephemeral_containers(new: Object, old: Object) -> Errors:
    """Debug containers may be added, nothing else."""
    if annotations.MIRROR in annotations_of(old):
        return [forbidden_field("", "static pods do not support ephemeral containers")]
    errors = metadata.built_in_update(new, old) + metadata_and_spec(new)
    errors += annotations.changes(new, old, "metadata.annotations")
    path = "spec.ephemeralContainers"
    listed = {text(c, "name"): c for c in items(part(new, "spec"), "ephemeralContainers")}
    for known in items(part(old, "spec"), "ephemeralContainers"):
        name = text(known, "name")
        if name not in listed:
            why = f'existing ephemeral containers "{name}" may not be removed\n'
            errors.append(forbidden_field(path, why))
        elif not same(known, listed[name]):
            difference = go_struct.difference("EphemeralContainer", known, listed[name])
            why = f'existing ephemeral containers "{name}" may not be changed\n{difference}'
            errors.append(forbidden_field(path, why))
    return errors


def validate_status(new: Object, old: Object) -> Errors:
    """What a kubelet may say of a pod."""
    errors = metadata.built_in_update(new, old)
    errors += annotations.changes(new, old, "metadata.annotations")
    status, before = part(new, "status"), part(old, "status")
    for condition, at in indexed(status, "conditions", "status"):
        kind = text(condition, "type")
        if kind not in ("PodScheduled", "Ready", "Initialized"):
            errors += checks.label_names([kind], f"{at}.Type")
    if text(part(new, "spec"), "nodeName") != text(part(old, "spec"), "nodeName"):
        errors.append(forbidden_field("status.nodeName", "may not be changed directly"))
    errors += _nominated(new, old)
    if (seen := number(status, "observedGeneration")) < 0:
        path = "status.observedGeneration"
        errors.append(invalid(path, seen, "must be a non-negative integer"))
    qos = text(status, "qosClass"), text(before, "qosClass")
    errors += checks.immutable(*qos, "status.qosClass")
    errors += restarts.transitions(status, before, part(old, "spec"))
    return errors + _addresses(status, before)


def _nominated(new: Object, old: Object) -> Errors:
    path, name = "status.nominatedNodeName", text(part(new, "status"), "nominatedNodeName")
    if not name or name == text(part(old, "status"), "nominatedNodeName"):
        return []
    errors = checks.obey(formats.dns1123_subdomain, name, path)
    if text(part(old, "spec"), "nodeName"):
        why = "may not be set on pods that are already bound to a node"
        errors.append(forbidden_field(path, why))
    return errors


def _addresses(status: Object, before: Object) -> Errors:
    errors: Errors = []
    for field in ("podIPs", "hostIPs"):
        known = [text(entry, "ip") for entry in items(before, field)]
        if field == "hostIPs" and (listed := items(status, field)):
            first = text(listed[0], "ip")
            if first != text(status, "hostIP"):
                path = "status.hostIPs[0].ip"
                errors.append(invalid(path, first, "must be equal to `hostIP`"))
        for entry, at in indexed(status, field, "status"):
            errors += addresses.ip(text(entry, "ip"), at, known=known)
    return errors
