"""PersistentVolumes.

Source: `apis/core/validation/validation.go`, `registry/core/persistentvolume`,
`api/persistentvolume/util.go`.
"""

import posixpath

from tutor.sandbox.api import metadata
from tutor.sandbox.api.builtin import checks, go_struct, quantity
from tutor.sandbox.api.builtin.behaviour import Behaviour, Subpath, keep_spec, keep_status
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.pod.defaults import default_network_volume, round_up_resources
from tutor.sandbox.api.builtin.pod.scheduling import node_selector
from tutor.sandbox.api.builtin.pod.warnings import node_term_warnings
from tutor.sandbox.api.builtin.reading import fill, fill_absent, indexed, part, same, text
from tutor.sandbox.api.builtin.storage.claim import (
    OLD_CLASS,
    VOLUME_MODES,
    access_modes,
    class_name,
)
from tutor.sandbox.api.builtin.storage.volume_sources import SOURCES
from tutor.sandbox.api.status import forbidden_field, invalid, not_supported, required
from tutor.sandbox.kinds import Object, annotations_of, name_of, thaw

_RECLAIM = ("Delete", "Recycle", "Retain")
_MOUNT_OPTIONS = "volume.beta.kubernetes.io/mount-options"
_MOUNTED_WITH_OPTIONS = (
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "glusterfs",
    "nfs",
    "rbd",
    "quobyte",
    "iscsi",
    "cinder",
    "cephfs",
    "azureFile",
    "vsphereVolume",
    "azureDisk",
    "photonPersistentDisk",
)
_OLD_ANNOTATIONS = {
    OLD_CLASS: 'deprecated since v1.8; use "storageClassName" attribute instead',
    _MOUNT_OPTIONS: 'deprecated since v1.31; use "mountOptions" attribute instead',
}
_OLD_SOURCES = {
    "cephfs": ("cephfs", "v1.28, non-functional in v1.31+"),
    "photonPersistentDisk": ("photonPersistentDisk", "v1.11, non-functional in v1.16+"),
    "scaleIO": ("scaleIO", "v1.16, non-functional in v1.22+"),
    "storageos": ("storageOS", "v1.22, non-functional in v1.25+"),
    "glusterfs": ("glusterfs", "v1.25, non-functional in v1.26+"),
    "rbd": ("rbd", "v1.28, non-functional in v1.31+"),
}


