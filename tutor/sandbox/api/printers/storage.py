"""Volumes, claims, and how storage comes about.

CSIStorageCapacities have no columns of their own. Source: kubernetes v1.36.2,
pkg/printers/internalversion.
"""

from datetime import datetime
from typing import Any

from tutor.sandbox.api.printers.field import (
    UNSET,
    age,
    at,
    flag,
    is_deleting,
    items,
    name,
    text,
)
from tutor.sandbox.api.printers.printer import AGE, NAME, WIDE, Column, Printer
from tutor.sandbox.kinds import GroupResource, Object, annotations_of

_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
_DEFAULT_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
_ACCESS_MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}


def _volume(obj: Object, now: datetime) -> list[Any]:
    claim = at(obj, "spec", "claimRef")
    return [
        name(obj),
        text(obj, "spec", "capacity", "storage", default="0"),
        _access_modes(items(obj, "spec", "accessModes")),
        text(obj, "spec", "persistentVolumeReclaimPolicy", default="Retain"),
        _phase(obj),
        "" if claim is None else f"{text(claim, 'namespace')}/{text(claim, 'name')}",
        _class(obj),
        text(obj, "spec", "volumeAttributesClassName", default=UNSET),
        text(obj, "status", "reason"),
        age(obj, now),
        text(obj, "spec", "volumeMode", default="Filesystem"),
    ]


def _claim(obj: Object, now: datetime) -> list[Any]:
    volume = text(obj, "spec", "volumeName")
    return [
        name(obj),
        _phase(obj),
        volume,
        text(obj, "status", "capacity", "storage", default="0") if volume else "",
        _access_modes(items(obj, "status", "accessModes")) if volume else "",
        _class(obj),
        text(obj, "spec", "volumeAttributesClassName", default=UNSET),
        age(obj, now),
        text(obj, "spec", "volumeMode", default="Filesystem"),
    ]


def _phase(obj: Object) -> str:
    return "Terminating" if is_deleting(obj) else text(obj, "status", "phase", default="Pending")


def _class(obj: Object) -> str:
    annotated = annotations_of(obj).get(_CLASS_ANNOTATION)
    return text(obj, "spec", "storageClassName") if annotated is None else annotated


def _access_modes(modes: list[Any]) -> str:
    return ",".join(short for mode, short in _ACCESS_MODES.items() if mode in modes)


def _storage_class(obj: Object, now: datetime) -> list[Any]:
    is_default = any(annotations_of(obj).get(key) == "true" for key in _DEFAULT_CLASS)
    return [
        name(obj) + (" (default)" if is_default else ""),
        text(obj, "provisioner"),
        text(obj, "reclaimPolicy", default="Delete"),
        text(obj, "volumeBindingMode", default="Immediate"),
        flag(obj, "allowVolumeExpansion"),
        age(obj, now),
    ]


def _attributes_class(obj: Object, now: datetime) -> list[Any]:
    return [name(obj), text(obj, "driverName"), age(obj, now)]


def _attachment(obj: Object, now: datetime) -> list[Any]:
    return [
        name(obj),
        text(obj, "spec", "attacher"),
        text(obj, "spec", "source", "persistentVolumeName"),
        text(obj, "spec", "nodeName"),
        flag(obj, "status", "attached"),
        age(obj, now),
    ]


def _csi_driver(obj: Object, now: datetime) -> list[Any]:
    requests = at(obj, "spec", "tokenRequests")
    audiences = [text(one, "audience") for one in items(obj, "spec", "tokenRequests")]
    return [
        name(obj),
        flag(obj, "spec", "attachRequired", default=True),
        flag(obj, "spec", "podInfoOnMount"),
        flag(obj, "spec", "storageCapacity"),
        UNSET if requests is None else ",".join(audiences),
        flag(obj, "spec", "requiresRepublish"),
        ",".join(items(obj, "spec", "volumeLifecycleModes")) or "Persistent",
        age(obj, now),
    ]


def _csi_node(obj: Object, now: datetime) -> list[Any]:
    return [name(obj), len(items(obj, "spec", "drivers")), age(obj, now)]


_ATTRIBUTES_CLASS = Column("VolumeAttributesClass", "Class of the volume's attributes.")
_VOLUME_MODE = Column("VolumeMode", "File system or raw block device.", priority=WIDE)

PRINTERS = {
    GroupResource("", "persistentvolumes"): Printer(
        (
            NAME,
            Column("Capacity", "Size of the volume."),
            Column("Access Modes", "Ways it can be mounted."),
            Column("Reclaim Policy", "What happens to it when its claim is gone."),
            Column("Status", "Whether a claim has it."),
            Column("Claim", "Claim that has it."),
            Column("StorageClass", "Class it belongs to."),
            _ATTRIBUTES_CLASS,
            Column("Reason", "Why it is in this status."),
            AGE,
            _VOLUME_MODE,
        ),
        _volume,
    ),
    GroupResource("", "persistentvolumeclaims"): Printer(
        (
            NAME,
            Column("Status", "Whether it has a volume."),
            Column("Volume", "Volume it has."),
            Column("Capacity", "Size of the volume."),
            Column("Access Modes", "Ways the volume can be mounted."),
            Column("StorageClass", "Class it asks for."),
            _ATTRIBUTES_CLASS,
            AGE,
            _VOLUME_MODE,
        ),
        _claim,
    ),
    GroupResource("storage.k8s.io", "storageclasses"): Printer(
        (
            NAME,
            Column("Provisioner", "What makes the volumes."),
            Column("ReclaimPolicy", "What happens to volumes when their claim is gone."),
            Column("VolumeBindingMode", "When volumes are made and bound."),
            Column("AllowVolumeExpansion", "Whether volumes may grow."),
            AGE,
        ),
        _storage_class,
    ),
    GroupResource("storage.k8s.io", "volumeattributesclasses"): Printer(
        (NAME, Column("DriverName", "Driver that understands the attributes."), AGE),
        _attributes_class,
    ),
    GroupResource("storage.k8s.io", "volumeattachments"): Printer(
        (
            NAME,
            Column("Attacher", "Driver that attaches.", format="name"),
            Column("PV", "Volume that is attached."),
            Column("Node", "Node it is attached to."),
            Column("Attached", "Whether it is attached.", type="boolean"),
            AGE,
        ),
        _attachment,
    ),
    GroupResource("storage.k8s.io", "csidrivers"): Printer(
        (
            NAME,
            Column("AttachRequired", "Whether volumes must be attached.", type="boolean"),
            Column("PodInfoOnMount", "Whether it is told of the pod.", type="boolean"),
            Column("StorageCapacity", "Whether it reports capacity.", type="boolean"),
            Column("TokenRequests", "Audiences of the tokens it gets."),
            Column("RequiresRepublish", "Whether mounts are renewed.", type="boolean"),
            Column("Modes", "Lifecycles of the volumes it offers."),
            AGE,
        ),
        _csi_driver,
    ),
    GroupResource("storage.k8s.io", "csinodes"): Printer(
        (NAME, Column("Drivers", "Number of drivers on the node.", type="integer"), AGE), _csi_node
    ),
}
