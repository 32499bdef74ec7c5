"""The collections that controllers work on, and small questions about objects."""

import hashlib
import json
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, cast

from tutor.sandbox.kinds import GroupResource, Object, labels_of, name_of, namespace_of

PODS = GroupResource("", "pods")
NODES = GroupResource("", "nodes")
SERVICES = GroupResource("", "services")
PERSISTENT_VOLUME_CLAIMS = GroupResource("", "persistentvolumeclaims")
SECRETS = GroupResource("", "secrets")
CONFIG_MAPS = GroupResource("", "configmaps")
NAMESPACES = GroupResource("", "namespaces")
ENDPOINTS = GroupResource("", "endpoints")
EVENTS = GroupResource("", "events")
SERVICE_ACCOUNTS = GroupResource("", "serviceaccounts")
ENDPOINT_SLICES = GroupResource("discovery.k8s.io", "endpointslices")
DEPLOYMENTS = GroupResource("apps", "deployments")
REPLICA_SETS = GroupResource("apps", "replicasets")
DAEMON_SETS = GroupResource("apps", "daemonsets")
CONTROLLER_REVISIONS = GroupResource("apps", "controllerrevisions")
STATEFUL_SETS = GroupResource("apps", "statefulsets")
JOBS = GroupResource("batch", "jobs")
CRON_JOBS = GroupResource("batch", "cronjobs")
LEASES = GroupResource("coordination.k8s.io", "leases")
CRDS = GroupResource("apiextensions.k8s.io", "customresourcedefinitions")
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"

Place = tuple[str, str]
"""Namespace and name."""


def place_of(obj: Object) -> Place:
    """Where an object is."""
    return namespace_of(obj), name_of(obj)


def as_place(key: Hashable) -> Place:
    """The place that a key is, for reconcilers whose watches make only such keys."""
    return cast("Place", key)


def owner_of(obj: Object) -> Object | None:
    """The controlling owner reference."""
    owners: Sequence[Object] = obj["metadata"].get("ownerReferences") or ()
    return next((ref for ref in owners if ref.get("controller")), None)


def owner_reference(owner: Object) -> Object:
    """A controlling reference to an object."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name_of(owner),
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def is_deleted(obj: Object) -> bool:
    """Whether the object is marked for deletion."""
    return bool(obj["metadata"].get("deletionTimestamp"))


def condition(obj: Object, kind: str) -> Object | None:
    """A condition of an object by its type."""
    conditions: Sequence[Object] = obj.get("status", {}).get("conditions") or ()
    return next((c for c in conditions if c.get("type") == kind), None)


def is_true(obj: Object, kind: str) -> bool:
    """Whether a condition is True."""
    found = condition(obj, kind)
    return found is not None and found.get("status") == "True"


def with_condition(
    conditions: Sequence[Object], kind: str, status: str, reason: str, message: str, now: str
) -> list[Object]:
    """Conditions with one set; its transition time moves only with its status."""
    new: list[Object] = []
    done = False
    entry: Object = {"type": kind, "status": status, "lastTransitionTime": now}
    if reason:
        entry["reason"] = reason
    if message:
        entry["message"] = message
    for old in conditions:
        if old.get("type") != kind:
            new.append(old)
            continue
        done = True
        if old.get("status") == status:
            entry["lastTransitionTime"] = old.get("lastTransitionTime", now)
        new.append({**old, **entry})
    return new if done else [*new, entry]


def is_ready(pod: Object) -> bool:
    """Whether a pod is Ready."""
    return is_true(pod, "Ready")


def is_active(pod: Object) -> bool:
    """Whether a pod counts for its controller: neither finished nor on its way out."""
    phase = pod.get("status", {}).get("phase")
    return phase not in ("Succeeded", "Failed") and not is_deleted(pod)


def selected(selector: Mapping[str, str], obj: Object) -> bool:
    """Whether labels include a plain selector; an empty one selects nothing."""
    return bool(selector) and selector.items() <= labels_of(obj).items()


def template_hash(template: Object, collisions: int) -> str:
    """A short name for a pod template, in the alphabet of generated names."""
    text = json.dumps([template, collisions], sort_keys=True).encode()
    number = str(int.from_bytes(hashlib.sha256(text).digest()[:4], "big"))
    return "".join(_ALPHABET[ord(digit) % len(_ALPHABET)] for digit in number)


def pod_from_template(template: Object, owner: Object, namespace: str, base: str) -> Object:
    """A pod for a template, owned by `owner`, with a generated name."""
    meta: Object = template.get("metadata") or {}
    new: Object = {"generateName": f"{base}-", "namespace": namespace}
    for field in ("labels", "annotations", "finalizers"):
        if meta.get(field):
            new[field] = meta[field]
    new["ownerReferences"] = [owner_reference(owner)]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": new, "spec": template["spec"]}


def micro(moment: Any) -> str:
    """A MicroTime."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
