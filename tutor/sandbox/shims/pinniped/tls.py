"""TLS to a server: what is trusted, what is presented, and Go's sentences for what goes wrong.

OpenSSL verifies. When it refuses, the certificates that the server sent are looked at again to say
what Go would have said; they are caught on their way in, because Python drops them.
Source: Go's crypto/tls (conn.go, alert.go).
"""

from __future__ import annotations

import os
import socket
import ssl
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

from tutor.sandbox.shims.pinniped import dial, pem

_HEADER, _ALERT, _HANDSHAKE, _CERTIFICATE = 256, 21, 22, 11
_RECORD_TYPES = (20, 21, 22, 23)
_TLS_1_3 = 0x0304
_ALERTS = {
    0: "close notify",
    10: "unexpected message",
    20: "bad record MAC",
    22: "record overflow",
    40: "handshake failure",
    42: "bad certificate",
    43: "unsupported certificate",
    44: "revoked certificate",
    45: "expired certificate",
    46: "unknown certificate",
    47: "illegal parameter",
    48: "unknown certificate authority",
    49: "access denied",
    50: "error decoding message",
    51: "error decrypting message",
    70: "protocol version not supported",
    71: "insufficient security level",
    80: "internal error",
    86: "inappropriate fallback",
    90: "user canceled",
    100: "no renegotiation",
    109: "missing extension",
    110: "unsupported extension",
    112: "unrecognized name",
    115: "unknown PSK identity",
    116: "certificate required",
    120: "no application protocol",
}
# Where Go's programs look for the system's authorities (crypto/x509 root_linux.go).
_SYSTEM_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
# Said when OpenSSL refused and the certificates could not be caught: its code, Go's words.
_PLAIN_REFUSALS = {
    10: "x509: certificate has expired or is not yet valid",
    9: "x509: certificate has expired or is not yet valid",
    26: "x509: certificate specifies an incompatible key usage",
    62: "x509: certificate is not valid for the requested name",
    64: "x509: certificate is not valid for the requested address",
}
_NAME_CODES = (62, 64)
_UNKNOWN_AUTHORITY = "x509: certificate signed by unknown authority"


class Trust(NamedTuple):
    """How to meet a server.

    `roots` is PEM, None for the system's authorities. `pair` is certificate and key in PEM. `name`
    is what the certificate must be valid for and what SNI asks for.
    """

    name: str
    roots: str | None = None
    insecure: bool = False
    pair: tuple[str, str] | None = None
    check_name: bool = True


class NameAccepted(Exception):
    """OpenSSL refused the name, Go would not: `*.local` for `x.local` is such a case.

    A second connection then leaves the name to Go's rules.
    """


class Wire:
    """What the handshake showed: the first record, the certificates, the alert received."""

    def __init__(self) -> None:
        self.first = b""
        self.alert: int | None = None
        self.presented: list[bytes] = []

    def __call__(
        self,
        _connection: object,
        direction: str,
        version: int,
        kind: int,
        message: int,
        data: bytes,
    ) -> None:
        """Take one message of OpenSSL's message callback."""
        if direction != "read":
            return
        if kind == _HEADER and not self.first:
            self.first = bytes(data)
        elif kind == _ALERT and len(data) == len(b"xx"):
            self.alert = data[1]
        elif kind == _HANDSHAKE and message == _CERTIFICATE:
            self.presented = _certificates(bytes(data), version)


def _certificates(message: bytes, version: int) -> list[bytes]:
    """The list in a Certificate message (RFC 5246 7.4.2, RFC 8446 4.4.2)."""
    at = 4
    if version >= _TLS_1_3:
        at += 1 + message[at]
    end = at + 3 + int.from_bytes(message[at : at + 3], "big")
    at += 3
    found: list[bytes] = []
    while at < end:
        size = int.from_bytes(message[at : at + 3], "big")
        found.append(message[at + 3 : at + 3 + size])
        at += 3 + size
        if version >= _TLS_1_3:
            at += 2 + int.from_bytes(message[at : at + 2], "big")
    return found


