"""Changing what a running pod may use. Source: `apis/core/validation/validation.go`."""

from tutor.sandbox.api import metadata
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.pod.annotations import MIRROR
from tutor.sandbox.api.builtin.pod.quality import quality_of_service
from tutor.sandbox.api.builtin.pod.reading import is_sidecar
from tutor.sandbox.api.builtin.pod.spec import metadata_and_spec
from tutor.sandbox.api.builtin.reading import indexed, items, keep, part, same, text
from tutor.sandbox.api.status import forbidden_field, invalid
from tutor.sandbox.kinds import Object, annotations_of, thaw

_LISTS = ("containers", "initContainers")


def prepare_resize(new: Object, old: Object) -> None:
    """Keep of a resize request only the resources, in place."""
    wanted, known = part(new, "spec"), part(old, "spec")
    if any(len(items(wanted, field)) != len(items(known, field)) for field in _LISTS):
        return
    spec = thaw(known)
    keep(spec, wanted, "resources")
    for field in _LISTS:
        listed = items(wanted, field)
        merged = items(spec, field)
        if any(text(c, "name") != text(k, "name") for c, k in zip(listed, merged, strict=True)):
            spec[field] = listed
            continue
        for container, now in zip(merged, listed, strict=True):
            keep(container, now, "resources", "resizePolicy")
    new["spec"] = spec


def validate_resize(new: Object, old: Object) -> Errors:
    """Only how much processor and memory there is may change."""
    if MIRROR in annotations_of(old):
        return [forbidden_field("", "static pods cannot be resized")]
    errors = metadata.built_in_update(new, old) + metadata_and_spec(new)
    spec, before = part(new, "spec"), part(old, "spec")
    was = text(part(old, "status"), "qosClass") or quality_of_service(before)
    if was != quality_of_service(spec):
        why = "Pod QOS Class may not change as a result of resizing"
        errors.append(invalid("spec", text(part(new, "status"), "qosClass"), why))
    if not _node_resizes(old):
        why = "Pod running on node without support for resize"
        errors.append(forbidden_field("spec", why))
    rest = thaw(spec)
    errors += _pod_level(spec, before, rest)
    if moved := _moved(spec, before):
        return errors + moved
    errors += _removed(spec, before) + _beyond_resources(rest, before)
    if not errors and not same(rest, before):
        errors.append(forbidden_field("spec", "only cpu and memory resources are mutable"))
    return errors


def _node_resizes(pod: Object) -> bool:
    """Whether the node has told of resources; without a running container it may."""
    for status in items(part(pod, "status"), "containerStatuses"):
        if "running" in part(status, "state"):
            return "resources" in status
    return True


def _pod_level(spec: Object, before: Object, rest: Object) -> Errors:
    now, was = spec.get("resources"), before.get("resources")
    if not part(now or {}, "requests") and not part(was or {}, "requests"):
        return []
    if was is not None and now is None:
        return [forbidden_field("spec.resources", "pod-level resources cannot be removed")]
    errors: Errors = []
    for field in ("requests", "limits"):
        if part(was or {}, field).keys() - part(now or {}, field).keys():
            why = f"pod-level resource {field} cannot be removed"
            errors.append(forbidden_field(f"spec.resources.{field}", why))
    _ignore_compute(rest["resources"], was or {})
    if not same(rest["resources"], was):
        why = "only cpu and memory resources are mutable at pod-level"
        errors.append(forbidden_field("spec", why))
    return errors


def _ignore_compute(resources: Object, known: Object) -> None:
    """Take the processor and memory from the old resources, in place."""
    for field in ("limits", "requests"):
        listed = dict(part(resources, field))
        keep(listed, part(known, field), "cpu", "memory")
        resources[field] = listed or None


def _moved(spec: Object, before: Object) -> Errors:
    errors: Errors = []
    for field in _LISTS:
        listed, known = items(spec, field), items(before, field)
        if len(listed) != len(known):
            why = f"{field} may not be added or removed on resize"
            errors.append(forbidden_field(f"spec.{field}", why))
            continue
        why = f"{field} may not be renamed or reordered on resize"
        errors += [
            forbidden_field(f"spec.{field}[{index}].name", why)
            for index, (now, was) in enumerate(zip(listed, known, strict=True))
            if text(now, "name") != text(was, "name")
        ]
    return errors


def _removed(spec: Object, before: Object) -> Errors:
    errors: Errors = []
    for lists in ("initContainers", "containers"):
        for index, was in enumerate(items(before, lists)):
            now, path = spec[lists][index], f"spec.{lists}[{index}].resources"
            for field in ("requests", "limits"):
                known = part(was, "resources", field).keys()
                if known - part(now, "resources", field).keys():
                    why = f"resource {field} cannot be removed"
                    errors.append(forbidden_field(f"{path}.{field}", why))
    return errors


def _beyond_resources(rest: Object, before: Object) -> Errors:
    errors: Errors = []
    for index, container in enumerate(items(rest, "containers")):
        was = before["containers"][index]
        _ignore_compute(container["resources"], part(was, "resources"))
        if not same(container, was):
            errors.append(forbidden_field("spec", "only cpu and memory resources are mutable"))
    for (container, path), was in zip(
        indexed(rest, "initContainers", "spec"), items(before, "initContainers"), strict=True
    ):
        changed = not same(container, was)
        _ignore_compute(container["resources"], part(was, "resources"))
        if not same(container, was):
            why = "only cpu and memory resources for init or sidecar containers are mutable"
            errors.append(forbidden_field(path, why))
        if changed and not is_sidecar(container):
            why = (
                "non-sidecar init containers with a resize policy of RestartContainer cannot be "
                "resized"
            )
            errors += [
                forbidden_field(path, why)
                for policy in items(container, "resizePolicy")
                if policy.get("restartPolicy") == "RestartContainer"
            ]
    return errors
