"""DeviceClasses, ResourceClaims and templates of these.

Source: `apis/resource/validation/validation.go`, `registry/resource`.
"""

from tutor.sandbox.api import formats, metadata
from tutor.sandbox.api.builtin import checks
from tutor.sandbox.api.builtin.behaviour import (
    Behaviour,
    Subpath,
    drop_status,
    first_generation,
    keep_metadata,
    keep_spec,
    keep_status,
)
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.devices.requests import (
    claim,
    configuration,
    default_claim,
    listed,
    selectors,
)
from tutor.sandbox.api.builtin.pod.resources import is_extended
from tutor.sandbox.api.builtin.reading import part
from tutor.sandbox.api.builtin.workloads.template import count_changes
from tutor.sandbox.api.status import invalid
from tutor.sandbox.kinds import Object


def _meta(obj: Object, rule: checks.Rule, *, namespaced: bool) -> Errors:
    meta = part(obj, "metadata")
    return metadata.validate_object_meta(meta, namespaced=namespaced, name_rule=rule)


def _changed_meta(new: Object, old: Object) -> Errors:
    return metadata.validate_object_meta_update(part(new, "metadata"), part(old, "metadata"))


def _validate_class(obj: Object) -> Errors:
    return _meta(obj, formats.long_name, namespaced=False) + _class(part(obj, "spec"))


def _class(spec: Object) -> Errors:
    errors = selectors(spec, "spec") + listed(spec, "config", "spec", configuration)
    name = spec.get("extendedResourceName")
    if name is not None and not is_extended(name):
        why = "must be a valid extended resource name"
        errors.append(invalid("spec.extendedResourceName", name, why))
    return errors


def _validate_class_update(new: Object, old: Object) -> Errors:
    errors = _meta(new, formats.long_name, namespaced=False)
    return errors + _changed_meta(new, old) + _class(part(new, "spec"))


DEVICE_CLASS = Behaviour(
    prepare_create=first_generation,
    prepare_update=count_changes,
    validate=_validate_class,
    validate_update=_validate_class_update,
)


def _default_claim(obj: Object) -> None:
    default_claim(part(obj, "spec"))


def _validate_claim(obj: Object) -> Errors:
    return _meta(obj, metadata.dns_subdomain, namespaced=True) + claim(part(obj, "spec"), "spec")


def _validate_claim_update(new: Object, old: Object) -> Errors:
    errors = _meta(new, metadata.dns_subdomain, namespaced=True) + _changed_meta(new, old)
    return errors + checks.immutable(new.get("spec"), old.get("spec"), "spec")


def _prepare_claim_status(new: Object, old: Object) -> None:
    keep_spec(new, old)
    keep_metadata(new, old)


RESOURCE_CLAIM = Behaviour(
    default=_default_claim,
    prepare_create=drop_status,
    prepare_update=keep_status,
    validate=_validate_claim,
    validate_update=_validate_claim_update,
    subpaths={"status": Subpath(prepare=_prepare_claim_status, validate=_changed_meta)},
)


def _default_template(obj: Object) -> None:
    default_claim(part(obj, "spec", "spec"))


def _validate_template(obj: Object) -> Errors:
    errors = _meta(obj, metadata.dns_subdomain, namespaced=True)
    inner, path = part(obj, "spec", "metadata"), "spec.metadata"
    errors += checks.labels(inner.get("labels"), f"{path}.labels")
    errors += metadata.annotations(part(inner, "annotations"), f"{path}.annotations")
    return errors + claim(part(obj, "spec", "spec"), "spec.spec")


def _validate_template_update(new: Object, old: Object) -> Errors:
    return _changed_meta(new, old) + checks.immutable(new.get("spec"), old.get("spec"), "spec")


RESOURCE_CLAIM_TEMPLATE = Behaviour(
    default=_default_template,
    validate=_validate_template,
    validate_update=_validate_template_update,
)
