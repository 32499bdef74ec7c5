"""What claims use. Source: Kubernetes' `evaluator/core/persistent_volume_claims.go`."""

from collections.abc import Iterable
from datetime import datetime

from tutor.sandbox.api.builtin import quantity
from tutor.sandbox.api.builtin.admission.quota.evaluator import (
    ONE,
    Evaluator,
    Usage,
    on_change,
    selects,
)
from tutor.sandbox.api.builtin.admission.storage import class_of
from tutor.sandbox.api.builtin.quantity import Quantity
from tutor.sandbox.api.builtin.reading import part, text
from tutor.sandbox.api.webhooks import Write
from tutor.sandbox.kinds import Object

_COUNT = "count/persistentvolumeclaims"
_CLAIMS = "persistentvolumeclaims"
_STORAGE = "requests.storage"
_OF_CLASS = ".storageclass.storage.k8s.io/"
_OF_ANY_CLASS = (_OF_CLASS + _CLAIMS, _OF_CLASS + _STORAGE)


def _matching(names: Iterable[str]) -> list[str]:
    own = (_COUNT, _CLAIMS, _STORAGE)
    return [name for name in names if name in own or name.endswith(_OF_ANY_CLASS)]


def _usage(claim: Object, _now: datetime) -> Usage:
    usage: Usage = {_CLAIMS: ONE, _COUNT: ONE}
    storage_class = class_of(claim)
    if storage_class:
        usage[storage_class + _OF_CLASS + _CLAIMS] = ONE
    if (size := _size(claim)) is not None:
        usage[_STORAGE] = size
        if storage_class:
            usage[storage_class + _OF_CLASS + _STORAGE] = size
    return usage


def _size(claim: Object) -> Quantity | None:
    wanted = part(claim, "spec", "resources", "requests").get("storage")
    if wanted is None:
        return None
    given = part(claim, "status", "allocatedResources").get("storage", wanted)
    return max(quantity.parse(wanted), quantity.parse(given)).rounded_up(0)


def _attribute_classes(claim: Object) -> set[str]:
    status = part(claim, "status")
    names = {
        text(part(claim, "spec"), "volumeAttributesClassName"),
        text(status, "currentVolumeAttributesClassName"),
        text(part(status, "modifyVolumeStatus"), "targetVolumeAttributesClassName"),
    }
    return names - {""}


def _in_scope(requirement: Object, claim: Object) -> bool:
    if requirement["scopeName"] != "VolumeAttributesClass":
        return False
    return selects(requirement, _attribute_classes(claim))


def _handles(write: Write) -> bool:
    # Storage that was handed out counts too, and only the status tells of it.
    return on_change(write) or (write.operation == "UPDATE" and write.call.subresource == "status")


CLAIM_USAGE = Evaluator(usage=_usage, matching=_matching, handles=_handles, in_scope=_in_scope)
"""Claims count by number and size, and by both for each storage class."""
