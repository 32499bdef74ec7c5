"""What is said when a connection fails. Source: compared with a Go program."""

import re
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from shim_pki import Authority, Issued
from shim_servers import Proxy, RawServer, Reply, WebServer

from tutor.sandbox.shims.pinniped import dial, proxy
from tutor.sandbox.shims.pinniped.exchange import Server, exchange

HOST = "impersonation-proxy-mtls.local"
VERIFY = "tls: failed to verify certificate: x509: "
UNKNOWN = VERIFY + "certificate signed by unknown authority"
EXPIRED = VERIFY + "certificate has expired or is not yet valid: current time "
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)"
UTC = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


def ask(url: str, roots: str = "", *, seconds: float = 10.0, override: str = "") -> str:
    """The status code, or what went wrong."""
    server = Server(url, roots=roots, proxy=override)
    deadline = time.monotonic() + seconds
    try:
        return str(exchange(server, "GET", url, headers=(), deadline=deadline).code)
    except dial.TransportError as error:
        return str(error)


class Pki:
    """Authorities that know each other in the ways the cases need."""

    def __init__(self) -> None:
        self.ca = Authority()
        self.reissued = Authority()
        self.other = Authority("other-ca")
        self.old = Authority("old-ca", age=20, life=10)
        self.middle = Authority("middle", parent=self.ca)


@pytest.fixture(scope="module")
def pki() -> Pki:
    """The authorities."""
    return Pki()


Case = Callable[[Pki], tuple[Issued, str]]


CASES: list[tuple[Case, str]] = [
    (lambda pki: (pki.ca.issue([HOST]), pki.ca.pem), "200"),
    (lambda pki: (pki.ca.issue(["*.local"]), pki.ca.pem), "200"),
    (lambda pki: (pki.middle.issue([HOST], chain=[pki.middle]), pki.ca.pem), "200"),
    (lambda pki: (pki.middle.issue([HOST]), pki.middle.pem), "200"),
    (lambda pki: (pki.ca.issue([HOST]), pki.other.pem + pki.ca.pem), "200"),
    (lambda pki: (pki.other.issue([HOST]), pki.ca.pem), re.escape(UNKNOWN)),
    (lambda pki: (pki.middle.issue([HOST]), pki.ca.pem), re.escape(UNKNOWN)),
    (lambda pki: (pki.ca.issue([HOST]), ""), re.escape(UNKNOWN)),
    (
        lambda pki: (pki.reissued.issue([HOST]), pki.ca.pem),
        re.escape(
            UNKNOWN + ' (possibly because of "x509: ECDSA verification failure" while trying to '
            'verify candidate authority certificate "my-selfsigned-ca")'
        ),
    ),
    (
        lambda pki: (pki.ca.issue(["wrong.local", "x.y"]), pki.ca.pem),
        re.escape(VERIFY + f"certificate is valid for wrong.local, x.y, not {HOST}"),
    ),
    (
        lambda pki: (pki.ca.issue(), pki.ca.pem),
        re.escape(VERIFY + f"certificate is not valid for any names, but wanted to match {HOST}"),
    ),
    (
        lambda pki: (pki.ca.issue(common=HOST), pki.ca.pem),
        re.escape(VERIFY + "certificate relies on legacy Common Name field, use SANs instead"),
    ),
    (
        lambda pki: (pki.other.issue(["x"], ages=(-9, -1)), pki.ca.pem),
        f"{re.escape(EXPIRED)}{STAMP} is after {UTC}",
    ),
    (
        lambda pki: (pki.ca.issue([HOST], ages=(1, 2)), pki.ca.pem),
        f"{re.escape(EXPIRED)}{STAMP} is before {UTC}",
    ),
    (
        lambda pki: (pki.old.issue([HOST]), pki.old.pem),
        f"{re.escape(EXPIRED)}{STAMP} is after {UTC}",
    ),
    (
        lambda pki: (pki.ca.issue([HOST], client=True), pki.ca.pem),
        re.escape(VERIFY + "certificate specifies an incompatible key usage"),
    ),
]


