"""Events of both groups, whose fields have two names each.

Source: `apis/core/validation/events.go`, `apis/events/v1/conversion.go`.
"""

from typing import Any

from tutor.sandbox.api import formats, metadata
from tutor.sandbox.api.builtin import checks, go_struct
from tutor.sandbox.api.builtin.behaviour import Behaviour
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.reading import number, part, same, text
from tutor.sandbox.api.status import invalid, required
from tutor.sandbox.kinds import Object, namespace_of

_NAMES = {
    "regarding": "involvedObject",
    "note": "message",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
    "reportingController": "reportingComponent",
}
_CORE_NAMES = {core: name for name, core in _NAMES.items()}
_LIMITS = {"reportingInstance": 128, "action": 128, "reason": 128, "message": 1024}
_FIXED = (
    *("involvedObject", "reason", "message", "source", "firstTimestamp", "lastTimestamp", "count"),
    *("reason", "type", "eventTime", "action", "related"),
    *("reportingComponent", "reportingInstance"),
)
_STRUCTS = {
    "involvedObject": "ObjectReference",
    "related": "ObjectReference",
    "source": "EventSource",
}
_TIMES = ("firstTimestamp", "lastTimestamp", "eventTime")
_UNSET = ("firstTimestamp", "lastTimestamp", "count", "source")


def to_core(obj: Object) -> Object:
    """An event of `events.k8s.io` as one of the core group."""
    renamed = {_NAMES.get(field, field): value for field, value in obj.items()}
    return renamed | {"apiVersion": "v1"}


def _converted(obj: Object, api_version: str) -> Object:
    """An event in the group that a version is of."""
    if api_version == "v1":
        return to_core(obj)
    renamed = {_CORE_NAMES.get(field, field): value for field, value in obj.items()}
    return renamed | {"apiVersion": api_version}


def _legacy(event: Object, reporter: str) -> Errors:
    """The rules of the core group; `reporter` is what the reporting component is called."""
    errors: Errors = []
    namespace, about = namespace_of(event), text(part(event, "involvedObject"), "namespace")
    if event.get("eventTime"):
        lost = not about and namespace not in ("default", "kube-system")
    else:
        lost = namespace != about if about else namespace not in ("", "default")
    if lost:
        why = "does not match event.namespace"
        errors.append(invalid("involvedObject.namespace", about, why))
    if event.get("eventTime"):
        errors += _reported(event, reporter)
    return errors + checks.obey(formats.dns1123_subdomain, namespace, "namespace")


def _reported(event: Object, reporter: str) -> Errors:
    errors: Errors = []
    component = text(event, "reportingComponent")
    if not component:
        errors.append(required(reporter))
    errors += checks.obey(formats.label_key, component, reporter)
    for field, limit in _LIMITS.items():
        value = text(event, field)
        if not value and field != "message":
            errors.append(required(field))
        if len(value.encode()) > limit:
            errors.append(invalid(field, "", f"can have at most {limit} characters"))
    return errors


def _series(event: Object) -> Errors:
    series = event.get("series")
    errors: Errors = []
    if series is None:
        return errors
    if number(series, "count") < 2:
        errors.append(invalid("series.count", "", "should be at least 2"))
    if not series.get("lastObservedTime"):
        errors.append(required("series.lastObservedTime"))
    return errors


def _validate_core(obj: Object) -> Errors:
    return _legacy(obj, "reportingComponent")


def _validate_core_update(new: Object, _old: Object) -> Errors:
    return _legacy(new, "reportingComponent")


def _validate_events(obj: Object) -> Errors:
    event = to_core(obj)
    errors = _legacy(event, "reportingController")
    errors += metadata.built_in(event, metadata.dns_subdomain) + _series(event)
    if not event.get("eventTime"):
        errors.append(required("eventTime"))
    kind = text(event, "type")
    if kind not in ("Normal", "Warning"):
        errors.append(invalid("type", "", f"has invalid value: {kind}"))
    errors += [invalid(field, "", "needs to be unset") for field in _UNSET if event.get(field)]
    return errors


def _validate_events_update(new: Object, old: Object) -> Errors:
    event, before = to_core(new), to_core(old)
    errors = _legacy(event, "reportingController") + metadata.built_in_update(event, before)
    if event.get("series") != before.get("series"):
        errors += _series(event)
    for field in _FIXED:
        if not same(event.get(field), before.get(field)):
            named = "reportingController" if field == "reportingComponent" else field
            errors.append(invalid(named, _shown(field, event.get(field)), checks.IMMUTABLE))
    return errors


def _shown(field: str, value: Any) -> Any:
    if field in _STRUCTS:
        absent = value is None and field == "related"
        return None if absent else go_struct.render(_STRUCTS[field], value or {})
    if field == "count":
        return value or 0
    return value or (None if field in _TIMES else "")


CORE_EVENT = Behaviour(
    validate=_validate_core, validate_update=_validate_core_update, create_on_update=True
)
EVENT = Behaviour(
    validate=_validate_events,
    validate_update=_validate_events_update,
    create_on_update=True,
    convert=_converted,
)
