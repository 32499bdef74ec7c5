"""JSON with Go's complaints. Messages: run through Go 1.26's `encoding/json`."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.sandbox.api.gojson import JsonError, decode


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "unexpected end of JSON input"),
        ('{"data":', "unexpected end of JSON input"),
        ("nope", "invalid character 'o' in literal null (expecting 'u')"),
        ("{a:1}", "invalid character 'a' looking for beginning of object key string"),
        ('{"a":1,}', "invalid character '}' looking for beginning of object key string"),
        ('{"a" 1}', "invalid character '1' after object key"),
        ('{"a":1 "b"}', "invalid character '\"' after object key:value pair"),
        ("[1 2]", "invalid character '2' after array element"),
        ("[1,]", "invalid character ']' looking for beginning of value"),
        ("{} x", "invalid character 'x' after top-level value"),
        ('"a\nb"', "invalid character '\\n' in string literal"),
        ('"\\q"', "invalid character 'q' in string escape code"),
        ('"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"),
        ("-x", "invalid character 'x' in numeric literal"),
        ("1.x", "invalid character 'x' after decimal point in numeric literal"),
        ("1ex", "invalid character 'x' in exponent of numeric literal"),
        ("01", "invalid character '1' after top-level value"),
        ("NaN", "invalid character 'N' looking for beginning of value"),
        ("é", "invalid character 'Ã' looking for beginning of value"),
        ('"\x01"', "invalid character '\\x01' in string literal"),
        ("'a'", "invalid character '\\'' looking for beginning of value"),
    ],
)
def test_json_when_malformed_is_refused_in_the_words_of_go(text: str, message: str) -> None:
    with pytest.raises(JsonError) as caught:
        decode(text.encode())
    assert str(caught.value) == message


def test_json_with_repeated_fields_keeps_the_last_and_names_their_paths() -> None:
    document = decode(b'{"a":1,"a":2,"b":[{"c":1,"c":2,"c":3}]}')
    assert document.value == {"a": 2, "b": [{"c": 3}]}
    assert document.duplicates == ["a", "b[0].c", "b[0].c"]


def test_json_integer_when_beyond_int64_becomes_a_float() -> None:
    assert decode(b"[9223372036854775807,9223372036854775808]").value == [
        2**63 - 1,
        9.223372036854775808e18,
    ]


@given(st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3), st.lists))
def test_json_when_good_reads_as_python_reads_it(value: object) -> None:
    assert decode(json.dumps(value).encode()).value == value
