"""Pods, and the kind that only holds a template.

Source: `registry/core/pod/strategy.go`, `registry/core/podtemplate/strategy.go`.
"""

from tutor.sandbox.api import metadata
from tutor.sandbox.api.builtin import addresses
from tutor.sandbox.api.builtin.behaviour import (
    Behaviour,
    Subpath,
    first_generation,
    keep_metadata,
    keep_spec,
    keep_status,
    next_generation,
)
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.pod import annotations, changes
from tutor.sandbox.api.builtin.pod.defaults import default_pod, default_template
from tutor.sandbox.api.builtin.pod.quality import quality_of_service
from tutor.sandbox.api.builtin.pod.resize import prepare_resize, validate_resize
from tutor.sandbox.api.builtin.pod.scheduling import merge_all_label_keys
from tutor.sandbox.api.builtin.pod.spec import metadata_and_spec, template_spec
from tutor.sandbox.api.builtin.pod.warnings import name_warning, pod_warnings
from tutor.sandbox.api.builtin.reading import drop, indexed, items, keep, part, same, text
from tutor.sandbox.api.status import forbidden_field
from tutor.sandbox.kinds import Object, name_of


def _prepare_create(obj: Object) -> None:
    first_generation(obj)
    spec = part(obj, "spec")
    status: Object = {"phase": "Pending", "qosClass": quality_of_service(spec)}
    obj["status"] = status
    if items(spec, "schedulingGates"):
        # Both times are that of the request.
        condition: Object = {
            "type": "PodScheduled",
            "status": "False",
            "lastProbeTime": None,
            "lastTransitionTime": part(obj, "metadata").get("creationTimestamp"),
            "reason": "SchedulingGated",
            "message": "Scheduling is blocked due to non-empty scheduling gates",
        }
        status["conditions"] = [condition]
    merge_all_label_keys(obj)


def _count(new: Object, old: Object) -> None:
    if not same(part(new, "spec"), part(old, "spec")):
        next_generation(new, old)


def _prepare_update(new: Object, old: Object) -> None:
    keep_status(new, old)
    _count(new, old)


def _validate(obj: Object) -> Errors:
    errors = metadata_and_spec(obj)
    spec = part(obj, "spec")
    if items(spec, "ephemeralContainers"):
        errors.append(forbidden_field("spec.ephemeralContainers", "cannot be set on create"))
    if spec.get("nodeName") and items(spec, "schedulingGates"):
        why = "cannot be set until all schedulingGates have been cleared"
        errors.append(forbidden_field("spec.nodeName", why))
    return errors + annotations.agree(part(obj, "metadata"), spec, "spec")


def _warnings(obj: Object, old: Object | None) -> list[str]:
    if old is not None:
        return []
    said = name_warning(name_of(obj), "the Pod's hostname")
    return said + pod_warnings(part(obj, "metadata"), part(obj, "spec"))


def _prepare_status(new: Object, old: Object) -> None:
    keep_spec(new, old)
    meta = part(new, "metadata")
    drop(meta, "deletionTimestamp")
    keep(meta, part(old, "metadata"), "ownerReferences")
    status, before = new.setdefault("status", {}), part(old, "status")
    for field in ("qosClass", "observedGeneration"):
        if not status.get(field):
            keep(status, before, field)
    known = {text(c, "type"): c for c in items(before, "conditions")}
    for condition in items(status, "conditions"):
        if not condition.get("observedGeneration"):
            was = known.get(text(condition, "type"), {})
            keep(condition, was, "observedGeneration")


def _status_warnings(obj: Object, _old: Object | None) -> list[str]:
    return [
        warning
        for field in ("podIPs", "hostIPs")
        for entry, at in indexed(part(obj, "status"), field, "status")
        for warning in addresses.ip_warnings(text(entry, "ip"), f"{at}.ip")
    ]


def _prepare_ephemeral(new: Object, old: Object) -> None:
    wanted = part(new, "spec").get("ephemeralContainers")
    new["spec"] = dict(part(old, "spec"))
    drop(new["spec"], "ephemeralContainers")
    if wanted:
        new["spec"]["ephemeralContainers"] = wanted
    keep_status(new, old)
    keep_metadata(new, old)
    _count(new, old)


def _prepare_resize(new: Object, old: Object) -> None:
    prepare_resize(new, old)
    keep_status(new, old)
    keep_metadata(new, old)
    _count(new, old)


POD = Behaviour(
    default=default_pod,
    prepare_create=_prepare_create,
    prepare_update=_prepare_update,
    validate=_validate,
    validate_update=changes.validate_update,
    warnings=_warnings,
    subpaths={
        "status": Subpath(
            prepare=_prepare_status, validate=changes.validate_status, warnings=_status_warnings
        ),
        "ephemeralcontainers": Subpath(
            prepare=_prepare_ephemeral, validate=changes.validate_ephemeral_containers
        ),
        "resize": Subpath(prepare=_prepare_resize, validate=validate_resize),
    },
)


def _default_pod_template(obj: Object) -> None:
    default_template(obj.setdefault("template", {}))


def _count_template(new: Object, old: Object) -> None:
    if not same(new.get("template"), old.get("template")):
        next_generation(new, old)


def _validate_pod_template(obj: Object) -> Errors:
    errors = metadata.built_in(obj, metadata.dns_subdomain)
    return errors + template_spec(part(obj, "template"), "template")


def _validate_pod_template_update(new: Object, old: Object) -> Errors:
    errors = metadata.built_in_update(new, old)
    return errors + template_spec(part(new, "template"), "template")


def _pod_template_warnings(obj: Object, old: Object | None) -> list[str]:
    if old is not None and same(obj.get("template"), old.get("template")):
        return []
    template = part(obj, "template")
    return pod_warnings(part(template, "metadata"), part(template, "spec"), "template")


POD_TEMPLATE = Behaviour(
    default=_default_pod_template,
    prepare_create=first_generation,
    prepare_update=_count_template,
    validate=_validate_pod_template,
    validate_update=_validate_pod_template_update,
    warnings=_pod_template_warnings,
)
