"""Connections that do not behave: broken TLS, half-open ones, slow readers, and idle watches."""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from random import Random

from tests.fakes.waiting import until

HELLO = bytes.fromhex("16030100c8010000c40303")
_OLD_HELLO = (
    bytes.fromhex("160301002f0100002b0301") + bytes(32) + bytes.fromhex("000004002f00ff0100")
)
_SLOW_BUFFER = 4_096
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Rough:
    """Opens such connections to a port."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        self._port = port
        self._context = context
        self._kept: list[asyncio.StreamWriter] = []
        self._idle: list[Streams] = []

    async def once(self, number: int, chance: Random) -> str:
        """One connection of the kind whose turn it is, which ends as it should not."""
        kinds: Sequence[Callable[[Random], Awaitable[None]]] = (
            self._broken_tls,
            self._cut_handshake,
            self._cut_request,
            self._no_http,
            self._flooding,
        )
        # What is no request yet may be waited for, as by any server.
        with suppress(OSError, asyncio.IncompleteReadError):
            async with asyncio.timeout(1):
                await kinds[number % len(kinds)](chance)
        return ""

    async def _broken_tls(self, chance: Random) -> None:
        async with self._talking(tls=False) as (reader, writer):
            first = chance.choice(
                (b"GET / HTTP/1.1\r\n\r\n", HELLO, _OLD_HELLO, b"\x16\x03\x01", b"\x80")
            )
            writer.write(first + chance.randbytes(chance.randrange(600)))
            writer.write_eof()
            await reader.read(-1)

    async def _cut_handshake(self, chance: Random) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self._context.wrap_bio(incoming, outgoing, server_hostname="localhost")
        with suppress(ssl.SSLWantReadError):
            tls.do_handshake()
        hello = outgoing.read()
        async with self._talking(tls=False) as (_, writer):
            writer.write(hello[: chance.randrange(len(hello) + 1)])
            await writer.drain()

    async def _cut_request(self, chance: Random) -> None:
        body = b'{"metadata":{"name":"cut"}}'
        head = (
            b"POST /api/v1/namespaces/fuzz-a/configmaps HTTP/1.1\r\nHost: x\r\n"
            b"Content-Type: application/json\r\nContent-Length: 9000\r\n\r\n"
        )
        message = head + body
        async with self._talking() as (_, writer):
            writer.write(message[: chance.randrange(len(message) + 1)])
            await writer.drain()

    async def _no_http(self, chance: Random) -> None:
        first = chance.choice((b"\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x00" * 40))
        async with self._talking() as (reader, writer):
            writer.write(first + chance.randbytes(chance.randrange(300)) + b"\r\n\r\n")
            await writer.drain()
            await reader.read(100)

    async def _flooding(self, chance: Random) -> None:
        """Headers, or chunks of a body, without an end."""
        async with self._talking() as (reader, writer):
            if chance.random() < 0.5:
                writer.write(b"GET /version HTTP/1.1\r\n")
                writer.writelines(b"X-%d: %s\r\n" % (n, b"y" * 900) for n in range(200))
            else:
                head = b"POST /api/v1/namespaces HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                writer.write(head)
                writer.writelines(b"ffff\r\n" + b"z" * 65_535 + b"\r\n" for _ in range(60))
            await writer.drain()
            await reader.read(100)

    @asynccontextmanager
    async def _talking(self, *, tls: bool = True) -> AsyncGenerator[Streams]:
        """A connection that ends without a goodbye."""
        opening = self._tls() if tls else asyncio.open_connection("127.0.0.1", self._port)
        streams = await opening
        try:
            yield streams
        finally:
            streams[1].transport.abort()

    async def keep_half_open(self, count: int) -> None:
        """Connections that stay where they are: without TLS, within it, and within a request."""
        for number in range(count):
            if number % 3 == 0:
                _, writer = await asyncio.open_connection("127.0.0.1", self._port)
            elif number % 3 == 1:
                _, writer = await asyncio.open_connection("127.0.0.1", self._port)
                writer.write(HELLO)
            else:
                _, writer = await self._tls()
                writer.write(b"GET /api/v1/pods HTTP/1.1\r\nHost:")
            self._kept.append(writer)

    async def keep_slow_readers(self, count: int) -> None:
        """Readers of everything that happens, who read nothing."""
        for _ in range(count):
            reader, writer = await self._tls()
            writer.transport.pause_reading()  # pyright: ignore[reportAttributeAccessIssue] - reads, too
            path = "/api/v1/configmaps?watch=true&sendInitialEvents=true&allowWatchBookmarks=true"
            query = "&resourceVersionMatch=NotOlderThan"
            writer.write(f"GET {path}{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            self._kept.append(writer)
            del reader

    async def watch_idly(self, count: int, name: str) -> None:
        """Watches of one ConfigMap that is not there yet."""
        path = f"/api/v1/namespaces/fuzz-a/configmaps?watch=true&fieldSelector=metadata.name={name}"
        message = f"GET {path}&timeoutSeconds=7200 HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        for _ in range(count):
            reader, writer = await self._tls()
            writer.write(message)
            self._idle.append((reader, writer))
        for reader, _ in self._idle:
            assert b" 200 " in await reader.readuntil(b"\r\n\r\n")

    async def told(self, within_s: float = 30) -> int:
        """How many of the idle watches have heard of their ConfigMap."""
        heard: list[str] = []

        async def listen(reader: asyncio.StreamReader) -> None:
            await reader.readuntil(b"\r\n")
            heard.append(json.loads(await reader.readuntil(b"\n"))["type"])

        try:
            async with asyncio.timeout(within_s), asyncio.TaskGroup() as group:
                for reader, _ in self._idle:
                    group.create_task(listen(reader))
        except* (TimeoutError, OSError, EOFError):
            pass
        return heard.count("ADDED")

    async def close(self) -> None:
        """End what was kept."""
        writers = [*self._kept, *(writer for _, writer in self._idle)]
        for writer in writers:
            writer.transport.abort()
        await until(lambda: all(writer.transport.is_closing() for writer in writers))

    async def _tls(self) -> Streams:
        return await asyncio.open_connection(
            "127.0.0.1", self._port, ssl=self._context, server_hostname="localhost"
        )