@pytest.mark.parametrize(("case", "expected"), CASES)
def test_certificate_is_judged_in_gos_words(
    case: Case, expected: str, pki: Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued, roots = case(pki)
    with (
        WebServer(lambda _: Reply(), issued, tmp_path) as server,
        Proxy({HOST: server.port}) as tunnel,
    ):
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{tunnel.port}")
        said = ask(f"https://{HOST}", roots)
    assert re.fullmatch(expected, said), said


def test_certificate_for_names_alone_does_not_fit_an_address(pki: Pki, tmp_path: Path) -> None:
    for names, expected in (
        (
            [HOST],
            "cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs",
        ),
        (["10.0.0.1"], "certificate is valid for 10.0.0.1, not 127.0.0.1"),
    ):
        with WebServer(lambda _: Reply(), pki.ca.issue(names), tmp_path) as server:
            assert ask(server.url, pki.ca.pem) == VERIFY + expected


def reset(connection: socket.socket) -> None:
    """Break the connection off."""
    connection.recv(100)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def sends(data: bytes) -> Callable[[socket.socket], None]:
    """Take what comes, answer with bytes."""

    def handle(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(data)

    return handle


@pytest.mark.parametrize(
    ("handle", "expected"),
    [
        (sends(b""), "EOF"),
        (
            sends(b"HTTP/1.0 400 Bad Request\r\n\r\n"),
            "http: server gave HTTP response to HTTPS client",
        ),
        (sends(b"SSH-2.0-x\r\n"), "tls: first record does not look like a TLS handshake"),
        (sends(b"\x15\x03\x03\x00\x02\x02\x50"), "remote error: tls: internal error"),
        (sends(b"\x15\x03\x03\x00\x02\x02\x28"), "remote error: tls: handshake failure"),
        (
            sends(b"\x15\x03\x03\x00\x02\x02\x46"),
            "remote error: tls: protocol version not supported",
        ),
        (
            reset,
            r"read tcp 127\.0\.0\.1:\d+->127\.0\.0\.1:\d+: read: connection reset by peer",
        ),
    ],
)
def test_handshake_that_fails_is_told_in_gos_words(
    handle: Callable[[socket.socket], None], expected: str
) -> None:
    with RawServer(handle) as server:
        said = ask(server.url)
    assert said == expected or re.fullmatch(expected, said), said


def test_server_that_never_answers_runs_into_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        assert ask(url, seconds=0.05) == "context deadline exceeded"
    assert ask("https://127.0.0.1:1", seconds=-1) == "context deadline exceeded"


def test_port_without_listener_refuses() -> None:
    assert ask("https://127.0.0.1:1") == "dial tcp 127.0.0.1:1: connect: connection refused"
    assert ask("https://[::1]:1") == "dial tcp [::1]:1: connect: connection refused"


def test_name_that_nobody_knows_names_the_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", unknown)
    assert re.fullmatch(
        r"dial tcp: lookup nope\.local( on \S+:53)?: no such host", ask("https://nope.local")
    )


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            b"HTTP/1.1 502 dial tcp: lookup x.local: no such host\r\n\r\n",
            "dial tcp: lookup x.local: no such host",
        ),
        (
            b"HTTP/1.0 502 dial tcp 127.0.0.1:443: connect: connection refused\r\n\r\n",
            "dial tcp 127.0.0.1:443: connect: connection refused",
        ),
        (b"HTTP/1.1 407\r\n\r\n", "unknown status code"),
        (b"", "unexpected EOF"),
        (b"HTTP/1.1 20", 'malformed HTTP status code "20"'),
        (b"hello\r\n\r\n", 'malformed HTTP response "hello"'),
    ],
)
def test_proxy_that_refuses_is_quoted_by_its_reason(answer: bytes, expected: str) -> None:
    with RawServer(sends(answer)) as server:
        through = f"http://127.0.0.1:{server.port}"
        assert ask("https://x.local", override=through) == expected


