"""Times and durations of objects, which are texts there and values of their own to rules.

Source: kube-openapi (`pkg/validation/strfmt/{time,date,duration}.go`).
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

_STRICT = re.compile(r"[+-]?(?:0|(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+)")
_PART = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_LOOSE = re.compile(r"(\d+)\s*([A-Za-zµ]+)")
_SECONDS: Mapping[str, float] = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,
    "ms": 1e-3,
    "s": 1,
    "m": 60,
    "h": 3600,
}
_LOOSE_UNITS: tuple[tuple[re.Pattern[str], float], ...] = (
    (re.compile("ns|nano.*"), 1e-9),
    (re.compile("us|µs|micro.*"), 1e-6),
    (re.compile("ms|milli.*"), 1e-3),
    (re.compile("s|sec.*"), 1),
    (re.compile("m|min.*"), 60),
    (re.compile("h|hr|hour.*"), 3600),
    (re.compile("d|day.*"), 86400),
    (re.compile("w|wk|week.*"), 604800),
)


def read_time(value: str | datetime) -> datetime:
    """The time that a text says, a day's first moment too; raises ValueError."""
    if isinstance(value, datetime):
        return value
    found = datetime.fromisoformat(value.upper())
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def read_span(value: str | timedelta) -> timedelta:
    """The duration that a text says; raises ValueError."""
    if isinstance(value, timedelta):
        return value
    if _STRICT.fullmatch(value):
        total = sum(float(count) * _SECONDS[unit] for count, unit in _PART.findall(value))
        return timedelta(seconds=-total if value.startswith("-") else total)
    found = [
        int(count) * factor
        for count, unit in _LOOSE.findall(value)
        for pattern, factor in _LOOSE_UNITS
        if pattern.fullmatch(unit.lower())
    ]
    if not found:
        raise ValueError(f"Invalid duration {value}: unable to parse {value} as duration")
    return timedelta(seconds=sum(found))


def time_text(value: str | datetime) -> str:
    """A time in its own zone; raises ValueError."""
    found = read_time(value)
    fraction = f"{found.microsecond:06}".rstrip("0")
    zone = found.isoformat()[-6:] if found.utcoffset() else "Z"
    point = "." if fraction else ""
    return f"{found:%Y-%m-%dT%H:%M:%S}{point}{fraction}{zone}"


def span_text(value: str | timedelta) -> str:
    """A duration in seconds; raises ValueError."""
    found = read_span(value)
    seconds, rest = divmod(abs(round(found / timedelta(microseconds=1))), 1_000_000)
    fraction = f".{rest:06}".rstrip("0").rstrip(".")
    return f"{'-' if found < timedelta() else ''}{seconds}{fraction}s"


def milliseconds(value: str | timedelta) -> int:
    """A duration in milliseconds; raises ValueError."""
    return int(read_span(value) / timedelta(milliseconds=1))
