"""HTTP on a socket: aiohttp's server around a handler that knows nothing of it."""

import asyncio
import logging
import socket
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from aiohttp import hdrs, web
from multidict import CIMultiDict

from tutor.sandbox.api.render import document
from tutor.sandbox.api.request import Answer, Headers, Request, Response, Source, Stream
from tutor.sandbox.api.status import ApiError, internal_error
from tutor.sandbox.component import Handler, ServerTls
from tutor.sandbox.server.tls import SPOKE_HTTP, TlsContext, TlsObject

log = logging.getLogger(__name__)

MAX_BODY = 3 * 1024 * 1024
_SHUTDOWN_S = 0.5
_TURNS = 5

Now = Callable[[], datetime]
RequestHandler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class _Plain(web.Response):
    """A response without aiohttp's Server header: the real server sends none."""

    async def _prepare_headers(self) -> None:
        await super()._prepare_headers()
        self.headers.popall(hdrs.SERVER, None)


class _Chunked(web.StreamResponse):
    """A stream without aiohttp's Server header."""

    async def _prepare_headers(self) -> None:
        await super()._prepare_headers()
        self.headers.popall(hdrs.SERVER, None)


class _Server(web.Server):
    """A server that hears of handshakes that failed, and can end every connection at once."""

    def __init__(self, handler: RequestHandler, refused: Callable[[str, str], None]) -> None:
        super().__init__(handler, handler_cancellation=True, access_log=None, logger=log)
        self._refused = refused
        self._open: dict[object, asyncio.Transport] = {}

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


@asynccontextmanager
async def serving(
    handler: Handler, *, tls: ServerTls | None, now: Now, port: int = 0, extra: Headers = ()
) -> AsyncGenerator[int]:
    """Serve on a loopback port; yields the port. `extra` headers go on every answer.

    Raises:
        OSError: The port is taken.
    """

    async def answer(incoming: web.BaseRequest) -> web.StreamResponse:
        return await _answer(incoming, handler, now, extra)

    server = _Server(answer, tls.refused if tls else lambda _peer, _why: None)
    runner = web.ServerRunner(server, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    context = TlsContext(tls) if tls else None
    # A socket of our own: asyncio loses one that it has just made when it is cancelled then.
    with socket.create_server(("127.0.0.1", port)) as listener:
        site = web.SockSite(
            runner,
            listener,
            ssl_context=context,  # pyright: ignore[reportArgumentType] - it has what asyncio asks for
        )
        try:
            await site.start()
            yield listener.getsockname()[1]
        finally:
            # asyncio loses a connection that it has accepted and not yet attached to its server
            # when that is closed, and does not know those that are in their handshake: no more
            # come in, what was accepted is attached, and what is cut off has its time to end.
            asyncio.get_running_loop().remove_reader(listener)
            await _turn()
            await runner.cleanup()
            server.abort()
            await _turn()


async def _turn() -> None:
    for _ in range(_TURNS):
        await asyncio.sleep(0)


async def _answer(
    incoming: web.BaseRequest, handler: Handler, now: Now, extra: Headers
) -> web.StreamResponse:
    try:
        body = await _body(incoming)
        made = await handler(_request(incoming, body, now()))
    except ApiError as error:
        made = _failure(error)
    except asyncio.CancelledError:
        raise
    except Exception:  # one connection must not end the server; the bug is in the log
        log.exception("request failed", extra={"target": incoming.path_qs})
        made = _failure(internal_error("the request failed; the sandbox's log has the details"))
    if isinstance(made, Stream):
        return await _stream(incoming, made, now, extra)
    return _response(incoming, made, extra)


async def _body(incoming: web.BaseRequest) -> bytes:
    length = incoming.content_length
    if length is not None and length > MAX_BODY:
        raise _too_large()
    chunks: list[bytes] = []
    size = 0
    async for chunk in incoming.content.iter_any():
        size += len(chunk)
        if size > MAX_BODY:
            raise _too_large()
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large() -> ApiError:
    message = f"Request entity too large: limit is {MAX_BODY}"
    return ApiError(413, "RequestEntityTooLarge", message, details={})


def _request(incoming: web.BaseRequest, body: bytes, now: datetime) -> Request:
    transport = incoming.transport
    tls = transport.get_extra_info("ssl_object") if transport else None
    chain = tls.peer_chain() if isinstance(tls, TlsObject) else ()
    return Request(
        method=incoming.method,
        target=incoming.raw_path,
        headers=[(name.lower(), value) for name, value in incoming.headers.items()],
        body=body,
        received=now,
        peer_chain=chain,
        remote=incoming.remote or "",
    )


def _headers(made: Answer, extra: Headers) -> CIMultiDict[str]:
    headers: CIMultiDict[str] = CIMultiDict(made.headers)
    for name, value in extra:
        headers.setdefault(name, value)
    headers.setdefault("Audit-Id", str(uuid.uuid4()))
    headers.setdefault(hdrs.CACHE_CONTROL, "no-cache, private")
    if made.content_type:
        headers[hdrs.CONTENT_TYPE] = made.content_type
    return headers


def _response(incoming: web.BaseRequest, made: Response, extra: Headers) -> web.Response:
    headers = _headers(made, extra)
    body = b"" if incoming.method == "HEAD" else made.body
    return _Plain(status=made.status, body=body, headers=headers)


async def _stream(
    incoming: web.BaseRequest, made: Stream, now: Now, extra: Headers
) -> web.StreamResponse:
    response = _Chunked(status=made.status, headers=_headers(made, extra))
    response.enable_chunked_encoding()
    source = made.source
    try:
        await response.prepare(incoming)
        if isinstance(source, AsyncGenerator):
            async for chunk in source:
                await response.write(chunk)
        else:
            await _follow(response, source, now)
        await response.write_eof()
    except ConnectionError:
        log.debug("reader has gone", extra={"target": incoming.path_qs})
    finally:
        if isinstance(source, AsyncGenerator):
            await source.aclose()
        else:
            source.close()
    return response


async def _follow(response: web.StreamResponse, source: Source, now: Now) -> None:
    ready = asyncio.Event()
    source.on_ready(ready.set)
    while True:
        chunks = source.take(now())
        if chunks:
            await response.write(b"".join(chunks))
        elif source.ended:
            return
        else:
            await _until(ready, source.due(), now)


async def _until(ready: asyncio.Event, due: datetime | None, now: Now) -> None:
    delay = None if due is None else max((due - now()).total_seconds(), 0)
    try:
        async with asyncio.timeout(delay):
            await ready.wait()
    except TimeoutError:
        return
    ready.clear()


def _failure(error: ApiError) -> Response:
    return Response(status=error.code, body=document(error.status()), headers=error.headers)
