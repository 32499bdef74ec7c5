"""The loopback proxy on the wire: who may use it, and what it says when it cannot connect."""

import asyncio
import base64
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tutor.sandbox.process.certificates import Downloads
from tutor.sandbox.process.fetch import Origin
from tutor.sandbox.process.proxy import Proxy, Shell
from tutor.sandbox.server.accepting import accepting

TOKEN = "secret"
NAME = "impersonation-proxy-mtls.local"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class World:
    """A proxy, and what it is told of the machine."""

    folder: Path
    port: int = 0
    host_ports: dict[int, int] = field(default_factory=dict[int, int])
    upstream: str = ""
    hops: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])

    @property
    def hosts(self) -> Path:
        return self.folder / "hosts"

    @property
    def shell(self) -> Shell:
        return Shell(hosts_file=self.hosts, upstream=self.upstream)

    async def ask(self, request: str, token: str = TOKEN, then: bytes = b"") -> bytes:
        """Send a request's head, and `then` more; everything that comes back."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        proof = base64.b64encode(f"shell:{token}".encode()).decode()
        head = f"{request}\r\nProxy-Authorization: Basic {proof}\r\n\r\n"
        try:
            writer.write(head.encode() + then)
            return await reader.read()
        finally:
            writer.close()

    async def connect(self, host: str, port: int = 443, then: bytes = b"") -> bytes:
        return await self.ask(f"CONNECT {host}:{port} HTTP/1.1", then=then)


@asynccontextmanager
async def listening(answer: bytes) -> AsyncGenerator[tuple[int, list[bytes]]]:
    """A server that answers everything so; its port, and what it was told."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(65_536))
        writer.write(answer)
        writer.close()

    async with accepting(serve) as port:
        yield port, heard


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    made = World(tmp_path)
    made.hosts.write_text("127.0.0.1 localhost\n")
    proxy = Proxy(
        token=TOKEN,
        shell_of=lambda name: made.shell if name == "shell" else None,
        host_port=made.host_ports.get,
        origin=Origin(Downloads(tmp_path / "pki", lambda: NOW)),
        publish=lambda _kind, fields: made.hops.append(fields),
    )
    async with accepting(proxy.serve) as made.port:
        yield made


async def test_request_without_the_token_is_refused(world: World) -> None:
    refused = await world.ask("CONNECT localhost:443 HTTP/1.1", token="guessed")
    assert refused.startswith(b"HTTP/1.1 407 Proxy Authentication Required\r\n")
    assert world.hops == []


async def test_name_without_a_line_is_no_such_host_and_works_once_it_is_there(
    world: World,
) -> None:
    refused = await world.connect(NAME)
    assert refused.startswith(f"HTTP/1.1 502 dial tcp: lookup {NAME}: no such host\r\n".encode())
    async with listening(b"hello") as (port, heard):
        world.host_ports[443] = port
        world.hosts.write_text(f"127.0.0.1 {NAME}\n")
        answer = await world.connect(NAME, then=b"hi")
        assert answer == b"HTTP/1.1 200 Connection established\r\n\r\nhello"
        assert heard == [b"hi"]


async def test_port_that_no_node_has_is_refused(world: World) -> None:
    refused = await world.connect("localhost")
    assert refused.startswith(
        b"HTTP/1.1 502 dial tcp 127.0.0.1:443: connect: connection refused\r\n"
    )


async def test_port_of_a_node_with_nothing_behind_it_is_closed(world: World) -> None:
    world.host_ports[443] = 0
    assert await world.connect("localhost") == b"HTTP/1.1 200 Connection established\r\n\r\n"


async def test_plain_request_is_passed_on_in_the_form_of_servers(world: World) -> None:
    async with listening(b"HTTP/1.1 204 No Content\r\n\r\n") as (port, heard):
        world.host_ports[80] = port
        answer = await world.ask("GET http://localhost/a?b=c HTTP/1.1\r\nHost: localhost")
        assert answer == b"HTTP/1.1 204 No Content\r\n\r\n"
        assert heard[0].startswith(b"GET /a?b=c HTTP/1.1\r\nHost: localhost\r\n")
        assert b"roxy" not in heard[0]


async def test_everything_else_goes_through_the_learner_s_own_proxy(world: World) -> None:
    answer = b"HTTP/1.1 200 OK\r\n\r\n"
    async with listening(answer + b"from there") as (port, heard):
        world.upstream = f"http://me:word@127.0.0.1:{port}"
        found = await world.connect("example.org")
        assert found == b"HTTP/1.1 200 Connection established\r\n\r\nfrom there"
        proof = base64.b64encode(b"me:word")
        assert heard[0].startswith(b"CONNECT example.org:443 HTTP/1.1\r\n")
        assert b"Proxy-Authorization: Basic " + proof in heard[0]


async def test_refusal_of_the_learner_s_own_proxy_is_handed_on(world: World) -> None:
    async with listening(b"HTTP/1.1 403 Not for you\r\n\r\n") as (port, _heard):
        world.upstream = f"http://127.0.0.1:{port}"
        assert (await world.connect("example.org")).startswith(b"HTTP/1.1 502 Not for you\r\n")


@pytest.mark.parametrize(
    "request_line",
    [
        "NONSENSE",
        "GET / HTTP/1.1",
        "CONNECT localhost:https HTTP/1.1",
        "GET ftp://localhost/ HTTP/1.1",
    ],
)
async def test_request_that_is_none_is_a_bad_request(world: World, request_line: str) -> None:
    assert (await world.ask(request_line)).startswith(b"HTTP/1.1 400 Bad Request\r\n")


async def test_way_of_a_request_is_published(world: World) -> None:
    await world.connect(NAME)
    assert world.hops == [{"host": f"{NAME}:443", "to": "Unknown"}]
