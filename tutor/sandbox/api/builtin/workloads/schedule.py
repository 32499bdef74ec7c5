"""The schedules and time zones of cron jobs.

Source: the cron library of the real server (robfig/cron v3), `apis/batch/validation/validation.go`.
"""

import re
from dataclasses import dataclass, field
from zoneinfo import available_timezones

from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.go_duration import DurationError, parse_duration
from tutor.sandbox.api.status import invalid

_DESCRIPTORS = ("yearly", "annually", "monthly", "weekly", "daily", "midnight", "hourly")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True, slots=True)
class _Bounds:
    low: int
    high: int
    names: dict[str, int] = field(default_factory=dict[str, int])


_FIELDS = (
    _Bounds(0, 59),
    _Bounds(0, 23),
    _Bounds(1, 31),
    _Bounds(1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    _Bounds(0, 6, {name: number for number, name in enumerate(_DAYS)}),
)


class ScheduleError(ValueError):
    """A schedule that cannot be read; its text is the library's."""


def check_schedule(schedule: str) -> None:
    """Raise `ScheduleError` unless this is a cron schedule of five fields or a descriptor."""
    if schedule.startswith(("TZ=", "CRON_TZ=")):
        schedule = schedule.partition(" ")[2].strip()
    if schedule.startswith("@"):
        _check_descriptor(schedule)
        return
    fields = schedule.split()
    if len(fields) != len(_FIELDS):
        listed = " ".join(fields)
        raise ScheduleError(f"expected exactly 5 fields, found {len(fields)}: [{listed}]")
    for written, bounds in zip(fields, _FIELDS, strict=True):
        for expression in filter(None, written.split(",")):
            _check_range(expression, bounds)


def _check_descriptor(descriptor: str) -> None:
    if descriptor[1:] in _DESCRIPTORS:
        return
    if not descriptor.startswith("@every "):
        raise ScheduleError(f"unrecognized descriptor: {descriptor}")
    try:
        parse_duration(descriptor.removeprefix("@every "))
    except DurationError as error:
        raise ScheduleError(f"failed to parse duration {descriptor}: {error}") from None


def _check_range(expression: str, bounds: _Bounds) -> None:
    span, *steps = expression.split("/")
    first, *rest = span.split("-")
    if first in ("*", "?"):
        start, end = bounds.low, bounds.high
    else:
        start = _number(first, bounds)
        if len(rest) > 1:
            raise ScheduleError(f"too many hyphens: {expression}")
        end = _number(rest[0], bounds) if rest else start
    if len(steps) > 1:
        raise ScheduleError(f"too many slashes: {expression}")
    step = _whole(steps[0]) if steps else 1
    if steps and not rest:
        end = bounds.high
    _check_order(start, end, step, expression, bounds)


def _check_order(start: int, end: int, step: int, expression: str, bounds: _Bounds) -> None:
    if start < bounds.low:
        why = f"beginning of range ({start}) below minimum ({bounds.low})"
    elif end > bounds.high:
        why = f"end of range ({end}) above maximum ({bounds.high})"
    elif start > end:
        why = f"beginning of range ({start}) beyond end of range ({end})"
    elif step == 0:
        why = "step of range should be a positive number"
    else:
        return
    raise ScheduleError(f"{why}: {expression}")


def _number(written: str, bounds: _Bounds) -> int:
    named = bounds.names.get(written.lower())
    return _whole(written) if named is None else named


def _whole(written: str) -> int:
    if not re.fullmatch(r"[+-]?\d+", written):
        problem = f'strconv.Atoi: parsing "{written}": invalid syntax'
        raise ScheduleError(f"failed to parse int from {written}: {problem}")
    if (number := int(written)) < 0:
        raise ScheduleError(f"negative number ({number}) not allowed: {written}")
    return number


def schedule_errors(schedule: str, *, zoned_before: bool, time_zone: str | None) -> Errors:
    """What is wrong with a schedule. `zoned_before`: the old one named a zone, and still may."""
    errors: Errors = []
    path = "spec.schedule"
    try:
        check_schedule(schedule)
    except ScheduleError as error:
        errors.append(invalid(path, schedule, str(error)))
    if "TZ" not in schedule:
        return errors
    if not zoned_before:
        why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        errors.append(invalid(path, schedule, why))
    elif time_zone is not None:
        why = "cannot use both timeZone field and TZ or CRON_TZ in schedule"
        errors.append(invalid(path, schedule, why))
    return errors


def time_zone_errors(zone: str | None) -> Errors:
    """What is wrong with a time zone."""
    path = "spec.timeZone"
    if zone is None:
        return []
    if not zone:
        return [invalid(path, zone, "timeZone must be nil or non-empty string")]
    unknown = invalid(path, zone, f"unknown time zone {zone}")
    for name in zone.split("/"):
        if name in (".", "..") or not re.fullmatch(r"(?!-)[A-Za-z.\-_0-9+]{1,14}", name):
            return [unknown]
    if zone.lower() == "local":
        why = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        errors = [invalid(path, zone, why)]
        return errors if zone == "Local" else [*errors, unknown]
    zones = available_timezones()
    # A machine may have no list of zones; then any that looks like one will do.
    return [] if zone in zones or not zones else [unknown]
