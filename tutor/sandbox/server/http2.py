"""A connection of HTTP/2, server side: streams, windows, and the tasks that answer.

Sources: RFC 9113; golang.org/x/net/http2 for what a Go server lets in and how it answers.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from email.utils import formatdate

from tutor.sandbox.server import frames
from tutor.sandbox.server.frames import Code, Cutter, Fault, Frame, Kind, Setting
from tutor.sandbox.server.hpack import CompressionError, Decoder, Header, TooLarge, encode

log = logging.getLogger(__name__)

MAX_STREAMS = 100
_MAX_TASKS = 4 * MAX_STREAMS
_MAX_HEADERS = 1024 * 1024
_MAX_UNSENT = 1024 * 1024
_BODIES = 8
"""So many of the largest bodies are held for a connection."""
_WINDOW = 256 * 1024
_FIRST_WINDOW = 65_535
_WHOLE = 4_096
"""Answers up to this length tell it."""
_NO_BODY = (204, 304)
_HOP_BY_HOP = {b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}
_GO_ON, _TOO_MANY_HEADERS = 100, 431

Lines = Iterable[tuple[str, str]]


@dataclass(slots=True, eq=False)
class Exchange:
    """A request, and the way back."""

    connection: "Http2"
    stream: int
    window: int
    method: str = ""
    path: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    body: bytearray = field(default_factory=bytearray)
    complete: bool = False
    """Whether the request has ended."""
    too_large: bool = False
    late: bool = False
    """Whether the body did not end in time."""
    task: asyncio.Task[None] | None = None
    timer: asyncio.TimerHandle | None = None
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, status: int, headers: Lines, body: bytes) -> None:
        """Send a whole answer."""
        lines = [*headers]
        if len(body) <= _WHOLE and status not in _NO_BODY and (body or self.method != "HEAD"):
            lines.append(("content-length", str(len(body))))
        if self.method == "HEAD":
            body = b""
        head = _head(status, lines)
        if 0 < len(body) <= self.connection.room_now(self):
            # Both in one write are one record of TLS.
            self.connection.send_data(self, body, end=True, after=self.frames_of(head, end=False))
            return
        self.connection.transport.write(self.frames_of(head, end=not body))
        if body:
            await self.write(body, end=True)

    def begin(self, status: int, headers: Lines) -> None:
        """Send the head of an answer whose body follows."""
        self.connection.transport.write(self.frames_of(_head(status, headers), end=False))

    def interim(self, status: int, *, end: bool = False) -> None:
        """Send a status alone."""
        block = encode([(b":status", str(status).encode())])
        self.connection.transport.write(self.frames_of(block, end=end))

    def frames_of(self, block: bytes, *, end: bool) -> bytes:
        """A block of headers, in as many frames as it takes."""
        kind, flags, made = Kind.HEADERS, frames.END_STREAM if end else 0, b""
        while len(block) > frames.MAX_PAYLOAD:
            part, block = block[: frames.MAX_PAYLOAD], block[frames.MAX_PAYLOAD :]
            made += frames.frame(kind, flags, self.stream, part)
            kind, flags = Kind.CONTINUATION, 0
        return made + frames.frame(kind, flags | frames.END_HEADERS, self.stream, block)

    async def write(self, data: bytes, *, end: bool = False) -> None:
        """Send a part of the body, as fast as the reader lets it through."""
        rest = memoryview(data)
        while rest:
            room = await self.connection.room(self)
            part, rest = rest[:room], rest[room:]
            self.connection.send_data(self, bytes(part), end=end and not rest)

    def end(self) -> None:
        """End the body."""
        self.connection.send_data(self, b"", end=True)


Answer = Callable[[Exchange], Awaitable[None]]


class Http2(asyncio.Protocol):
    """One connection. `answer` is called for each request, in a task of its own."""

    def __init__(self, answer: Answer, *, most: int, patience_s: float) -> None:
        self._answer = answer
        self._most = most
        self._patience_s = patience_s
        self._cutter = Cutter()
        self._decoder = Decoder(_MAX_HEADERS)
        self._exchanges: dict[int, Exchange] = {}
        self._last = 0
        self._block: tuple[Frame, bytearray] | None = None
        self._window = _FIRST_WINDOW
        self._their_window = _FIRST_WINDOW
        self._early = bytearray()
        self._group: asyncio.TaskGroup | None = None
        self._tasks = 0
        self._paused = False
        self._ending = asyncio.Event()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet, and begin to answer."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what TLS gives
        self.transport = transport
        told = {
            Setting.MAX_CONCURRENT_STREAMS: MAX_STREAMS,
            Setting.INITIAL_WINDOW_SIZE: _WINDOW,
            Setting.MAX_HEADER_LIST_SIZE: _MAX_HEADERS,
        }
        transport.write(frames.settings(told) + frames.window_update(0, _WINDOW))
        # A protocol has no task around it: this one is the root of all that follow.
        self._root = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            self._group = group
            early, self._early = bytes(self._early), bytearray()
            self.data_received(early)
            await self._ending.wait()
            for exchange in list(self._exchanges.values()):
                self._drop(exchange)

    def data_received(self, data: bytes) -> None:
        """Take what arrives."""
        if self._group is None:
            self._early += data
            return
        if self._ending.is_set():
            return
        try:
            for found in self._cutter.feed(data):
                self._take(found)
        except Fault as fault:
            log.debug("HTTP/2 fault", extra={"why": str(fault)})
            self.transport.write(frames.go_away(self._last, fault.code, str(fault)))
            self._close()

    def eof_received(self) -> None:
        """The other side has nothing more to say."""
        self._close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        """The connection is gone."""
        self._ending.set()

    def pause_writing(self) -> None:
        """The network is slower than we are."""
        self._paused = True

    def resume_writing(self) -> None:
        """The network has caught up."""
        self._paused = False
        self._wake()

    def close(self) -> None:
        """Say goodbye."""
        self.transport.write(frames.go_away(self._last, Code.NO_ERROR))
        self._close()

    def _close(self) -> None:
        self._ending.set()
        self.transport.close()

    def _take(self, found: Frame) -> None:
        if self._block is not None:
            self._continue(found)
            return
        match found.kind:
            case Kind.DATA:
                self._take_data(found)
            case Kind.HEADERS:
                self._take_headers(found)
            case Kind.RST_STREAM:
                self._take_reset(found)
            case Kind.SETTINGS:
                self._take_settings(found)
            case Kind.PING:
                self._take_ping(found)
            case Kind.WINDOW_UPDATE:
                self._take_window(found)
            case Kind.CONTINUATION | Kind.PUSH_PROMISE:
                raise Fault(Code.PROTOCOL_ERROR, "a frame is out of place")
            case _:
                return

    def _take_headers(self, found: Frame) -> None:
        if not found.stream % 2:
            raise Fault(Code.PROTOCOL_ERROR, "a stream has no such number")
        self._block = found, bytearray(frames.content(found))
        if found.flags & frames.END_HEADERS:
            self._headers_done()

    def _continue(self, found: Frame) -> None:
        if self._block is None or found.kind != Kind.CONTINUATION:
            raise Fault(Code.PROTOCOL_ERROR, "headers are interrupted")
        first, block = self._block
        if found.stream != first.stream or not (found.payload or found.flags):
            raise Fault(Code.PROTOCOL_ERROR, "headers are continued with nothing")
        block += found.payload
        if len(block) > _MAX_HEADERS:
            raise Fault(Code.ENHANCE_YOUR_CALM, "there are too many headers")
        if found.flags & frames.END_HEADERS:
            self._headers_done()

    def _headers_done(self) -> None:
        assert self._block is not None  # noqa: S101 - both callers have just seen it
        (first, block), self._block = self._block, None
        oversized, headers = False, list[Header]()
        try:
            headers = self._decoder.decode(bytes(block))
        except CompressionError as error:
            raise Fault(Code.COMPRESSION_ERROR, str(error)) from error
        except TooLarge:
            oversized = True
        exchange = self._exchanges.get(first.stream)
        ended = bool(first.flags & frames.END_STREAM)
        if exchange is not None:
            self._trailers(exchange, ended=ended)
            return
        if first.stream <= self._last:
            raise Fault(Code.STREAM_CLOSED, "a stream begins again")
        self._last = first.stream
        if self._tasks >= _MAX_TASKS:
            raise Fault(Code.ENHANCE_YOUR_CALM, "there are too many requests")
        exchange = Exchange(self, first.stream, self._their_window, complete=ended)
        if oversized:
            exchange.interim(_TOO_MANY_HEADERS, end=True)
        elif len(self._exchanges) >= MAX_STREAMS:
            self._refuse(first.stream, Code.REFUSED_STREAM)
        elif not _fill(exchange, headers):
            self._refuse(first.stream, Code.PROTOCOL_ERROR)
        else:
            self._open(exchange)

    def _open(self, exchange: Exchange) -> None:
        self._exchanges[exchange.stream] = exchange
        if exchange.complete:
            self._start(exchange)
            return
        told = dict(exchange.headers)
        length = told.get("content-length", "")
        if length.isdecimal() and int(length) > self._most:
            exchange.too_large = True
            self._start(exchange)
            return
        if told.get("expect", "").lower() == "100-continue":
            exchange.interim(_GO_ON)
        loop = asyncio.get_running_loop()
        exchange.timer = loop.call_later(self._patience_s, self._give_up, exchange)

    def _give_up(self, exchange: Exchange) -> None:
        exchange.late = True
        self._start(exchange)

    def _trailers(self, exchange: Exchange, *, ended: bool) -> None:
        if not ended or exchange.complete:
            raise Fault(Code.PROTOCOL_ERROR, "headers follow a body")
        self._complete(exchange)

    def _take_data(self, found: Frame) -> None:
        exchange = self._exchanges.get(found.stream)
        if found.stream > self._last or not found.stream:
            raise Fault(Code.PROTOCOL_ERROR, "data comes before its headers")
        size = len(found.payload)
        data = frames.content(found)
        if size:
            self._control(frames.window_update(0, size))
        if exchange is None or exchange.complete:
            return
        if exchange.task is None:
            exchange.body += data
            exchange.too_large = len(exchange.body) > self._most
        if sum(len(each.body) for each in self._exchanges.values()) > _BODIES * self._most:
            raise Fault(Code.ENHANCE_YOUR_CALM, "there are too many bodies")
        if found.flags & frames.END_STREAM:
            self._complete(exchange)
        elif exchange.too_large and exchange.task is None:
            self._start(exchange)
        elif size:
            self._control(frames.window_update(found.stream, size))

    def _complete(self, exchange: Exchange) -> None:
        exchange.complete = True
        length = dict(exchange.headers).get("content-length")
        if exchange.task is not None:
            return
        if length is not None and length != str(len(exchange.body)):
            self._refuse(exchange.stream, Code.PROTOCOL_ERROR)
            self._drop(exchange)
            return
        self._start(exchange)

    def _start(self, exchange: Exchange) -> None:
        if exchange.timer is not None:
            exchange.timer.cancel()
        if exchange.task is not None or self._group is None:
            return
        self._tasks += 1
        exchange.task = self._group.create_task(self._serve(exchange))

    async def _serve(self, exchange: Exchange) -> None:
        try:
            await self._answer(exchange)
        except ConnectionError:
            log.debug("reader has gone", extra={"target": exchange.path})
        except Exception:  # one stream must not end the connection; the bug is in the log
            log.exception("answer failed", extra={"target": exchange.path})
            self._end(exchange, Code.INTERNAL_ERROR)
        else:
            if not exchange.complete:
                self._end(exchange, Code.NO_ERROR)
        finally:
            self._tasks -= 1
            self._exchanges.pop(exchange.stream, None)

    def _end(self, exchange: Exchange, code: Code) -> None:
        if not self.transport.is_closing():
            self.transport.write(frames.reset(exchange.stream, code))

    def _take_reset(self, found: Frame) -> None:
        if len(found.payload) != 4:
            raise Fault(Code.FRAME_SIZE_ERROR, "a reset is cut off")
        if not found.stream or found.stream > self._last:
            raise Fault(Code.PROTOCOL_ERROR, "a stream ends before it begins")
        exchange = self._exchanges.get(found.stream)
        if exchange is not None:
            exchange.complete = True
            self._drop(exchange)

    def _drop(self, exchange: Exchange) -> None:
        self._exchanges.pop(exchange.stream, None)
        if exchange.timer is not None:
            exchange.timer.cancel()
        if exchange.task is not None:
            exchange.task.cancel()

    def _take_settings(self, found: Frame) -> None:
        if found.flags & frames.ACK:
            return
        for name, value in frames.told(found.payload):
            if name == Setting.INITIAL_WINDOW_SIZE:
                if value > frames.MAX_WINDOW:
                    raise Fault(Code.FLOW_CONTROL_ERROR, "a window is too large")
                for exchange in self._exchanges.values():
                    exchange.window += value - self._their_window
                self._their_window = value
        self._control(frames.frame(Kind.SETTINGS, frames.ACK, 0))
        self._wake()

    def _take_ping(self, found: Frame) -> None:
        if len(found.payload) != 8:
            raise Fault(Code.FRAME_SIZE_ERROR, "a ping has another size")
        if not found.flags & frames.ACK:
            self._control(frames.frame(Kind.PING, frames.ACK, 0, found.payload))

    def _take_window(self, found: Frame) -> None:
        more = int.from_bytes(found.payload, "big") & frames.MAX_WINDOW
        if len(found.payload) != 4:
            raise Fault(Code.FRAME_SIZE_ERROR, "a window update is cut off")
        if not found.stream:
            self._window += more
            if not more or self._window > frames.MAX_WINDOW:
                raise Fault(Code.FLOW_CONTROL_ERROR, "a window cannot grow by that")
            self._wake()
            return
        exchange = self._exchanges.get(found.stream)
        if exchange is None:
            return
        exchange.window += more
        if not more or exchange.window > frames.MAX_WINDOW:
            self._refuse(found.stream, Code.FLOW_CONTROL_ERROR)
            self._drop(exchange)
            return
        exchange.ready.set()

    def _wake(self) -> None:
        for exchange in self._exchanges.values():
            exchange.ready.set()

    def _control(self, data: bytes) -> None:
        """Send what is not held back by windows: to a reader that takes something."""
        if self.transport.get_write_buffer_size() > _MAX_UNSENT:
            raise Fault(Code.ENHANCE_YOUR_CALM, "nothing is read")
        self.transport.write(data)

    def _refuse(self, stream: int, code: Code) -> None:
        self._control(frames.reset(stream, code))

    def room_now(self, exchange: Exchange) -> int:
        """How much of a body may be sent now; raises ConnectionError when nobody is there."""
        if self.transport.is_closing():
            raise ConnectionResetError
        if self._paused:
            return 0
        return max(min(self._window, exchange.window, frames.MAX_PAYLOAD), 0)

    async def room(self, exchange: Exchange) -> int:
        """How much of a body may be sent; waits until that is something."""
        while not (room := self.room_now(exchange)):
            exchange.ready.clear()
            await exchange.ready.wait()
        return room

    def send_data(self, exchange: Exchange, data: bytes, *, end: bool, after: bytes = b"") -> None:
        """Send a part of a body for which there is room."""
        self._window -= len(data)
        exchange.window -= len(data)
        flags = frames.END_STREAM if end else 0
        self.transport.write(after + frames.frame(Kind.DATA, flags, exchange.stream, data))

    async def wait_closed(self, most_s: float) -> None:
        """Wait until every answer has ended, and not for ever."""
        await asyncio.wait({self._root}, timeout=most_s)


def _head(status: int, headers: Lines) -> bytes:
    """The headers of an answer in Go's order: what it adds itself comes last."""
    lines = [(name.lower(), value) for name, value in headers]
    lines.sort(key=lambda line: (line[0] == "content-length", line[0]))
    block = [(b":status", str(status).encode())]
    block += [(name.encode(), value.encode("utf-8", "replace")) for name, value in lines]
    return encode([*block, (b"date", formatdate(usegmt=True).encode())])


def _fill(exchange: Exchange, headers: list[Header]) -> bool:
    """Put a request's headers where they belong; False when they are malformed."""
    pseudo: dict[bytes, str] = {}
    for name, value in headers:
        text = value.decode("utf-8", "surrogateescape")
        if name.startswith(b":"):
            if name in pseudo or exchange.headers:
                return False
            pseudo[name] = text
        elif not name or name != name.lower() or name in _HOP_BY_HOP:
            return False
        else:
            exchange.headers.append((name.decode("utf-8", "surrogateescape"), text))
    if pseudo.keys() - {b":method", b":path", b":scheme", b":authority"}:
        return False
    exchange.method, exchange.path = pseudo.get(b":method", ""), pseudo.get(b":path", "")
    if pseudo.get(b":authority"):
        exchange.headers.append(("host", pseudo[b":authority"]))
    return bool(exchange.method) and b":scheme" in pseudo and exchange.path.startswith(("/", "*"))
