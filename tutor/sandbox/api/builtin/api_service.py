"""APIServices.

Source: kube-aggregator's `apis/apiregistration/validation`, its defaults and `registry/apiservice`.
"""

import base64

from tutor.sandbox.api import formats, metadata
from tutor.sandbox.api.builtin import checks
from tutor.sandbox.api.builtin.behaviour import (
    Behaviour,
    Subpath,
    drop_status,
    keep_spec,
    keep_status,
    validate_change,
)
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.reading import fill_absent, indexed, keep, number, part, text
from tutor.sandbox.api.status import invalid, not_supported, required
from tutor.sandbox.kinds import Object

_LEGACY = "only v1 may have an empty group and it better be legacy kube"
LOCAL = ("True", "Local", "Local APIServices are always available")
"""Status, reason and message of `Available`."""
_HIGHEST_GROUP = 20_000
_HIGHEST_VERSION = 1_000
_STATUSES = ("False", "True", "Unknown")


def _default(obj: Object) -> None:
    service = part(obj, "spec").get("service")
    if service is not None:
        fill_absent(service, port=443)


def _prepare_create(obj: Object) -> None:
    """What the server answers for itself is available from the start."""
    drop_status(obj)
    if part(obj, "spec").get("service") is None:
        status, reason, message = LOCAL
        since = part(obj, "metadata").get("creationTimestamp")
        condition = {"type": "Available", "status": status, "lastTransitionTime": since}
        obj["status"] = {"conditions": [condition | {"reason": reason, "message": message}]}


def _validate(obj: Object) -> Errors:
    spec = part(obj, "spec")
    group, version = text(spec, "group"), text(spec, "version")

    def named(name: str) -> list[str]:
        wanted = f"{version}.{group}"
        unfit = checks.path_segment(name)
        if unfit or name == wanted:
            return unfit
        return [f'must be `spec.version+"."+spec.group`: "{wanted}"']

    errors = metadata.built_in(obj, named, namespaced=False)
    if not group and version != "v1":
        errors.append(required("spec.group", _LEGACY))
    if group:
        errors += checks.obey(formats.dns1123_subdomain, group, "spec.group")
    errors += checks.obey(formats.dns1035_label, version, "spec.version")
    errors += _priority(spec, "groupPriorityMinimum", _HIGHEST_GROUP)
    errors += _priority(spec, "versionPriority", _HIGHEST_VERSION)
    return errors + (_local(spec) if spec.get("service") is None else _remote(spec))


def _priority(spec: Object, field: str, highest: int) -> Errors:
    value = number(spec, field)
    if 0 < value <= highest:
        return []
    return [invalid(f"spec.{field}", value, f"must be positive and less than {highest}")]


def _local(spec: Object) -> Errors:
    errors: Errors = []
    if bundle := text(spec, "caBundle"):
        shown = f"{len(base64.b64decode(bundle))} bytes"
        errors.append(invalid("spec.caBundle", shown, "local APIServices may not have a caBundle"))
    if spec.get("insecureSkipTLSVerify"):
        why = "local APIServices may not have insecureSkipTLSVerify"
        errors.append(invalid("spec.insecureSkipTLSVerify", True, why))
    return errors


def _remote(spec: Object) -> Errors:
    service = part(spec, "service")
    missing = [field for field in ("namespace", "name") if not text(service, field)]
    errors = [required(f"spec.service.{field}") for field in missing]
    port = number(service, "port")
    errors += [
        invalid("spec.service.port", port, f"port is not valid: {error.detail}")
        for error in checks.port(port, "spec.service.port")
    ]
    if spec.get("insecureSkipTLSVerify") and text(spec, "caBundle"):
        why = "may not be true if caBundle is present"
        errors.append(invalid("spec.insecureSkipTLSVerify", True, why))
    return errors


def _validate_update(new: Object, old: Object) -> Errors:
    return metadata.built_in_update(new, old) + _validate(new)


def _prepare_status(new: Object, old: Object) -> None:
    keep_spec(new, old)
    kept = ("labels", "annotations", "finalizers", "ownerReferences")
    keep(part(new, "metadata"), part(old, "metadata"), *kept)


def _validate_status(new: Object, old: Object) -> Errors:
    errors = validate_change(new, old)
    for condition, path in indexed(part(new, "status"), "conditions", "status"):
        if (status := text(condition, "status")) not in _STATUSES:
            errors.append(not_supported(f"{path}.status", status, _STATUSES))
    return errors


API_SERVICE = Behaviour(
    default=_default,
    prepare_create=_prepare_create,
    prepare_update=keep_status,
    validate=_validate,
    validate_update=_validate_update,
    subpaths={"status": Subpath(prepare=_prepare_status, validate=_validate_status)},
    unconditional_update=False,
)
