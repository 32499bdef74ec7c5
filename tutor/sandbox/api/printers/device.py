"""Devices: what nodes offer, and what pods claim of it.

Source: kubernetes v1.36.2, pkg/printers/internalversion.
"""

from datetime import datetime
from typing import Any

from tutor.sandbox.api.printers.age import since
from tutor.sandbox.api.printers.field import (
    NONE,
    age,
    at,
    is_deleting,
    is_true,
    items,
    mapping,
    name,
    number,
    text,
)
from tutor.sandbox.api.printers.printer import AGE, NAME, Column, Printer
from tutor.sandbox.kinds import GroupResource, Object

_GROUP = "resource.k8s.io"
_COUNTS = ("totalDevices", "availableDevices", "allocatedDevices", "unavailableDevices")


def _name_and_age(obj: Object, now: datetime) -> list[Any]:
    return [name(obj), age(obj, now)]


def _claim(obj: Object, now: datetime) -> list[Any]:
    return [name(obj), ",".join(_claim_states(obj)), age(obj, now)]


def _claim_states(obj: Object) -> list[str]:
    states = ["deleted"] if is_deleting(obj) else []
    if at(obj, "status", "allocation") is None:
        return states or ["pending"]
    states.append("allocated")
    return [*states, "reserved"] if items(obj, "status", "reservedFor") else states


def _slice(obj: Object, now: datetime) -> list[Any]:
    return [
        name(obj),
        text(obj, "spec", "nodeName"),
        text(obj, "spec", "driver"),
        text(obj, "spec", "pool", "name"),
        age(obj, now),
    ]


def _taint_rule(obj: Object, now: datetime) -> list[Any]:
    taint = mapping(obj, "spec", "taint")
    added = at(taint, "timeAdded")
    return [
        name(obj),
        text(taint, "key"),
        text(taint, "value"),
        text(taint, "effect"),
        "" if added is None else since(added, now),
        age(obj, now),
    ]


def _pool_request(obj: Object, now: datetime) -> list[Any]:
    ended = next(filter(_is_end, items(obj, "status", "conditions")), None)
    state = text(ended, "type", default="Pending")
    pools, count = items(obj, "status", "pools"), number(obj, "status", "poolCount")
    is_complete = state == "Complete"
    shown = (
        f"Complete ({len(pools)}/{count} pools)" if is_complete and count > len(pools) else state
    )
    return [
        name(obj),
        text(obj, "spec", "driver"),
        *_pool_sums(obj, is_failed=state == "Failed"),
        count,
        shown,
        since(at(ended, "lastTransitionTime"), now) if is_complete else NONE,
    ]


def _is_end(found: Object) -> bool:
    return text(found, "type") in ("Complete", "Failed") and is_true(found)


def _pool_sums(obj: Object, *, is_failed: bool) -> list[str]:
    if is_failed or at(obj, "status") is None:
        return ["-"] * (len(_COUNTS) + 1)
    pools = items(obj, "status", "pools")
    sums = [sum(number(pool, key) for pool in pools) for key in _COUNTS]
    errors = sum(at(pool, "validationError") is not None for pool in pools)
    return [str(value) for value in (*sums, errors)]


PRINTERS = {
    GroupResource(_GROUP, "deviceclasses"): Printer((NAME, AGE), _name_and_age),
    GroupResource(_GROUP, "resourceclaimtemplates"): Printer((NAME, AGE), _name_and_age),
    GroupResource(_GROUP, "resourceclaims"): Printer(
        (NAME, Column("State", "Whether it has devices, and whether they are in use."), AGE), _claim
    ),
    GroupResource(_GROUP, "resourceslices"): Printer(
        (
            NAME,
            Column("Node", "Node that has the devices."),
            Column("Driver", "Driver of the devices."),
            Column("Pool", "Pool the devices belong to."),
            AGE,
        ),
        _slice,
    ),
    GroupResource(_GROUP, "devicetaintrules"): Printer(
        (
            NAME,
            Column("Key", "Key of the taint."),
            Column("Value", "Value of the taint."),
            Column("Effect", "What the taint does to pods."),
            Column("TimeAdded", "Time since the taint was added."),
            AGE,
        ),
        _taint_rule,
    ),
    GroupResource(_GROUP, "resourcepoolstatusrequests"): Printer(
        (
            NAME,
            Column("Driver", "Driver whose pools are looked at."),
            Column("Total", "Devices in these pools."),
            Column("Available", "Devices that are free."),
            Column("Allocated", "Devices that are in use."),
            Column("Unavailable", "Devices that cannot be used."),
            Column("Errors", "Pools that are not valid."),
            Column("Pools", "Number of pools.", type="integer"),
            Column("Status", "How far the request is."),
            Column("Completed", "Time since it was answered."),
        ),
        _pool_request,
    ),
}
