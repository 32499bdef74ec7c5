"""Formats of names and labels. Messages: the recording `errors/invalid-metadata`."""

# ruff: noqa: E501 - the messages are kept whole, as recorded

import pytest

from tutor.sandbox.api import formats


@pytest.mark.parametrize(
    ("complaints", "message"),
    [
        (formats.dns1123_subdomain("a.b-c.1"), ""),
        (
            formats.dns1123_subdomain("a..b"),
            (
                "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
                "'-' or '.', and must start and end with an alphanumeric character (e.g. "
                "'example.com', regex used for validation is "
                r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
            ),
        ),
        (formats.dns1123_subdomain("x" * 254), "must be no more than 253 characters"),
        (formats.dns1123_label("a.b"), "must not contain dots"),
        (formats.dns1035_label("a1"), ""),
        (
            formats.dns1035_label("1a"),
            (
                "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start "
                "with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',"
                "  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
            ),
        ),
        (
            formats.label_key("a/b/c"),
            (
                "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must "
                "start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or "
                "'123-abc', regex used for validation is "
                "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix "
                "and '/' (e.g. 'example.com/MyName')"
            ),
        ),
        (formats.label_key("/a"), "prefix part must be non-empty"),
        (formats.label_key("example.com/" + "n" * 64), "name part must be no more than 63 bytes"),
        (
            formats.label_value("-bad-"),
            (
                "a valid label must be an empty string or consist of alphanumeric characters, '-', "
                "'_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  "
                "or 'my_value',  or '12345', regex used for validation is "
                "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
            ),
        ),
        (formats.label_value(""), ""),
    ],
)
def test_format_when_checked_says_what_the_server_says(complaints: list[str], message: str) -> None:
    assert "; ".join(complaints) == message
