"""A connection of HTTP/1.1 whose requests come whole and ask for nothing special: nearly all.

What aiohttp needs to carry one of them costs more than all that the API does for a read. From the
first request that is of any other sort, the connection is aiohttp's until it ends: a body in
chunks or in parts, leave to send it, an upgrade, several requests at once, HEAD, and all that is
not quite HTTP.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple

from tutor.sandbox.api.request import Headers

log = logging.getLogger(__name__)

_IDLE_S = 3630.0
"""So long aiohttp keeps a connection on which nothing happens."""
_MAX_HEAD = 16 * 1024
_REMEMBERED = 2 * 1024
_END = b"\r\n\r\n"
_WHOLE = re.compile(
    r"(GET|POST|PUT|PATCH|DELETE) (/[!-~]*) HTTP/1\.1"
    r"((?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~]*)+)"
)
_SPECIAL = frozenset(("expect", "http2-settings", "te", "trailer", "transfer-encoding", "upgrade"))
_LENGTH = re.compile(r"[0-9]{1,9}")
_HOST = re.compile(r"[0-9A-Za-z.:\[\]_-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_PHRASES = {code.value: code.phrase for code in HTTPStatus}
_NO_BODY = (204, 304)
_CONTENT_TYPE = "content-type"
_UNKNOWN_TYPE = "application/octet-stream"


class Head(NamedTuple):
    """The head of a request, with the length of the body that follows."""

    method: str
    target: str
    headers: Headers
    length: int


def read_head(head: bytes) -> Head | None:
    """The head of an ordinary request, without its empty line; None for any other."""
    return _known(head) if len(head) <= _REMEMBERED else _read(head)


def _read(head: bytes) -> Head | None:
    found = _WHOLE.fullmatch(head.decode("latin-1"))
    if found is None:
        return None
    method, target, lines = found.groups()
    pairs = (line.split(":", 1) for line in lines[2:].split("\r\n"))
    headers = tuple((name.lower(), value.strip(" \t")) for name, value in pairs)
    told = dict(headers)
    ordinary = (
        len(told) == len(headers)
        and _SPECIAL.isdisjoint(told)
        and told.get("connection", "keep-alive").lower() == "keep-alive"
        and _HOST.fullmatch(told.get("host", ""))
        and _LENGTH.fullmatch(told.get("content-length", "0"))
    )
    return Head(method, target, headers, int(told.get("content-length", 0))) if ordinary else None


_known = lru_cache(maxsize=256)(_read)
"""A client says the same from request to request."""


def head_of(status: int, headers: Headers, framing: str, second: int) -> bytes:
    """The head of an answer.

    Raises:
        ValueError: A header cannot be sent.
    """
    lines = [f"{name}: {value}" for name, value in headers]
    if framing:
        lines.append(framing)
    lines.append(f"Date: {_date(second)}")
    # Nearly always all of it is printable, which is several times as quick to see.
    if not "".join(lines).isprintable() and any(map(_CONTROL.search, lines)):
        raise ValueError("a header of an answer has a control character in it")
    text = "\r\n".join(lines)
    return f"HTTP/1.1 {status} {_PHRASES.get(status, '')}\r\n{text}\r\n\r\n".encode()


@lru_cache(maxsize=4)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


class Http1(asyncio.Protocol):
    """One connection, and the request on it with the way back.

    `answer` is called for each request. `other` gives the protocol that takes over when the
    connection is not for this one.
    """

    head: Head
    body: bytes
    transport: asyncio.Transport

    def __init__(
        self,
        answer: "Answer",
        other: Callable[[], asyncio.Protocol],
        ended: Callable[["Http1"], None],
        now: Callable[[], datetime],
    ) -> None:
        self._answer = answer
        self._other = other
        self._ended = ended
        self._now = now
        self.task: asyncio.Task[None] | None = None
        self._early = b""
        self._ending = False
        self._framed = False
        self._begun = False
        self._paused: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first request."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what a server gives
        self.transport = transport
        self._loop = asyncio.get_running_loop()
        self._since = self._loop.time()
        self._timer = self._loop.call_later(_IDLE_S, self._look)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        """The connection is gone, and nobody waits for the answer."""
        self._leave()
        self._ending = True
        if self.task is not None:
            self.task.cancel()

    def _leave(self) -> None:
        self._timer.cancel()
        self._ended(self)

    def _look(self) -> None:
        """End a connection on which nothing has happened for long."""
        now = self._loop.time()
        due = _IDLE_S + (self._since if self.task is None else now)
        if due <= now:
            self.transport.close()
        else:
            self._timer = self._loop.call_at(due, self._look)

    def data_received(self, data: bytes) -> None:
        """Take what arrives."""
        if self._ending:
            return
        if self.task is not None:
            self._early += data
            self.transport.pause_reading()
            return
        end = data.find(_END)
        head = read_head(data[:end]) if 0 < end < _MAX_HEAD else None
        start = end + len(_END)
        if head is None or len(data) - start != head.length:
            self._leave()
            other = self._other()
            self.transport.set_protocol(other)
            other.connection_made(self.transport)
            other.data_received(data)
            return
        self.head, self.body = head, data[start:]
        # A protocol has no task around it: this one is the root of what follows.
        self.task = self._loop.create_task(self._serve())

    async def _serve(self) -> None:
        self._begun = False
        try:
            await self._answer(self)
            await self._drained()
        except ConnectionError:
            log.debug("reader has gone", extra={"target": self.head.target})
            self._ending = True
        except Exception:  # one connection must not end the server; the bug is in the log
            log.exception("answer failed", extra={"target": self.head.target})
            self._fail()
        self.task = None
        self._since = self._loop.time()
        if self._ending:
            self.transport.close()
        elif self._early:
            early, self._early = self._early, b""
            self.transport.resume_reading()
            self.data_received(early)

    def _fail(self) -> None:
        self._ending = True
        if not self._begun and not self.transport.is_closing():
            text = f"500 {_PHRASES[500]}"
            close = (("Content-Type", "text/plain; charset=utf-8"), ("Connection", "close"))
            self._write(500, close, f"Content-Length: {len(text)}", text.encode())

    def pause_writing(self) -> None:
        """The reader is slower than we are."""
        self._paused = self._loop.create_future()

    def resume_writing(self) -> None:
        """The reader has caught up."""
        if self._paused is not None and not self._paused.done():
            self._paused.set_result(None)
        self._paused = None

    async def _drained(self) -> None:
        if self._paused is not None:
            await self._paused

    def _write(self, status: int, headers: Headers, framing: str, body: bytes = b"") -> None:
        if self.transport.is_closing():
            raise ConnectionResetError
        head = head_of(status, headers, framing, int(self._now().timestamp()))
        self._begun = True
        self.transport.write(head + body)

    async def answer(self, status: int, headers: Headers, body: bytes) -> None:
        """Send a whole answer."""
        empty = not body and status in _NO_BODY
        self._write(status, headers, "" if empty else f"Content-Length: {len(body)}", body)

    def begin(self, status: int, headers: Headers) -> None:
        """Send the head of an answer whose body follows."""
        self._framed = status not in _NO_BODY
        if self._framed and all(name.lower() != _CONTENT_TYPE for name, _ in headers):
            headers = (*headers, ("Content-Type", _UNKNOWN_TYPE))
        self._write(status, headers, "Transfer-Encoding: chunked" if self._framed else "")

    async def write(self, data: bytes) -> None:
        """Send a part of the body, as fast as it is read."""
        if self.transport.is_closing():
            raise ConnectionResetError
        if data and self._framed:
            self.transport.write(b"%x\r\n%b\r\n" % (len(data), data))
            await self._drained()

    def end(self) -> None:
        """End the body."""
        if self._framed and not self.transport.is_closing():
            self.transport.write(b"0\r\n\r\n")

    def close(self) -> None:
        """Take no more requests, and end with the answer that is under way."""
        self._ending = True
        if self.task is None:
            self.transport.close()


Answer = Callable[[Http1], Awaitable[None]]
