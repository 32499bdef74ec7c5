"""The loopback HTTP proxy: names of the lesson lead into the sandbox, all others to the world.

It speaks CONNECT and plain requests, and wants its token. A refusal is a 502 whose reason phrase is
Go's own sentence, since kubectl prints that phrase as if it had dialled itself.
"""

import asyncio
import base64
import hmac
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tutor.sandbox.component import Publish
from tutor.sandbox.process import hosts
from tutor.sandbox.process.downloads import HOSTS
from tutor.sandbox.process.fetch import Origin
from tutor.sandbox.process.head import Head, Refusal, read_head
from tutor.sandbox.process.relay import Stream, pump

log = logging.getLogger(__name__)

_DIAL_S = 30.0
_BLACK_HOLE_S = 120.0
_HOP = ("proxy-authorization", "proxy-connection", "connection", "keep-alive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """What belongs to the shells that use one name: a hosts file and a proxy of their own."""

    hosts_file: Path
    upstream: str = ""
    """URL of the learner's own proxy, empty for none."""


FindShell = Callable[[str], Shell | None]
FindHostPort = Callable[[int], int | None]
"""A port of the host to the loopback port behind it: 0 when a node has it and nobody listens there,
None when no node has it."""


class Proxy:
    """Serves one proxy connection after the other."""

    def __init__(
        self,
        *,
        token: str,
        shell_of: FindShell,
        host_port: FindHostPort,
        origin: Origin,
        publish: Publish,
    ) -> None:
        self._token = token
        self._shell_of = shell_of
        self._host_port = host_port
        self._origin = origin
        self._publish = publish

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        client = Stream(reader, writer)
        try:
            head = await read_head(reader)
            if head is not None:
                await self._answer(head, client)
        except Refusal as refusal:
            await client.send(_refusal(refusal))
        except (OSError, asyncio.IncompleteReadError) as error:
            log.debug("proxy connection ended", extra={"why": str(error)})
        finally:
            await client.close()

    async def _answer(self, head: Head, client: Stream) -> None:
        shell = self._authorized(head)
        if head.method == "CONNECT":
            host, port = _host_and_port(head.target, 443)
        else:
            parts = urlsplit(head.target)
            if parts.scheme != "http" or not parts.hostname:
                raise Refusal(400, "Bad Request")
            host, port = parts.hostname, parts.port or 80
        known = hosts.read(shell.hosts_file)
        place = hosts.destination(host, port, known, HOSTS)
        self._publish("proxy", {"host": f"{host}:{port}", "to": type(place).__name__})
        if isinstance(place, hosts.Served) and head.method == "CONNECT":
            await client.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await self._origin.serve(host, client, shell.upstream)
            return
        server = await self._dial(place, shell, host, port)
        if head.method == "CONNECT":
            await client.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            await server.send(_origin_form(head))
        await pump(client, server)

    def _authorized(self, head: Head) -> Shell:
        scheme, _, encoded = head.header("proxy-authorization").partition(" ")
        try:
            name, _, token = base64.b64decode(encoded).decode().partition(":")
        except ValueError:
            name, token = "", ""
        known = scheme.lower() == "basic" and hmac.compare_digest(token, self._token)
        shell = self._shell_of(name) if known else None
        if shell is None:
            raise Refusal(
                407,
                "Proxy Authentication Required",
                'Proxy-Authenticate: Basic realm="tutor sandbox"\r\n',
            )
        return shell

    async def _dial(self, place: hosts.Destination, shell: Shell, host: str, port: int) -> Stream:
        match place:
            case hosts.Unknown():
                raise Refusal(502, place.sentence)
            case hosts.Nowhere():
                await asyncio.sleep(_BLACK_HOLE_S)
                raise Refusal(502, place.sentence)
            case hosts.HostPort():
                return await self._dial_host_port(place)
            case hosts.Real() | hosts.Served():
                address = place.host
                if shell.upstream:
                    return await _through(shell.upstream, host, port)
                return await dial(address, port)

    async def _dial_host_port(self, place: hosts.HostPort) -> Stream:
        loopback = self._host_port(place.port)
        if loopback is None:
            raise Refusal(502, place.refused)
        if not loopback:
            return Stream.closed()
        try:
            return Stream(*await asyncio.open_connection("127.0.0.1", loopback))
        except OSError:
            return Stream.closed()


def _host_and_port(target: str, default: int) -> tuple[str, int]:
    host, _, port = target.rpartition(":")
    if not host:
        return target, default
    if not port.isdigit():
        raise Refusal(400, "Bad Request")
    return host.strip("[]"), int(port)


def _refusal(refusal: Refusal) -> bytes:
    body = f"{refusal.reason}\n".encode()
    return (
        f"HTTP/1.1 {refusal.status} {refusal.reason}\r\n{refusal.headers}"
        f"Content-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    ).encode() + body


def _origin_form(head: Head) -> bytes:
    parts = urlsplit(head.target)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"{head.method} {path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in head.headers if name.lower() not in _HOP]
    lines.append("Connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def dial(host: str, port: int) -> Stream:
    """Connect to the real network.

    Raises:
        Refusal: 502 with Go's sentence.
    """
    try:
        async with asyncio.timeout(_DIAL_S):
            return Stream(*await asyncio.open_connection(host, port))
    except socket.gaierror:
        raise Refusal(502, f"dial tcp: lookup {host}: no such host") from None
    except TimeoutError:
        raise Refusal(502, f"dial tcp {host}:{port}: i/o timeout") from None
    except ConnectionRefusedError:
        raise Refusal(502, f"dial tcp {host}:{port}: connect: connection refused") from None
    except OSError as error:
        why = (error.strerror or "network is unreachable").lower()
        raise Refusal(502, f"dial tcp {host}:{port}: connect: {why}") from None


async def _through(upstream: str, host: str, port: int) -> Stream:
    parts = urlsplit(upstream)
    if not parts.hostname:
        raise Refusal(502, f"proxyconnect tcp: invalid proxy address {upstream}")
    server = await dial(parts.hostname, parts.port or 3128)
    lines = [f"CONNECT {host}:{port} HTTP/1.1", f"Host: {host}:{port}"]
    if parts.username:
        secret = base64.b64encode(f"{parts.username}:{parts.password or ''}".encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {secret}")
    await server.send(("\r\n".join(lines) + "\r\n\r\n").encode())
    answer = await server.reader.readuntil(b"\r\n\r\n")
    status = answer.split(b"\r\n", 1)[0].decode("latin-1")
    words = status.split(" ", 2)
    if len(words) < 2 or not words[1].startswith("2"):
        await server.close()
        raise Refusal(502, words[2] if len(words) > 2 else "Bad Gateway")
    return server