def _default(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    fill(obj.setdefault("status", {}), phase="Pending")
    fill(spec, persistentVolumeReclaimPolicy="Retain")
    fill_absent(spec, volumeMode="Filesystem")
    round_up_resources(spec.get("capacity"))
    if spec.get("hostPath") is not None:
        fill_absent(spec["hostPath"], type="")
    default_network_volume(spec)


def _prepare_create(obj: Object) -> None:
    created = part(obj, "metadata").get("creationTimestamp")
    obj["status"] = {"phase": "Pending", "lastPhaseTransitionTime": created}


def _validate(obj: Object) -> Errors:
    return _judge(obj, None) + _mount_options(obj)


def _judge(obj: Object, old: Object | None) -> Errors:
    errors = metadata.built_in(obj, metadata.dns_subdomain, namespaced=False)
    spec = part(obj, "spec")
    if not spec.get("accessModes"):
        errors.append(required("spec.accessModes"))
    errors += access_modes(spec, "spec") + _capacity(spec)
    policy = spec.get("persistentVolumeReclaimPolicy")
    if policy:
        errors += checks.one_of(policy, _RECLAIM, "spec.persistentVolumeReclaimPolicy")
    errors += _affinity(spec, old) + _source(spec, name_of(obj))
    root = posixpath.normpath(text(part(spec, "hostPath"), "path") or ".") in ("/", "//")
    if spec.get("hostPath") is not None and root and policy == "Recycle":
        why = "may not be 'recycle' for a hostPath mount of '/'"
        errors.append(forbidden_field("spec.persistentVolumeReclaimPolicy", why))
    errors += class_name(text(spec, "storageClassName"), "spec.storageClassName")
    if (mode := spec.get("volumeMode")) is not None:
        errors += checks.one_of(mode, VOLUME_MODES, "spec.volumeMode")
    return errors + _attributes_class(spec)


def _capacity(spec: Object) -> Errors:
    errors: Errors = []
    capacity = part(spec, "capacity")
    if not capacity:
        errors.append(required("spec.capacity"))
    if list(capacity) != ["storage"]:
        errors.append(not_supported("spec.capacity", spec.get("capacity"), ["storage"]))
    for name, value in sorted(capacity.items()):
        parsed, path = quantity.parse(value), f"spec.capacity[{name}]"
        if parsed < quantity.ZERO and parsed.value < 0:
            errors.append(invalid(path, parsed.value, "must be a valid resource quantity"))
        if parsed <= quantity.ZERO:
            errors.append(invalid(path, str(parsed), checks.NOT_POSITIVE))
    return errors


def _affinity(spec: Object, old: Object | None) -> Errors:
    affinity = spec.get("nodeAffinity")
    if affinity is None:
        return []
    wanted, path = affinity.get("required"), "spec.nodeAffinity.required"
    if wanted is None:
        return [required(path, "must specify required node constraints")]
    before = part(old or {}, "spec", "nodeAffinity").get("required")
    # Values that no label can have may stay once they are there.
    lax = before is not None and any(
        ".values[" in error.path for error in node_selector(before, path)
    )
    return node_selector(wanted, path, any_value=lax)


def _source(spec: Object, name: str) -> Errors:
    errors: Errors = []
    given = 0
    for source in SOURCES:
        content = spec.get(source.field)
        if content is None:
            continue
        if given and source.field != "flexVolume":
            why = "may not specify more than 1 volume type"
            errors.append(forbidden_field(f"spec.{source.repeated}", why))
            continue
        given += 1
        errors += source.judge(content, f"spec.{source.named}", name)
        if source.field == "local" and spec.get("nodeAffinity") is None:
            why = "Local volume requires node affinity"
            errors.append(required("spec.nodeAffinity", why))
    return errors if given else [required("spec", "must specify a volume type")]


def _attributes_class(spec: Object) -> Errors:
    name, path = spec.get("volumeAttributesClassName"), "spec.volumeAttributesClassName"
    if name is None:
        return []
    errors = class_name(name, path)
    if not name:
        errors.append(required(path, "an empty string is disallowed"))
    if spec.get("csi") is None:
        why = "has to be specified when using volumeAttributesClassName"
        errors.append(required("spec.csi", why))
    return errors


def _mount_options(obj: Object) -> Errors:
    spec = part(obj, "spec")
    mounted = any(spec.get(field) is not None for field in _MOUNTED_WITH_OPTIONS)
    if mounted or _MOUNT_OPTIONS not in annotations_of(obj):
        return []
    why = "may not specify mount options for this volume type"
    return [forbidden_field(f"metadata.annotations.{_MOUNT_OPTIONS}", why)]


def _validate_update(new: Object, old: Object) -> Errors:
    judged = _judge(new, old)
    errors = judged + _mount_options(new) + judged
    spec, before = thaw(part(new, "spec")), part(old, "spec")
    secret = "controllerExpandSecretRef"  # noqa: S105 - a field, no secret
    if before.get("csi") is not None and before["csi"].get(secret) is None:
        part(spec, "csi").pop(secret, None)
    sources, known = _sources(spec), _sources(before)
    if not same(sources, known):
        difference = go_struct.difference("PersistentVolumeSource", known, sources)
        why = f"spec.persistentvolumesource is immutable after creation\n{difference}"
        errors.append(forbidden_field("spec.persistentvolumesource", why))
    errors += checks.immutable(spec.get("volumeMode"), before.get("volumeMode"), "volumeMode")
    affinity, bound = spec.get("nodeAffinity"), before.get("nodeAffinity")
    if bound is not None and not same(_with_new_labels(affinity), _with_new_labels(bound)):
        shown = go_struct.render("VolumeNodeAffinity", affinity) if affinity is not None else None
        why = f"{checks.IMMUTABLE}, except for updating from beta label to GA"
        errors.append(invalid("nodeAffinity", shown, why))
    classes = [one.get("volumeAttributesClassName") for one in (spec, before)]
    if classes[0] is None and classes[1] is not None:
        why = "update from non-nil value to nil is forbidden"
        errors.append(forbidden_field("spec.volumeAttributesClassName", why))
    return errors


def _sources(spec: Object) -> Object:
    fields = {source.field for source in SOURCES}
    return {key: value for key, value in spec.items() if key in fields}


_NEW_LABELS = {
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
    "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
    "beta.kubernetes.io/os": "kubernetes.io/os",
    "beta.kubernetes.io/arch": "kubernetes.io/arch",
}


def _with_new_labels(affinity: Object | None) -> Object | None:
    renamed = thaw(affinity)
    for term, _ in indexed(part(renamed or {}, "required"), "nodeSelectorTerms", ""):
        for expression, _ in indexed(term, "matchExpressions", ""):
            expression["key"] = _NEW_LABELS.get(text(expression, "key"), text(expression, "key"))
    return renamed


def _warnings(obj: Object, _old: Object | None) -> list[str]:
    spec = part(obj, "spec")
    said = [
        f"metadata.annotations[{key}]: {why}"
        for key, why in _OLD_ANNOTATIONS.items()
        if key in annotations_of(obj)
    ]
    if spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        instead = "Instead, the recommended approach is to use dynamic provisioning."
        why = f"The Recycle reclaim policy is deprecated. {instead}"
        said.append(f"spec.persistentVolumeReclaimPolicy: {why}")
    path = "spec.nodeAffinity.required"
    for term, at in indexed(part(spec, "nodeAffinity", "required"), "nodeSelectorTerms", path):
        said += node_term_warnings(term, at)
    return said + [
        f"spec.{name}: deprecated in {since}"
        for field, (name, since) in _OLD_SOURCES.items()
        if spec.get(field) is not None
    ]


def _prepare_status(new: Object, old: Object) -> None:
    keep_spec(new, old)
    status, before = new.setdefault("status", {}), part(old, "status")
    since = before.get("lastPhaseTransitionTime")
    if since is not None and status.get("phase") == before.get("phase"):
        fill_absent(status, lastPhaseTransitionTime=since)


def _validate_status(new: Object, old: Object) -> Errors:
    errors = metadata.built_in_update(new, old)
    if not part(new, "metadata").get("resourceVersion"):
        errors.append(required("resourceVersion"))
    return errors


PERSISTENT_VOLUME = Behaviour(
    default=_default,
    prepare_create=_prepare_create,
    prepare_update=keep_status,
    validate=_validate,
    validate_update=_validate_update,
    warnings=_warnings,
    subpaths={"status": Subpath(prepare=_prepare_status, validate=_validate_status)},
)
