"""Who may do what, and certificates: bindings and signing requests.

Roles have no columns of their own. Source: kubernetes v1.36.2, pkg/printers/internalversion.
"""

from datetime import datetime, timedelta
from typing import Any

from tutor.sandbox.api.printers.age import human
from tutor.sandbox.api.printers.field import NONE, age, at, items, labels, mapping, name, text
from tutor.sandbox.api.printers.printer import AGE, NAME, WIDE, Column, Printer
from tutor.sandbox.kinds import GroupResource, Object


def _binding(obj: Object, now: datetime) -> list[Any]:
    return [
        name(obj),
        f"{text(obj, 'roleRef', 'kind')}/{text(obj, 'roleRef', 'name')}",
        age(obj, now),
        *(", ".join(_subjects(obj, kind)) for kind in ("User", "Group", "ServiceAccount")),
    ]


def _subjects(obj: Object, kind: str) -> list[str]:
    found = [one for one in items(obj, "subjects") if text(one, "kind") == kind]
    if kind == "ServiceAccount":
        return [f"{text(one, 'namespace')}/{text(one, 'name')}" for one in found]
    return [text(one, "name") for one in found]


def _signing_request(obj: Object, now: datetime) -> list[Any]:
    seconds = at(obj, "spec", "expirationSeconds")
    return [
        name(obj),
        age(obj, now),
        text(obj, "spec", "signerName") or NONE,
        text(obj, "spec", "username"),
        NONE if seconds is None else human(timedelta(seconds=seconds)),
        _signing_state(obj),
    ]


def _signing_state(obj: Object) -> str:
    found = {text(one, "type") for one in items(obj, "status", "conditions")}
    decision = next((state for state in ("Denied", "Approved") if state in found), "Pending")
    failed = ",Failed" if "Failed" in found else ""
    return decision + failed + (",Issued" if text(obj, "status", "certificate") else "")


def _trust_bundle(obj: Object, _: datetime) -> list[Any]:
    return [name(obj), text(obj, "spec", "signerName") or NONE]


def _pod_certificate_request(obj: Object, _: datetime) -> list[Any]:
    types = [text(one, "type") for one in items(obj, "status", "conditions")]
    decided = [one for one in types if one in ("Issued", "Denied", "Failed")]
    return [
        name(obj),
        text(obj, "spec", "podName"),
        text(obj, "spec", "serviceAccountName"),
        text(obj, "spec", "nodeName"),
        text(obj, "spec", "signerName"),
        decided[-1] if decided else "Pending",
        labels(mapping(obj, "spec", "unverifiedUserAnnotations")),
    ]


_BINDINGS = Printer(
    (
        NAME,
        Column("Role", "Role that is granted."),
        AGE,
        Column("Users", "Users it is granted to.", priority=WIDE),
        Column("Groups", "Groups it is granted to.", priority=WIDE),
        Column("ServiceAccounts", "Service accounts it is granted to.", priority=WIDE),
    ),
    _binding,
)

PRINTERS = {
    GroupResource("rbac.authorization.k8s.io", "rolebindings"): _BINDINGS,
    GroupResource("rbac.authorization.k8s.io", "clusterrolebindings"): _BINDINGS,
    GroupResource("certificates.k8s.io", "certificatesigningrequests"): Printer(
        (
            NAME,
            AGE,
            Column("SignerName", "Signer that is asked."),
            Column("Requestor", "User who asks."),
            Column("RequestedDuration", "Lifetime that is asked for."),
            Column("Condition", "What became of the request."),
        ),
        _signing_request,
    ),
    GroupResource("certificates.k8s.io", "clustertrustbundles"): Printer(
        (NAME, Column("SignerName", "Signer whose roots these are.")), _trust_bundle
    ),
    GroupResource("certificates.k8s.io", "podcertificaterequests"): Printer(
        (
            NAME,
            Column("PodName", "Pod that the certificate is for."),
            Column("ServiceAccountName", "Service account of the pod."),
            Column("NodeName", "Node of the pod."),
            Column("SignerName", "Signer that is asked."),
            Column("State", "What became of the request."),
            Column("UnverifiedUserAnnotations", "What the pod's author added."),
        ),
        _pod_certificate_request,
    ),
}
