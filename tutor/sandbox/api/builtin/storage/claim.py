"""PersistentVolumeClaims, and the templates from which pods and stateful sets make them.

Source: `apis/core/validation/validation.go`, `api/persistentvolumeclaim/util.go`.
"""

from tutor.sandbox.api import formats, metadata
from tutor.sandbox.api.builtin import checks, go_struct, quantity
from tutor.sandbox.api.builtin.behaviour import Behaviour, Subpath, keep_spec, keep_status
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.pod.defaults import round_resources
from tutor.sandbox.api.builtin.reading import (
    drop,
    fill,
    fill_absent,
    items,
    keep,
    part,
    same,
    text,
)
from tutor.sandbox.api.status import forbidden_field, invalid, not_supported, required
from tutor.sandbox.kinds import Object, annotations_of, thaw

ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
VOLUME_MODES = ("Block", "Filesystem")
OLD_CLASS = "volume.beta.kubernetes.io/storage-class"
_TEMPLATE_FIELDS = ("annotations", "labels", "creationTimestamp")
_CLAIM = "PersistentVolumeClaim"


def access_modes(spec: Object, path: str) -> Errors:
    """How a volume may be mounted; one pod alone excludes all other ways."""
    modes = items(spec, "accessModes")
    errors = [
        not_supported(f"{path}.accessModes", mode, ACCESS_MODES)
        for mode in modes
        if mode not in ACCESS_MODES
    ]
    known = {mode for mode in modes if mode in ACCESS_MODES}
    if "ReadWriteOncePod" in known and len(known) > 1:
        why = "may not use ReadWriteOncePod with other access modes"
        errors.append(forbidden_field(f"{path}.accessModes", why))
    return errors


def class_name(name: str, path: str) -> Errors:
    """The name of a storage class."""
    return checks.obey(formats.dns1123_subdomain, name, path) if name else []


def claim_spec(spec: Object, path: str) -> Errors:
    """What a claim asks for."""
    errors: Errors = []
    if not spec.get("accessModes"):
        errors.append(required(f"{path}.accessModes", "at least 1 access mode is required"))
    errors += checks.label_selector(spec.get("selector"), f"{path}.selector")
    errors += access_modes(spec, path) + _size(spec, f"{path}.resources[storage]")
    errors += class_name(text(spec, "storageClassName"), f"{path}.storageClassName")
    if (mode := spec.get("volumeMode")) is not None:
        errors += checks.one_of(mode, VOLUME_MODES, f"{path}.volumeMode")
    errors += _sources(spec, path)
    name = text(spec, "volumeAttributesClassName")
    return errors + class_name(name, f"{path}.volumeAttributesClassName")


def _size(spec: Object, path: str) -> Errors:
    size = part(spec, "resources", "requests").get("storage")
    if size is None:
        return [required(path)]
    parsed = quantity.parse(size)
    if parsed <= quantity.ZERO:
        return [invalid(path, str(parsed), checks.NOT_POSITIVE)]
    return []


def _sources(spec: Object, path: str) -> Errors:
    errors: Errors = []
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source is not None:
        errors += _data_source(source, f"{path}.dataSource")
    if reference is not None:
        errors += _data_source(reference, f"{path}.dataSourceRef")
        if namespace := text(reference, "namespace"):
            errors += checks.obey(
                formats.dns1123_label, namespace, f"{path}.dataSourceRef.namespace"
            )
    if source is None or reference is None:
        return errors
    fields = ("apiGroup", "kind", "name")
    if text(reference, "namespace"):
        why = "may not be specified when dataSourceRef.namespace is specified"
        errors.append(invalid(path, {}, why))
    elif any(source.get(field) != reference.get(field) for field in fields):
        errors.append(invalid(path, {}, "must match dataSourceRef"))
    return errors


def _data_source(source: Object, path: str) -> Errors:
    errors = [required(f"{path}.{field}") for field in ("name", "kind") if not source.get(field)]
    group = text(source, "apiGroup")
    if group:
        errors += checks.obey(formats.dns1123_subdomain, group, f"{path}.apiGroup")
    elif source.get("kind") != _CLAIM:
        why = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
        errors.append(invalid(path, text(source, "kind"), why))
    return errors


def claim_template(template: Object, path: str) -> Errors:
    """A claim that a pod brings along."""
    meta = part(template, "metadata")
    errors = metadata.annotations(part(meta, "annotations"), f"{path}.metadata.annotations")
    errors += checks.labels(meta.get("labels"), f"{path}.metadata.labels")
    errors += [
        forbidden_field(f"{path}.metadata.{field}", "cannot be set")
        for field in sorted(meta)
        if field not in _TEMPLATE_FIELDS
    ]
    return errors + claim_spec(part(template, "spec"), f"{path}.spec")


def default_claim(claim: Object) -> None:
    """Fill in a claim, in place."""
    spec = claim.setdefault("spec", {})
    fill_absent(spec, volumeMode="Filesystem")
    fill_absent(spec, resources={})
    round_resources(spec["resources"])
    fill(claim.setdefault("status", {}), phase="Pending")


