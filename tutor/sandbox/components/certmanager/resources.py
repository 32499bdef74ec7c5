"""The collections and small facts that every part of cert-manager shares."""

from tutor.sandbox.kinds import GroupResource, Object

GROUP = "cert-manager.io"
CERTIFICATES = GroupResource(GROUP, "certificates")
REQUESTS = GroupResource(GROUP, "certificaterequests")
ISSUERS = GroupResource(GROUP, "issuers")
CLUSTER_ISSUERS = GroupResource(GROUP, "clusterissuers")


def issuer_kind(reference: Object) -> str:
    """The kind a reference means."""
    return reference.get("kind") or "Issuer"
