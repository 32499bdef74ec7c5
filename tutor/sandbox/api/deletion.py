"""What a deletion does to one object: remove it, or mark it and wait for its finalizers.

Source: apiserver's registry `BeforeDelete`, `deletionFinalizersForGarbageCollection`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tutor.sandbox.api.builtin.reading import part, text
from tutor.sandbox.api.customresources.conditions import leave
from tutor.sandbox.api.status import (
    ApiError,
    FieldError,
    bad_request,
    invalid_object,
    not_supported,
)
from tutor.sandbox.kinds import GroupResource, Object, thaw

ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"
_POLICIES = ("Background", "Foreground", "Orphan")
_PODS = GroupResource("", "pods")
_DEFINITIONS = GroupResource("apiextensions.k8s.io", "customresourcedefinitions")
_DEFAULT_GRACE_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteOptions:
    """How to delete. `grace_s` is None when the caller did not say."""

    grace_s: int | None = None
    policy: str = ""
    uid: str = ""
    resource_version: str = ""
    dry_run: bool = False
    ignore_store_read_error: bool = False


def options_of(
    body: Object, query_grace: str, query_policy: str, query_dry: list[str]
) -> DeleteOptions:
    """DeleteOptions from a body and a query; the body wins where both speak.

    Raises:
        ApiError: 422 for options that contradict each other.
    """
    preconditions = part(body, "preconditions")
    policy = body.get("propagationPolicy") or query_policy
    orphan = body.get("orphanDependents")
    errors: list[FieldError] = []
    if orphan is not None:
        if policy:
            detail = "orphanDependents and deletionPropagation cannot be both set"
            errors.append(
                FieldError(
                    "propagationPolicy", "Invalid value", "FieldValueInvalid", detail, policy, True
                )
            )
        policy = "Orphan" if orphan else "Background"
    if policy and policy not in _POLICIES:
        errors.append(not_supported("propagationPolicy", policy, [*_POLICIES, "nil"]))
    if errors:
        raise invalid_object("meta.k8s.io", "DeleteOptions", "", errors)
    grace: Any = body.get("gracePeriodSeconds")
    if grace is None and query_grace:
        if not query_grace.lstrip("-").isdigit():
            raise bad_request(f'strconv.ParseInt: parsing "{query_grace}": invalid syntax')
        grace = int(query_grace)
    return DeleteOptions(
        grace_s=grace,
        policy=policy,
        uid=text(preconditions, "uid"),
        resource_version=text(preconditions, "resourceVersion"),
        dry_run=bool(body.get("dryRun") or query_dry),
    )


def check_preconditions(
    resource: GroupResource, name: str, obj: Object, *, uid: str, resource_version: str
) -> None:
    """Refuse a write that was meant for another object or another version.

    Raises:
        ApiError: 409 in the words of the storage layer.
    """
    meta = obj["metadata"]
    why = ""
    if uid and uid != meta.get("uid"):
        actual = meta.get("uid", "")
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {actual}"
    elif resource_version and resource_version != meta.get("resourceVersion"):
        why = (
            f"Precondition failed: ResourceVersion in precondition: {resource_version}, "
            f"ResourceVersion in object meta: {meta.get('resourceVersion', '')}"
        )
    if why:
        message = f'Operation cannot be fulfilled on {resource} "{name}": {why}'
        details: Object = {"name": name}
        if resource.group:
            details["group"] = resource.group
        details["kind"] = resource.resource
        raise ApiError(409, "Conflict", message, details=details)


def marked(
    resource: GroupResource, obj: Object, options: DeleteOptions, now: datetime
) -> Object | None:
    """The object as the deletion leaves it, or None when it is gone at once.

    An object that is already marked is changed only where the new deletion is stricter.
    """
    if resource == _DEFINITIONS and not obj["metadata"].get("deletionTimestamp"):
        return thaw(leave(obj, timestamp(now)))
    grace = _grace(resource, obj, options)
    finalizers = _finalizers(obj, options.policy, resource)
    meta = obj["metadata"]
    if not finalizers and grace == 0:
        return None
    new = thaw(obj)
    target = new["metadata"]
    if finalizers:
        target["finalizers"] = finalizers
    else:
        target.pop("finalizers", None)
    if not meta.get("deletionTimestamp"):
        target["deletionTimestamp"] = timestamp(now + timedelta(seconds=grace))
        target["deletionGracePeriodSeconds"] = grace
        if target.get("generation"):
            target["generation"] += 1
    elif grace < meta.get("deletionGracePeriodSeconds", 0):
        target["deletionTimestamp"] = timestamp(now + timedelta(seconds=grace))
        target["deletionGracePeriodSeconds"] = grace
    return new


def _grace(resource: GroupResource, obj: Object, options: DeleteOptions) -> int:
    if resource != _PODS:
        return 0
    spec, status = obj.get("spec", {}), obj.get("status", {})
    if not spec.get("nodeName") or status.get("phase") in ("Failed", "Succeeded"):
        return 0
    if options.grace_s is not None:
        return max(options.grace_s, 0)
    return spec.get("terminationGracePeriodSeconds", _DEFAULT_GRACE_S)


def _finalizers(obj: Object, policy: str, resource: GroupResource) -> list[str]:
    current: list[str] = obj["metadata"].get("finalizers") or []
    if resource.resource == "namespaces" and not resource.group and not policy:
        return current
    kept = [name for name in current if name not in (ORPHAN, FOREGROUND)]
    if policy == "Orphan":
        return [*kept, ORPHAN]
    if policy == "Foreground":
        return [*kept, FOREGROUND]
    if policy == "Background":
        return kept
    return current


def timestamp(moment: datetime) -> str:
    """A Kubernetes `Time`: RFC 3339, UTC, whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
