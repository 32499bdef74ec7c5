"""Small real servers on loopback."""

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL

from tests.fakes.certs import Issued


@asynccontextmanager
async def tls_server(folder: Path, served: Issued, *, answer: bytes = b"") -> AsyncGenerator[str]:
    """A TLS server; it answers each connection with `answer` after a first line."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate, key = folder / "served.pem", folder / "served.key"
    certificate.write_text(served.certificate, encoding="utf-8")
    key.write_text(served.key, encoding="utf-8")
    context.load_cert_chain(certificate, key)
    async with _listening(answer, context) as address:
        yield address


@asynccontextmanager
async def plain_server(answer: bytes) -> AsyncGenerator[str]:
    """A server that answers each connection with these bytes."""
    async with _listening(answer, None) as address:
        yield address


@contextmanager
def mutual_tls_server(served: Issued, *, clients: str) -> Generator[str]:
    """A TLS server that asks one connection for a certificate of these authorities (PEM).

    The standard library's does not send their names.
    """
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.use_certificate(x509.load_pem_x509_certificate(served.certificate.encode()))
    key = load_pem_private_key(served.key.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    context.use_privatekey(key)
    context.set_verify(SSL.VERIFY_PEER)
    context.add_client_ca(x509.load_pem_x509_certificate(clients.encode()))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_shake_once, args=(listener, context))
        thread.start()
        host, port = listener.getsockname()
        yield f"{host}:{port}"
        thread.join()


def _shake_once(listener: socket.socket, context: SSL.Context) -> None:
    peer, _ = listener.accept()
    with peer, suppress(SSL.Error):
        connection = SSL.Connection(context, peer)
        connection.set_accept_state()
        connection.do_handshake()


@asynccontextmanager
async def _listening(answer: bytes, context: ssl.SSLContext | None) -> AsyncGenerator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if answer:
                await reader.readline()
                writer.write(answer)
            else:
                await reader.read(1)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    host, port = server.sockets[0].getsockname()[:2]
    try:
        yield f"{host}:{port}"
    finally:
        server.close()
        await server.wait_closed()
