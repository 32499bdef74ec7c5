"""Nodes, namespaces and the small kinds of the core group.

Source: kubernetes v1.36.2, pkg/printers/internalversion.
"""

from datetime import datetime
from typing import Any

from tutor.sandbox.api.printers.age import UNKNOWN
from tutor.sandbox.api.printers.field import (
    NONE,
    age,
    condition,
    flag,
    is_true,
    items,
    mapping,
    name,
    text,
)
from tutor.sandbox.api.printers.printer import AGE, NAME, WIDE, Column, Printer
from tutor.sandbox.kinds import GroupResource, Object, labels_of

_ROLE_PREFIX = "node-role.kubernetes.io/"
_ROLE = "kubernetes.io/role"


def _node(obj: Object, now: datetime) -> list[Any]:
    info = mapping(obj, "status", "nodeInfo")
    kernel = text(info, "kernelVersion") or UNKNOWN
    architecture = text(info, "architecture")
    return [
        name(obj),
        _node_status(obj),
        ",".join(_roles(obj)) or NONE,
        age(obj, now),
        text(info, "kubeletVersion"),
        _address(obj, "InternalIP"),
        _address(obj, "ExternalIP"),
        text(info, "osImage") or UNKNOWN,
        f"{kernel} ({architecture})" if architecture else kernel,
        text(info, "containerRuntimeVersion") or UNKNOWN,
    ]


def _node_status(obj: Object) -> str:
    # Of several conditions of one type the last counts here.
    ready = condition(reversed(items(obj, "status", "conditions")), "Ready")
    status = "Unknown" if ready is None else "Ready" if is_true(ready) else "NotReady"
    return f"{status},SchedulingDisabled" if flag(obj, "spec", "unschedulable") else status


def _roles(obj: Object) -> list[str]:
    labels = labels_of(obj)
    found = {key.removeprefix(_ROLE_PREFIX) for key in labels if key.startswith(_ROLE_PREFIX)}
    return sorted((found | {labels.get(_ROLE, "")}) - {""})


def _address(obj: Object, type_: str) -> str:
    found = condition(items(obj, "status", "addresses"), type_)
    return NONE if found is None else text(found, "address")


def _namespace(obj: Object, now: datetime) -> list[Any]:
    return [name(obj), text(obj, "status", "phase", default="Active"), age(obj, now)]


def _secret(obj: Object, now: datetime) -> list[Any]:
    return [
        name(obj),
        text(obj, "type", default="Opaque"),
        len(mapping(obj, "data")),
        age(obj, now),
    ]


def _config_map(obj: Object, now: datetime) -> list[Any]:
    entries = len(mapping(obj, "data")) + len(mapping(obj, "binaryData"))
    return [name(obj), entries, age(obj, now)]


def _service_account(obj: Object, now: datetime) -> list[Any]:
    return [name(obj), age(obj, now)]


def _resource_quota(obj: Object, now: datetime) -> list[Any]:
    hard, used = mapping(obj, "status", "hard"), mapping(obj, "status", "used")
    shown = {key: f"{key}: {used.get(key, '0')}/{hard[key]}" for key in sorted(hard)}
    limits = {key for key in shown if key.startswith("limits.")}
    return [
        name(obj),
        ", ".join(entry for key, entry in shown.items() if key not in limits),
        ", ".join(entry for key, entry in shown.items() if key in limits),
        age(obj, now),
    ]


def _component_status(obj: Object, _: datetime) -> list[Any]:
    healthy = condition(items(obj, "conditions"), "Healthy")
    status = "Unknown" if healthy is None else "Healthy" if is_true(healthy) else "Unhealthy"
    return [name(obj), status, text(healthy, "message"), text(healthy, "error")]


PRINTERS = {
    GroupResource("", "nodes"): Printer(
        (
            NAME,
            Column("Status", "Whether the node is ready, and open to new pods."),
            Column("Roles", "Roles that its labels name."),
            AGE,
            Column("Version", "Version of its kubelet."),
            Column("Internal-IP", "Address within the cluster's network.", priority=WIDE),
            Column("External-IP", "Address from outside.", priority=WIDE),
            Column("OS-Image", "Operating system.", priority=WIDE),
            Column("Kernel-Version", "Kernel and architecture.", priority=WIDE),
            Column("Container-Runtime", "What runs its containers.", priority=WIDE),
        ),
        _node,
    ),
    GroupResource("", "namespaces"): Printer(
        (NAME, Column("Status", "Whether the namespace is in use or going."), AGE), _namespace
    ),
    GroupResource("", "secrets"): Printer(
        (
            NAME,
            Column("Type", "What the secret is for."),
            Column("Data", "Number of entries."),
            AGE,
        ),
        _secret,
    ),
    GroupResource("", "configmaps"): Printer(
        (NAME, Column("Data", "Number of entries."), AGE), _config_map
    ),
    GroupResource("", "serviceaccounts"): Printer((NAME, AGE), _service_account),
    GroupResource("", "resourcequotas"): Printer(
        (
            NAME,
            Column("Request", "Use and bound of requests and of counts."),
            Column("Limit", "Use and bound of limits."),
            AGE,
        ),
        _resource_quota,
    ),
    GroupResource("", "componentstatuses"): Printer(
        (
            NAME,
            Column("Status", "Whether the component is healthy."),
            Column("Message", "What it said of itself."),
            Column("Error", "Why it could not be asked."),
        ),
        _component_status,
    ),
}
