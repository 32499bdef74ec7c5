"""Certificate signing requests: as cert-manager makes them, and as it reads them.

Source: cert-manager v1.12.3, pkg/util/pki/csr.go and match.go; Go's x509.CreateCertificateRequest.
"""

import base64
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtensionOID

from tutor.sandbox.components.certmanager.pem import InvalidData, blocks
from tutor.sandbox.components.certmanager.subject import (
    AlternativeNames,
    Subject,
    names_of_spec,
    read_names,
    read_subject,
    subject_of_spec,
)
from tutor.sandbox.components.certmanager.usage import (
    KeyUsages,
    bits_extension,
    key_usages,
    read_bits,
)
from tutor.sandbox.kinds import Object
from tutor.sandbox.pki import UNREADABLE, PrivateKey


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningRequest:
    """What a certificate signing request asks for."""

    subject: Subject
    raw_subject: x509.Name
    names: AlternativeNames
    usages: KeyUsages
    has_extensions: bool
    public_key: Any
    is_signed: bool
    """Whether its own key signed it."""


def make_request(spec: Object, key: PrivateKey) -> str:
    """PEM of the request for a Certificate's spec, signed by the key it asks for."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject_of_spec(spec).name())
    names = names_of_spec(spec)
    if names:
        builder = builder.add_extension(names.extension(), critical=False)
    if spec.get("encodeUsagesInRequest") is not False:
        usages = key_usages(spec.get("usages") or (), is_ca=spec.get("isCA", False))
        builder = builder.add_extension(bits_extension(usages.bits), critical=False)
        if usages.extended:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages.extended), critical=False)
    made = builder.sign(key, _request_hash(key))
    return made.public_bytes(serialization.Encoding.PEM).decode()


def _request_hash(key: PrivateKey):
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    if isinstance(key, ec.EllipticCurvePrivateKey):
        sizes = {384: hashes.SHA384(), 521: hashes.SHA512()}
        return sizes.get(key.curve.key_size, hashes.SHA256())
    if key.key_size >= 4096:
        return hashes.SHA512()
    return hashes.SHA384() if key.key_size >= 3072 else hashes.SHA256()


def read_request(data: bytes) -> SigningRequest:
    """What a PEM request asks for; raises InvalidData."""
    found = blocks(data)
    if not found:
        raise InvalidData("error decoding certificate request PEM block")
    try:
        parsed = x509.load_der_x509_csr(found[0][1])
        extensions = parsed.extensions
        return SigningRequest(
            subject=read_subject(parsed.subject),
            raw_subject=parsed.subject,
            names=read_names(extensions),
            usages=_read_usages(extensions),
            has_extensions=len(extensions) > 0,
            public_key=parsed.public_key(),
            is_signed=parsed.is_signature_valid,
        )
    except UNREADABLE:
        raise InvalidData("asn1: structure error: malformed certificate request") from None


def request_of(request: Object) -> SigningRequest:
    """The signing request in a CertificateRequest; raises InvalidData."""
    return read_request(base64.b64decode(request["spec"].get("request") or ""))


def _read_usages(extensions: x509.Extensions) -> KeyUsages:
    bits: frozenset[str] = frozenset()
    extended: tuple[x509.ObjectIdentifier, ...] = ()
    for extension in extensions:
        if extension.oid == ExtensionOID.KEY_USAGE:
            bits = read_bits(extension.value.public_bytes())
        elif isinstance(extension.value, x509.ExtendedKeyUsage):
            extended = tuple(extension.value)
    return KeyUsages(bits, extended)
