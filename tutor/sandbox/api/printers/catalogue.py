"""Every built-in kind that has columns of its own; the others show their name and creation time."""

from datetime import datetime
from typing import Any

from tutor.sandbox.api.printers import (
    access,
    admission,
    control_plane,
    core,
    device,
    event,
    network,
    pod,
    scaling,
    scheduling,
    storage,
    workload,
)
from tutor.sandbox.api.printers.field import name, text
from tutor.sandbox.api.printers.printer import NAME, Column, Printer
from tutor.sandbox.kinds import GroupResource, Object

PRINTERS: dict[GroupResource, Printer] = {
    **access.PRINTERS,
    **admission.PRINTERS,
    **control_plane.PRINTERS,
    **core.PRINTERS,
    **device.PRINTERS,
    **event.PRINTERS,
    **network.PRINTERS,
    **pod.PRINTERS,
    **scaling.PRINTERS,
    **scheduling.PRINTERS,
    **storage.PRINTERS,
    **workload.PRINTERS,
}


def _name_and_creation(obj: Object, _: datetime) -> list[Any]:
    created = text(obj, "metadata", "creationTimestamp", default="0001-01-01T00:00:00Z")
    return [name(obj), created]


OTHER = Printer(
    (NAME, Column("Created At", "When the object was created.", type="date")), _name_and_creation
)
"""Roles, limit ranges, CRDs and a few more."""
