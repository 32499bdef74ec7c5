"""One HTTP request and its answer, over TLS or plain, direct or through a proxy."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from tutor.sandbox.shims import gotext
from tutor.sandbox.shims.pinniped import dial, tls

_HEAR_S = 0.1
_PORTS = {"http": 80, "https": 443}

Headers = Sequence[tuple[str, str]]


class Server(NamedTuple):
    """Where requests go: base URL, TLS terms, and a kubeconfig's `proxy-url` ("" for none)."""

    url: str
    roots: str | None = None
    insecure: bool = False
    name: str = ""
    proxy: str = ""
    pair: tuple[str, str] | None = None


class Answer(NamedTuple):
    """A response, read to its end."""

    code: int
    headers: http.client.HTTPMessage
    body: bytes


def exchange(
    server: Server,
    method: str,
    url: str,
    *,
    headers: Headers,
    deadline: float,
    body: bytes | None = None,
) -> Answer:
    """Send one request; `deadline` is a moment of the monotonic clock.

    Raises:
        TransportError: no answer came.
    """
    try:
        return _once(server, method, url, headers, body, deadline, check_name=True)
    except tls.NameAccepted:
        return _once(server, method, url, headers, body, deadline, check_name=False)


def _once(
    server: Server,
    method: str,
    url: str,
    headers: Headers,
    body: bytes | None,
    deadline: float,
    *,
    check_name: bool,
) -> Answer:
    parts, port = _parsed(url)
    host = parts.hostname or ""
    raw, through = dial.connect(parts.scheme, host, port, override=server.proxy, deadline=deadline)
    hop = dial.hop(raw)
    wire = tls.Wire()
    connection: socket.socket = raw
    try:
        if parts.scheme == "https":
            name = server.name or host
            trust = tls.Trust(name, server.roots, server.insecure, server.pair, check_name)
            connection, wire = tls.secure(raw, trust, deadline)
        sent = [("Host", parts.netloc), *headers]
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if through and parts.scheme == "http":
            path = url
            if through.credentials is not None:
                sent.append(("Proxy-Authorization", dial.authorization(through.credentials)))
        return _speak(connection, method, path, sent, body, deadline)
    except http.client.RemoteDisconnected:
        raise tls.failure(ssl.SSLEOFError(), wire, hop) from None
    except http.client.IncompleteRead:
        raise dial.BodyBroken("unexpected EOF") from None
    except http.client.BadStatusLine as error:
        problem = dial.status_problem(str(error))
        broken = "net/http: HTTP/1.x transport connection broken"
        raise dial.TransportError(f"{broken}: {problem}") from None
    except OSError as error:
        if not isinstance(error, TimeoutError):
            _hear(connection)
        raise tls.failure(error, wire, hop) from None
    finally:
        connection.close()


def _parsed(url: str) -> tuple[SplitResult, int]:
    """A URL in parts, and the port that it means."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError as error:
        raise dial.TransportError(f"parse {gotext.quote(url)}: {error}") from None
    if port is None:
        raise dial.TransportError(f"unsupported protocol scheme {gotext.quote(parts.scheme)}")
    if not parts.hostname:
        raise dial.TransportError("http: no Host in request URL")
    return parts, port


def _hear(connection: socket.socket) -> None:
    """Take the alert that a server may have sent before it closed in the middle of a request."""
    with suppress(OSError):
        connection.settimeout(_HEAR_S)
        connection.recv(1)


def _speak(
    connection: socket.socket,
    method: str,
    path: str,
    headers: Headers,
    body: bytes | None,
    deadline: float,
) -> Answer:
    speaker = http.client.HTTPConnection("unused")
    speaker.sock = connection
    connection.settimeout(dial.left(deadline))
    speaker.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in headers:
        speaker.putheader(name, value)
    if body is not None:
        speaker.putheader("Content-Length", str(len(body)))
    speaker.endheaders(body)
    response = speaker.getresponse()
    connection.settimeout(dial.left(deadline))
    return Answer(response.status, response.headers, response.read())
