"""Whether a certificate and a private key belong together, said as Go's TLS library says it.

Source: Go 1.26, `crypto/tls.X509KeyPair`.
"""

import re

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tutor.sandbox import pki

_BLOCK = re.compile(rb"-----BEGIN ([^-\n]+)-----\n.*?-----END \1-----", re.DOTALL)
_PRIVATE = (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey)
_PUBLIC = (rsa.RSAPublicKey, ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey)


def mismatch(certificate: bytes, key: bytes) -> str:
    """What is wrong with the pair, empty when nothing is."""
    return _certificate_missing(certificate) or _key_missing(key) or _strangers(certificate, key)


def _types(pem: bytes) -> list[str]:
    return [found.group(1).decode() for found in _BLOCK.finditer(pem)]


def _listed(names: list[str]) -> str:
    return "[" + " ".join(names) + "]"


def _certificate_missing(pem: bytes) -> str:
    types = _types(pem)
    if "CERTIFICATE" in types:
        return ""
    if not types:
        return "tls: failed to find any PEM data in certificate input"
    if len(types) == 1 and types[0].endswith("PRIVATE KEY"):
        return (
            "tls: failed to find certificate PEM data in certificate input, but did find a private "
            "key; PEM inputs may have been switched"
        )
    return (
        'tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM '
        f"blocks of the following types: {_listed(types)}"
    )


def _key_missing(pem: bytes) -> str:
    types = _types(pem)
    if any(name == "PRIVATE KEY" or name.endswith(" PRIVATE KEY") for name in types):
        return ""
    if not types:
        return "tls: failed to find any PEM data in key input"
    if types == ["CERTIFICATE"]:
        return "tls: found a certificate rather than a key in the PEM for the private key"
    return (
        'tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after '
        f"skipping PEM blocks of the following types: {_listed(types)}"
    )


def _strangers(certificate: bytes, key: bytes) -> str:
    blocks = [b for b in _BLOCK.finditer(certificate) if b.group(1) == b"CERTIFICATE"]
    try:
        public = pki.load_certificates(blocks[0].group(0))[0].public_key()
    except UnsupportedAlgorithm:
        return "tls: unknown public key algorithm"
    except ValueError:
        return "x509: malformed certificate"
    if not isinstance(public, _PUBLIC):
        return "tls: unknown public key algorithm"
    secret = next(b for b in _BLOCK.finditer(key) if b.group(1).endswith(b"PRIVATE KEY"))
    try:
        private = serialization.load_pem_private_key(secret.group(0), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return "tls: failed to parse private key"
    if not isinstance(private, _PRIVATE):
        return "tls: found unknown private key type in PKCS#8 wrapping"
    if _PUBLIC.index(_kind(public)) != _PRIVATE.index(_private_kind(private)):
        return "tls: private key type does not match public key type"
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if public.public_bytes(*form) != private.public_key().public_bytes(*form):
        return "tls: private key does not match public key"
    return ""


def _kind(public: object) -> type:
    return next(kind for kind in _PUBLIC if isinstance(public, kind))


def _private_kind(private: object) -> type:
    return next(kind for kind in _PRIVATE if isinstance(private, kind))
