"""Which HTTP a connection speaks is agreed on in its handshake."""

import asyncio
import ssl
import struct

from tests.fakes.cluster import now
from tutor.sandbox.api.request import Request, Response
from tutor.sandbox.cluster.keys import ClusterKeys
from tutor.sandbox.component import ServerTls
from tutor.sandbox.server.wire import serving

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, GOAWAY = 0, 1, 4, 7
END_STREAM_AND_HEADERS = 0x5
FRAME_HEAD = 9
HEAD = [(b":method", b"GET"), (b":scheme", b"https"), (b":path", b"/a?b"), (b":authority", b"h")]


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + struct.pack(">BBL", kind, flags, stream) + payload


def block(headers: list[tuple[bytes, bytes]]) -> bytes:
    """Headers in their longest form: nothing indexed, nothing coded."""
    return b"".join(b"\0%c%b%c%b" % (len(n), n, len(v), v) for n, v in headers)


async def echo(request: Request) -> Response:
    """What was asked for, and by whom."""
    names = [c.subject.rfc4514_string() for c in request.peer_chain]
    text = f"{request.method} {request.target} {request.header('host')} {names}"
    return Response(status=200, body=text.encode())


def trusting(keys: ClusterKeys, *protocols: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=keys.ca.pem)
    context.set_alpn_protocols(list(protocols))
    return context


async def frame_of(reader: asyncio.StreamReader, wanted: int) -> bytes:
    while True:
        head = await reader.readexactly(FRAME_HEAD)
        payload = await reader.readexactly(int.from_bytes(head[:3], "big"))
        if struct.unpack(">B", head[3:4])[0] == wanted:
            return payload


def tls_of(keys: ClusterKeys, *, http2: bool) -> ServerTls:
    return ServerTls(pair=lambda: keys.server, asks_client=True, http2=http2)


async def test_request_over_http2_is_answered_and_the_server_says_goodbye(
    cluster_keys: ClusterKeys,
) -> None:
    tls = tls_of(cluster_keys, http2=True)
    async with serving(echo, tls=tls, now=now) as port:
        context = trusting(cluster_keys, "h2", "http/1.1")
        reader, writer = await asyncio.open_connection("localhost", port, ssl=context)
        asked = frame(HEADERS, END_STREAM_AND_HEADERS, 1, block(HEAD))
        writer.write(PREFACE + frame(SETTINGS, 0, 0) + asked)
        assert await frame_of(reader, DATA) == b"GET /a?b h []"
    await frame_of(reader, GOAWAY)
    assert await reader.read() == b""
    writer.close()


async def test_older_clients_and_older_servers_speak_http1(cluster_keys: ClusterKeys) -> None:
    for http2, offered in ((True, ("http/1.1",)), (False, ("h2", "http/1.1"))):
        async with serving(echo, tls=tls_of(cluster_keys, http2=http2), now=now) as port:
            context = trusting(cluster_keys, *offered)
            reader, writer = await asyncio.open_connection("localhost", port, ssl=context)
            writer.write(b"GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            assert (await reader.read()).endswith(b"GET /a h []")
            writer.close()
