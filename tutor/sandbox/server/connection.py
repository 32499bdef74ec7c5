"""aiohttp's server side, answering as Go's does what is no HTTP, and saying less in the log.

Source: Go's net/http, server.go (`conn.serve`): its answers to requests that cannot be read.
"""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from tutor.sandbox.server.tls import SPOKE_HTTP, TlsObject

_MAX_HEADER = 1024 * 1024
_MAX_HEADERS = 10_000
_PLAIN = "text/plain; charset=utf-8"

RequestHandler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


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


class Server(web.Server):
    """A server that hears of handshakes that failed, and can end every connection at once."""

    def __init__(
        self, handler: RequestHandler, refused: Callable[[str, str], None], log: Any
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
        self._refused = refused
        self._open: dict[object, asyncio.Transport] = {}

    def __call__(self) -> web.RequestHandler:
        """The protocol of a new connection."""
        return _Connection(self, loop=self._loop, **self._kwargs)

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
