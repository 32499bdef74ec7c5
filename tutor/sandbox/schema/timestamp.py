"""Times as the server reads and writes them, and what Go says of text that is no time.

Source: k8s.io/apimachinery v0.36, meta/v1 Time and MicroTime; Go 1.26, package time.
"""

import re
from datetime import datetime, timedelta
from functools import lru_cache

from tutor.sandbox.schema.errors import DecodeError

_UTC_SECOND = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_ZERO = "0001-01-01T00:00:00"
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@lru_cache(maxsize=2048)
def canonical_time(text: str, *, is_micro: bool = False) -> str | None:
    """UTC with seconds (or microseconds), None for the zero time; raises `DecodeError`.

    A fraction of a second is read everywhere and dropped where only seconds are kept; times with
    microseconds want exactly six digits.
    """
    if _UTC_SECOND.fullmatch(text) and not is_micro:
        try:
            datetime.fromisoformat(text)
        except ValueError:
            pass  # the year 0, or no date: the reader below knows
        else:
            return None if text.startswith(_ZERO) else text
    return _Reader(text, is_micro=is_micro).read()


class _Reader:
    """Goes through a text as Go goes through its layout, one element after the other."""

    def __init__(self, text: str, *, is_micro: bool) -> None:
        self._text = text
        self._rest = text
        self._is_micro = is_micro
        fraction = ".000000" if is_micro else ""
        self._layout = f"2006-01-02T15:04:05{fraction}Z07:00"

    def read(self) -> str | None:
        year = self._number("2006", 4)
        self._literal("-")
        month = self._ranged("01", "month", 1, 12)
        self._literal("-")
        day = self._number("02", 2)
        self._literal("T")
        hour = self._ranged("15", "hour", 0, 23, may_be_short=True)
        self._literal(":")
        minute = self._ranged("04", "minute", 0, 59)
        self._literal(":")
        second = self._ranged("05", "second", 0, 59)
        micro = self._fraction()
        offset = self._zone()
        if self._rest:
            raise self._error(f": extra text: {_quote(self._rest)}")
        if not 1 <= day <= _DAYS[month - 1] + (month == 2 and _is_leap(year)):
            raise self._error(": day out of range")
        # Python has no year 0 and none after 9999; the calendar repeats every 400 years.
        there = datetime(2000 + year % 400, month, day, hour, minute, second)  # noqa: DTZ001 (UTC throughout)
        utc = there - offset
        shown = f"{utc.year + year - there.year:04d}-{utc:%m-%dT%H:%M:%S}"
        if shown == _ZERO and not micro:
            return None
        return f"{shown}.{micro:06d}Z" if self._is_micro else f"{shown}Z"

    def _number(self, element: str, width: int, *, may_be_short: bool = False) -> int:
        found = re.match(r"[0-9]{1,2}" if may_be_short else rf"[0-9]{{{width}}}", self._rest)
        if not found:
            raise self._cannot_parse(element)
        self._rest = self._rest[found.end() :]
        return int(found[0])

    def _ranged(
        self, element: str, unit: str, low: int, high: int, *, may_be_short: bool = False
    ) -> int:
        number = self._number(element, 2, may_be_short=may_be_short)
        if not low <= number <= high:
            raise self._error(f": {unit} out of range")
        return number

    def _literal(self, char: str) -> None:
        if not self._rest.startswith(char):
            raise self._cannot_parse(char)
        self._rest = self._rest[1:]

    def _fraction(self) -> int:
        """Microseconds."""
        found = re.match(r"[.,]([0-9]{6})" if self._is_micro else r"[.,]([0-9]+)", self._rest)
        if found:
            self._rest = self._rest[found.end() :]
            return int(found[1][:6].ljust(6, "0"))
        if self._is_micro:
            raise self._cannot_parse(".000000")
        return 0

    def _zone(self) -> timedelta:
        if self._rest.startswith("Z"):
            self._rest = self._rest[1:]
            return timedelta()
        found = re.match(r"([+-])([0-9]{2}):([0-9]{2})", self._rest)
        if not found:
            raise self._cannot_parse("Z07:00")
        hours, minutes = int(found[2]), int(found[3])
        if hours > 24:
            raise self._error(": time zone offset hour out of range")
        if minutes > 60:
            raise self._error(": time zone offset minute out of range")
        self._rest = self._rest[found.end() :]
        offset = timedelta(hours=hours, minutes=minutes)
        return -offset if found[1] == "-" else offset

    def _cannot_parse(self, element: str) -> DecodeError:
        layout, rest = _quote(self._layout), _quote(self._rest)
        return self._error(f" as {layout}: cannot parse {rest} as {_quote(element)}")

    def _error(self, message: str) -> DecodeError:
        return DecodeError(f"parsing time {_quote(self._text)}{message}")


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _quote(text: str) -> str:
    """Package time has its own quoting: every byte beyond plain ASCII is written in hexadecimal."""
    return '"' + "".join(_quoted_char(char) for char in text) + '"'


def _quoted_char(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if " " <= char <= "\x7f":
        return char
    return "".join(f"\\x{byte:02x}" for byte in char.encode())
