"""Connections to a server, direct or through a proxy, with Go's sentences for every failure.

Source: Go's net (dial errors), net/http (transport.go, CONNECT) and os (errno texts).
"""

from __future__ import annotations

import base64
import os
import socket
import sys
import time

from tutor.sandbox.shims import gotext
from tutor.sandbox.shims.pinniped import proxy

_HEAD_LIMIT = 65536


class TransportError(Exception):
    """No answer was had; the text is what Go prints after `Get "URL": `."""


class BodyBroken(TransportError):
    """The answer began and did not end."""


class DeadlineExceeded(TransportError):
    """The time for the request is over."""

    def __init__(self) -> None:
        super().__init__("context deadline exceeded")


def left(deadline: float) -> float:
    """Seconds until a moment of the monotonic clock.

    Raises:
        DeadlineExceeded: it has passed.
    """
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise DeadlineExceeded
    return remaining


def connect(
    scheme: str, host: str, port: int, *, override: str, deadline: float
) -> tuple[socket.socket, proxy.Proxy | None]:
    """Open a connection for a request to this host.

    `override` is a kubeconfig's `proxy-url`, which beats the environment. For https the tunnel
    through a proxy is up when this returns; for http the proxy is returned for the request to name.

    Raises:
        TransportError: there is no connection.
    """
    try:
        chosen = (
            proxy.parse(override)
            if override
            else proxy.from_environment(scheme, host, port, os.environ)
        )
    except ValueError as error:
        raise TransportError(f"invalid proxy address {gotext.quote(override)}: {error}") from None
    if chosen is None:
        return _dial(host, port, deadline), None
    if chosen.scheme != "http":
        raise TransportError(
            f"this pinniped cannot use a proxy of scheme {chosen.scheme}: give an http:// proxy"
        )
    try:
        connection = _dial(chosen.host, chosen.port, deadline)
    except DeadlineExceeded:
        raise
    except TransportError as error:
        raise TransportError(f"proxyconnect tcp: {error}") from None
    if scheme == "https":
        try:
            _tunnel(connection, host, port, chosen, deadline)
        except BaseException:
            connection.close()
            raise
    return connection, chosen


def authorization(credentials: str) -> str:
    """The value of a Basic authorization header."""
    return "Basic " + base64.b64encode(credentials.encode("utf-8")).decode("ascii")


def address(host: str, port: int) -> str:
    """`host:port`, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _dial(host: str, port: int, deadline: float) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise TransportError(
            f"dial tcp: lookup {host}{_resolver()}: {_lookup_reason(error)}"
        ) from None
    first: TransportError | None = None
    for family, kind, protocol, _, where in found:
        seconds = left(deadline)
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(seconds)
            connection.connect(where)
        except TimeoutError:
            connection.close()
            raise DeadlineExceeded from None
        except OSError as error:
            connection.close()
            first = first or TransportError(
                f"dial tcp {address(str(where[0]), port)}: connect: {reason(error)}"
            )
            continue
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection
    raise first or TransportError(f"dial tcp: lookup {host}{_resolver()}: no such host")


def reason(error: OSError) -> str:
    """The operating system's reason as Go spells it."""
    text = os.strerror(error.errno) if error.errno else str(error)
    return text[:1].lower() + text[1:]


def _lookup_reason(error: socket.gaierror) -> str:
    if error.errno == socket.EAI_AGAIN:
        return "server misbehaving"
    return "no such host"


def _resolver() -> str:
    """The name server that a static Go program on Linux names in its errors."""
    if sys.platform != "linux":
        return ""
    try:
        with open("/etc/resolv.conf", encoding="utf-8", errors="replace") as file:
            servers = [line.split()[1] for line in file if line.startswith("nameserver ")]
    except OSError:
        servers = []
    return f" on {address(servers[0] if servers else '127.0.0.1', 53)}"


def _tunnel(
    connection: socket.socket, host: str, port: int, through: proxy.Proxy, deadline: float
) -> None:
    """Ask a proxy for a tunnel; Go reports a refusal by the answer's reason phrase alone."""
    target = address(host, port)
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}", "User-Agent: Go-http-client/1.1"]
    if through.credentials is not None:
        lines.append(f"Proxy-Authorization: {authorization(through.credentials)}")
    try:
        connection.settimeout(left(deadline))
        connection.sendall("\r\n".join([*lines, "", ""]).encode("utf-8"))
        head = b""
        while b"\r\n\r\n" not in head and len(head) < _HEAD_LIMIT:
            connection.settimeout(left(deadline))
            received = connection.recv(4096)
            if not received:
                break
            head += received
    except TimeoutError:
        raise DeadlineExceeded from None
    except OSError as error:
        raise TransportError(f"{hop(connection)}: {reason(error)}") from None
    if not head:
        raise TransportError("unexpected EOF")
    status = head.partition(b"\r\n")[0].decode("utf-8", "replace")
    if problem := status_problem(status):
        raise TransportError(problem)
    code, blank, phrase = status.partition(" ")[2].partition(" ")
    if code != "200":
        raise TransportError(phrase if blank else "unknown status code")


def status_problem(line: str) -> str:
    """What Go says about an answer's first line, "" for a good one."""
    version, blank, rest = line.strip("\r\n").partition(" ")
    if not blank:
        return f"malformed HTTP response {gotext.quote(version)}"
    code = rest.lstrip(" ").partition(" ")[0]
    if len(code) != len("200") or not code.isdigit():
        return f"malformed HTTP status code {gotext.quote(code)}"
    if not version.startswith("HTTP/"):
        return f"malformed HTTP version {gotext.quote(version)}"
    return ""


def hop(connection: socket.socket) -> str:
    """`read tcp HERE->THERE: read`, the start of Go's sentence for a broken connection."""
    try:
        ends = [
            address(str(end[0]), int(end[1]))
            for end in (connection.getsockname(), connection.getpeername())
        ]
    except OSError:
        return "read tcp: read"
    return f"read tcp {ends[0]}->{ends[1]}: read"
