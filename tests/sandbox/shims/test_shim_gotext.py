"""Go's text. Source: recorded from strconv, time and encoding/base64 of Go."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.sandbox.shims import gotext, yamltext


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b", '"a b"'),
        ('"\\', r'"\"\\"'),
        ("\n\t\x00\x7f", r'"\n\t\x00\x7f"'),
        ("é中", '"é中"'),
        ("\u200b", r'"\u200b"'),
    ],
)
def test_quote_escapes_what_go_escapes(text: str, expected: str) -> None:
    assert gotext.quote(text) == expected


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("0", "0s"),
        ("10m", "10m0s"),
        ("1h2m3.5s", "1h2m3.5s"),
        ("90s", "1m30s"),
        ("1500ms", "1.5s"),
        ("300us", "300µs"),
        ("-1m", "-1m0s"),
        (".5s", "500ms"),
        ("5ns", "5ns"),
    ],
)
def test_duration_is_read_and_written(text: str, written: str) -> None:
    assert gotext.format_duration(gotext.parse_duration(text)) == written


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", 'time: invalid duration ""'),
        ("abc", 'time: invalid duration "abc"'),
        ("5", 'time: missing unit in duration "5"'),
        ("1..5s", 'time: missing unit in duration "1..5s"'),
        ("5x", 'time: unknown unit "x" in duration "5x"'),
        ("µ", r'time: invalid duration "\xc2\xb5"'),
        ("9999999h", 'time: invalid duration "9999999h"'),
    ],
)
def test_duration_that_is_none_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match="time: ") as refused:
        gotext.parse_duration(text)
    assert str(refused.value) == problem


@pytest.mark.parametrize(
    ("text", "expected"),
    [("10", 10), ("-1", -1), ("+7", 7), ("0x1F", 31), ("010", 8), ("0b11", 3), ("1_000", 1000)],
)
def test_number_is_read_with_its_base(text: str, expected: int) -> None:
    assert gotext.parse_int(text, bits=32, signed=True) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "invalid syntax"),
        ("x", "invalid syntax"),
        ("1.5", "invalid syntax"),
        ("--1", "invalid syntax"),
        (" 1", "invalid syntax"),
        ("2147483648", "value out of range"),
    ],
)
def test_number_that_is_none_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refused:
        gotext.parse_int(text, bits=32, signed=True)
    assert str(refused.value) == f"strconv.ParseInt: parsing {gotext.quote(text)}: {reason}"


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("-----BEGIN", 0),
        ("LS0tLUJFR0l..........", 11),
        ("LS0t%", 4),
        ("AAA", 0),
        ("AAAAA", 4),
        ("AB=A", 2),
        ("AB==C", 4),
        ("AB=\n", 4),
        ("A===", 1),
        ("\nA!", 2),
    ],
)
def test_base64_that_is_none_names_the_byte(text: str, position: int) -> None:
    with pytest.raises(ValueError, match=f"^illegal base64 data at input byte {position}$"):
        gotext.decode_base64(text)


@given(st.binary(max_size=60))
def test_base64_of_anything_is_read_back(data: bytes) -> None:
    for encoded in (base64.b64encode(data), base64.encodebytes(data)):
        assert gotext.decode_base64(encoded.decode()) == data


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain text", "plain text"),
        ("", '""'),
        ("true", '"true"'),
        ("on", '"on"'),
        ("123", '"123"'),
        ("1e3", '"1e3"'),
        ("2023-08-09T18:35:00Z", '"2023-08-09T18:35:00Z"'),
        ("a: b", "'a: b'"),
        ("- a", "'- a'"),
        ("a\nb\n", "|\n  a\n  b"),
        ("é", "é"),
    ],
)
def test_yaml_text_is_quoted_as_go_yaml_quotes(text: str, written: str) -> None:
    assert yamltext.dump({"k": text}) == f"k: {written}\n"


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_yaml_written_is_read_back(value: object) -> None:
    assert yamltext.load(yamltext.dump({"k": value})) == {"k": value}
