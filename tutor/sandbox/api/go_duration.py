"""Go durations as text and as nanoseconds.

Source: Go's time.ParseDuration and Duration.String, whose sentences end up in refusals.
"""

import re

from tutor.sandbox.api.status import go_quote

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": SECOND,
    "m": MINUTE,
    "h": HOUR,
}
_MAX = (1 << 63) - 1
_NUMBER = re.compile(r"(\d*)(?:(\.)(\d*))?")
_UNIT = re.compile(r"[^.\d]*")
_DIGITS = frozenset("0123456789.")


class DurationError(ValueError):
    """Not a duration; the text is Go's own sentence."""


def parse_duration(text: str) -> int:
    """Nanoseconds of a duration such as `2160h` or `1h30m`; raises DurationError."""
    sign, rest = (-1, text[1:]) if text[:1] == "-" else (1, text.removeprefix("+"))
    if rest == "0":
        return 0
    if not rest:
        raise DurationError(f"time: invalid duration {go_quote(text)}")
    total = 0
    while rest:
        nanoseconds, rest = _term(text, rest)
        total += nanoseconds
        if total > _MAX:
            raise DurationError(f"time: invalid duration {go_quote(text)}")
    return sign * total


def _term(text: str, rest: str) -> tuple[int, str]:
    number = _NUMBER.match(rest)
    if number is None or rest[0] not in _DIGITS or not (number[1] or number[3]):
        raise DurationError(f"time: invalid duration {go_quote(text)}")
    rest = rest[number.end() :]
    found = _UNIT.match(rest)
    unit = found[0] if found else ""
    if not unit:
        raise DurationError(f"time: missing unit in duration {go_quote(text)}")
    if unit not in _UNITS:
        raise DurationError(f"time: unknown unit {go_quote(unit)} in duration {go_quote(text)}")
    scale, fraction = _UNITS[unit], number[3] or ""
    nanoseconds = int(number[1] or 0) * scale
    if fraction:
        nanoseconds += int(fraction) * scale // 10 ** len(fraction)
    return nanoseconds, rest[len(unit) :]


def format_duration(nanoseconds: int) -> str:
    """The canonical text: `2160h0m0s`, `30m0s`, `1.5s`, `0s`."""
    if nanoseconds == 0:
        return "0s"
    sign, value = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    if value < SECOND:
        unit = next(u for u in ("ms", "µs", "ns") if value >= _UNITS[u])
        return f"{sign}{_decimal(value, _UNITS[unit])}{unit}"
    minutes, seconds = divmod(value, MINUTE)
    hours, minutes = divmod(minutes, 60)
    text = f"{_decimal(seconds, SECOND)}s"
    if hours:
        return f"{sign}{hours}h{minutes}m{text}"
    return f"{sign}{minutes}m{text}" if minutes else f"{sign}{text}"


def _decimal(value: int, scale: int) -> str:
    whole, rest = divmod(value, scale)
    fraction = str(rest).zfill(len(str(scale)) - 1).rstrip("0") if rest else ""
    return f"{whole}.{fraction}" if fraction else str(whole)
