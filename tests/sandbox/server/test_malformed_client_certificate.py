"""A certificate that OpenSSL takes and Go does not: it is refused, and the next client served."""

import asyncio
import ssl
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from tests.fakes.cluster import now
from tutor.sandbox import pki
from tutor.sandbox.api.request import Request, Response
from tutor.sandbox.cluster.keys import ClusterKeys
from tutor.sandbox.component import ServerTls
from tutor.sandbox.server.wire import serving


async def _whoever(request: Request) -> Response:
    """Answer with the names of the client's certificates."""
    names = [c.subject.rfc4514_string() for c in request.peer_chain]
    return Response(status=200, body=str(names).encode())


async def _ask(port: int, context: ssl.SSLContext) -> bytes:
    reader, writer = await asyncio.open_connection("localhost", port, ssl=context)
    writer.write(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return answer


async def test_malformed_client_certificate_ends_the_connection_and_is_told(
    cluster_keys: ClusterKeys, tmp_path: Path
) -> None:
    """Go's crypto/tls, `processCertsFromClient`: its sentence."""
    subject = pki.subject_of("somebody")
    pair = pki.issue(cluster_keys.ca, subject=subject, now=now(), lifetime=timedelta(days=1))
    der = pki.load_certificates(pair.certificate)[0].public_bytes(Encoding.DER)
    told: list[str] = []
    tls = ServerTls(
        pair=lambda: cluster_keys.server,
        asks_client=True,
        refused=lambda _peer, why: told.append(why),
    )
    context = ssl.create_default_context(cadata=cluster_keys.ca.pem)
    file = tmp_path / "odd.pem"
    # An asterisk is none of the characters of a PrintableString.
    file.write_text(ssl.DER_cert_to_PEM_cert(der.replace(b"somebody", b"some*ody")) + pair.key)
    context.load_cert_chain(file)
    async with serving(_whoever, tls=tls, now=now) as port:
        assert await _ask(port, context) == b""
        plain = ssl.create_default_context(cadata=cluster_keys.ca.pem)
        assert (await _ask(port, plain)).endswith(b"[]")
    assert told == ["tls: failed to parse certificate from client: x509: malformed certificate"]
