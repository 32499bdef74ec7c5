"""TLS as kube-apiserver does it: ask for a client certificate, let any in, judge it later.

CPython's `ssl` ends the handshake for a certificate it does not know, where a real API server
answers 401. So the server side runs on pyOpenSSL, behind the three methods that asyncio asks of a
context. The certificate is chosen at each handshake, so a rotation needs no restart.
"""

import ssl
from collections.abc import Callable
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

from tutor.sandbox import pki
from tutor.sandbox.component import ServerTls
from tutor.sandbox.pki import Pair

_CHUNK = 65_536
_VERSIONS = {"TLSv1.2": SSL.TLS1_2_VERSION, "TLSv1.3": SSL.TLS1_3_VERSION}
_HTTP1 = b"http/1.1"
_T = TypeVar("_T")


class TlsObject:
    """One connection's TLS, in the shape of `ssl.SSLObject`."""

    def __init__(
        self, context: "TlsContext", incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO
    ) -> None:
        self.context = context
        self._incoming = incoming
        self._outgoing = outgoing
        self._connection = SSL.Connection(context.openssl(), None)
        self._connection.set_accept_state()
        self._chain: tuple[x509.Certificate, ...] | None = None

    def do_handshake(self) -> None:
        """Go on with the handshake."""
        self._run(self._connection.do_handshake)

    def read(self, size: int = _CHUNK, buffer: bytearray | None = None) -> bytes | int:
        """Read plain bytes."""
        if buffer is None:
            return self._run(lambda: self._connection.recv(size))
        return self._run(lambda: self._connection.recv_into(buffer, size))

    def write(self, data: bytes) -> int:
        """Write plain bytes."""
        return self._run(lambda: self._connection.send(bytes(data)))

    def unwrap(self) -> None:
        """Say goodbye."""
        if not self._run(self._connection.shutdown):
            raise ssl.SSLWantReadError(2, "want read")

    def pending(self) -> int:
        """Bytes that can be read without the network."""
        return self._connection.pending()

    def peer_chain(self) -> tuple[x509.Certificate, ...]:
        """What the client sent: its certificate first; empty without one."""
        if self._chain is None:
            leaf = self._connection.get_peer_certificate(as_cryptography=True)
            if leaf is None:
                self._chain = ()
            else:
                sent = self._connection.get_peer_cert_chain(as_cryptography=True) or []
                self._chain = (leaf, *(c for c in sent if c != leaf))
        return self._chain

    def getpeercert(self, binary_form: bool = False) -> bytes | dict[str, object] | None:
        """The client's certificate, as `ssl` gives it."""
        chain = self.peer_chain()
        if not chain:
            return None
        return chain[0].public_bytes(Encoding.DER) if binary_form else {}

    def server_name(self) -> str:
        """The SNI of the client hello, empty without."""
        return (self._connection.get_servername() or b"").decode("ascii", "replace")

    def cipher(self) -> tuple[str | None, str | None, int | None]:
        """Name, protocol and bits of the cipher."""
        connection = self._connection
        return (
            connection.get_cipher_name(),
            connection.get_cipher_version(),
            connection.get_cipher_bits(),
        )

    def compression(self) -> None:
        """None: TLS compression is off."""

    def selected_alpn_protocol(self) -> str | None:
        """The agreed application protocol."""
        return self._connection.get_alpn_proto_negotiated().decode() or None

    def _run(self, action: Callable[[], _T]) -> _T:
        data = self._incoming.read()
        while data:
            data = data[self._connection.bio_write(data) :]
        try:
            return action()
        except SSL.WantReadError as error:
            raise ssl.SSLWantReadError(2, "want read") from error
        except SSL.ZeroReturnError as error:
            raise ssl.SSLZeroReturnError(6, "closed") from error
        except (SSL.SysCallError, SSL.Error) as error:
            raise ssl.SSLError(1, str(error)) from error
        finally:
            self._flush()

    def _flush(self) -> None:
        while True:
            try:
                self._outgoing.write(self._connection.bio_read(_CHUNK))
            except SSL.Error:
                return


class TlsContext:
    """The part of `ssl.SSLContext` that asyncio's server needs."""

    verify_mode = ssl.CERT_OPTIONAL
    check_hostname = False

    def __init__(self, settings: ServerTls) -> None:
        self._settings = settings
        self._made: tuple[Pair | None, str, SSL.Context] | None = None

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | None = None,
        session: object = None,
    ) -> TlsObject:
        """TLS for one connection; only the server's side."""
        del server_side, server_hostname, session
        return TlsObject(self, incoming, outgoing)

    def openssl(self) -> SSL.Context:
        """The OpenSSL context for the certificate of this moment."""
        pair, acceptable = self._settings.pair(), self._settings.acceptable()
        if self._made is None or self._made[:2] != (pair, acceptable):
            self._made = pair, acceptable, self._make(pair, acceptable)
        return self._made[2]

    def _make(self, pair: Pair | None, acceptable: str) -> SSL.Context:
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_min_proto_version(_VERSIONS[self._settings.minimum])
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        context.set_options(SSL.OP_NO_TICKET)
        context.set_alpn_select_callback(_prefer_http1)
        if pair is not None:
            leaf, *chain = pki.load_certificates(pair.certificate)
            context.use_certificate(leaf)
            for certificate in chain:
                context.add_extra_chain_cert(certificate)
            context.use_privatekey(pki.load_key(pair.key))
        if self._settings.asks_client:
            context.set_verify(SSL.VERIFY_PEER, _anyone)
            for certificate in pki.load_certificates(acceptable) if acceptable else ():
                context.add_client_ca(certificate)
        return context


def _anyone(*_: object) -> bool:
    return True


def _prefer_http1(_connection: SSL.Connection, offered: list[bytes]) -> bytes | object:
    return _HTTP1 if _HTTP1 in offered else SSL.NO_OVERLAPPING_PROTOCOLS
