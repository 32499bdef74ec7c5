"""What a deletion does to one object: remove it, or mark it and wait for its finalizers.

Source: apiserver's registry `BeforeDelete`, `deletionFinalizersForGarbageCollection`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tutor.sandbox.api import bodies
from tutor.sandbox.api.builtin.reading import items, part, text
from tutor.sandbox.api.customresources.conditions import leave
from tutor.sandbox.api.options import flag, integer
from tutor.sandbox.api.request import Request
from tutor.sandbox.api.status import (
    FieldError,
    bad_request,
    conflict,
    invalid,
    invalid_object,
    not_supported,
)
from tutor.sandbox.kinds import GroupResource, Kind, Object, name_of, thaw
from tutor.sandbox.schema.decode import DecodeError, decode

ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"
_POLICIES = ("Foreground", "Background", "Orphan")
_PODS = GroupResource("", "pods")
_JOBS = GroupResource("batch", "jobs")
_ORPHANING = (_JOBS, GroupResource("", "replicationcontrollers"))
_PRESERVED = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to"
    " remove them or set propagationPolicy=Orphan to suppress this warning"
)
_NAMESPACES = GroupResource("", "namespaces")
_DEFINITIONS = GroupResource("apiextensions.k8s.io", "customresourcedefinitions")
_DEFAULT_GRACE_S = 30
_TO_SECONDS = len("2026-01-01T00:00:00")
_GROUPS_SHOWN = ("resource.k8s.io", "storage.k8s.io")
_NOT_SHOWN = GroupResource("storage.k8s.io", "csistoragecapacities")
_SHOWN = frozenset(
    GroupResource("", plural)
    for plural in (
        "namespaces",
        "persistentvolumeclaims",
        "persistentvolumes",
        "pods",
        "podtemplates",
        "resourcequotas",
        "serviceaccounts",
        "services",
    )
)
"""Registries with `ReturnDeletedObject`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteOptions:
    """How to delete. `grace_s` is None when the caller did not say."""

    grace_s: int | None = None
    policy: str = ""
    uid: str = ""
    resource_version: str = ""
    dry_run: bool = False


def requested(request: Request) -> DeleteOptions:
    """How a request wants something deleted: what its body says, else its query.

    Raises:
        ApiError: 400 for what are no options, 415 for a media type that is not spoken, 422 for
            options that contradict each other.
    """
    if request.body.strip():
        return options_of(_body(request))
    query = request.query
    asked: Object = {"dryRun": query.all("dryRun")}
    if query.get("propagationPolicy"):
        asked["propagationPolicy"] = query.get("propagationPolicy")
    if query.get("orphanDependents"):
        asked["orphanDependents"] = flag(query, "orphanDependents")
    if query.get("gracePeriodSeconds"):
        asked["gracePeriodSeconds"] = integer(query.get("gracePeriodSeconds"))
    return options_of(asked)


def _body(request: Request) -> Object:
    try:
        parsed = bodies.read(request, default=("v1", "DeleteOptions"))
        if parsed.kind not in ("", "DeleteOptions"):
            version = parsed.api_version or "meta.k8s.io/v1"
            raise bad_request(bodies.not_registered(parsed.kind, version))
        return decode("", "v1", "DeleteOptions", parsed.value).object
    except DecodeError as error:
        raise bad_request(str(error)) from None


def options_of(asked: Object) -> DeleteOptions:
    """DeleteOptions from their JSON; raises ApiError 422 when they contradict each other."""
    preconditions = part(asked, "preconditions")
    policy, dry_run = text(asked, "propagationPolicy"), items(asked, "dryRun")
    orphan = asked.get("orphanDependents")
    errors: list[FieldError] = []
    if orphan is not None and policy:
        why = "orphanDependents and deletionPropagation cannot be both set"
        errors.append(invalid("propagationPolicy", policy, why))
    if policy and policy not in _POLICIES:
        errors.append(not_supported("propagationPolicy", policy, [*_POLICIES, "nil"]))
    if any(value != "All" for value in dry_run):
        errors.append(not_supported("dryRun", dry_run, ["All"]))
    if errors:
        raise invalid_object("meta.k8s.io", "DeleteOptions", "", errors)
    if orphan is not None:
        policy = "Orphan" if orphan else "Background"
    return DeleteOptions(
        grace_s=asked.get("gracePeriodSeconds"),
        policy=policy,
        uid=text(preconditions, "uid"),
        resource_version=text(preconditions, "resourceVersion"),
        dry_run=bool(dry_run),
    )


