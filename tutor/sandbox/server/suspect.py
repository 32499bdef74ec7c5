"""Which CA a server's certificate pretends to come from: the hint in Go's `unknown authority`.

Source: Go's crypto/x509, UnknownAuthorityError.Error and Certificate.CheckSignatureFrom.
"""

import asyncio
import ssl

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from tutor.sandbox import pki
from tutor.sandbox.api.status import go_quote

_TIMEOUT_S = 5.0
_NOT_A_CA = "x509: invalid signature: parent certificate cannot sign this kind of certificate"


def hint(leaf: x509.Certificate, roots: list[x509.Certificate]) -> str:
    """What Go adds when a root has the issuer's name but did not sign; empty when none has it."""
    for root in roots:
        if root.subject == leaf.issuer and not pki.is_issued_by(leaf, root):
            name = go_quote(_name(root))
            return (
                f" (possibly because of {go_quote(_failure(root))} while trying to verify "
                f"candidate authority certificate {name})"
            )
    return ""


def _name(root: x509.Certificate) -> str:
    for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        found = root.subject.get_attributes_for_oid(oid)
        if found:
            return str(found[0].value)
    return f"serial:{root.serial_number}"


def _failure(root: x509.Certificate) -> str:
    try:
        constraints = root.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return _NOT_A_CA
    if not constraints.ca:
        return _NOT_A_CA
    match root.public_key():
        case rsa.RSAPublicKey():
            return "crypto/rsa: verification error"
        case ed25519.Ed25519PublicKey():
            return "x509: Ed25519 verification failure"
        case ec.EllipticCurvePublicKey():
            return "x509: ECDSA verification failure"
        case _:
            return "x509: cannot verify signature: algorithm unimplemented"


async def hint_for(port: int, host: str, bundle: str) -> str:
    """The hint for the server on a loopback port, whose certificate was refused.

    It is asked for its certificate once more; empty when it does not show it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            _, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=context, server_hostname=host
            )
    except OSError:
        return ""
    try:
        der = writer.get_extra_info("ssl_object").getpeercert(True)
        return hint(pki.load_certificate(der), pki.load_certificates(bundle))
    except ValueError:
        return ""
    finally:
        writer.transport.abort()
