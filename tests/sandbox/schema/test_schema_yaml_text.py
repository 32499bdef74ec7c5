"""Bytes that are no text, in YAML bodies: the words of Go's reader."""

import pytest

from tutor.sandbox.schema.errors import UnrecognizedError
from tutor.sandbox.schema.yaml_body import parse_yaml


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"a: \xff", "yaml: invalid leading UTF-8 octet"),
        (b"a: \xc3(", "yaml: invalid trailing UTF-8 octet"),
        (b"a: \xc3", "yaml: incomplete UTF-8 octet sequence"),
        (b"\xff\xfea", "yaml: incomplete UTF-16 character"),
    ],
)
def test_what_is_no_text_is_told_as_the_server_does(body: bytes, why: str) -> None:
    with pytest.raises(UnrecognizedError) as caught:
        parse_yaml(body)
    assert str(caught.value) == why


def test_text_in_utf_16_is_read() -> None:
    assert parse_yaml("a: ä".encode("utf-16")).value == {"a": "ä"}


def test_key_that_is_nothing_is_told_with_its_value() -> None:
    with pytest.raises(UnrecognizedError, match=r'key: <nil>, value: "c"$'):
        parse_yaml(b"null: c")