def check_preconditions(kind: Kind, obj: Object, options: DeleteOptions) -> None:
    """Refuse a deletion that was meant for another object or another version.

    Raises:
        ApiError: 409.
    """
    meta = obj["metadata"]
    uid, version = meta.get("uid", ""), meta.get("resourceVersion", "")
    # These two have deletions of their own; the generic one names the kind and not the resource.
    is_own = kind.group_resource in (_NAMESPACES, _DEFINITIONS)
    why = ""
    if options.uid and options.uid != uid:
        why = (
            f"Precondition failed: UID in precondition: {options.uid}, UID in object meta: {uid}"
            if is_own
            else f"the UID in the precondition ({options.uid}) does not match the UID in record"
            f" ({uid}). The object might have been deleted and then recreated"
        )
    elif options.resource_version and options.resource_version != version:
        wanted = options.resource_version
        why = (
            f"Precondition failed: ResourceVersion in precondition: {wanted}, ResourceVersion in"
            f" object meta: {version}"
            if is_own
            else f"the ResourceVersion in the precondition ({wanted}) does not match the"
            f" ResourceVersion in record ({version}). The object might have been modified"
        )
    if why:
        named = kind.group_resource if is_own else GroupResource(kind.native_group, kind.kind)
        raise conflict(named, name_of(obj), why)


def marked(
    resource: GroupResource, obj: Object, options: DeleteOptions, now: datetime
) -> Object | None:
    """The object as the deletion leaves it, or None when it is gone at once.

    An object that is already marked is changed only where the new deletion is stricter.
    """
    if resource == _DEFINITIONS and not obj["metadata"].get("deletionTimestamp"):
        return thaw(leave(obj, timestamp(now)))
    if resource == _NAMESPACES:
        if not obj["metadata"].get("deletionTimestamp"):
            return _terminating(obj, options, now)
        if items(obj, "spec", "finalizers"):
            return thaw(obj)
    grace = _grace(resource, obj, options)
    finalizers = _finalizers(obj, options.policy or _usual(resource, obj))
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


def last_state(resource: GroupResource, obj: Object, now: datetime) -> Object:
    """An object that is gone at once, as its deletion shows it: pods had no time left."""
    last = thaw(obj)
    meta = last["metadata"]
    if resource == _PODS and not meta.get("deletionTimestamp"):
        if meta.get("generation"):
            meta["generation"] += 1
        meta["deletionTimestamp"] = timestamp(now)
    if resource == _PODS:
        meta["deletionGracePeriodSeconds"] = 0
    return last


def shows_last(resource: GroupResource) -> bool:
    """Whether a deletion is answered with the object, where others get a Status."""
    in_group = resource.group in _GROUPS_SHOWN and resource != _NOT_SHOWN
    return in_group or resource in _SHOWN


def _grace(resource: GroupResource, obj: Object, options: DeleteOptions) -> int:
    if resource != _PODS:
        return 0
    spec, status = obj.get("spec", {}), obj.get("status", {})
    if not spec.get("nodeName") or status.get("phase") in ("Failed", "Succeeded"):
        return 0
    if options.grace_s is not None:
        return max(options.grace_s, 0)
    return spec.get("terminationGracePeriodSeconds", _DEFAULT_GRACE_S)


def _terminating(namespace: Object, options: DeleteOptions, now: datetime) -> Object:
    """A namespace that is to be emptied: it waits for its `spec.finalizers`."""
    new = thaw(namespace)
    new["metadata"]["deletionTimestamp"] = timestamp(now)
    finalizers = _finalizers(namespace, options.policy)
    if finalizers:
        new["metadata"]["finalizers"] = finalizers
    else:
        new["metadata"].pop("finalizers", None)
    new["status"] = part(new, "status") | {"phase": "Terminating"}
    return new


def _usual(resource: GroupResource, obj: Object) -> str:
    """The policy where nobody names one: old kinds leave alone what belongs to them."""
    decided = {ORPHAN, FOREGROUND}.intersection(items(obj, "metadata", "finalizers"))
    return "Orphan" if resource in _ORPHANING and not decided else ""


def warnings_of(resource: GroupResource, options: DeleteOptions) -> list[str]:
    """What is said to those who may not expect the usual policy."""
    return [_PRESERVED] if resource == _JOBS and not options.policy else []


def _finalizers(obj: Object, policy: str) -> list[str]:
    current = items(obj, "metadata", "finalizers")
    kept = [name for name in current if name not in (ORPHAN, FOREGROUND)]
    if policy == "Orphan":
        return [*kept, ORPHAN]
    if policy == "Foreground":
        return [*kept, FOREGROUND]
    return kept if policy else current


def is_over(resource: GroupResource, obj: Object) -> bool:
    """Whether an object is marked for deletion and nothing holds it any more."""
    meta = obj["metadata"]
    if not meta.get("deletionTimestamp") or meta.get("finalizers"):
        return False
    if resource == _NAMESPACES and items(obj, "spec", "finalizers"):
        return False
    return not meta.get("deletionGracePeriodSeconds")


def timestamp(moment: datetime) -> str:
    """A Kubernetes `Time`: RFC 3339, UTC, whole seconds."""
    # Ten times as fast as `strftime`, and each write asks several times.
    return f"{moment.isoformat()[:_TO_SECONDS]}Z"
