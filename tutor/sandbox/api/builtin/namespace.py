"""Namespaces. Source: `registry/core/namespace/strategy.go`."""

from tutor.sandbox.api import metadata
from tutor.sandbox.api.builtin.behaviour import Behaviour, Subpath, keep_spec, keep_status
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.reading import fill, indexed, items, keep, part, text
from tutor.sandbox.api.status import invalid
from tutor.sandbox.kinds import Object, name_of

NAME_LABEL = "kubernetes.io/metadata.name"


def _default(obj: Object) -> None:
    if name := name_of(obj):
        meta = obj["metadata"]
        meta["labels"] = (meta.get("labels") or {}) | {NAME_LABEL: name}
    fill(obj.setdefault("status", {}), phase="Active")


def _prepare_create(obj: Object) -> None:
    obj["status"] = {"phase": "Active"}
    finalizers = items(obj, "spec", "finalizers")
    if "kubernetes" not in finalizers:
        obj["spec"] = part(obj, "spec") | {"finalizers": [*finalizers, "kubernetes"]}
    if name := name_of(obj):
        meta = obj["metadata"]
        meta["labels"] = (meta.get("labels") or {}) | {NAME_LABEL: name}


def _prepare_update(new: Object, old: Object) -> None:
    new.setdefault("spec", {})
    keep(new["spec"], part(old, "spec"), "finalizers")
    keep_status(new, old)


def _validate(obj: Object) -> Errors:
    errors = metadata.built_in(obj, metadata.dns_label, namespaced=False)
    for name in items(obj, "spec", "finalizers"):
        errors += _finalizer(name, "spec.finalizers")
    return errors


def _finalizer(name: str, path: str) -> Errors:
    return metadata.finalizers([name], path) + metadata.standard_finalizer(name, path)


def _validate_update(new: Object, old: Object) -> Errors:
    return _validate(new) + metadata.built_in_update(new, old)


def _validate_status(new: Object, old: Object) -> Errors:
    errors = metadata.built_in_update(new, old)
    phase = text(part(new, "status"), "phase")
    leaving = bool(part(new, "metadata").get("deletionTimestamp"))
    if not leaving and phase != "Active":
        why = "may only be 'Active' if `deletionTimestamp` is empty"
        errors.append(invalid("status.Phase", phase, why))
    if leaving and phase != "Terminating":
        why = "may only be 'Terminating' if `deletionTimestamp` is not empty"
        errors.append(invalid("status.Phase", phase, why))
    return errors


def _validate_finalize(new: Object, old: Object) -> Errors:
    errors = metadata.built_in_update(new, old)
    for name, path in indexed(part(new, "spec"), "finalizers", "spec"):
        errors += _finalizer(name, path)
    return errors


NAMESPACE = Behaviour(
    default=_default,
    prepare_create=_prepare_create,
    prepare_update=_prepare_update,
    validate=_validate,
    validate_update=_validate_update,
    subpaths={
        "status": Subpath(prepare=keep_spec, validate=_validate_status),
        "finalize": Subpath(prepare=keep_status, validate=_validate_finalize),
    },
)
