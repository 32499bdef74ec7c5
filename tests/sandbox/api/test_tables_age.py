"""Ages. Values are those of Kubernetes' HumanDuration."""

from datetime import UTC, datetime, timedelta

import pytest

from tutor.sandbox.api.printers.age import human, since

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("span", "shown"),
    [
        (timedelta(seconds=-2), "<invalid>"),
        (timedelta(seconds=-1.9), "0s"),
        (timedelta(), "0s"),
        (timedelta(milliseconds=999), "0s"),
        (timedelta(seconds=119), "119s"),
        (timedelta(minutes=2), "2m"),
        (timedelta(minutes=3, seconds=6), "3m6s"),
        (timedelta(minutes=10, seconds=30), "10m"),
        (timedelta(minutes=179), "179m"),
        (timedelta(hours=3), "3h"),
        (timedelta(hours=7, minutes=59), "7h59m"),
        (timedelta(hours=8, minutes=30), "8h"),
        (timedelta(hours=47), "47h"),
        (timedelta(days=2), "2d"),
        (timedelta(days=7, hours=23), "7d23h"),
        (timedelta(days=8, hours=5), "8d"),
        (timedelta(days=729), "729d"),
        (timedelta(days=730), "2y"),
        (timedelta(days=6 * 365 + 329), "6y329d"),
        (timedelta(days=8 * 365 + 100), "8y"),
    ],
)
def test_human_keeps_two_or_three_figures(span: timedelta, shown: str) -> None:
    assert human(span) == shown


def test_since_counts_from_the_timestamp() -> None:
    assert since("2026-11-23T11:56:54Z", NOW) == "3m6s"
    assert since("2026-11-23T11:56:54.123456Z", NOW) == "3m5s"


def test_since_is_unknown_when_there_is_no_timestamp() -> None:
    assert since(None, NOW) == "<unknown>"
