"""Go's regular expressions, URLs and string formats. Outcomes: run through Go 1.26."""

import re

import pytest

from tutor.sandbox.api.structural.regex import RegexError, go_regex
from tutor.sandbox.api.structural.string_formats import STRING_FORMATS
from tutor.sandbox.api.structural.url import parse_url


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("^a$", "a\n", False),
        ("(?m)^b$", "a\nb", True),
        (r"^\d+$", "٣", False),
        (r"^\w$", "é", False),
        ("a(?i)b|C", "c", True),
        ("a(?i)b|C", "AB", False),
        ("(?s)a.b", "a\nb", True),
        (r"\Qa.b\E", "axb", False),
        (r"\x41\x{42}", "AB", True),
        (r"^[[:alpha:]-]+$", "a-b", True),
        (r"^[\]\[]$", "[", True),
        ("^a{,2}$", "a{,2}", True),
        (r"^\p{L}+$", "éa", True),
        (r"^\P{L}$", "a", False),
        (r"^\s$", "\v", False),
        (r"\z", "x", True),
        ("^(?P<n>a)(?<m>b)$", "ab", True),
        ("^*", "", True),
    ],
)
def test_pattern_when_searched_finds_what_go_finds(pattern: str, text: str, found: bool) -> None:
    assert (go_regex(pattern).search(text) is not None) is found


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(", "missing closing ): `(`"),
        ("a)", "unexpected ): `a)`"),
        ("[a", "missing closing ]: `[a`"),
        ("*a", "missing argument to repetition operator: `*`"),
        ("a**", "invalid nested repetition operator: `**`"),
        ("a{1001}", "invalid repeat count: `{1001}`"),
        ("\\", "trailing backslash at end of expression: ``"),
        (r"\y", r"invalid escape sequence: `\y`"),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
        ("(?P<n-1>a)", "invalid named capture: `(?P<n-1>`"),
        ("[z-a]", "invalid character class range: `z-a`"),
        ("[[:foo:]]", "invalid character class range: `[:foo:]`"),
    ],
)
def test_pattern_when_go_refuses_it_is_refused_in_gos_words(pattern: str, message: str) -> None:
    with pytest.raises(RegexError) as caught:
        go_regex(pattern)
    assert str(caught.value) == f"error parsing regexp: {message}"


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("uri", "https://a.example/x", "a.example/x"),
        ("email", "Jo <jo@example.com>", "jo.example.com"),
        ("hostname", "a-1.example", "-a.example"),
        ("ipv4", "010.0.0.1", "300.0.0.1"),
        ("ipv6", "::1", "1.2.3.4"),
        ("cidr", "10.0.0.0/8", "10.0.0.0/33"),
        ("mac", "01:23:45:67:89:ab", "01:23"),
        ("uuid4", "b4b0c3a2-7b3d-4b0e-8b1a-3e1e7a7b9d11", "b4b0c3a2-7b3d-1b0e-8b1a-3e1e7a7b9d11"),
        ("isbn", "978-0321751041", "978-0321751042"),
        ("creditcard", "4111 1111 1111 1111", "4111 1111 1111 1112"),
        ("hexcolor", "#FFF", "#FFFF"),
        ("rgbcolor", "rgb(255,0,1)", "rgb(256,0,1)"),
        ("byte", "aGVsbG8=", "aGVsbG8"),
        ("date", "2024-02-29", "2023-02-29"),
        ("datetime", "2014-12-15T19:30:20.000Z", "2014-12-15 19:30:20"),
        ("datetime", "2014-12-15t19:30:20+01:00", "2014-12-15T24:00:00Z"),
        ("duration", "1h30m", "soon"),
        ("duration", "3 days", "1x"),
        ("bsonobjectid", "507f1f77bcf86cd799439011", "507f"),
    ],
)
def test_format_when_asked_tells_good_from_bad(name: str, good: str, bad: str) -> None:
    assert STRING_FORMATS[name](good)
    assert not STRING_FORMATS[name](bad)


def test_url_when_parsed_has_its_parts() -> None:
    url = parse_url("HTTPS://user:pw@[::1]:8443/a%20b?x=1")
    assert (url.scheme, url.hostname, url.port, url.path) == ("https", "::1", "8443", "/a b")
    assert (url.escaped_path, url.query) == ("/a%20b", "x=1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty url"),
        ("a/b", "invalid URI for request"),
        (":a", "missing protocol scheme"),
        ("http://h:x/", 'invalid port ":x" after host'),
        ("http://[::1/", "missing ']' in host"),
        ("/%zz", 'invalid URL escape "%zz"'),
        ("http://a b/", 'invalid character " " in host name'),
        ("\x01", "net/url: invalid control character in URL"),
    ],
)
def test_url_when_malformed_is_refused_in_gos_words(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        parse_url(text)
