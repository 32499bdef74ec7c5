"""HTTP on a socket: aiohttp's server around a handler that knows nothing of it."""

import asyncio
import logging
import random
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Protocol

from aiohttp import StreamReader, hdrs, web
from cryptography import x509
from multidict import CIMultiDict

from tutor.sandbox.api.render import document
from tutor.sandbox.api.request import Answer, Headers, Request, Response, Source, Stream
from tutor.sandbox.api.status import ApiError, bad_request, internal_error
from tutor.sandbox.component import Handler, ServerTls
from tutor.sandbox.kinds import random_uuid
from tutor.sandbox.server.connection import Chunked, Plain, Server
from tutor.sandbox.server.http1 import Http1
from tutor.sandbox.server.http2 import Exchange, Http2
from tutor.sandbox.server.secure import SecureTransport
from tutor.sandbox.server.tls import TlsContext

log = logging.getLogger(__name__)

MAX_BODY = 3 * 1024 * 1024
_CONTINUE = "100-continue"
_BODY_S = 60.0
_SHUTDOWN_S = 0.5
_TURNS = 5

Now = Callable[[], datetime]


class _Reader(Protocol):
    """Who reads a stream."""

    async def write(self, data: bytes) -> None:
        """Send a part, as fast as it is read."""
        ...


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

    async def answer_direct(asked: Http1) -> None:
        await _answer_direct(asked, handler, now, extra)

    async def answer_newer(exchange: Exchange) -> None:
        await _answer_newer(exchange, handler, now, extra)

    server = Server(
        answer,
        TlsContext(tls) if tls else None,
        lambda other, ended: Http1(answer_direct, other, ended, now),
        lambda: Http2(answer_newer, most=MAX_BODY, patience_s=_BODY_S),
        tls.refused if tls else lambda _peer, _why: None,
        log,
    )
    runner = web.ServerRunner(server, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    # A socket of our own: asyncio loses one that it has just made when it is cancelled then.
    with socket.create_server(("127.0.0.1", port)) as listener:
        # Inherited by what is accepted. asyncio does it only for sockets that name their protocol,
        # and without it a client's first answer waits for its delayed acknowledgement: 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        site = web.SockSite(runner, listener)
        try:
            await site.start()
            yield listener.getsockname()[1]
        finally:
            # asyncio loses a connection that it has accepted and not yet attached to its server
            # when that is closed, and does not know those that are in their handshake: no more
            # come in, what was accepted is attached, and what is cut off has its time to end.
            asyncio.get_running_loop().remove_reader(listener)
            await _turn()
            await server.close_http2(_SHUTDOWN_S)
            await server.close_direct(_SHUTDOWN_S)
            await runner.cleanup()
            server.abort()
            await _turn()


async def _turn() -> None:
    for _ in range(_TURNS):
        await asyncio.sleep(0)


async def _answer(
    incoming: web.BaseRequest, handler: Handler, now: Now, extra: Headers
) -> web.StreamResponse:
    async def read() -> Request:
        return _request(incoming, await _body(incoming), now())

    made = await _made(read, handler)
    if isinstance(made, Stream):
        return await _stream(incoming, made, now, extra)
    return _response(incoming, made, extra)


async def _made(read: Callable[[], Awaitable[Request]], handler: Handler) -> Answer:
    try:
        request = await read()
    except ApiError as error:
        return _failure(error)
    return await _handled(request, handler)


async def _handled(request: Request, handler: Handler) -> Answer:
    try:
        return await handler(request)
    except ApiError as error:
        return _failure(error)
    except asyncio.CancelledError:
        raise
    except Exception:  # one connection must not end the server; the bug is in the log
        log.exception("request failed", extra={"target": request.target})
        return _failure(internal_error("the request failed; the sandbox's log has the details"))


async def _answer_direct(asked: Http1, handler: Handler, now: Now, extra: Headers) -> None:
    method, target, headers, _ = asked.head
    transport = asked.transport
    request = Request(
        method=method,
        target=target,
        headers=headers,
        body=asked.body,
        received=now(),
        peer_chain=_chain(transport),
        remote=transport.get_extra_info("peername")[0],
    )
    await _tell(asked, await _handled(request, handler), now, extra)


async def _answer_newer(exchange: Exchange, handler: Handler, now: Now, extra: Headers) -> None:
    async def read() -> Request:
        if exchange.too_large:
            raise _too_large()
        if exchange.late:
            raise _too_late()
        transport = exchange.connection.transport
        return Request(
            method=exchange.method,
            target=exchange.path,
            headers=exchange.headers,
            body=bytes(exchange.body),
            received=now(),
            peer_chain=_chain(transport),
            remote=transport.get_extra_info("peername")[0],
        )

    await _tell(exchange, await _made(read, handler), now, extra)


async def _tell(exchange: Exchange | Http1, made: Answer, now: Now, extra: Headers) -> None:
    headers = _headers(made, extra)
    if isinstance(made, Response):
        await exchange.answer(made.status, headers, made.body)
        return
    exchange.begin(made.status, headers)
    try:
        await _send(made.source, exchange, now)
        exchange.end()
    finally:
        await _close(made.source)


async def _body(incoming: web.BaseRequest) -> bytes:
    if not incoming.body_exists:
        return b""
    length = incoming.content_length
    if length is not None and length > MAX_BODY:
        raise _too_large()
    if incoming.headers.get(hdrs.EXPECT, "").lower() == _CONTINUE:
        await incoming.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        incoming.writer.output_size = 0  # what follows is the answer's beginning
    try:
        if incoming.content.is_eof():
            # All of it came with the head: most bodies are small.
            return _within_limit(incoming.content.read_nowait())
        return await _arriving(incoming.content)
    except web.RequestPayloadError as error:
        raise bad_request(f"the body cannot be read: {error}") from error
    except TimeoutError as error:
        # aiohttp tells nobody who reads a body that the rest of it is no HTTP.
        raise _too_late() from error


async def _arriving(content: StreamReader) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async with asyncio.timeout(_BODY_S):
        async for chunk in content.iter_any():
            size += len(chunk)
            if size > MAX_BODY:
                raise _too_large()
            chunks.append(chunk)
    return b"".join(chunks)


def _within_limit(body: bytes) -> bytes:
    if len(body) > MAX_BODY:
        raise _too_large()
    return body


def _too_large() -> ApiError:
    message = f"Request entity too large: limit is {MAX_BODY}"
    return ApiError(413, "RequestEntityTooLarge", message)


def _too_late() -> ApiError:
    why = "Timeout: request did not complete within the allotted timeout"
    return ApiError(504, "Timeout", why, details={})


def _chain(transport: asyncio.BaseTransport | None) -> tuple[x509.Certificate, ...]:
    return transport.tls.peer_chain() if isinstance(transport, SecureTransport) else ()


def _request(incoming: web.BaseRequest, body: bytes, now: datetime) -> Request:
    return Request(
        method=incoming.method,
        target=incoming.raw_path,
        headers=[(name.lower(), value) for name, value in incoming.headers.items()],
        body=body,
        received=now,
        peer_chain=_chain(incoming.transport),
        remote=incoming.remote or "",
    )


def _headers(made: Answer, extra: Headers) -> list[tuple[str, str]]:
    headers = list(made.headers)
    known = {name.lower() for name, _ in headers}
    for name, value in extra:
        if name.lower() not in known:
            headers.append((name, value))
            known.add(name.lower())
    if "audit-id" not in known:
        audit = random_uuid(random.getrandbits(128))
        headers.append(("Audit-Id", audit))
    if "cache-control" not in known:
        headers.append((hdrs.CACHE_CONTROL, "no-cache, private"))
    if made.content_type:
        if "content-type" in known:
            headers = [pair for pair in headers if pair[0].lower() != "content-type"]
        headers.append((hdrs.CONTENT_TYPE, made.content_type))
    return headers


def _response(incoming: web.BaseRequest, made: Response, extra: Headers) -> web.StreamResponse:
    other_protocol = hdrs.UPGRADE in incoming.headers or incoming.method == "CONNECT"
    # What follows on the connection may be no HTTP, or the rest of a body.
    stays = not other_protocol and incoming.content.is_eof()
    body = b"" if incoming.method == "HEAD" else made.body
    headers = CIMultiDict(_headers(made, extra))
    response = Plain(status=made.status, body=body, headers=headers)
    if not stays:
        response.force_close()
    return response


async def _stream(
    incoming: web.BaseRequest, made: Stream, now: Now, extra: Headers
) -> web.StreamResponse:
    response = Chunked(status=made.status, headers=CIMultiDict(_headers(made, extra)))
    response.enable_chunked_encoding()
    try:
        await response.prepare(incoming)
        await _send(made.source, response, now)
        await response.write_eof()
    except ConnectionError:
        log.debug("reader has gone", extra={"target": incoming.path_qs})
    finally:
        await _close(made.source)
    return response


async def _send(source: Source | AsyncGenerator[bytes], reader: _Reader, now: Now) -> None:
    if isinstance(source, AsyncGenerator):
        async for chunk in source:
            await reader.write(chunk)
    else:
        await _follow(reader, source, now)


async def _close(source: Source | AsyncGenerator[bytes]) -> None:
    if isinstance(source, AsyncGenerator):
        await source.aclose()
    else:
        source.close()


async def _follow(reader: _Reader, source: Source, now: Now) -> None:
    ready = asyncio.Event()
    source.on_ready(ready.set)
    while True:
        chunks = source.take(now())
        if chunks:
            await reader.write(b"".join(chunks))
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