def secure(raw: socket.socket, trust: Trust, deadline: float) -> tuple[ssl.SSLSocket, Wire]:
    """Shake hands over an open connection.

    Raises:
        TransportError: the server is not trusted, or does not speak TLS.
        NameAccepted: connect again without OpenSSL's check of the name.
    """
    wire = Wire()
    hop = dial.hop(raw)
    roots = _anchors(trust)
    context = _context(trust, roots)
    # The only way to the certificates of a refused handshake: a debug hook, since Python 3.8.
    setattr(context, "_msg_callback", wire)  # noqa: B010  (not in the type stubs)
    try:
        raw.settimeout(dial.left(deadline))
        secured = context.wrap_socket(raw, server_hostname=trust.name)
    except ssl.SSLCertVerificationError as error:
        sentence = _refusal(error, wire, roots, trust)
        raise _untrusted(sentence) from None
    except OSError as error:
        raise failure(error, wire, hop) from None
    if not trust.check_name:
        sentence = _go_refusal(wire, roots, trust.name)
        if sentence is not None:
            secured.close()
            raise _untrusted(sentence or _PLAIN_REFUSALS[_NAME_CODES[0]])
    return secured, wire


def _untrusted(sentence: str) -> dial.TransportError:
    return dial.TransportError(f"tls: failed to verify certificate: {sentence}")


def failure(error: OSError, wire: Wire, hop: str) -> dial.TransportError:
    """Go's sentence for a connection that broke; `hop` is that of `dial.hop`."""
    if isinstance(error, TimeoutError):
        return dial.DeadlineExceeded()
    if wire.alert is not None and wire.alert != 0:
        known = _ALERTS.get(wire.alert, f"alert({wire.alert})")
        return dial.TransportError(f"remote error: tls: {known}")
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return dial.TransportError("EOF")
    if isinstance(error, ssl.SSLError):
        if wire.first.startswith(b"HTTP/"):
            return dial.TransportError("http: server gave HTTP response to HTTPS client")
        if wire.first and wire.first[0] not in _RECORD_TYPES:
            return dial.TransportError("tls: first record does not look like a TLS handshake")
        return dial.TransportError(
            f"tls: {(error.reason or 'handshake failure').lower().replace('_', ' ')}"
        )
    return dial.TransportError(f"{hop}: {dial.reason(error)}")


def _refusal(
    error: ssl.SSLCertVerificationError, wire: Wire, roots: Sequence[bytes] | None, trust: Trust
) -> str:
    sentence = _go_refusal(wire, roots, trust.name)
    if sentence is None and trust.check_name and error.verify_code in _NAME_CODES:
        raise NameAccepted
    return sentence or _PLAIN_REFUSALS.get(error.verify_code, _UNKNOWN_AUTHORITY)


def _go_refusal(wire: Wire, roots: Sequence[bytes] | None, name: str) -> str | None:
    """Go's reason to refuse what was presented, "" if that cannot be told, None if it would not."""
    if not wire.presented:
        return ""
    from tutor.sandbox.shims.pinniped import chain

    anchors = _system_anchors() if roots is None else roots
    try:
        return chain.explain(wire.presented, anchors, name, datetime.now(tz=UTC).astimezone())
    except ValueError:
        return ""


def _anchors(trust: Trust) -> list[bytes] | None:
    return None if trust.roots is None else pem.certificates(trust.roots)


def _context(trust: Trust, roots: Sequence[bytes] | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["http/1.1"])
    context.check_hostname = trust.check_name and not trust.insecure
    if trust.insecure:
        context.verify_mode = ssl.CERT_NONE
    elif roots:
        context.load_verify_locations(cadata=b"".join(roots))
    elif roots is None:
        _trust_system(context)
    # As in Go: names come from SANs alone, and any trusted certificate may end a chain.
    context.hostname_checks_common_name = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if trust.pair:
        present(context, trust.pair)
    return context


def system_file() -> str | None:
    """The file of authorities that stands for the system, `$SSL_CERT_FILE` first."""
    named = os.environ.get("SSL_CERT_FILE")
    candidates = (named,) if named else _SYSTEM_FILES
    return next((path for path in candidates if os.path.exists(path)), None)


def _trust_system(context: ssl.SSLContext) -> None:
    path = system_file()
    if path:
        # A file without certificates leaves nothing to trust, which the handshake then tells.
        with suppress(ssl.SSLError):
            context.load_verify_locations(cafile=path)
    elif not os.environ.get("SSL_CERT_FILE") or sys.platform == "darwin":
        context.set_default_verify_paths()


def _system_anchors() -> list[bytes]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _trust_system(context)
    return context.get_ca_certs(binary_form=True)


def present(context: ssl.SSLContext, pair: tuple[str, str]) -> None:
    """Load a client certificate; `ssl` takes it from a file only, so it is one for a moment."""
    from tempfile import NamedTemporaryFile

    with NamedTemporaryFile("w", encoding="utf-8", prefix="pinniped-") as file:
        file.write("\n".join(pair))
        file.flush()
        context.load_cert_chain(file.name)
