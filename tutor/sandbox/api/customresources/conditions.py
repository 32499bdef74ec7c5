"""The status of a definition: which names it has, whether it is served, whether it is leaving.

Each function returns the status that a controller of the real server would write, or None when it
would write nothing. Source: apiextensions-apiserver (`pkg/controller`).
"""

from collections.abc import Iterable
from typing import NamedTuple

from tutor.sandbox.api.builtin.reading import items, part, text
from tutor.sandbox.api.customresources.approval import approval, is_protected
from tutor.sandbox.api.customresources.definition import condition_of, is_true, names_of, spec_of
from tutor.sandbox.kinds import Object

CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
_SINGLE_NAMES = (
    ("plural", "PluralConflict"),
    ("singular", "SingularConflict"),
    ("shortNames", "ShortNamesConflict"),
    ("kind", "KindConflict"),
    ("listKind", "ListKindConflict"),
)
_CONFORMANT = "KubernetesAPIApprovalPolicyConformant"
_CONFORMANT_REASONS = {
    "missing": ("False", "MissingAnnotation"),
    "invalid": ("False", "InvalidAnnotation"),
    "bypassed": ("False", "UnapprovedAnnotation"),
    "approved": ("True", "ApprovedAnnotation"),
}


class Condition(NamedTuple):
    """A condition without its time."""

    type: str
    status: str
    reason: str
    message: str


_NO_CONFLICTS = Condition("NamesAccepted", "True", "NoConflicts", "no conflicts found")
_INITIAL = "the initial names have been accepted"
_INSTALLING = Condition("Established", "False", "Installing", _INITIAL)
_ESTABLISHED = Condition("Established", "True", "InitialNamesAccepted", _INITIAL)
_NOT_ACCEPTED = Condition("Established", "False", "NotAccepted", "not all names are accepted")
DELETION_PENDING = Condition(
    "Terminating",
    "True",
    "InstanceDeletionPending",
    "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
)
DELETION_IN_PROGRESS = Condition(
    "Terminating", "True", "InstanceDeletionInProgress", "CustomResource deletion is in progress"
)
DELETION_COMPLETED = Condition(
    "Terminating", "False", "InstanceDeletionCompleted", "removed all instances"
)
NEVER_ESTABLISHED = Condition(
    "Terminating", "False", "NeverEstablished", "resource was never established"
)


def with_condition(crd: Object, condition: Condition, now: str) -> Object:
    """The status with one condition set; its time moves only with its status."""
    type_, status, reason, message = condition
    entry: Object = {
        "type": type_,
        "status": status,
        "lastTransitionTime": now,
        "reason": reason,
        "message": message,
    }
    old = condition_of(crd, type_)
    conditions: list[Object] = items(crd, "status", "conditions")
    if old is None:
        conditions = [*conditions, entry]
    else:
        if old.get("status") == status and old.get("lastTransitionTime"):
            entry["lastTransitionTime"] = old["lastTransitionTime"]
        conditions = [entry if one is old else one for one in conditions]
    return part(crd, "status") | {"conditions": conditions}


def accepted_names(crd: Object) -> Object:
    """The names that the definition has."""
    return part(crd, "status", "acceptedNames")


def accept_names(crd: Object, others: Iterable[Object], now: str) -> Object | None:
    """The status with the names that no definition of the group has; `others` may have itself."""
    asked, accepted = names_of(crd), accepted_names(crd)
    if asked == accepted:
        return None
    resources, kinds = _taken(crd, others)
    names, condition = dict(accepted), _NO_CONFLICTS
    for field, reason in _SINGLE_NAMES:
        used = kinds if field in ("kind", "listKind") else resources
        conflicts = [
            f'"{name}" is already in use'
            for name in _as_list(asked.get(field))
            if name in used and name not in _as_list(accepted.get(field))
        ]
        if conflicts:
            message = conflicts[0] if len(conflicts) == 1 else f"[{', '.join(conflicts)}]"
            condition = Condition("NamesAccepted", "False", reason, message)
        else:
            _copy(names, asked, field)
    _copy(names, asked, "categories")
    if names == accepted and _is_told(crd, condition):
        return None
    status = with_condition(crd, condition, now) | {"acceptedNames": names}
    established = _establishing(crd, condition)
    if established is None:
        return status
    return with_condition(crd | {"status": status}, established, now)


def _establishing(crd: Object, names_accepted: Condition) -> Condition | None:
    if names_accepted.status == "True" and not is_true(crd, "Established"):
        return _INSTALLING
    return _NOT_ACCEPTED if condition_of(crd, "Established") is None else None


def _taken(crd: Object, others: Iterable[Object]) -> tuple[set[str], set[str]]:
    """Names of resources and of kinds that definitions of the group have."""
    resources: set[str] = set()
    kinds: set[str] = set()
    for other in others:
        if spec_of(other).get("group") != spec_of(crd).get("group"):
            continue
        names = accepted_names(other)
        resources |= {text(names, "plural"), text(names, "singular"), *items(names, "shortNames")}
        kinds |= {text(names, "kind"), text(names, "listKind")}
    return resources - {""}, kinds - {""}


def _as_list(value: str | list[str] | None) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else value


def _copy(target: Object, source: Object, name: str) -> None:
    if name in source:
        target[name] = source[name]
    else:
        target.pop(name, None)


def _is_told(crd: Object, condition: Condition) -> bool:
    old = condition_of(crd, condition.type) or {}
    told = (text(old, "status"), text(old, "reason"), text(old, "message"))
    return told == condition[1:]


def establish(crd: Object, now: str) -> Object | None:
    """The status of a definition whose kinds are served from now on."""
    if not is_true(crd, "NamesAccepted") or is_true(crd, "Established"):
        return None
    return with_condition(crd, _ESTABLISHED, now)


def approve(crd: Object, now: str) -> Object | None:
    """The status with what is to be said of a group of the Kubernetes project."""
    if not is_protected(crd):
        return None
    state, reason = approval(crd)
    condition = Condition(_CONFORMANT, *_CONFORMANT_REASONS[state], reason)
    return None if _is_told(crd, condition) else with_condition(crd, condition, now)


def leave(crd: Object, now: str) -> Object:
    """The definition after the first request to delete it: it waits for its objects to go."""
    meta = crd["metadata"]
    finalizers: list[str] = meta.get("finalizers") or []
    if CLEANUP_FINALIZER not in finalizers:
        finalizers = [*finalizers, CLEANUP_FINALIZER]
    return crd | {
        "metadata": meta | {"deletionTimestamp": now, "finalizers": finalizers},
        "status": with_condition(crd, DELETION_PENDING, now),
    }


def is_leaving(crd: Object) -> bool:
    """Whether the definition waits for its objects to go."""
    meta = crd["metadata"]
    return bool(meta.get("deletionTimestamp")) and CLEANUP_FINALIZER in items(meta, "finalizers")


def report_removal(crd: Object, now: str) -> Object | None:
    """The status of a definition whose objects are being deleted."""
    if _is_told(crd, DELETION_IN_PROGRESS):
        return None
    return with_condition(crd, DELETION_IN_PROGRESS, now)


def released(crd: Object, condition: Condition, now: str) -> Object:
    """The definition without what kept it, and the reason why it may go."""
    meta = crd["metadata"]
    kept = [name for name in items(meta, "finalizers") if name != CLEANUP_FINALIZER]
    return crd | {
        "metadata": meta | {"finalizers": kept},
        "status": with_condition(crd, condition, now),
    }
