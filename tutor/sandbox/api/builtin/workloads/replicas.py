"""ReplicationControllers and ReplicaSets.

Source: `apis/core/validation/validation.go`, `apis/apps/validation/validation.go`.
"""

from tutor.sandbox.api import formats, metadata
from tutor.sandbox.api.builtin import checks
from tutor.sandbox.api.builtin.behaviour import (
    Behaviour,
    Subpath,
    drop_status,
    first_generation,
    keep_spec,
    keep_status,
)
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.pod.defaults import default_template
from tutor.sandbox.api.builtin.pod.spec import template_spec
from tutor.sandbox.api.builtin.reading import fill_absent, ordered, part
from tutor.sandbox.api.builtin.workloads.template import (
    PATH,
    count_changes,
    counted,
    counts,
    named_warnings,
    not_more,
    runs_always,
    selector_and_template,
    template_warnings,
)
from tutor.sandbox.api.status import invalid, required
from tutor.sandbox.kinds import Object, labels_of

_COUNTS = ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas")


def _prepare_create(obj: Object) -> None:
    drop_status(obj)
    obj["status"] = {"replicas": 0}
    first_generation(obj)


def _prepare_update(new: Object, old: Object) -> None:
    keep_status(new, old)
    count_changes(new, old)


def _default_controller(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    fill_absent(spec, replicas=1)
    template = spec.get("template")
    if template is None:
        return
    default_template(template)
    if labels := part(template, "metadata").get("labels"):
        if not spec.get("selector"):
            spec["selector"] = dict(labels)
        if not labels_of(obj):
            obj.setdefault("metadata", {})["labels"] = dict(labels)


def _controller(spec: Object) -> Errors:
    errors = checks.non_negative(spec.get("minReadySeconds"), "spec.minReadySeconds")
    selector, template = part(spec, "selector"), spec.get("template")
    if not selector:
        errors.append(required("spec.selector"))
    errors += checks.non_negative(spec.get("replicas"), "spec.replicas")
    if template is None:
        return [*errors, required(PATH)]
    labels = part(template, "metadata", "labels")
    if any(labels.get(key) != value for key, value in selector.items()):
        why = "`selector` does not match template `labels`"
        errors.append(invalid(f"{PATH}.metadata.labels", ordered(labels) or None, why))
    errors += template_spec(template, PATH)
    return errors + runs_always(spec, "ReplicationController")


def _validate_controller(obj: Object) -> Errors:
    return metadata.built_in(obj, formats.long_name) + _controller(part(obj, "spec"))


def _validate_controller_update(new: Object, old: Object) -> Errors:
    return metadata.built_in_update(new, old) + _controller(part(new, "spec"))


def _controller_warnings(obj: Object, old: Object | None) -> list[str]:
    if old is None:
        return named_warnings(obj, None)
    # The real server warns of the template that goes.
    return template_warnings(old, None) if counted(obj, old) else []


def _validate_status(new: Object, old: Object) -> Errors:
    status = part(new, "status")
    errors = metadata.built_in_update(new, old)
    errors += counts(status, *_COUNTS, "observedGeneration", "terminatingReplicas")
    for field in _COUNTS[1:]:
        errors += not_more(status, field, "replicas", "status.replicas")
    return errors + not_more(status, "availableReplicas", "readyReplicas", "readyReplicas")


def _default_set(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    fill_absent(spec, replicas=1)
    default_template(spec.setdefault("template", {}))


def _set(spec: Object) -> Errors:
    errors = checks.non_negative(spec.get("replicas"), "spec.replicas")
    errors += checks.non_negative(spec.get("minReadySeconds"), "spec.minReadySeconds")
    return errors + selector_and_template(spec)


def _validate_set(obj: Object) -> Errors:
    return metadata.built_in(obj, metadata.dns_subdomain) + _set(part(obj, "spec"))


def _validate_set_update(new: Object, old: Object) -> Errors:
    spec, before = part(new, "spec"), part(old, "spec")
    errors = metadata.built_in_update(new, old) + _set(spec)
    return errors + checks.immutable(spec.get("selector"), before.get("selector"), "spec.selector")


_STATUS = Subpath(prepare=keep_spec, validate=_validate_status)

REPLICATION_CONTROLLER = Behaviour(
    default=_default_controller,
    prepare_create=_prepare_create,
    prepare_update=_prepare_update,
    validate=_validate_controller,
    validate_update=_validate_controller_update,
    warnings=_controller_warnings,
    subpaths={"status": _STATUS},
)
REPLICA_SET = Behaviour(
    default=_default_set,
    prepare_create=_prepare_create,
    prepare_update=_prepare_update,
    validate=_validate_set,
    validate_update=_validate_set_update,
    warnings=named_warnings,
    subpaths={"status": _STATUS},
)
