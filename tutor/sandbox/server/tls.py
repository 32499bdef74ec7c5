"""TLS as kube-apiserver does it: ask for a client certificate, let any in, judge it later.

CPython's `ssl` ends the handshake for a certificate it does not know, where a real API server
answers 401. So the server side runs on pyOpenSSL. The certificate is chosen at each handshake, so a
rotation needs no restart.
"""

import logging
import ssl
from typing import Any

from cryptography import x509
from OpenSSL import SSL

from tutor.sandbox import pki
from tutor.sandbox.component import ServerTls
from tutor.sandbox.pki import Pair

log = logging.getLogger(__name__)

_CHUNK = 65_536
_RECORD = 16_384
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


class Tls:
    """One connection's TLS: bytes in, bytes out."""

    def __init__(self, context: "TlsContext") -> None:
        self._context = context
        self._connection = SSL.Connection(context.openssl(), None)
        self._connection.set_accept_state()
        self._chain: tuple[x509.Certificate, ...] | None = None
        self._begun = False
        self._said = b""
        self.ended = False
        """Whether the client has said goodbye."""
        self.refusal = ""
        """Why the handshake failed, in Go's words; empty while it did not."""

    def shake(self, data: bytes) -> bool:
        """Go on with the handshake; whether it is over, one way or the other."""
        if not self._begun and not self._begin(data):
            return True
        try:
            self._feed(data)
            self._connection.do_handshake()
            with pki.reading():
                for certificate in self.peer_chain():
                    pki.check_names(certificate)
        except SSL.WantReadError:
            return False
        except SSL.Error as error:
            self.refusal = _sentence(str(error))
        except ValueError:
            # Go finds out in the handshake; OpenSSL, which is less strict, has ended it by now.
            why = "x509: malformed certificate"
            self.refusal = f"tls: failed to parse certificate from client: {why}"
        return True

    def _begin(self, data: bytes) -> bool:
        """Look at the first bytes; False when they end the connection."""
        self._begun = True
        if data[0] != _HANDSHAKE_RECORD:
            if data.startswith(_METHODS):
                self._said = _NO_HTTP
                self.refusal = SPOKE_HTTP
            else:
                self.refusal = "tls: first record does not look like a TLS handshake"
            return False
        if not self._context.has_certificate:
            self._said = _INTERNAL_ERROR
            self.refusal = "tls: no certificates configured"
            return False
        return True

    def outgoing(self) -> bytes:
        """What TLS itself has to say."""
        said, self._said = self._said, b""
        size = _CHUNK
        while size == _CHUNK:
            try:
                data = self._connection.bio_read(_CHUNK)
            except SSL.Error:
                return said
            size = len(data)
            said = said + data if said else data
        return said

    def decrypt(self, data: bytes) -> bytes:
        """The plain bytes that have come.

        Raises:
            ssl.SSLError: What came is no TLS.
        """
        plain = b""
        try:
            self._feed(data)
            while True:
                part = self._connection.recv(_RECORD)
                plain = plain + part if plain else part
        except SSL.WantReadError:
            return plain
        except SSL.ZeroReturnError:
            self.ended = True
            return plain
        except SSL.Error as error:
            raise ssl.SSLError(1, str(error)) from error

    def encrypt(self, data: bytes) -> bytes:
        """Plain bytes as they are sent: OpenSSL takes a record at a time.

        Raises:
            ssl.SSLError: There is no TLS any more.
        """
        try:
            sent = self._connection.send(data)
            if sent < len(data):
                rest = memoryview(data)[sent:]
                while rest:
                    rest = rest[self._connection.send(rest) :]
        except SSL.Error as error:
            raise ssl.SSLError(1, str(error)) from error
        return self.outgoing()

    def goodbye(self) -> bytes:
        """What ends the connection."""
        if not self.refusal:
            try:
                self._connection.shutdown()
            except SSL.Error as error:
                log.debug("no goodbye", extra={"why": str(error)})
        return self.outgoing()

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

    def agreed(self) -> str:
        """The agreed application protocol, empty for none."""
        return self._connection.get_alpn_proto_negotiated().decode()

    def _feed(self, data: bytes) -> None:
        while data:
            data = data[self._connection.bio_write(data) :]


class TlsContext:
    """What the connections of a server have in common."""

    def __init__(self, settings: ServerTls) -> None:
        self._settings = settings
        self._made: tuple[Pair | None, str, SSL.Context] | None = None

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
