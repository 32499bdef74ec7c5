"""Events, in both of their forms.

Source: kubernetes v1.36.2, pkg/printers/internalversion (printEvent).
"""

from datetime import datetime
from typing import Any

from tutor.sandbox.api.printers.age import since
from tutor.sandbox.api.printers.field import at, name, number, text
from tutor.sandbox.api.printers.printer import WIDE, Column, Printer
from tutor.sandbox.kinds import GroupResource, Object

_CORE_NAMES = {
    "regarding": "involvedObject",
    "note": "message",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedCount": "count",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
}
"""What events.k8s.io calls a field, to what the core group calls it."""


def _cells(obj: Object, now: datetime) -> list[Any]:
    event = {_CORE_NAMES.get(key, key): value for key, value in obj.items()}
    kind = text(event, "involvedObject", "kind").lower()
    target = text(event, "involvedObject", "name")
    first = text(event, "firstTimestamp") or text(event, "eventTime")
    last = text(event, "lastTimestamp") or first
    count = number(event, "count") or 1
    if (series := at(event, "series")) is not None:
        last, count = text(series, "lastObservedTime"), number(series, "count")
    return [
        since(last, now),
        text(event, "type"),
        text(event, "reason"),
        f"{kind}/{target}" if target else kind,
        text(event, "involvedObject", "fieldPath"),
        _source(event),
        text(event, "message").strip(),
        since(first, now),
        count,
        name(event),
    ]


def _source(event: Object) -> str:
    component = text(event, "source", "component") or text(event, "reportingComponent")
    instance = text(event, "source", "host") or text(event, "reportingInstance")
    return f"{component}, {instance}" if instance else component


_EVENTS = Printer(
    (
        Column("Last Seen", "Time since it last happened."),
        Column("Type", "Normal or Warning."),
        Column("Reason", "What happened, in one word."),
        Column("Object", "Object it happened to."),
        Column("Subobject", "Part of the object.", priority=WIDE),
        Column("Source", "Who reported it.", priority=WIDE),
        Column("Message", "What happened."),
        Column("First Seen", "Time since it first happened.", priority=WIDE),
        Column("Count", "How often it happened.", priority=WIDE),
        Column("Name", "Name of the event.", format="name", priority=WIDE),
    ),
    _cells,
)

PRINTERS = {
    GroupResource("", "events"): _EVENTS,
    GroupResource("events.k8s.io", "events"): _EVENTS,
}
