"""Times as people read them: `3m6s`, `2d4h`, `6y329d`.

Source: Kubernetes' apimachinery, util/duration (HumanDuration).
"""

from datetime import datetime, timedelta

UNKNOWN = "<unknown>"

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_YEAR = timedelta(days=365)


def human(span: timedelta) -> str:
    """Print a span with two or three significant figures.

    Clocks differ, so up to two seconds in the future count as now; beyond that it is `<invalid>`.
    """
    if span < timedelta(0):
        return "0s" if span > timedelta(seconds=-2) else "<invalid>"
    if span < 2 * _MINUTE:
        return f"{span // timedelta(seconds=1)}s"
    if span < 10 * _MINUTE:
        return _two(span, _MINUTE, "m", timedelta(seconds=1), "s")
    if span < 3 * _HOUR:
        return f"{span // _MINUTE}m"
    return _hours_and_more(span)


def _hours_and_more(span: timedelta) -> str:
    if span < 8 * _HOUR:
        return _two(span, _HOUR, "h", _MINUTE, "m")
    if span < 2 * _DAY:
        return f"{span // _HOUR}h"
    if span < 8 * _DAY:
        return _two(span, _DAY, "d", _HOUR, "h")
    if span < 2 * _YEAR:
        return f"{span // _DAY}d"
    if span < 8 * _YEAR:
        return _two(span, _YEAR, "y", _DAY, "d")
    return f"{span // _YEAR}y"


def _two(span: timedelta, large: timedelta, of_large: str, small: timedelta, of_small: str) -> str:
    rest = span % large // small
    return f"{span // large}{of_large}" + (f"{rest}{of_small}" if rest else "")


def since(timestamp: str | None, now: datetime) -> str:
    """Print the time that has passed since an RFC 3339 timestamp; `<unknown>` without one."""
    return human(now - datetime.fromisoformat(timestamp)) if timestamp else UNKNOWN
