"""The collections and small facts that every part of cert-manager shares."""

from collections.abc import Iterable

from tutor.sandbox.kinds import GroupResource, Object

GROUP = "cert-manager.io"
CERTIFICATES = GroupResource(GROUP, "certificates")
REQUESTS = GroupResource(GROUP, "certificaterequests")
ISSUERS = GroupResource(GROUP, "issuers")
CLUSTER_ISSUERS = GroupResource(GROUP, "clusterissuers")


def has_condition(obj: Object, kind: str, status: str = "True") -> bool:
    """Whether a condition has a status."""
    found = condition_of(obj, kind)
    return found is not None and found["status"] == status


def condition_of(obj: Object, kind: str) -> Object | None:
    """A condition by its type."""
    status: Object = obj.get("status") or {}
    conditions: Iterable[Object] = status.get("conditions") or ()
    return next((c for c in conditions if c["type"] == kind), None)


def issuer_kind(reference: Object) -> str:
    """The kind a reference means."""
    return reference.get("kind") or "Issuer"
