"""Every expectation here was answered by Kubernetes 1.36's own parsers."""

import pytest

from tutor.sandbox.schema.errors import DecodeError
from tutor.sandbox.schema.quantity import canonical_quantity
from tutor.sandbox.schema.timestamp import canonical_time

QUANTITIES = """
0 0 | 00 0 | + 0 | +5 +5 | -5 -5 | 007 007 | 1.5 1500m | 1.500 1.500 | .5 500m | 1. 1.
1.5Gi 1536Mi | 1024Mi 1Gi | 1000Mi 1000Mi | 1Ki 1Ki | 0.5Gi 512Mi | 0.1 100m | 0.1m 100u
1e3 1e3 | 1E3 1E3 | 1e21 1e21 | 1E 1E | 1000E 1 | 0.5n 1n | 1000m 1 | 1500m 1500m | 1000k 1M
12e6 12e6 | 0.0000000001 1n | 1e-10 1e-9 | 9223372036854775808 9223372036854775808 | 9Ei
9223372036854775807 | 7Ei 7Ei | -1.5 -1500m | -0 0 | 1e+3 1e+3 | 1.23456789123 1234567892n
1024 1024 | 1024Ki 1Mi | 1048576Ki 1Gi | 0Mi 0 | 10000000000000000 10P | 1.1Ki 1126400m
0.001Ki 1024m | 3.5Mi 3584Ki | -1.5Ki -1536 | Ki 0 | . 0 | -.5 -500m | +.5Mi 512Ki | 15e5 1500e3
5000n 5u | 1234567n 1234567n
"""
FORMAT = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)
SUFFIX = "unable to parse quantity's suffix"
SECONDS = "2006-01-02T15:04:05Z07:00"
MICRO = "2006-01-02T15:04:05.000000Z07:00"


def test_quantities_are_canonical() -> None:
    words = QUANTITIES.replace("|", " ").split()
    for text, expected in zip(words[::2], words[1::2], strict=True):
        assert canonical_quantity(text) == expected, text


@pytest.mark.parametrize("text", ["", "abc", "1KB", "1e3m", "1_000", "0x10", "1..2", "1.2.3", "é"])
def test_text_of_another_form_is_no_quantity(text: str) -> None:
    with pytest.raises(DecodeError) as caught:
        canonical_quantity(text)
    assert str(caught.value) == FORMAT


@pytest.mark.parametrize("text", ["1e", "--1", "1Mi2", "1m5", "1e9223372036854775808"])
def test_unknown_suffixes_are_told_apart(text: str) -> None:
    with pytest.raises(DecodeError) as caught:
        canonical_quantity(text)
    assert str(caught.value) == SUFFIX


def test_absurd_exponents_cost_nothing() -> None:
    assert canonical_quantity("15e999999999") == "15e999999999"
    assert canonical_quantity("1e-999999999") == "1e-9"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2020-02-20T00:00:00Z", "2020-02-20T00:00:00Z"),
        ("2020-02-20T00:00:00.123+02:00", "2020-02-19T22:00:00Z"),
        ("2020-02-20T1:00:00Z", "2020-02-20T01:00:00Z"),
        ("2020-02-20T00:00:00,5Z", "2020-02-20T00:00:00Z"),
        ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59-01:00", "10000-01-01T00:59:59Z"),
        ("0001-01-01T00:00:00Z", None),
    ],
)
def test_times_are_utc_with_seconds(text: str, expected: str | None) -> None:
    assert canonical_time(text) == expected


def test_times_with_microseconds_keep_them() -> None:
    assert canonical_time("2020-02-20T01:00:00.12345Z") == "2020-02-20T01:00:00Z"
    found = canonical_time("2020-02-20T01:00:00.123456+01:00", is_micro=True)
    assert found == "2020-02-20T00:00:00.123456Z"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", f'"x" as "{SECONDS}": cannot parse "x" as "2006"'),
        ("2020", f'"2020" as "{SECONDS}": cannot parse "" as "-"'),
        ("2020-01-01", f'"2020-01-01" as "{SECONDS}": cannot parse "" as "T"'),
        ("2020-1-01", f'"2020-1-01" as "{SECONDS}": cannot parse "1-01" as "01"'),
        (
            "2020-01-01T00:00:00",
            f'"2020-01-01T00:00:00" as "{SECONDS}": cannot parse "" as "Z07:00"',
        ),
        ("2020-13-01T00:00:00Z", '"2020-13-01T00:00:00Z": month out of range'),
        ("2019-02-29T12:00:00Z", '"2019-02-29T12:00:00Z": day out of range'),
        ("2020-02-20T24:00:00Z", '"2020-02-20T24:00:00Z": hour out of range'),
        ("2020-02-20T23:00:60Z", '"2020-02-20T23:00:60Z": second out of range'),
        ("2020-02-20T00:00:00Zx", '"2020-02-20T00:00:00Zx": extra text: "x"'),
        (
            "2020-02-20T00:00:00+25:00",
            '"2020-02-20T00:00:00+25:00": time zone offset hour out of range',
        ),
        (
            '2020-02-20T00:00:00é"',
            (
                f'"2020-02-20T00:00:00\\xc3\\xa9\\"" as "{SECONDS}":'
                ' cannot parse "\\xc3\\xa9\\"" as "Z07:00"'
            ),
        ),
    ],
)
def test_what_is_no_time_is_told_as_go_tells_it(text: str, message: str) -> None:
    with pytest.raises(DecodeError) as caught:
        canonical_time(text)
    assert str(caught.value) == f"parsing time {message}"


def test_times_with_microseconds_want_six_digits() -> None:
    with pytest.raises(DecodeError) as caught:
        canonical_time("2020-02-20T00:00:00Z", is_micro=True)
    message = f'parsing time "2020-02-20T00:00:00Z" as "{MICRO}": cannot parse "Z" as ".000000"'
    assert str(caught.value) == message
