"""When a cron schedule is due.

Source: the cron library of the real server (robfig/cron v3): of the days of the month and of the
week either will do, unless one of them is any day.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

_DESCRIPTORS = {
    "yearly": "0 0 1 1 *",
    "annually": "0 0 1 1 *",
    "monthly": "0 0 1 * *",
    "weekly": "0 0 * * 0",
    "daily": "0 0 * * *",
    "midnight": "0 0 * * *",
    "hourly": "0 * * * *",
}
_BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NAMES = {name: number for number, name in enumerate(_MONTHS, 1)} | {
    name: number for number, name in enumerate(_DAYS)
}
_EVERY = "@every "
_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
_LONGEST = timedelta(days=5 * 366)


@dataclass(frozen=True, slots=True)
class _Fields:
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool

    def covers(self, day: date) -> bool:
        """Whether something is due on a day."""
        if day.month not in self.months:
            return False
        by_month, by_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return (by_month or by_week) if self.either_day else (by_month and by_week)


def next_time(schedule: str, after: datetime, zone: tzinfo) -> datetime | None:
    """The first time after a moment, None when there is none in the next years.

    `schedule` has been checked.
    """
    if schedule.startswith(("TZ=", "CRON_TZ=")):
        schedule = schedule.partition(" ")[2].strip()
    if schedule.startswith(_EVERY):
        return after.replace(microsecond=0) + _interval(schedule.removeprefix(_EVERY))
    fields = _fields(_DESCRIPTORS.get(schedule.removeprefix("@"), schedule))
    return next(_times(fields, after.astimezone(zone), zone), None)


def _interval(duration: str) -> timedelta:
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(duration))
    return timedelta(seconds=max(int(seconds), 1))


def _fields(schedule: str) -> _Fields:
    written = schedule.split()
    sets = [_numbers(one, bounds) for one, bounds in zip(written, _BOUNDS, strict=True)]
    any_day = any(one.startswith(("*", "?")) for one in (written[2], written[4]))
    return _Fields(*sets, either_day=not any_day)


def _numbers(written: str, bounds: tuple[int, int]) -> frozenset[int]:
    found: set[int] = set()
    for expression in filter(None, written.split(",")):
        span, _, step = expression.partition("/")
        first, _, last = span.partition("-")
        if first in ("*", "?"):
            start, end = bounds
        else:
            start = _number(first)
            end = _number(last) if last else bounds[1] if step else start
        found.update(range(start, end + 1, int(step or 1)))
    return frozenset(found)


def _number(written: str) -> int:
    return _NAMES.get(written.lower(), -1) if written[0].isalpha() else int(written)


def _times(fields: _Fields, after: datetime, zone: tzinfo) -> Iterator[datetime]:
    day = after.date()
    while day - after.date() < _LONGEST:
        if fields.covers(day):
            for hour in sorted(fields.hours):
                for minute in sorted(fields.minutes):
                    moment = datetime.combine(day, time(hour, minute), zone)
                    if moment > after:
                        yield moment
        day += timedelta(days=1)
