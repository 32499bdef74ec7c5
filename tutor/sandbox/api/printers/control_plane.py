"""What the control plane keeps for itself: leases, flow control, storage versions.

Source: kubernetes v1.36.2, pkg/printers/internalversion.
"""

from datetime import datetime
from typing import Any

from tutor.sandbox.api.printers.field import (
    NONE,
    UNSET,
    age,
    at,
    condition,
    is_true,
    items,
    name,
    number,
    shortened,
    text,
)
from tutor.sandbox.api.printers.printer import AGE, NAME, Column, Printer
from tutor.sandbox.kinds import GroupResource, Object

_FLOW_CONTROL = "flowcontrol.apiserver.k8s.io"


def _lease(obj: Object, now: datetime) -> list[Any]:
    return [name(obj), text(obj, "spec", "holderIdentity"), age(obj, now)]


def _lease_candidate(obj: Object, now: datetime) -> list[Any]:
    return [
        name(obj),
        text(obj, "spec", "leaseName"),
        text(obj, "spec", "binaryVersion"),
        text(obj, "spec", "emulationVersion"),
        age(obj, now),
    ]


def _flow_schema(obj: Object, now: datetime) -> list[Any]:
    return [
        name(obj),
        text(obj, "spec", "priorityLevelConfiguration", "name"),
        number(obj, "spec", "matchingPrecedence"),
        text(obj, "spec", "distinguisherMethod", "type", default=NONE),
        age(obj, now),
        text(condition(items(obj, "status", "conditions"), "Dangling"), "status", default="?"),
    ]


def _by_precedence(obj: Object) -> tuple[int, str]:
    return number(obj, "spec", "matchingPrecedence"), name(obj)


def _priority_level(obj: Object, now: datetime) -> list[Any]:
    limited = at(obj, "spec", "limited")
    queuing = at(limited, "limitResponse", "queuing")
    return [
        name(obj),
        text(obj, "spec", "type"),
        NONE if limited is None else number(limited, "nominalConcurrencyShares"),
        *(
            NONE if queuing is None else number(queuing, key)
            for key in ("queues", "handSize", "queueLengthLimit")
        ),
        age(obj, now),
    ]


def _storage_version(obj: Object, now: datetime) -> list[Any]:
    servers = [
        f"{text(one, 'apiServerID')}={text(one, 'encodingVersion')}"
        for one in items(obj, "status", "storageVersions")
    ]
    return [
        name(obj),
        text(obj, "status", "commonEncodingVersion", default=UNSET),
        shortened(servers) or UNSET,
        age(obj, now),
    ]


def _migration(obj: Object, _: datetime) -> list[Any]:
    states = [text(one, "type") for one in items(obj, "status", "conditions") if is_true(one)]
    known = [state for state in states if state in ("Running", "Failed", "Succeeded")]
    resource = GroupResource(
        text(obj, "spec", "resource", "group"), text(obj, "spec", "resource", "resource")
    )
    return [name(obj), str(resource), known[-1] if known else "Unknown"]


PRINTERS = {
    GroupResource("coordination.k8s.io", "leases"): Printer(
        (NAME, Column("Holder", "Who holds the lease."), AGE), _lease
    ),
    GroupResource("coordination.k8s.io", "leasecandidates"): Printer(
        (
            NAME,
            Column("LeaseName", "Lease it stands for."),
            Column("BinaryVersion", "Version of the candidate."),
            Column("EmulationVersion", "Version it behaves as."),
            AGE,
        ),
        _lease_candidate,
    ),
    GroupResource(_FLOW_CONTROL, "flowschemas"): Printer(
        (
            NAME,
            Column("PriorityLevel", "Priority level of matching requests."),
            Column("MatchingPrecedence", "Order of matching, lowest first."),
            Column("DistinguisherMethod", "How flows are told apart."),
            AGE,
            Column("MissingPL", "Whether the priority level is missing."),
        ),
        _flow_schema,
        order=_by_precedence,
    ),
    GroupResource(_FLOW_CONTROL, "prioritylevelconfigurations"): Printer(
        (
            NAME,
            Column("Type", "Whether requests are limited."),
            Column("NominalConcurrencyShares", "Share of the server's seats."),
            Column("Queues", "Number of queues."),
            Column("HandSize", "Queues that one flow may use."),
            Column("QueueLengthLimit", "Requests that one queue holds."),
            AGE,
        ),
        _priority_level,
    ),
    GroupResource("internal.apiserver.k8s.io", "storageversions"): Printer(
        (
            NAME,
            Column("CommonEncodingVersion", "Version that all servers write."),
            Column("StorageVersions", "Version that each server writes."),
            AGE,
        ),
        _storage_version,
    ),
    GroupResource("storagemigration.k8s.io", "storageversionmigrations"): Printer(
        (
            Column("Name", NAME.description),
            Column("Resource", "Resource whose objects are written anew."),
            Column("Status", "How far the migration is."),
        ),
        _migration,
    ),
}
