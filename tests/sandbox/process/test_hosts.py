"""The sandbox's own hosts file: who is where, and what Go says of those who are nowhere."""

from pathlib import Path

import pytest

from tutor.sandbox.process.hosts import (
    Destination,
    HostPort,
    Nowhere,
    Real,
    Served,
    Unknown,
    destination,
    parse,
    read,
)

HOSTS = """
127.0.0.1 localhost
127.0.0.1\tProxy.local. alias   # the lesson's
10.0.0.1 proxy.local
::1 six.local
not-an-address name.local
127.0.0.2
192.0.2.1 outside.example.org
10.96.0.7 inside.local
"""
SERVED = ("get.example.org",)


def test_first_line_that_has_a_name_counts_and_case_and_comments_do_not() -> None:
    assert parse(HOSTS) == {
        "localhost": "127.0.0.1",
        "proxy.local": "127.0.0.1",
        "alias": "127.0.0.1",
        "six.local": "::1",
        "outside.example.org": "192.0.2.1",
        "inside.local": "10.96.0.7",
    }


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment", "127.0.0.1", "\x00\xff garbage"])
def test_file_without_a_name_knows_nobody(text: str) -> None:
    assert parse(text) == {}


def test_file_that_is_not_there_or_no_text_knows_nobody(tmp_path: Path) -> None:
    assert read(tmp_path / "none") == {}
    assert read(tmp_path) == {}
    (tmp_path / "hosts").write_bytes(b"\xff\xfe\n127.0.0.1 good\n")
    assert read(tmp_path / "hosts") == {"good": "127.0.0.1"}


@pytest.mark.parametrize(
    ("host", "leads_to"),
    [
        ("proxy.local", HostPort("127.0.0.1", 443)),
        ("PROXY.local.", HostPort("127.0.0.1", 443)),
        ("six.local", HostPort("::1", 443)),
        ("localhost", HostPort("127.0.0.1", 443)),
        ("127.0.0.1", HostPort("127.0.0.1", 443)),
        ("[::1]", HostPort("127.0.0.1", 443)),
        ("other.local", Unknown("other.local")),
        ("name.local", Unknown("name.local")),
        ("svc.namespace.svc", Unknown("svc.namespace.svc")),
        ("a.svc.cluster.local", Unknown("a.svc.cluster.local")),
        ("plain", Unknown("plain")),
        ("get.example.org", Served("get.example.org")),
        ("example.org", Real("example.org", 443)),
        ("outside.example.org", Real("192.0.2.1", 443)),
        ("inside.local", Nowhere("10.96.0.7", 443)),
        ("10.96.0.1", Nowhere("10.96.0.1", 443)),
        ("10.244.0.5", Nowhere("10.244.0.5", 443)),
        ("192.0.2.9", Real("192.0.2.9", 443)),
    ],
)
def test_name_leads_where_the_file_says(host: str, leads_to: Destination) -> None:
    assert destination(host, 443, parse(HOSTS), SERVED) == leads_to


def test_line_of_the_learner_counts_before_what_the_sandbox_serves() -> None:
    known = parse("127.0.0.1 get.example.org")
    assert destination("get.example.org", 443, known, SERVED) == HostPort("127.0.0.1", 443)


def test_sentences_are_go_s() -> None:
    assert Unknown("x.local").sentence == "dial tcp: lookup x.local: no such host"
    assert Nowhere("10.96.0.1", 80).sentence == "dial tcp 10.96.0.1:80: i/o timeout"
    assert HostPort("127.0.0.1", 443).refused == (
        "dial tcp 127.0.0.1:443: connect: connection refused"
    )
