"""Go durations. Source: Go's time package; cert-manager.md 2.5, 2.6."""

import pytest

from tutor.sandbox.api.go_duration import (
    DurationError,
    format_duration,
    parse_duration,
)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("2160h", "2160h0m0s"),
        ("360h", "360h0m0s"),
        ("90m", "1h30m0s"),
        ("30m", "30m0s"),
        ("1h30m5.25s", "1h30m5.25s"),
        ("1500ms", "1.5s"),
        ("1.5us", "1.5µs"),
        ("-5m", "-5m0s"),
        ("0", "0s"),
        (".5h", "30m0s"),
    ],
)
def test_duration_is_written_canonically(text: str, canonical: str) -> None:
    assert format_duration(parse_duration(text)) == canonical


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("90d", 'time: unknown unit "d" in duration "90d"'),
        ("2160", 'time: missing unit in duration "2160"'),
        ("", 'time: invalid duration ""'),
        ("h", 'time: invalid duration "h"'),
        ("1h 30m", 'time: unknown unit "h " in duration "1h 30m"'),
        ("9999999999h", 'time: invalid duration "9999999999h"'),
    ],
)
def test_duration_that_is_none_says_what_go_says(text: str, message: str) -> None:
    with pytest.raises(DurationError) as caught:
        parse_duration(text)
    assert str(caught.value) == message
