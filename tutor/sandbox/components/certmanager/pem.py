"""PEM as Go reads it, with Go's and cert-manager's sentences for what is wrong.

Sources: Go's encoding/pem and crypto/tls.X509KeyPair; cert-manager v1.12.3, pkg/util/pki/parse.go.
"""

import base64
import binascii
import re

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from tutor.sandbox import pki
from tutor.sandbox.pki import PrivateKey

_BLOCK = re.compile(
    rb"^-----BEGIN ([^\n]*?)-----[ \t]*\r?\n(.*?)^-----END \1-----", re.MULTILINE | re.DOTALL
)
_HEADER = re.compile(rb"^[^\n]*:[^\n]*\n", re.MULTILINE)
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey


class InvalidData(ValueError):
    """Data that is not what it should be, in the real program's words."""


def blocks(data: bytes) -> list[tuple[str, bytes]]:
    """Type and content of each PEM block; text between them is skipped."""
    found: list[tuple[str, bytes]] = []
    for match in _BLOCK.finditer(data):
        text = b"".join(_HEADER.sub(b"", match[2]).split())
        try:
            found.append((match[1].decode(errors="replace"), base64.b64decode(text, validate=True)))
        except binascii.Error:
            continue
    return found


def decode_chain(data: bytes) -> list[x509.Certificate]:
    """Every certificate of a chain; raises InvalidData."""
    chain: list[x509.Certificate] = []
    for _, der in blocks(data):
        try:
            chain.append(pki.load_certificate(der))
        except ValueError:
            raise InvalidData(
                "error parsing TLS certificate: x509: malformed certificate"
            ) from None
    if not chain:
        raise InvalidData("error decoding certificate PEM block")
    return chain


def decode_certificate(data: bytes) -> x509.Certificate:
    """The first certificate; raises InvalidData."""
    return decode_chain(data)[0]


def decode_key(data: bytes) -> PrivateKey:
    """A private key in one of the three forms that cert-manager takes; raises InvalidData."""
    found = blocks(data)
    if not found:
        raise InvalidData("error decoding private key PEM block")
    form, der = found[0]
    if form == "PRIVATE KEY":
        failure = "error parsing pkcs#8 private key: x509: failed to parse private key"
    elif form == "EC PRIVATE KEY":
        failure = "error parsing ecdsa private key: x509: failed to parse EC private key"
    elif form == "RSA PRIVATE KEY":
        failure = "error parsing rsa private key: x509: failed to parse private key"
    else:
        raise InvalidData(f"unknown private key type: {form}")
    key = _load_key(der)
    if key is None:
        raise InvalidData(failure)
    return key


def _load_key(der: bytes) -> PrivateKey | None:
    try:
        # OpenSSL's own check of an RSA key looks for primes for 40 ms, in which the loop stands.
        key = serialization.load_der_private_key(
            der, password=None, unsafe_skip_rsa_key_validation=True
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if isinstance(key, rsa.RSAPrivateKey) and not _is_consistent(key):
        return None
    return key if isinstance(key, PrivateKey) else None


def _is_consistent(key: rsa.RSAPrivateKey) -> bool:
    """Whether the numbers of a key belong together, as Go's Validate asks but for primes."""
    numbers = key.private_numbers()
    exponent = numbers.d * numbers.public_numbers.e - 1
    factors = (numbers.p, numbers.q)
    return numbers.p * numbers.q == numbers.public_numbers.n and all(
        factor > 1 and exponent % (factor - 1) == 0 for factor in factors
    )


def why_no_pair(certificate: bytes, key: bytes) -> str | None:
    """What Go's TLS says of a certificate and a key that do not make a pair; None for a pair."""
    why = _no_certificate(certificate) or _no_key(key)
    if why:
        return why
    leaf_der = next(der for form, der in blocks(certificate) if form == "CERTIFICATE")
    key_der = next(der for form, der in blocks(key) if form.endswith("PRIVATE KEY"))
    try:
        public = pki.load_certificate(leaf_der).public_key()
    except (ValueError, UnsupportedAlgorithm):
        return "x509: malformed certificate"
    private = _load_key(key_der)
    if private is None:
        return "tls: failed to parse private key"
    if not isinstance(public, PublicKey):
        return "tls: unknown public key algorithm"
    if type(private.public_key()) is not type(public):
        return "tls: private key type does not match public key type"
    if private.public_key() != public:
        return "tls: private key does not match public key"
    return None


def _no_certificate(data: bytes) -> str | None:
    found = [form for form, _ in blocks(data)]
    if "CERTIFICATE" in found:
        return None
    if not found:
        return "tls: failed to find any PEM data in certificate input"
    if len(found) == 1 and found[0].endswith("PRIVATE KEY"):
        return (
            "tls: failed to find certificate PEM data in certificate input, but did find a "
            "private key; PEM inputs may have been switched"
        )
    return (
        'tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM '
        f"blocks of the following types: [{' '.join(found)}]"
    )


def _no_key(data: bytes) -> str | None:
    found = [form for form, _ in blocks(data)]
    if any(form == "PRIVATE KEY" or form.endswith(" PRIVATE KEY") for form in found):
        return None
    if not found:
        return "tls: failed to find any PEM data in key input"
    if found == ["CERTIFICATE"]:
        return "tls: found a certificate rather than a key in the PEM for the private key"
    return (
        'tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after '
        f"skipping PEM blocks of the following types: [{' '.join(found)}]"
    )
