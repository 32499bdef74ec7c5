"""Which protocol a connection gets; and aiohttp's, answering as Go's does what is no HTTP.

Source: Go's net/http, server.go (`conn.serve`): its answers to requests that cannot be read.
"""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any
from weakref import WeakSet

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from tutor.sandbox.server.http1 import Http1
from tutor.sandbox.server.http2 import Http2
from tutor.sandbox.server.secure import Secure, SecureTransport
from tutor.sandbox.server.tls import HTTP2, SPOKE_HTTP, TlsContext

_MAX_HEADER = 1024 * 1024
_MAX_HEADERS = 10_000
_PLAIN = "text/plain; charset=utf-8"

RequestHandler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Http1Maker = Callable[[Callable[[], asyncio.Protocol], Callable[[Http1], None]], Http1]
"""Makes the protocol of a connection, from who may take it over and who is told of its end."""


class Plain(web.Response):
    """A response without aiohttp's Server header: the real server sends none."""

    async def _prepare_headers(self) -> None:
        await super()._prepare_headers()
        self.headers.popall(hdrs.SERVER, None)


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


class _Plain(asyncio.Protocol):
    """A connection without TLS, which speaks HTTP/1.1."""

    def __init__(self, server: "Server") -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand on."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what a server gives
        self._server.begin(transport, newer=False)


class Server(web.Server):
    """A server that hears of handshakes that failed, and can end every connection at once."""

    def __init__(
        self,
        handler: RequestHandler,
        tls: TlsContext | None,
        http1: Http1Maker,
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
        self._tls = tls
        self._secure: set[Secure] = set()
        self._http1 = http1
        self._http2 = http2
        self._direct: set[Http1] = set()
        self._newer: WeakSet[Http2] = WeakSet()
        self._refused = refused
        self._open: dict[object, asyncio.Transport] = {}

    def __call__(self) -> Any:
        """The protocol of a new connection."""
        if self._tls is None:
            return _Plain(self)
        secure = Secure(self._tls, self._agreed, self._hear, self._secure.discard)
        self._secure.add(secure)
        return secure

    def _agreed(self, transport: SecureTransport) -> None:
        self.begin(transport, newer=transport.tls.agreed() == HTTP2)

    def _hear(self, transport: asyncio.Transport, refusal: str) -> None:
        if refusal != SPOKE_HTTP:
            host, port = transport.get_extra_info("peername")[:2]
            self._refused(f"{host}:{port}", refusal)

    def begin(self, transport: asyncio.Transport, *, newer: bool) -> None:
        """Give a connection the protocol of its version of HTTP."""
        if newer:
            protocol = self._http2()
            self._newer.add(protocol)
        else:
            protocol = self._http1(self._other, self._left)
            self._direct.add(protocol)
            self._open[protocol] = transport
        transport.set_protocol(protocol)
        protocol.connection_made(transport)

    def _other(self) -> asyncio.Protocol:
        return _Connection(self, loop=self._loop, **self._kwargs)

    def _left(self, direct: Http1) -> None:
        self._direct.discard(direct)
        self._open.pop(direct, None)

    async def close_direct(self, most_s: float) -> None:
        """Let the answers that are under way end, and not for ever."""
        open_ones = list(self._direct)
        for connection in open_ones:
            connection.close()
        tasks = [each.task for each in open_ones if each.task is not None]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=most_s)
            for task in late:
                task.cancel()

    async def close_http2(self, most_s: float) -> None:
        """Say goodbye to all who speak HTTP/2, and wait until their answers have ended."""
        open_ones = list(self._newer)
        for connection in open_ones:
            connection.close()
        for connection in open_ones:
            await connection.wait_closed(most_s)

    def abort(self) -> None:
        """Drop what is still open, without goodbyes that nobody waits for."""
        for transport in [*self._open.values(), *(secure.transport for secure in self._secure)]:
            transport.abort()

    def connection_made(self, handler: Any, transport: asyncio.Transport) -> None:
        """Told by each connection, before its first request."""
        super().connection_made(handler, transport)
        self._open[handler] = transport

    def connection_lost(self, handler: Any, exc: BaseException | None = None) -> None:
        """Told by each connection at its end."""
        self._open.pop(handler, None)
        super().connection_lost(handler, exc)
