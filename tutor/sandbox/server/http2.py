"""A connection of HTTP/2: h2 speaks the protocol; here are the tasks that answer, and their limits.

Sources: RFC 9113; golang.org/x/net/http2 for what a Go server lets in and which headers it adds.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError, StreamClosedError
from h2.settings import SettingCodes, Settings

log = logging.getLogger(__name__)

MAX_STREAMS = 100
_MAX_TASKS = 4 * MAX_STREAMS
_MAX_HEADERS = 1024 * 1024
_MAX_TABLE = 4_096
_FRAME_HEAD = 9
_MAX_UNSENT = 1024 * 1024
_BODIES = 8
"""So many of the largest bodies are held for a connection."""
_WINDOW = 256 * 1024
_WHOLE = 4_096
"""Answers up to this length tell it."""
_NO_BODY = (204, 304)
_HOP_BY_HOP = {b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}
_GO_ON = 100
_SPOKEN = H2Configuration(
    client_side=False,
    header_encoding=None,
    validate_inbound_headers=False,  # h2 would end the connection where Go ends the stream
    validate_outbound_headers=False,
    normalize_outbound_headers=False,
)

Header = tuple[bytes, bytes]
Lines = Iterable[tuple[str, str]]


class Fault(Exception):
    """What ends the connection though h2 lets it through: too much of it."""

    def __init__(self, why: str, code: ErrorCodes = ErrorCodes.ENHANCE_YOUR_CALM) -> None:
        super().__init__(why)
        self.code = code


@dataclass(slots=True, eq=False)
class Exchange:
    """A request, and the way back."""

    connection: "Http2"
    stream: int
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
        # What there is room for goes with the head: one write is one record of TLS.
        self.connection.put_head(self, _head(status, lines), end=not body)
        if not body:
            self.connection.flush()
            return
        await self.write(body, end=True)

    def begin(self, status: int, headers: Lines) -> None:
        """Send the head of an answer whose body follows."""
        self.connection.put_head(self, _head(status, headers))
        self.connection.flush()

    async def write(self, data: bytes, *, end: bool = False) -> None:
        """Send a part of the body, as fast as the reader lets it through."""
        rest = memoryview(data)
        while rest:
            room = await self.connection.room(self)
            part, rest = rest[:room], rest[room:]
            self.connection.put_data(self, bytes(part), end=end and not rest)
            self.connection.flush()

    def end(self) -> None:
        """End the body."""
        self.connection.put_data(self, b"", end=True)
        self.connection.flush()


Answer = Callable[[Exchange], Awaitable[None]]


class Http2(asyncio.Protocol):
    """One connection. `answer` is called for each request, in a task of its own."""

    def __init__(self, answer: Answer, *, most: int, patience_s: float) -> None:
        self._answer = answer
        self._most = most
        self._patience_s = patience_s
        self._spoken = H2Connection(_SPOKEN)
        self._spoken.local_settings = Settings(
            client=False,
            initial_values={
                SettingCodes.MAX_CONCURRENT_STREAMS: MAX_STREAMS,
                SettingCodes.INITIAL_WINDOW_SIZE: _WINDOW,
                SettingCodes.MAX_HEADER_LIST_SIZE: _MAX_HEADERS,
            },
        )
        self._spoken.decoder.max_header_list_size = _MAX_HEADERS
        self._exchanges: dict[int, Exchange] = {}
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
        self._spoken.initiate_connection()
        self._spoken.increment_flow_control_window(_WINDOW)
        self.flush()
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
            for event in self._spoken.receive_data(data):
                self._take(event)
            self._check_frame()
            if self.transport.get_write_buffer_size() > _MAX_UNSENT:
                raise Fault("nothing is read")
        except ProtocolError as error:
            # h2 has its goodbye ready.
            log.debug("HTTP/2 fault", extra={"why": str(error)})
            self._close()
        except Fault as fault:
            log.debug("HTTP/2 fault", extra={"why": str(fault)})
            self._spoken.close_connection(fault.code, str(fault).encode())
            self._close()
        else:
            self.flush()

    def _check_frame(self) -> None:
        """Refuse a frame that is too long when it begins: h2 waits for its end, up to 16 MiB."""
        begun = self._spoken.incoming_buffer._data  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - h2 tells nobody
        if len(begun) >= _FRAME_HEAD:
            length = int.from_bytes(begun[:3], "big")
            if length > self._spoken.max_inbound_frame_size:
                raise Fault("a frame is too long", ErrorCodes.FRAME_SIZE_ERROR)

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
        if not self._ending.is_set():
            self._spoken.close_connection()
            self._close()

    def _close(self) -> None:
        self._ending.set()
        self.flush()
        self.transport.close()

    def flush(self) -> None:
        """Write what was put."""
        if data := self._spoken.data_to_send():
            self.transport.write(data)

    def _take(self, event: Event) -> None:
        match event:
            case RequestReceived():
                self._take_request(event)
            case DataReceived():
                self._take_data(event)
            case StreamEnded():
                if exchange := self._exchanges.get(event.stream_id):
                    exchange.complete = True
                    self._start(exchange)
            case StreamReset():
                if exchange := self._exchanges.get(event.stream_id):
                    exchange.complete = True
                    self._drop(exchange)
            case WindowUpdated(stream_id=stream) if stream in self._exchanges:
                self._exchanges[stream].ready.set()
            case WindowUpdated() | RemoteSettingsChanged():
                _keep_table_small(self._spoken)
                self._wake()
            case ConnectionTerminated():
                self._close()
            case _:
                return

    def _take_request(self, event: RequestReceived) -> None:
        if self._tasks >= _MAX_TASKS:
            raise Fault("there are too many requests")
        exchange = Exchange(self, event.stream_id)
        if not _fill(exchange, [(bytes(name), bytes(value)) for name, value in event.headers]):
            self._spoken.reset_stream(event.stream_id, ErrorCodes.PROTOCOL_ERROR)
            return
        self._exchanges[exchange.stream] = exchange
        if event.stream_ended:
            return
        told = dict(exchange.headers)
        length = told.get("content-length", "")
        if length.isdecimal() and int(length) > self._most:
            exchange.too_large = True
            self._start(exchange)
            return
        if told.get("expect", "").lower() == "100-continue":
            self.put_head(exchange, [(b":status", str(_GO_ON).encode())])
        loop = asyncio.get_running_loop()
        exchange.timer = loop.call_later(self._patience_s, self._give_up, exchange)

    def _give_up(self, exchange: Exchange) -> None:
        exchange.late = True
        self._start(exchange)

    def _take_data(self, event: DataReceived) -> None:
        self._spoken.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        exchange = self._exchanges.get(event.stream_id)
        if exchange is None or exchange.task is not None:
            return
        exchange.body += event.data
        exchange.too_large = len(exchange.body) > self._most
        if sum(len(each.body) for each in self._exchanges.values()) > _BODIES * self._most:
            raise Fault("there are too many bodies")
        if exchange.too_large:
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
        except (ConnectionError, StreamClosedError):
            log.debug("reader has gone", extra={"target": exchange.path})
        except Exception:  # one stream must not end the connection; the bug is in the log
            log.exception("answer failed", extra={"target": exchange.path})
            self._end(exchange, ErrorCodes.INTERNAL_ERROR)
        else:
            if not exchange.complete:
                self._end(exchange, ErrorCodes.NO_ERROR)
        finally:
            self._tasks -= 1
            self._exchanges.pop(exchange.stream, None)

    def _end(self, exchange: Exchange, code: ErrorCodes) -> None:
        if self._ending.is_set() or self.transport.is_closing():
            return
        with suppress(StreamClosedError):
            self._spoken.reset_stream(exchange.stream, code)
        self.flush()

    def _drop(self, exchange: Exchange) -> None:
        self._exchanges.pop(exchange.stream, None)
        if exchange.timer is not None:
            exchange.timer.cancel()
        if exchange.task is not None:
            exchange.task.cancel()

    def _wake(self) -> None:
        for exchange in self._exchanges.values():
            exchange.ready.set()

    def _check_open(self) -> None:
        if self._ending.is_set() or self.transport.is_closing():
            raise ConnectionResetError

    async def room(self, exchange: Exchange) -> int:
        """How much of a body may be sent; waits until that is something.

        Raises:
            ConnectionError: Nobody is there.
        """
        while True:
            self._check_open()
            window = self._spoken.local_flow_control_window(exchange.stream)
            room = min(window, self._spoken.max_outbound_frame_size)
            if room > 0 and not self._paused:
                return room
            self.flush()
            exchange.ready.clear()
            await exchange.ready.wait()

    def put_head(self, exchange: Exchange, head: list[Header], *, end: bool = False) -> None:
        """Make ready to send a head.

        Raises:
            ConnectionError: Nobody is there.
        """
        self._check_open()
        self._spoken.send_headers(exchange.stream, head, end_stream=end)

    def put_data(self, exchange: Exchange, data: bytes, *, end: bool) -> None:
        """Make ready to send a part of a body for which there is room.

        Raises:
            ConnectionError: Nobody is there.
        """
        self._check_open()
        self._spoken.send_data(exchange.stream, data, end_stream=end)

    async def wait_closed(self, most_s: float) -> None:
        """Wait until every answer has ended, and not for ever."""
        await asyncio.wait({self._root}, timeout=most_s)


def _keep_table_small(spoken: H2Connection) -> None:
    """Keep no larger a table of headers than Go does, however large a one the reader allows.

    hpack would let it grow, search it line by line, and tell every size that it ever had.
    """
    encoder = spoken.encoder
    if not encoder.table_size_changes:
        return
    size = min(encoder.header_table_size, _MAX_TABLE)
    smallest = min([*encoder.table_size_changes, size])
    encoder.header_table_size = size
    encoder.header_table.resized = True
    encoder.table_size_changes = sorted({smallest, size})


def _head(status: int, headers: Lines) -> list[Header]:
    """The headers of an answer in Go's order: what it adds itself comes last."""
    lines = [(name.lower(), value) for name, value in headers]
    lines.sort(key=lambda line: (line[0] == "content-length", line[0]))
    block = [(b":status", str(status).encode())]
    block += [(name.encode(), value.encode("utf-8", "replace")) for name, value in lines]
    return [*block, (b"date", formatdate(usegmt=True).encode())]


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
