"""HTTP/2 on a connection without a network: frames in, frames out."""

import asyncio
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from enum import IntEnum
from typing import NamedTuple

import pytest
from h2.errors import ErrorCodes as Code
from h2.settings import SettingCodes as Setting
from hpack import Decoder, Encoder
from hypothesis import given
from hypothesis import strategies as st

from tutor.sandbox.server.http2 import MAX_STREAMS, Exchange, Http2

MOST = 1_000
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
END_STREAM = ACK = 0x1
END_HEADERS, PADDED = 0x4, 0x8
OPEN, CLOSED = END_HEADERS, END_HEADERS | END_STREAM
MAX_WINDOW = 2**31 - 1


class Kind(IntEnum):
    """Types of frames (RFC 9113, section 6)."""

    DATA = 0
    HEADERS = 1
    RST_STREAM = 3
    SETTINGS = 4
    PING = 6
    GOAWAY = 7
    WINDOW_UPDATE = 8
    CONTINUATION = 9


class Frame(NamedTuple):
    """A frame as it stands on the wire."""

    kind: Kind
    flags: int
    stream: int
    payload: bytes


def frame(kind: Kind, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + struct.pack(">BBL", kind, flags, stream) + payload


def settings(told: dict[Setting, int]) -> bytes:
    return frame(Kind.SETTINGS, 0, 0, b"".join(struct.pack(">HL", *each) for each in told.items()))


def window_update(stream: int, size: int) -> bytes:
    return frame(Kind.WINDOW_UPDATE, 0, stream, size.to_bytes(4, "big"))


def reset(stream: int, code: Code) -> bytes:
    return frame(Kind.RST_STREAM, 0, stream, code.to_bytes(4, "big"))


def encode(lines: list[tuple[bytes, bytes]]) -> bytes:
    return Encoder().encode([(name, value) for name, value in lines])


class Wire(asyncio.Transport):
    """Remembers what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.closed = False
        self.unsent = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take bytes."""
        self.written += data

    def close(self) -> None:
        """Take nothing more."""
        self.closed = True

    def is_closing(self) -> bool:
        """Whether it is closed."""
        return self.closed

    def get_write_buffer_size(self) -> int:
        """How much nobody has read yet."""
        return self.unsent


class Peer:
    """The other side of a connection."""

    def __init__(self, connection: Http2, wire: Wire) -> None:
        self.connection = connection
        self.wire = wire
        self._decoder = Decoder()

    async def send(self, *parts: bytes) -> None:
        """Send bytes and let the server work."""
        self.connection.data_received(b"".join(parts))
        for _ in range(20):
            await asyncio.sleep(0)

    def read(self, *kinds: Kind) -> list[Frame]:
        """The frames of some kinds since the last call."""
        data, found = bytes(self.wire.written), list[Frame]()
        self.wire.written.clear()
        while data:
            length = int.from_bytes(data[:3], "big")
            kind, flags, stream = struct.unpack(">BBL", data[3:9])
            found.append(Frame(Kind(kind), flags, stream, data[9 : 9 + length]))
            data = data[9 + length :]
        return [each for each in found if each.kind in kinds]

    def headers(self) -> dict[bytes, bytes]:
        """The headers of the next answer."""
        (found,) = self.read(Kind.HEADERS)
        return dict(self._decoder.decode(found.payload, raw=True))


async def echo(exchange: Exchange) -> None:
    """Answer with what was asked."""
    text = f"{exchange.method} {exchange.path} {bytes(exchange.body).decode()}"
    state = "too large" if exchange.too_large else "late" if exchange.late else text
    await exchange.answer(200, [("X-One", "1"), ("Audit-Id", "a")], state.encode())


@asynccontextmanager
async def talking(
    answer: Callable[[Exchange], Awaitable[None]] = echo, *, greeting: bytes = b""
) -> AsyncGenerator[Peer]:
    connection, wire = Http2(answer, most=MOST, patience_s=60), Wire()
    connection.connection_made(wire)
    peer = Peer(connection, wire)
    await peer.send(PREFACE, greeting or settings({}))
    peer.read()
    try:
        yield peer
    finally:
        connection.connection_lost(None)
        await connection.wait_closed(5)


def ask(
    stream: int, path: str = "/a", *, method: str = "GET", end: bool = True, **more: str
) -> bytes:
    lines = [(b":method", method), (b":scheme", "https"), (b":path", path), (b":authority", "h")]
    lines += [(name.replace("_", "-").encode(), value) for name, value in more.items()]
    block = encode([(name, value.encode()) for name, value in lines])
    return frame(Kind.HEADERS, CLOSED if end else OPEN, stream, block)


def data(stream: int, content: bytes, *, end: bool = True) -> bytes:
    return frame(Kind.DATA, END_STREAM if end else 0, stream, content)


async def test_request_is_answered_with_sorted_headers_and_its_length() -> None:
    async with talking() as peer:
        await peer.send(ask(1))
        written = bytes(peer.wire.written)
        headers = peer.headers()
        assert list(headers)[:-1] == [b":status", b"audit-id", b"x-one", b"content-length"]
        assert list(headers)[-1] == b"date"
        peer.wire.written += written
        (body,) = peer.read(Kind.DATA)
        assert (body.payload, body.flags) == (b"GET /a ", END_STREAM)


async def test_values_of_one_header_keep_their_order() -> None:
    async def warn(exchange: Exchange) -> None:
        await exchange.answer(200, [("Warning", "b"), ("A", ""), ("Warning", "a")], b"")

    async with talking(warn) as peer:
        await peer.send(ask(1))
        (head,) = peer.read(Kind.HEADERS)
        lines = Decoder().decode(head.payload, raw=True)
        assert [value for name, value in lines if name == b"warning"] == [b"b", b"a"]


async def test_body_comes_in_pieces_and_is_let_in() -> None:
    async with talking() as peer:
        await peer.send(ask(1, method="POST", end=False), data(1, b"on", end=False))
        padded = frame(Kind.DATA, PADDED | END_STREAM, 1, b"\x02e!\0\0")
        await peer.send(padded)
        assert [f.payload for f in peer.read(Kind.DATA)] == [b"POST /a one!"]


async def test_window_opens_again_as_bodies_are_read() -> None:
    async def swallow(exchange: Exchange) -> None:
        await exchange.answer(204, [], b"")

    async with talking(swallow) as peer:
        for stream in range(1, 400, 2):
            await peer.send(ask(stream, end=False), data(stream, b"x" * MOST))
        updates = [each for each in peer.read(Kind.WINDOW_UPDATE) if each.stream == 0]
        assert sum(int.from_bytes(each.payload, "big") for each in updates) > 100_000


async def test_interrupted_request_is_asked_to_go_on_where_it_waits() -> None:
    async with talking() as peer:
        await peer.send(ask(1, method="POST", end=False, expect="100-continue"))
        assert peer.headers() == {b":status": b"100"}


async def test_body_that_is_too_large_is_answered_before_its_end() -> None:
    async with talking() as peer:
        await peer.send(ask(1, end=False), data(1, b"x" * (MOST + 1), end=False))
        kept = bytes(peer.wire.written)
        assert [f.payload for f in peer.read(Kind.DATA)] == [b"too large"]
        peer.wire.written += kept
        (reset,) = peer.read(Kind.RST_STREAM)
        assert int.from_bytes(reset.payload, "big") == Code.NO_ERROR
        await peer.send(ask(3, end=False, content_length=str(MOST + 1)))
        assert [f.payload for f in peer.read(Kind.DATA)] == [b"too large"]


async def test_large_answer_waits_for_windows() -> None:
    async def large(exchange: Exchange) -> None:
        await exchange.answer(200, [], b"x" * 70_000)

    greeting = settings({Setting.INITIAL_WINDOW_SIZE: 100})
    async with talking(large, greeting=greeting) as peer:
        await peer.send(ask(1))
        assert sum(len(f.payload) for f in peer.read(Kind.DATA)) == 100
        await peer.send(window_update(1, 69_900))
        assert sum(len(f.payload) for f in peer.read(Kind.DATA)) == 65_435
        await peer.send(window_update(0, 10_000))
        last = peer.read(Kind.DATA)
        assert sum(len(f.payload) for f in last) == 4_465
        assert last[-1].flags == END_STREAM


async def test_answers_wait_while_the_network_is_slow() -> None:
    async with talking() as peer:
        peer.connection.pause_writing()
        await peer.send(ask(1))
        assert peer.read(Kind.DATA) == []
        peer.connection.resume_writing()
        await peer.send()
        assert len(peer.read(Kind.DATA)) == 1


async def test_stream_that_is_reset_ends_its_answer() -> None:
    ended = asyncio.Event()

    async def watch(exchange: Exchange) -> None:
        exchange.begin(200, [])
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with talking(watch) as peer:
        await peer.send(ask(1))
        assert peer.headers()[b":status"] == b"200"
        await peer.send(reset(1, Code.REFUSED_STREAM))
        assert ended.is_set()
        assert peer.read(Kind.RST_STREAM) == []


async def test_answer_that_fails_ends_its_stream_alone(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(exchange: Exchange) -> None:
        if exchange.path == "/bad":
            raise ValueError
        await echo(exchange)

    async with talking(fail) as peer:
        await peer.send(ask(1, "/bad"), ask(3))
        kept = bytes(peer.wire.written)
        (reset,) = peer.read(Kind.RST_STREAM)
        assert (reset.stream, reset.payload[-1]) == (1, Code.INTERNAL_ERROR)
        peer.wire.written += kept
        assert [f.stream for f in peer.read(Kind.DATA)] == [3]
    assert "answer failed" in caplog.text


async def test_more_streams_than_there_may_be_end_the_connection() -> None:
    async def forever(_exchange: Exchange) -> None:
        await asyncio.Event().wait()

    async with talking(forever) as peer:
        await peer.send(*(ask(2 * n + 1) for n in range(MAX_STREAMS)))
        assert not peer.wire.closed
        await peer.send(ask(2 * MAX_STREAMS + 1))
        assert peer.wire.closed


async def test_ping_is_answered_and_settings_are_acknowledged() -> None:
    async with talking() as peer:
        await peer.send(frame(Kind.PING, 0, 0, b"12345678"), settings({}))
        ping, told = peer.read(Kind.PING, Kind.SETTINGS)
        assert (ping.flags, ping.payload) == (ACK, b"12345678")
        assert (told.flags, told.payload) == (ACK, b"")


async def test_frame_that_is_too_long_is_refused_when_it_begins() -> None:
    async with talking() as peer:
        await peer.send(frame(Kind.DATA, 0, 1, bytes(16_384))[:9])
        assert not peer.wire.closed
    async with talking() as peer:
        await peer.send(frame(Kind.DATA, 0, 1, bytes(16_385))[:9])
        (last,) = peer.read(Kind.GOAWAY)
        assert int.from_bytes(last.payload[4:8], "big") == Code.FRAME_SIZE_ERROR
        assert peer.wire.closed


async def test_table_of_headers_stays_small_however_large_the_reader_lets_it_be() -> None:
    """RFC 7541, section 4.2: of all the sizes since the last block two are told."""
    sizes = (0, 70_000, *range(5_000, 5_300), 2**32 - 1)
    async with talking() as peer:
        await peer.send(*(settings({Setting.HEADER_TABLE_SIZE: size}) for size in sizes))
        await peer.send(ask(1))
        (told,) = peer.read(Kind.HEADERS)
        assert told.payload[:4] == b"\x20\x3f\xe1\x1f"  # 0 and 4096
        decoder = Decoder()
        lines = dict(decoder.decode(told.payload, raw=True))
        assert (lines[b":status"], decoder.header_table_size) == (b"200", 4_096)


@pytest.mark.parametrize(
    "lines",
    [
        [(b":method", b"GET"), (b":scheme", b"https")],
        [(b":method", b"GET"), (b":path", b"/a")],
        [(b":method", b"GET"), (b":scheme", b"https"), (b":path", b"a")],
        [(b":method", b"GET"), (b":scheme", b"https"), (b":path", b"/"), (b"Upper", b"")],
        [(b":method", b"GET"), (b":scheme", b"https"), (b":path", b"/"), (b"upgrade", b"x")],
        [(b":method", b"GET"), (b":scheme", b"https"), (b":path", b"/"), (b":odd", b"x")],
        [(b"a", b"b"), (b":method", b"GET"), (b":scheme", b"https"), (b":path", b"/")],
    ],
)
async def test_malformed_request_is_reset_and_the_next_is_answered(
    lines: list[tuple[bytes, bytes]],
) -> None:
    async with talking() as peer:
        await peer.send(frame(Kind.HEADERS, CLOSED, 1, encode(lines)))
        (reset,) = peer.read(Kind.RST_STREAM)
        assert int.from_bytes(reset.payload, "big") == Code.PROTOCOL_ERROR
        await peer.send(ask(3))
        assert len(peer.read(Kind.DATA)) == 1


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(Kind.HEADERS, CLOSED, 2), Code.PROTOCOL_ERROR),
        (frame(Kind.HEADERS, CLOSED, 1, b"\x80"), Code.PROTOCOL_ERROR),
        (frame(Kind.DATA, 0, 1, b"x"), Code.PROTOCOL_ERROR),
        (frame(Kind.CONTINUATION, 0, 1), Code.PROTOCOL_ERROR),
        (frame(Kind.PING, 0, 0, b"short"), Code.FRAME_SIZE_ERROR),
        (window_update(0, 0), Code.PROTOCOL_ERROR),
        (window_update(0, MAX_WINDOW), Code.FLOW_CONTROL_ERROR),
        (settings({Setting.INITIAL_WINDOW_SIZE: 2**32 - 1}), Code.FLOW_CONTROL_ERROR),
        (frame(Kind.SETTINGS, 0, 0, b"odd"), Code.FRAME_SIZE_ERROR),
        (b"\xff\xff\xff" + bytes(6), Code.PROTOCOL_ERROR),
        (frame(Kind.HEADERS, 0, 1) + frame(Kind.PING, 0, 0, bytes(8)), Code.PROTOCOL_ERROR),
        (ask(1) + ask(1), Code.STREAM_CLOSED),
        (frame(Kind.RST_STREAM, 0, 0, bytes(4)), Code.PROTOCOL_ERROR),
    ],
)
async def test_fault_ends_the_connection_with_its_code(sent: bytes, code: Code) -> None:
    async with talking() as peer:
        if code == Code.STREAM_CLOSED:
            await peer.send(ask(1))
        await peer.send(sent)
        (last,) = peer.read(Kind.GOAWAY)
        assert int.from_bytes(last.payload[4:8], "big") == code
        assert peer.wire.closed


async def test_who_reads_nothing_is_not_answered_for_ever() -> None:
    async with talking() as peer:
        peer.wire.unsent = 2**21
        await peer.send(frame(Kind.PING, 0, 0, b"12345678"))
        (last,) = peer.read(Kind.GOAWAY)
        assert int.from_bytes(last.payload[4:8], "big") == Code.ENHANCE_YOUR_CALM


async def test_beginning_that_is_no_preface_is_a_fault() -> None:
    wire = Wire()
    connection = Http2(echo, most=MOST, patience_s=60)
    connection.connection_made(wire)
    await asyncio.sleep(0)
    connection.data_received(b"GET / HTTP/1.1\r\n\r\n")
    assert wire.closed
    await connection.wait_closed(5)


@given(st.binary(max_size=400))
def test_any_bytes_are_answers_or_a_goodbye(noise: bytes) -> None:
    async def play() -> None:
        async with talking() as peer:
            await peer.send(ask(1), noise)
            await peer.send(noise)

    asyncio.run(play())