def test_proxy_that_closes_the_tunnel_is_an_end_of_file() -> None:
    with Proxy({HOST: 0}) as tunnel:
        assert ask(f"https://{HOST}", override=f"http://127.0.0.1:{tunnel.port}") == "EOF"


def test_proxy_that_is_down_is_told_apart_from_the_server() -> None:
    assert ask("https://x.local", override="http://127.0.0.1:1") == (
        "proxyconnect tcp: dial tcp 127.0.0.1:1: connect: connection refused"
    )
    assert "give an http:// proxy" in ask("https://x.local", override="socks5://127.0.0.1:1")


def test_plain_http_names_its_url_to_the_proxy(tmp_path: Path) -> None:
    with WebServer(lambda _: Reply(204), None, tmp_path) as server:
        through = f"http://a:b@127.0.0.1:{server.port}"
        assert ask("http://x.local/y?z=1", override=through) == "204"
        assert server.requests[0].path == "http://x.local/y?z=1"
        assert server.requests[0].headers["Proxy-Authorization"] == "Basic YTpi"


@pytest.mark.parametrize(
    ("host", "exceptions", "proxied"),
    [
        ("x.local", "", True),
        ("localhost", "", False),
        ("127.0.0.1", "", False),
        ("127.8.8.8", "", False),
        ("::1", "", False),
        ("10.0.0.1", "10.0.0.0/8", False),
        ("11.0.0.1", "10.0.0.0/8", True),
        ("10.0.0.1", "10.0.0.1", False),
        ("10.0.0.1", "10.0.0.1:8443", True),
        ("x.local", "*", False),
        ("x.local", "local", False),
        ("x.local", " X.LOCAL ", False),
        ("a.x.local", "x.local", False),
        ("x.local", ".x.local", True),
        ("a.x.local", ".x.local", False),
        ("a.x.local", "*.x.local", False),
        ("yx.local", "x.local", True),
        ("x.local", "x.local:443", False),
        ("x.local", "x.local:80", True),
    ],
)
def test_proxy_of_the_environment_has_gos_exceptions(
    host: str, exceptions: str, proxied: bool
) -> None:
    environment = {"https_proxy": "proxy:3128", "NO_PROXY": exceptions}
    found = proxy.from_environment("https", host, 443, environment)
    assert (found == proxy.Proxy("http", "proxy", 3128, None)) is proxied


def test_proxy_of_the_environment_is_chosen_by_scheme_and_capitals_win() -> None:
    environment = {"HTTPS_PROXY": "http://a:1", "https_proxy": "http://b:1", "HTTP_PROXY": ""}
    chosen = proxy.from_environment("https", "x", 443, environment)
    assert chosen == proxy.Proxy("http", "a", 1, None)
    assert proxy.from_environment("http", "x", 80, environment) is None


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://x:abc", 'parse "https://x:abc": '),
        ("https://[x", 'parse "https://[x": '),
        ("https://", "http: no Host in request URL"),
        ("ftp://x", 'unsupported protocol scheme "ftp"'),
    ],
)
def test_url_that_is_none_is_told(url: str, text: str) -> None:
    assert ask(url).startswith(text)
    assert ask("https://x.local", override="http://p:abc").startswith("invalid proxy address ")


def test_file_of_authorities_without_any_trusts_nobody(
    pki: Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "empty.pem"))
    with WebServer(lambda _: Reply(), pki.ca.issue(["127.0.0.1"]), tmp_path) as server:
        deadline = time.monotonic() + 10
        with pytest.raises(dial.TransportError, match="signed by unknown authority"):
            exchange(Server(server.url), "GET", server.url, headers=(), deadline=deadline)
