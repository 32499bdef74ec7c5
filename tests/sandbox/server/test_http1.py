"""Requests of HTTP/1.1 that come whole, and connections that pass to aiohttp and back to nobody."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from tests.fakes.cluster import now
from tutor.sandbox.api.request import Answer, Request, Response, Stream
from tutor.sandbox.server import http1
from tutor.sandbox.server.http1 import Http1, read_head
from tutor.sandbox.server.wire import serving

HOST = b"Host: x\r\n"
SPECIAL = (
    b"HEAD / HTTP/1.1\r\n" + HOST,
    b"GET / HTTP/1.0\r\n" + HOST,
    b"GET http://x/ HTTP/1.1\r\n" + HOST,
    b"GET / HTTP/1.1\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + HOST,
    b"GET / HTTP/1.1\r\nHost: \xc3\xa9\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"Upgrade: websocket\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"folded: a\r\n b\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"a : b\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"a: \xff\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"a: \x00\r\n",
    b"GET / HTTP/1.1\n" + HOST,
    b"\r\nGET / HTTP/1.1\r\n" + HOST,
    b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n",
    b"POST / HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 1\r\n",
    b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n",
    b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 1\r\n",
)
ORDINARY = (
    b"GET /a%20b?c=d&e HTTP/1.1\r\n" + HOST + b"Accept:  */* \r\nX-Empty:\r\n\r\n",
    b"GET //x/../y;z HTTP/1.1\r\n" + HOST + b"Connection: Keep-Alive\r\n\r\n",
    b"DELETE / HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n",
    b"POST / HTTP/1.1\r\n"
    + HOST
    + b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
)


class Server:
    """Answers with what it understood, once it may."""

    def __init__(self) -> None:
        self.may = asyncio.Event()
        self.may.set()
        self.seen = 0
        self.waiting = asyncio.Event()
        self.gone = asyncio.Event()

    async def answer(self, request: Request) -> Answer:
        self.seen += 1
        self.waiting.set()
        try:
            await self.may.wait()
        except asyncio.CancelledError:
            self.gone.set()
            raise
        if request.target == "/bad":
            return Response(status=200, body=b"x", headers=(("Warning", "a\r\nb"),))
        if request.target == "/bug":
            raise RuntimeError("a bug")
        if request.target.startswith("/stream"):
            return Stream(source=self._parts(), status=int(request.target[-3:]))
        found = [request.method, request.target, *request.headers, request.body.decode()]
        return Response(status=200, body=json.dumps(found).encode())

    async def _parts(self) -> AsyncGenerator[bytes]:
        yield b"one"
        yield b""
        yield b"three"


@asynccontextmanager
async def connected(
    server: Server,
) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async with serving(server.answer, tls=None, now=now) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield reader, writer
        finally:
            writer.close()


async def one_answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    return head, await reader.readexactly(int(length.split(b":")[1]))


@pytest.mark.parametrize("head", SPECIAL)
def test_head_of_any_other_sort_is_left_to_aiohttp(head: bytes) -> None:
    assert read_head(head.removesuffix(b"\r\n")) is None


def test_long_head_is_read_as_a_short_one() -> None:
    head = b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + b"t" * 10_000
    found = read_head(head)
    assert found is not None
    assert [len(value) for _, value in found.headers] == [1, 10_007]


@pytest.mark.parametrize("sent", ORDINARY)
async def test_whole_request_is_understood_as_one_that_aiohttp_reads_in_parts(sent: bytes) -> None:
    assert read_head(sent.partition(b"\r\n\r\n")[0]) is not None
    async with connected(Server()) as (reader, writer):
        writer.write(sent)
        whole = await one_answer(reader)
        writer.write(sent[:9])
        for _ in range(5):
            await asyncio.sleep(0)
        writer.write(sent[9:])
        in_parts = await one_answer(reader)
    assert whole[1] == in_parts[1]
    names = [[line.split(b":")[0] for line in head.split(b"\r\n")] for head, _ in (whole, in_parts)]
    assert sorted(names[0]) == sorted(names[1])


async def test_request_that_comes_before_the_answer_to_the_last_one_waits_for_it() -> None:
    server = Server()
    server.may.clear()
    async with connected(server) as (reader, writer):
        writer.write(ORDINARY[0])
        await server.waiting.wait()
        writer.write(ORDINARY[2] + ORDINARY[3])
        await writer.drain()
        server.may.set()
        methods = [json.loads((await one_answer(reader))[1])[0] for _ in range(3)]
    assert methods == ["GET", "DELETE", "POST"]


async def test_request_whose_client_goes_is_given_up() -> None:
    server = Server()
    server.may.clear()
    async with connected(server) as (_, writer):
        writer.write(ORDINARY[0])
        await server.waiting.wait()
        writer.close()
        await server.gone.wait()


async def test_stream_comes_in_chunks() -> None:
    async with connected(Server()) as (reader, writer):
        writer.write(b"GET /stream/200 HTTP/1.1\r\nHost: x\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readuntil(b"0\r\n\r\n")
        writer.write(ORDINARY[0])
        assert (await one_answer(reader))[0].startswith(b"HTTP/1.1 200 OK")
    assert b"\r\nTransfer-Encoding: chunked\r\n" in head
    assert body == b"3\r\none\r\n5\r\nthree\r\n0\r\n\r\n"


async def test_stream_of_a_status_without_a_body_is_a_head() -> None:
    async with connected(Server()) as (reader, writer):
        writer.write(b"GET /stream/204 HTTP/1.1\r\nHost: x\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(ORDINARY[0])
        assert (await one_answer(reader))[0].startswith(b"HTTP/1.1 200 OK")
    assert b"chunked" not in head


async def test_answer_that_cannot_be_sent_is_500_and_ends_the_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with connected(Server()) as (reader, writer):
        writer.write(b"GET /bad HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = await reader.read(-1)
    assert answer.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert b"\r\nConnection: close\r\n" in answer
    assert "answer failed" in caplog.messages


async def test_request_that_fails_by_a_bug_is_a_status_and_the_connection_stays() -> None:
    async with connected(Server()) as (reader, writer):
        writer.write(b"GET /bug HTTP/1.1\r\nHost: x\r\n\r\n")
        head, body = await one_answer(reader)
        writer.write(ORDINARY[0])
        assert (await one_answer(reader))[0].startswith(b"HTTP/1.1 200 OK")
    assert head.startswith(b"HTTP/1.1 500 ")
    assert json.loads(body)["reason"] == "InternalError"


async def test_server_that_ends_lets_the_answer_under_way_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tutor.sandbox.server.wire._SHUTDOWN_S", 60)
    server = Server()
    server.may.clear()
    async with serving(server.answer, tls=None, now=now) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(ORDINARY[0])
        await server.waiting.wait()
        asyncio.get_running_loop().call_later(0.01, server.may.set)
    assert (await one_answer(reader))[0].startswith(b"HTTP/1.1 200 OK")
    assert await reader.read(-1) == b""
    writer.close()


async def test_server_that_ends_closes_a_connection_on_which_nothing_happens() -> None:
    async with serving(Server().answer, tls=None, now=now) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(ORDINARY[0])
        await one_answer(reader)
    assert await reader.read(-1) == b""
    writer.close()


async def test_connection_on_which_nothing_happens_is_closed_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http1, "_IDLE_S", 0.01)
    async with connected(Server()) as (reader, writer):
        writer.write(ORDINARY[0])
        await one_answer(reader)
        assert await reader.read(-1) == b""


class Slow(asyncio.Transport):
    """A transport whose reader does not read."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.protocol = protocol
        self.written: list[bytes] = []

    def is_closing(self) -> bool:
        return False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))
        self.protocol.pause_writing()

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


async def test_next_request_waits_for_a_reader_who_is_slow() -> None:
    async def answer(asked: Http1) -> None:
        await asked.answer(200, (), asked.head.target.encode())

    connection = Http1(answer, asyncio.Protocol, lambda _: None, now)
    transport = Slow(connection)
    connection.connection_made(transport)
    connection.data_received(b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n")
    connection.data_received(b"GET /2 HTTP/1.1\r\nHost: x\r\n\r\n")
    first = connection.task
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(transport.written) == 1
    connection.resume_writing()
    assert first is not None
    await first
    assert connection.task is not None
    await asyncio.sleep(0)
    assert transport.written[1].endswith(b"/2")
    connection.resume_writing()
    await connection.task
    connection.connection_lost(None)
