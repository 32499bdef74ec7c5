"""What the restricted level forbids beyond. Source: pod-security-admission's `policy`."""

from tutor.sandbox.api.builtin.admission.pod_security.baseline import added, no_more_capabilities
from tutor.sandbox.api.builtin.admission.pod_security.findings import (
    Finding,
    containers_named,
    plural,
    quoted,
    security_contexts,
    setters,
)
from tutor.sandbox.api.builtin.reading import items, part, text
from tutor.sandbox.kinds import Object

_VOLUMES = (
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
)
_OTHER_VOLUMES = (
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "gitRepo",
    "nfs",
    "iscsi",
    "glusterfs",
    "rbd",
    "flexVolume",
    "cinder",
    "cephfs",
    "flocker",
    "fc",
    "azureFile",
    "vsphereVolume",
    "quobyte",
    "azureDisk",
    "photonPersistentDisk",
    "portworxVolume",
    "scaleIO",
    "storageos",
)


def escalation(_meta: Object, spec: Object) -> Finding | None:
    """Processes gain no privileges."""
    bad = [
        name
        for name, security in security_contexts(spec)
        if security.get("allowPrivilegeEscalation") is not False
    ]
    why = f"{containers_named(bad)} must set securityContext.allowPrivilegeEscalation=false"
    return Finding("allowPrivilegeEscalation != false", why) if bad else None


def few_capabilities(_meta: Object, spec: Object) -> Finding | None:
    """Containers drop all capabilities and add at most one."""
    keeping = [
        name
        for name, security in security_contexts(spec)
        if "ALL" not in items(security, "capabilities", "drop")
    ]
    names, found = added(spec, ("NET_BIND_SERVICE",))
    details: list[str] = []
    if keeping:
        details.append(
            f'{containers_named(keeping)} must set securityContext.capabilities.drop=["ALL"]'
        )
    if names:
        details.append(no_more_capabilities(names, found))
    return Finding("unrestricted capabilities", "; ".join(details)) if details else None


def volume_types(_meta: Object, spec: Object) -> Finding | None:
    """Volumes are of a type that needs nothing of the node."""
    bad = {
        text(volume, "name"): next((kind for kind in _OTHER_VOLUMES if kind in volume), "unknown")
        for volume in items(spec, "volumes")
        if not any(volume.get(kind) is not None for kind in _VOLUMES)
    }
    if not bad:
        return None
    kinds = sorted(set(bad.values()))
    verb = "uses" if len(bad) == 1 else "use"
    what = f"{plural('restricted volume type', kinds)} {quoted(kinds)}"
    detail = f"{plural('volume', bad)} {quoted(bad)} {verb} {what}"
    return Finding("restricted volume types", detail)


def non_root(_meta: Object, spec: Object) -> Finding | None:
    """Containers must not run as root."""
    own = part(spec, "securityContext").get("runAsNonRoot")
    named = [(name, security.get("runAsNonRoot")) for name, security in security_contexts(spec)]
    reason = "runAsNonRoot != true"
    who = setters([name for name, value in named if value is False], pod=own is False)
    if who:
        return Finding(reason, f"{who} must not set securityContext.runAsNonRoot=false")
    open_ones = [name for name, value in named if value is None and not own]
    if not open_ones:
        return None
    return Finding(
        reason, f"pod or {containers_named(open_ones)} must set securityContext.runAsNonRoot=true"
    )


def not_user_zero(_meta: Object, spec: Object) -> Finding | None:
    """Nobody asks to run as root."""
    names = [name for name, security in security_contexts(spec) if security.get("runAsUser") == 0]
    who = setters(names, pod=part(spec, "securityContext").get("runAsUser") == 0)
    return Finding("runAsUser=0", f"{who} must not set runAsUser=0") if who else None
