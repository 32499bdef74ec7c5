"""aiohttp's server side, answering as Go's does what is no HTTP, and saying less in the log.

Source: Go's net/http, server.go (`conn.serve`): its answers to requests that cannot be read.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from weakref import WeakSet

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from tutor.sandbox.api.request import Headers
from tutor.sandbox.server.http2 import Http2
from tutor.sandbox.server.tls import HTTP2, SPOKE_HTTP, TlsObject

_MAX_HEADER = 1024 * 1024
_MAX_HEADERS = 10_000
_PLAIN = "text/plain; charset=utf-8"
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_PHRASES = {code.value: code.phrase for code in HTTPStatus}

RequestHandler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Plain(web.Response):
    """A response without aiohttp's Server header: the real server sends none."""

    async def _prepare_headers(self) -> None:
        await super()._prepare_headers()
        self.headers.popall(hdrs.SERVER, None)


class Whole(web.StreamResponse):
    """A response with a body, on a connection that stays: written in one piece, by ourselves.

    aiohttp's own way costs as much as all the rest of carrying a small answer.
    """

    def __init__(self, status: int, body: bytes, headers: Headers, now: datetime) -> None:
        super().__init__(status=status)
        self._made = _head(status, len(body), headers, int(now.timestamp())) + body
        self._asked: web.BaseRequest | None = None

    @property
    def keep_alive(self) -> bool:
        """Always: where the connection ends after an answer, there is `Plain`."""
        return True

    async def prepare(self, request: web.BaseRequest) -> None:
        """Note where to write to."""
        self._asked = request

    async def write_eof(self, data: bytes = b"") -> None:
        """Write all of it."""
        if self._asked is not None:
            await self._asked.writer.write(self._made + data)
            self._asked = None


def _head(status: int, length: int, headers: Headers, second: int) -> bytes:
    lines = [f"{name}: {value}" for name, value in headers]
    lines += (f"Content-Length: {length}", f"Date: {_date(second)}")
    # Nearly always all of it is printable, which is several times as quick to see.
    if not "".join(lines).isprintable() and any(map(_CONTROL.search, lines)):
        raise ValueError("a header of an answer has a control character in it")
    text = "\r\n".join(lines)
    return f"HTTP/1.1 {status} {_PHRASES.get(status, '')}\r\n{text}\r\n\r\n".encode()


@lru_cache(maxsize=4)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


class Chunked(web.StreamResponse):
    """A stream without aiohttp's Server header."""

    async def _prepare_headers(self) -> None:
        await super()._prepare_headers()
        self.headers.popall(hdrs.SERVER, None)


class _Connection(web.RequestHandler):
    """One connection."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what the parser refused; anything else is a bug, which aiohttp logs."""
        if not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        self.logger.debug("not HTTP", extra={"why": exc.message})
        code = HTTPStatus.BAD_REQUEST
        if isinstance(exc, LineTooLong):
            code = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        text = f"{code.value} {code.phrase}"
        refusal = Plain(status=code, body=text.encode(), headers={hdrs.CONTENT_TYPE: _PLAIN})
        refusal.force_close()
        return refusal


class _Switch(asyncio.Protocol):
    """A connection that does not know yet which HTTP it will speak."""

    def __init__(self, server: "Server") -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand on to what the handshake has agreed on."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what a server gives
        tls = transport.get_extra_info("ssl_object")
        agreed = tls.selected_alpn_protocol() if isinstance(tls, TlsObject) else None
        protocol = self._server.of_version(2 if agreed == HTTP2 else 1)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)


class Server(web.Server):
    """A server that hears of handshakes that failed, and can end every connection at once."""

    def __init__(
        self,
        handler: RequestHandler,
        http2: Callable[[], Http2],
        refused: Callable[[str, str], None],
        log: Any,
    ) -> None:
        super().__init__(
            handler,
            handler_cancellation=True,
            access_log=None,
            logger=log,
            auto_decompress=False,
            max_line_size=_MAX_HEADER,
            max_field_size=_MAX_HEADER,
            max_headers=_MAX_HEADERS,
        )
        self._http2 = http2
        self._newer: WeakSet[Http2] = WeakSet()
        self._refused = refused
        self._open: dict[object, asyncio.Transport] = {}

    def __call__(self) -> Any:
        """The protocol of a new connection."""
        return _Switch(self)

    def of_version(self, version: int) -> asyncio.Protocol:
        """A protocol for a version of HTTP."""
        if version == 1:
            return _Connection(self, loop=self._loop, **self._kwargs)
        made = self._http2()
        self._newer.add(made)
        return made

    async def close_http2(self, most_s: float) -> None:
        """Say goodbye to all who speak HTTP/2, and wait until their answers have ended."""
        open_ones = list(self._newer)
        for connection in open_ones:
            connection.close()
        for connection in open_ones:
            await connection.wait_closed(most_s)

    def abort(self) -> None:
        """Drop what is still open, without goodbyes that nobody waits for."""
        for transport in self._open.values():
            transport.abort()

    def connection_made(self, handler: Any, transport: asyncio.Transport) -> None:
        """Told by each connection, before its first request."""
        super().connection_made(handler, transport)
        self._open[handler] = transport
        tls = transport.get_extra_info("ssl_object")
        if isinstance(tls, TlsObject) and tls.refusal not in ("", SPOKE_HTTP):
            host, port = transport.get_extra_info("peername")[:2]
            self._refused(f"{host}:{port}", tls.refusal)

    def connection_lost(self, handler: Any, exc: BaseException | None = None) -> None:
        """Told by each connection at its end."""
        self._open.pop(handler, None)
        super().connection_lost(handler, exc)