def _normalise_sources(spec: Object, before: Object) -> None:
    """The two ways to name a source say the same."""
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if text(reference or {}, "namespace") and before.get("dataSourceRef") is None:
        drop(spec, "dataSourceRef")
        reference = None
    in_use = before.get("dataSource") is not None or before.get("dataSourceRef") is not None
    if source is not None and reference is None and not in_use and not _is_known(source):
        drop(spec, "dataSource")
    elif source is not None and reference is None:
        spec["dataSourceRef"] = dict(source)
    elif reference is not None and source is None and not text(reference, "namespace"):
        spec["dataSource"] = {k: v for k, v in reference.items() if k != "namespace"}


def _is_known(source: Object) -> bool:
    named = (text(source, "apiGroup"), source.get("kind"))
    return named in (("", _CLAIM), ("snapshot.storage.k8s.io", "VolumeSnapshot"))


def _prepare_create(obj: Object) -> None:
    obj["status"] = {"phase": "Pending"}
    _normalise_sources(part(obj, "spec"), {})


def _prepare_update(new: Object, old: Object) -> None:
    keep_status(new, old)
    _normalise_sources(part(new, "spec"), part(old, "spec"))


def _validate(obj: Object) -> Errors:
    errors = metadata.built_in(obj, metadata.dns_subdomain)
    return errors + claim_spec(part(obj, "spec"), "spec")


def _validate_update(new: Object, old: Object) -> Errors:
    errors = metadata.built_in_update(new, old) + _validate(new)
    spec, before = thaw(part(new, "spec")), thaw(part(old, "spec"))
    bound = part(new, "status").get("phase") == "Bound"
    if not before.get("volumeName"):
        keep(before, spec, "volumeName")
    errors += _class_change(new, old, spec, before)
    if bound and part(spec, "resources", "requests"):
        keep(spec["resources"]["requests"], part(before, "resources", "requests"), "storage")
    if bound:
        keep(spec, before, "volumeAttributesClassName")
    if not same(spec, before):
        difference = go_struct.difference("PersistentVolumeClaimSpec", before, spec)
        why = (
            "spec is immutable after creation except resources.requests and "
            f"volumeAttributesClassName for bound claims\n{difference}"
        )
        errors.append(forbidden_field("spec", why))
    errors += _shrinks(new, old)
    mode = part(new, "spec").get("volumeMode"), part(old, "spec").get("volumeMode")
    return errors + checks.immutable(*mode, "volumeMode")


def _class_change(new: Object, old: Object, spec: Object, before: Object) -> Errors:
    """A claim without a class may be given one later."""
    now, was = annotations_of(new).get(OLD_CLASS), annotations_of(old).get(OLD_CLASS)
    name, old_name = spec.get("storageClassName"), before.get("storageClassName")
    if old_name is None and was is not None and name == was and now in (None, was):
        drop(spec, "storageClassName")
        return []
    if name is not None and old_name is None and was in (None, name):
        drop(spec, "storageClassName")
    if (now or "") == (was or ""):
        return []
    return [invalid(f"metadata.annotations.{OLD_CLASS}", now or "", checks.IMMUTABLE)]


def _shrinks(new: Object, old: Object) -> Errors:
    def storage(obj: Object, *keys: str) -> quantity.Quantity:
        return quantity.parse(part(obj, *keys).get("storage") or "0")

    size = storage(new, "spec", "resources", "requests")
    if size >= storage(old, "spec", "resources", "requests"):
        return []
    if size > storage(old, "status", "capacity"):
        return []
    path = "spec.resources.requests.storage"
    return [forbidden_field(path, "field can not be less than status.capacity")]


def _validate_status(new: Object, old: Object) -> Errors:
    errors = metadata.built_in_update(new, old)
    if not part(new, "metadata").get("resourceVersion"):
        errors.append(required("resourceVersion"))
    for name, value in sorted(part(new, "status", "capacity").items()):
        whole = quantity.parse(value).value
        if whole < 0:
            why = "must be a valid resource quantity"
            errors.append(invalid(f"status.capacity[{name}]", whole, why))
    return errors


def spec_warnings(spec: Object, path: str) -> list[str]:
    """Sizes that are no whole number of bytes."""
    said: list[str] = []
    for field in ("requests", "limits"):
        size = quantity.parse(part(spec, "resources", field).get("storage") or "0")
        if size.milli_value % 1000:
            why = f'fractional byte value "{size}" is invalid, must be an integer'
            said.append(f"{path}.resources.{field}[storage]: {why}")
    return said


def _warnings(obj: Object, _old: Object | None) -> list[str]:
    said: list[str] = []
    if OLD_CLASS in annotations_of(obj):
        why = 'deprecated since v1.8; use "storageClassName" attribute instead'
        said.append(f"metadata.annotations[{OLD_CLASS}]: {why}")
    return said + spec_warnings(part(obj, "spec"), "spec")


PERSISTENT_VOLUME_CLAIM = Behaviour(
    default=default_claim,
    prepare_create=_prepare_create,
    prepare_update=_prepare_update,
    validate=_validate,
    validate_update=_validate_update,
    warnings=_warnings,
    subpaths={"status": Subpath(prepare=keep_spec, validate=_validate_status)},
)
