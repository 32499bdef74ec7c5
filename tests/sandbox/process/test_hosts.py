"""Where a name leads, from the sandbox's own hosts file. Source: hosts(5), and Go's sentences."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

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

NAME = "impersonation-proxy-mtls.local"
SERVED = frozenset({"get.pinniped.dev"})


def to(host: str, hosts: str = "", port: int = 443) -> Destination:
    return destination(host, port, parse(hosts), SERVED)


@pytest.mark.parametrize(
    ("host", "hosts", "place"),
    [
        (NAME, "", Unknown(NAME)),
        (NAME, f"127.0.0.1 localhost {NAME}\n", HostPort("127.0.0.1", 443)),
        (NAME.upper(), f"127.0.0.1\t{NAME}", HostPort("127.0.0.1", 443)),
        (NAME, f"127.0.0.1 {NAME} # mine", HostPort("127.0.0.1", 443)),
        (NAME, f"# 127.0.0.1 {NAME}", Unknown(NAME)),
        (NAME, f"10.0.0.1 {NAME}\n127.0.0.1 {NAME}", Real("10.0.0.1", 443)),
        (NAME, f"127.0.0.one {NAME}", Unknown(NAME)),
        ("get.pinniped.dev", "", Served("get.pinniped.dev")),
        ("get.pinniped.dev", "127.0.0.1 get.pinniped.dev", HostPort("127.0.0.1", 443)),
        ("localhost", "", HostPort("127.0.0.1", 443)),
        ("127.0.0.1", "", HostPort("127.0.0.1", 443)),
        ("10.96.3.4", "", Nowhere("10.96.3.4", 443)),
        ("a.b.svc", "", Unknown("a.b.svc")),
        ("a.b.svc.cluster.local", "", Unknown("a.b.svc.cluster.local")),
        ("kubernetes", "", Unknown("kubernetes")),
        ("example.org", "", Real("example.org", 443)),
        ("192.0.2.1", "", Real("192.0.2.1", 443)),
    ],
)
def test_name_leads_where_a_machine_would_go(host: str, hosts: str, place: Destination) -> None:
    assert to(host, hosts) == place


def test_sentences_are_go_s() -> None:
    assert Unknown(NAME).sentence == f"dial tcp: lookup {NAME}: no such host"
    assert (
        HostPort("127.0.0.1", 443).refused == "dial tcp 127.0.0.1:443: connect: connection refused"
    )
    assert Nowhere("10.96.3.4", 443).sentence == "dial tcp 10.96.3.4:443: i/o timeout"


def test_file_that_cannot_be_read_knows_nothing(tmp_path: Path) -> None:
    assert read(tmp_path / "none") == {}
    assert read(tmp_path) == {}
    (tmp_path / "junk").write_bytes(b"\xff\xfe\x00 127.0.0.1 a\n127.0.0.1 b")
    assert read(tmp_path / "junk") == {"b": "127.0.0.1"}


@given(st.text(max_size=200), st.text(max_size=40))
def test_any_text_is_a_hosts_file(text: str, host: str) -> None:
    assert to(host, text) is not None
