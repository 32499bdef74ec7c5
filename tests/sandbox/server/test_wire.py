"""What a connection says that is no HTTP, or not quite: answered as Go's server answers it."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from tests.fakes.cluster import now
from tutor.sandbox.api.request import Request, Response
from tutor.sandbox.server.http1 import head_of
from tutor.sandbox.server.wire import MAX_BODY, serving

GARBAGE = (
    b"\x00\x01\x02\r\n\r\n",
    b"GET\r\n\r\n",
    b"G\x00T / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET \x00 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\na b: c\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nx: \x01\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
)


async def echo(request: Request) -> Response:
    """The method, and how long target and body are."""
    found = [request.method, len(request.target), len(request.body)]
    return Response(status=200, body=json.dumps(found).encode())


@asynccontextmanager
async def connected() -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async with serving(echo, tls=None, now=now) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield reader, writer
        finally:
            writer.close()


async def whole_answer(sent: bytes) -> bytes:
    """Everything that comes until the server closes the connection."""
    async with connected() as (reader, writer):
        writer.write(sent)
        return await reader.read(-1)


async def one_answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    return head, await reader.readexactly(int(length.split(b":")[1]))


@pytest.mark.parametrize("garbage", GARBAGE)
async def test_what_is_no_http_is_answered_400_and_leaves_no_trace_in_the_log(
    garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await whole_answer(garbage)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.0 400 Bad Request")
    assert body == b"400 Bad Request"
    assert caplog.messages == []


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\x00", "\x7f"])
def test_answer_with_a_control_character_in_a_header_is_not_made(value: str) -> None:
    with pytest.raises(ValueError, match="control character"):
        head_of(200, [("Warning", value)], "", 0)


@pytest.mark.parametrize("value", ["a\tb", "\u00e9\u2028"])
def test_answer_takes_headers_with_tabs_and_any_other_text(value: str) -> None:
    assert head_of(200, [("Warning", value)], "", 0).startswith(b"HTTP/1.1 200 OK\r\nWarning: ")


async def test_header_past_a_megabyte_is_answered_431() -> None:
    async with connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nx: " + b"y" * 1_100_000 + b"\r\n\r\n")
        head = await reader.readuntil(b"\r\n")
    assert head == b"HTTP/1.0 431 Request Header Fields Too Large\r\n"


async def test_long_header_and_long_target_are_read() -> None:
    async with connected() as (reader, writer):
        target = "/" + "t" * 100_000
        token = "x" * 200_000
        writer.write(
            f"GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        )
        _, body = await one_answer(reader)
    assert json.loads(body) == ["GET", len(target), 0]


async def test_client_that_waits_for_leave_to_send_its_body_gets_it() -> None:
    async with connected() as (reader, writer):
        writer.write(
            b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
        )
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"abc")
        head, body = await one_answer(reader)
    assert head.startswith(b"HTTP/1.1 200")
    assert json.loads(body) == ["POST", 1, 3]


async def test_body_is_what_was_sent_whatever_encoding_it_claims() -> None:
    async with connected() as (reader, writer):
        writer.write(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"
        )
        _, body = await one_answer(reader)
    assert json.loads(body) == ["POST", 1, 3]


async def test_body_that_is_too_large_is_refused_and_the_connection_closed() -> None:
    answer = await whole_answer(
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1)
        + b"x" * (MAX_BODY + 1)
    )
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413")
    assert b"Connection: close" in head
    assert json.loads(body)["reason"] == "RequestEntityTooLarge"


@pytest.mark.parametrize("rest", [b"", b"zz\r\n"])
async def test_body_that_does_not_go_on_is_given_up_and_the_connection_closed(
    rest: bytes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tutor.sandbox.server.wire._BODY_S", 0.05)
    async with connected() as (reader, writer):
        head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        writer.write(head + b"Expect: 100-continue\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        writer.write(rest)
        head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 504")
    assert b"Connection: close" in head
    assert caplog.messages == []


@pytest.mark.parametrize(
    "wish",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
async def test_wish_for_another_protocol_is_answered_and_the_connection_closed(
    wish: bytes,
) -> None:
    answer = await whole_answer(wish)
    assert b"Connection: close" in answer.partition(b"\r\n\r\n")[0]
