"""TLS between a socket and a protocol: what goes through, and how it ends."""

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime

import pytest

from tests.fakes.cluster import now
from tutor.sandbox.api.request import Answer, Request, Response, Stream
from tutor.sandbox.cluster.keys import ClusterKeys
from tutor.sandbox.component import ServerTls
from tutor.sandbox.server import secure
from tutor.sandbox.server.wire import serving

CHUNK = b"x" * 200_000


class Server:
    """Answers with the body's own bytes, or without an end."""

    def __init__(self, keys: ClusterKeys) -> None:
        self.tls = ServerTls(
            pair=lambda: keys.server, refused=lambda peer, why: self.told.append((peer, why))
        )
        self.told: list[tuple[str, str]] = []
        self.context = ssl.create_default_context(cadata=keys.ca.pem)
        self.taken = 0
        self.closed = asyncio.Event()

    async def answer(self, request: Request) -> Answer:
        if request.target == "/endless":
            return Stream(source=self._endless())
        return Response(status=200, body=request.body * 2)

    async def _endless(self) -> AsyncGenerator[bytes]:
        try:
            while True:
                self.taken += 1
                yield CHUNK
        finally:
            self.closed.set()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[int]:
        async with serving(self.answer, tls=self.tls, now=clock) as port:
            yield port


def clock() -> datetime:
    return now()


@asynccontextmanager
async def connected(
    server: Server, port: int
) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("localhost", port, ssl=server.context)
    try:
        yield reader, writer
    finally:
        writer.close()


async def answer_to(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes
) -> bytes:
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    return await reader.readexactly(length)


@pytest.mark.parametrize("size", [1, 16_384, 16_385, 1_000_000])
async def test_bytes_of_any_length_go_through_both_ways(
    cluster_keys: ClusterKeys, size: int
) -> None:
    server = Server(cluster_keys)
    async with server.running() as port, connected(server, port) as (reader, writer):
        body = b"y" * size
        assert await answer_to(reader, writer, body) == body * 2
        assert await answer_to(reader, writer, b"z") == b"zz"
    assert server.told == []


async def test_reader_who_does_not_read_holds_the_answer_up_and_may_go(
    cluster_keys: ClusterKeys,
) -> None:
    server = Server(cluster_keys)
    async with server.running() as port, connected(server, port) as (reader, writer):
        writer.write(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        before = -1
        while server.taken != before:
            before = server.taken
            for _ in range(100):
                await asyncio.sleep(0)
        writer.transport.abort()
        await server.closed.wait()


async def test_client_who_says_goodbye_is_let_go(cluster_keys: ClusterKeys) -> None:
    server = Server(cluster_keys)
    async with server.running() as port:
        async with connected(server, port) as (reader, writer):
            writer.write(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
        await server.closed.wait()


class ByHand:
    """A client whose TLS is looked at from inside."""

    def __init__(self, server: Server) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = server.context.wrap_bio(
            self.incoming, self.outgoing, server_hostname="localhost"
        )

    async def shake(self, port: int) -> None:
        """Connect, up to the last bytes of the handshake."""
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        done = False
        while not done:
            try:
                self.tls.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                self.writer.write(self.outgoing.read())
                self.incoming.write(await self.reader.read(65_536))

    async def send_last(self, more: bytes = b"") -> None:
        """Send what there is, and more, and take all that comes until the end."""
        self.writer.write(self.outgoing.read() + more)
        self.incoming.write(await self.reader.read(-1))
        self.writer.close()


async def test_garbage_after_the_handshake_ends_the_connection(
    cluster_keys: ClusterKeys, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server(cluster_keys)
    client = ByHand(server)
    async with server.running() as port:
        await client.shake(port)
        await client.send_last(b"\x17\x03\x03\x00\x20" + b"?" * 32)
    with pytest.raises(ssl.SSLError, match=r"(?i)bad record mac"):
        client.tls.read()
    assert caplog.messages == []


async def test_goodbye_is_answered(cluster_keys: ClusterKeys) -> None:
    server = Server(cluster_keys)
    client = ByHand(server)
    async with server.running() as port:
        await client.shake(port)
        with pytest.raises(ssl.SSLWantReadError):
            client.tls.unwrap()
        await client.send_last()
    client.tls.unwrap()


async def test_server_that_ends_says_goodbye(cluster_keys: ClusterKeys) -> None:
    server = Server(cluster_keys)
    async with server.running() as port:
        reader, writer = await asyncio.open_connection("localhost", port, ssl=server.context)
        assert await answer_to(reader, writer, b"z") == b"zz"
    assert await reader.read(-1) == b""
    writer.close()


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x02\x00\x01"])
async def test_server_that_ends_drops_a_handshake_that_goes_on(
    cluster_keys: ClusterKeys, sent: bytes
) -> None:
    server = Server(cluster_keys)
    async with server.running() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        async with connected(server, port) as other:
            await answer_to(*other, b"z")
    assert await reader.read(-1) == b""
    writer.close()


async def test_handshake_that_does_not_end_is_given_up(
    cluster_keys: ClusterKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secure, "_HANDSHAKE_S", 0.01)
    server = Server(cluster_keys)
    async with server.running() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.read(-1) == b""
        writer.close()


async def test_what_is_no_handshake_is_told_with_the_client_s_address(
    cluster_keys: ClusterKeys,
) -> None:
    server = Server(cluster_keys)
    async with server.running() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        own: socket.socket = writer.get_extra_info("socket")
        here = "{}:{}".format(*own.getsockname())
        writer.write(b"\x00\x01\x02")
        assert await reader.read(-1) == b""
        writer.close()
    assert server.told == [(here, "tls: first record does not look like a TLS handshake")]
