"""The plugins around volumes.

DefaultStorageClass, StorageObjectInUseProtection, PersistentVolumeClaimResize. Source:
Kubernetes' `plugin/pkg/admission/storage`.
"""

from dataclasses import dataclass

from tutor.sandbox.api.builtin import quantity
from tutor.sandbox.api.builtin.admission.plugin import (
    CLAIMS,
    STORAGE_CLASSES,
    Plugin,
    World,
    concerns,
    newest,
    refusal,
)
from tutor.sandbox.api.builtin.reading import ensure, part, text
from tutor.sandbox.api.builtin.storage.claim import OLD_CLASS
from tutor.sandbox.api.webhooks import Write
from tutor.sandbox.kinds import GroupResource, Object, annotations_of, name_of

_IS_DEFAULT = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
_PROTECTION = {
    GroupResource("", "persistentvolumes"): "kubernetes.io/pv-protection",
    CLAIMS: "kubernetes.io/pvc-protection",
    GroupResource("storage.k8s.io", "volumeattributesclasses"): "kubernetes.io/vac-protection",
}


def class_of(claim: Object) -> str:
    """The storage class a claim names; the annotation that preceded the field wins."""
    old = annotations_of(claim).get(OLD_CLASS)
    return text(part(claim, "spec"), "storageClassName") if old is None else old


@dataclass(frozen=True, slots=True)
class DefaultStorageClass(Plugin):
    """Gives the default class to claims that name none."""

    resources = frozenset({CLAIMS})

    world: World

    def admit(self, write: Write) -> None:
        """Set the storage class."""
        if write.new is None or not concerns(write, CLAIMS, "CREATE"):
            return
        spec = ensure(write.new, "spec")
        if OLD_CLASS in annotations_of(write.new) or spec.get("storageClassName") is not None:
            return
        classes = self.world.objects_of(STORAGE_CLASSES)
        if default := newest([one for one in classes if _is_default(one)]):
            spec["storageClassName"] = name_of(default)


def _is_default(storage_class: Object) -> bool:
    return any(annotations_of(storage_class).get(key) == "true" for key in _IS_DEFAULT)


class StorageObjectInUseProtection(Plugin):
    """Lets volumes and claims go only when nothing uses them any more."""

    __slots__ = ()
    resources = frozenset({*_PROTECTION})

    def admit(self, write: Write) -> None:
        """Add the finalizer that a controller takes away."""
        resource = write.served.kind.group_resource
        finalizer = _PROTECTION.get(resource)
        if finalizer is None or write.new is None or not concerns(write, resource, "CREATE"):
            return
        finalizers = write.new["metadata"].setdefault("finalizers", [])
        if finalizer not in finalizers:
            finalizers.append(finalizer)


@dataclass(frozen=True, slots=True)
class PersistentVolumeClaimResize(Plugin):
    """Lets a claim grow only where its class can grow volumes."""

    resources = frozenset({CLAIMS})

    world: World

    def validate(self, write: Write) -> None:
        """Refuse what could not be done."""
        if not concerns(write, CLAIMS, "UPDATE"):
            return
        new, old = write.new or {}, write.old or {}
        if _size(new) <= _size(old):
            return
        if part(old, "status").get("phase") != "Bound":
            raise refusal(write, "Only bound persistent volume claims can be expanded")
        if not self._can_grow(new, old):
            why = "only dynamically provisioned pvc can be resized and the storageclass that"
            raise refusal(write, f"{why} provisions the pvc must support resize")

    def _can_grow(self, new: Object, old: Object) -> bool:
        name = class_of(new)
        if not name or name != class_of(old):
            return False
        found = self.world.find(STORAGE_CLASSES, "", name) or {}
        return bool(found.get("allowVolumeExpansion"))


def _size(claim: Object) -> quantity.Quantity:
    return quantity.parse(part(claim, "spec", "resources", "requests").get("storage") or 0)
