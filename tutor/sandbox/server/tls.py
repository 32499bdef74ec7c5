"""TLS as kube-apiserver does it: ask for a client certificate, let any in, judge it later.

CPython's `ssl` ends the handshake for a certificate it does not know, where a real API server
answers 401. So the server side runs on pyOpenSSL, behind the three methods that asyncio asks of a
context. The certificate is chosen at each handshake, so a rotation needs no restart.

asyncio drops what a handshake that fails has to say. So a failed one is told to it as one that has
succeeded and then ended at once: the alert goes out, the connection is closed, and the server above
sees a connection on which nothing was sent.
"""

import ssl
from asyncio import sslproto
from collections.abc import Callable
from typing import Any, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

from tutor.sandbox import pki
from tutor.sandbox.component import ServerTls
from tutor.sandbox.pki import Pair

_CHUNK = 65_536
_RECORD = 16_384
# asyncio's buffer for what arrives on a TLS connection, 256 KiB of which an idle watch would hold.
sslproto.SSLProtocol.max_size = 2 * _RECORD
_VERSIONS = {"TLSv1.2": SSL.TLS1_2_VERSION, "TLSv1.3": SSL.TLS1_3_VERSION}
HTTP2 = "h2"
_HTTP1 = b"http/1.1"
_HANDSHAKE_RECORD = 0x16
# A record of its own, before anything is agreed: fatal, 80.
_INTERNAL_ERROR = b"\x15\x03\x01\x00\x02\x02\x50"
SPOKE_HTTP = "client sent an HTTP request to an HTTPS server"
"""A refusal that was told to the client in its own language, and that Go does not log."""
_NO_HTTP = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
_METHODS = (b"GET ", b"POST", b"PUT ", b"HEAD", b"DELE", b"PATC", b"OPTI", b"CONN")
# What Go calls the alerts that OpenSSL names.
_ALERTS = {
    "bad certificate": "bad certificate",
    "unknown ca": "unknown certificate authority",
    "certificate unknown": "unknown certificate",
    "certificate expired": "expired certificate",
    "handshake failure": "handshake failure",
    "internal error": "internal error",
    "protocol version": "protocol version not supported",
}
_VERSION_FAULTS = ("unsupported protocol", "version too low")
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
        self._begun = False
        self._unanswered = False
        self.refusal = ""
        """Why the handshake failed, in Go's words; empty while it did not."""

    def do_handshake(self) -> None:
        """Go on with the handshake."""
        if not self._begun and not self._begin():
            return
        try:
            self._run(self._connection.do_handshake)
            with pki.reading():
                for certificate in self.peer_chain():
                    pki.check_names(certificate)
        except ssl.SSLWantReadError:
            raise
        except ssl.SSLError as error:
            self.refusal = _sentence(str(error))
        except ValueError:
            # Go finds out in the handshake; OpenSSL, which is less strict, has ended it by now.
            why = "x509: malformed certificate"
            self.refusal = f"tls: failed to parse certificate from client: {why}"

    def _begin(self) -> bool:
        """Look at the first bytes; False when they end the connection."""
        data = self._incoming.read()
        if not data:
            raise ssl.SSLWantReadError(2, "want read")
        self._begun = True
        if data[0] != _HANDSHAKE_RECORD:
            if data.startswith(_METHODS):
                self._outgoing.write(_NO_HTTP)
                self.refusal = SPOKE_HTTP
            else:
                self.refusal = "tls: first record does not look like a TLS handshake"
            return False
        if not self.context.has_certificate:
            self._outgoing.write(_INTERNAL_ERROR)
            self.refusal = "tls: no certificates configured"
            return False
        self._connection.bio_write(data)
        return True

    def read(self, size: int = _CHUNK, buffer: bytearray | None = None) -> bytes | int:
        """Read plain bytes, or how many there were; nothing at the end."""
        nothing = b"" if buffer is None else 0
        if self.refusal:
            return nothing
        connection = self._connection
        try:
            if self._feed():
                self._unanswered = True
            if buffer is None:
                done = connection.recv(min(size, _RECORD))
            else:
                done = connection.recv_into(buffer, size)
        except SSL.WantReadError:
            # What was no data may have been a question to TLS itself.
            if self._unanswered:
                self._unanswered = False
                self._flush()
            raise ssl.SSLWantReadError(2, "want read") from None
        except SSL.ZeroReturnError:
            self._flush()
            return nothing
        except (SSL.SysCallError, SSL.Error) as error:
            self._flush()
            raise ssl.SSLError(1, str(error)) from error
        self._unanswered = False
        return done

    def write(self, data: bytes) -> int:
        """Write plain bytes, all of them: OpenSSL takes a record at a time."""
        if self.refusal:
            return len(data)
        try:
            sent = self._connection.send(data)
            self._flush()
            if sent < len(data):
                rest = memoryview(data)[sent:]
                while rest:
                    rest = rest[self._connection.send(rest) :]
                    self._flush()
        except (SSL.SysCallError, SSL.Error) as error:
            self._flush()
            raise ssl.SSLError(1, str(error)) from error
        return len(data)

    def unwrap(self) -> None:
        """Say goodbye."""
        if self.refusal:
            return
        if not self._run(self._connection.shutdown):
            raise ssl.SSLWantReadError(2, "want read")

    def pending(self) -> int:
        """Bytes that can be read without the network."""
        return self._connection.pending()

    def peer_chain(self) -> tuple[x509.Certificate, ...]:
        """What the client sent: its certificate first; empty without one."""
        if self.refusal:
            return ()
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

    def _feed(self) -> bool:
        """Hand over what has come; False when nothing has."""
        data = self._incoming.read()
        if not data:
            return False
        while data:
            data = data[self._connection.bio_write(data) :]
        return True

    def _run(self, action: Callable[[], _T]) -> _T:
        """Do something with what has come."""
        self._feed()
        try:
            done = action()
        except SSL.WantReadError as error:
            self._flush()
            raise ssl.SSLWantReadError(2, "want read") from error
        except SSL.ZeroReturnError as error:
            self._flush()
            raise ssl.SSLZeroReturnError(6, "closed") from error
        except (SSL.SysCallError, SSL.Error) as error:
            self._flush()
            raise ssl.SSLError(1, str(error)) from error
        self._flush()
        return done

    def _flush(self) -> None:
        size = _CHUNK
        while size == _CHUNK:
            try:
                data = self._connection.bio_read(_CHUNK)
            except SSL.Error:
                return
            self._outgoing.write(data)
            size = len(data)


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

    @property
    def has_certificate(self) -> bool:
        """Whether there is something to present."""
        return self._settings.pair() is not None

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
        context.set_mode(SSL.MODE_RELEASE_BUFFERS)
        context.set_options(SSL.OP_NO_TICKET)
        context.set_alpn_select_callback(_prefer_http2 if self._settings.http2 else _prefer_http1)
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


def _sentence(text: str) -> str:
    """What Go's server says where OpenSSL says `text`."""
    if any(fault in text for fault in _VERSION_FAULTS):
        return "tls: client offered only unsupported versions"
    if "alert" in text:
        said = (go for openssl, go in _ALERTS.items() if f"alert {openssl}" in text)
        return f"remote error: tls: {next(said, 'unexpected message')}"
    return "EOF" if "unexpected eof" in text else f"tls: {text}"


def _anyone(*_: object) -> bool:
    return True


def _prefer_http1(_connection: SSL.Connection, offered: list[bytes]) -> Any:
    return _HTTP1 if _HTTP1 in offered else SSL.NO_OVERLAPPING_PROTOCOLS


def _prefer_http2(connection: SSL.Connection, offered: list[bytes]) -> Any:
    newer = HTTP2.encode()
    return newer if newer in offered else _prefer_http1(connection, offered)
