"""What a written object says of itself: which version and which UID it is, and who owns it.

Source: apiserver's registry (store, rest), storage and endpoints/handlers (`rest.go`).
"""

from tutor.sandbox.api.request import Call
from tutor.sandbox.api.status import ApiError, FieldError, conflict, invalid_object, unexplained
from tutor.sandbox.kinds import GroupResource, Kind, Object, name_of

MODIFIED = (
    "the object has been modified; please apply your changes to the latest version and try again"
)
_STORED_AS = {
    GroupResource("", "replicationcontrollers"): "controllers",
    GroupResource("", "endpoints"): "services/endpoints",
    GroupResource("", "nodes"): "minions",
    GroupResource("", "services"): "services/specs",
    GroupResource("networking.k8s.io", "ingresses"): "ingress",
    GroupResource("events.k8s.io", "events"): "events",
    GroupResource("apiextensions.k8s.io", "customresourcedefinitions"): (
        "apiextensions.k8s.io/customresourcedefinitions"
    ),
    GroupResource("apiregistration.k8s.io", "apiservices"): "apiregistration.k8s.io/apiservices",
}
_OWNERS = "ownerReferences"
_DUPLICATES = (
    "API server dedups owner references in 1.20+, and may reject such requests as early as 1.24;"
    " please fix your requests; duplicate UID(s) observed:"
)


def check_new(meta: Object) -> None:
    """Refuse (500) what is to be created and has a version already, if it is one."""
    version: str = meta.get("resourceVersion", "")
    if version.isascii() and version.isdigit() and int(version):
        raise unexplained("resourceVersion should not be set on objects to be created")


def check_version(meta: Object) -> None:
    """Refuse (500) to write an object whose version is no number."""
    version: str = meta.get("resourceVersion", "")
    if version and not (version.isascii() and version.isdigit()):
        raise unexplained(f'strconv.ParseUint: parsing "{version}": invalid syntax')


def check_made_by_update(kind: Kind, namespace: str, obj: Object) -> None:
    """Refuse what an update or an apply would make: a UID is one of another object."""
    meta = obj["metadata"]
    check_version(meta)
    if meta.get("uid"):
        place = (namespace if kind.namespaced else "", name_of(obj))
        raise another(kind.group_resource, place, meta["uid"], "")


def another(resource: GroupResource, place: tuple[str, str], wanted: str, found: str) -> ApiError:
    """409 for a UID that is not the one of the object at a place, namespace and name."""
    return conflict(
        resource,
        place[1],
        "StorageError: invalid object, Code: 4, Key: /registry/"
        + "/".join(filter(None, (_registry_path(resource), *place)))
        + ", ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: "
        f"UID in precondition: {wanted}, UID in object meta: {found}",
    )


def check_current(kind: Kind, name: str, meta: Object, before: Object, *, freely: bool) -> None:
    """Refuse a write over another version than the object has; `freely` says none is needed."""
    resource = kind.group_resource
    check_version(meta)
    version = str(int(meta.get("resourceVersion") or 0))
    if version == "0" and not freely:
        error = FieldError(
            "metadata.resourceVersion",
            "Invalid value",
            "FieldValueInvalid",
            "must be specified for an update",
            0,
            shows_value=True,
        )
        failure = invalid_object(kind.group, kind.plural, name, [error])
        qualified = f'{resource} "{name}" is invalid: {error}'
        raise ApiError(422, "Invalid", qualified, details=failure.details)
    if version not in ("0", before["resourceVersion"]):
        raise conflict(resource, name, MODIFIED)


def dedup_owners(call: Call, obj: Object, *, after_admission: bool = False) -> None:
    """Leave out owners that are there already, and warn of it."""
    owners: list[Object] = obj["metadata"].get(_OWNERS) or []
    kept: list[Object] = []
    repeated: list[str] = []
    for owner in owners:
        if owner in kept:
            repeated.append(owner["uid"])
        else:
            kept.append(owner)
    if repeated:
        when = " after mutating admission happens" if after_admission else ""
        told = f".metadata.ownerReferences contains duplicate entries{when}; {_DUPLICATES}"
        call.warn([f"{told} {', '.join(repeated)}"])
        obj["metadata"][_OWNERS] = kept


def _registry_path(resource: GroupResource) -> str:
    """The folder of the real server's storage that a refusal names."""
    if found := _STORED_AS.get(resource):
        return found
    is_builtin = "." not in resource.group or resource.group.endswith(".k8s.io")
    return resource.resource if is_builtin else f"{resource.group}/{resource.resource}"
