"""X.509 certificates as plain data that expressions can use.

The one file that parses certificates. Source: RFC 5280.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

Certificate = dict[str, Any]

_UNREADABLE = (
    ValueError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
_USAGES = {
    ExtendedKeyUsageOID.SERVER_AUTH: "server auth",
    ExtendedKeyUsageOID.CLIENT_AUTH: "client auth",
    ExtendedKeyUsageOID.CODE_SIGNING: "code signing",
    ExtendedKeyUsageOID.EMAIL_PROTECTION: "email protection",
    ExtendedKeyUsageOID.TIME_STAMPING: "timestamping",
    ExtendedKeyUsageOID.OCSP_SIGNING: "ocsp signing",
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "any",
}


@lru_cache(maxsize=256)
def read_certificates(pem: str) -> tuple[Certificate, ...]:
    """All certificates of a PEM text, in its order. Raises `ValueError` when it has none.

    The dicts are shared: nobody may change them.
    """
    try:
        found = x509.load_pem_x509_certificates(pem.encode())
        return tuple(_plain(certificate) for certificate in found)
    except _UNREADABLE as error:
        raise ValueError("that is not a certificate in PEM form") from error


def _plain(certificate: x509.Certificate) -> Certificate:
    return {
        "subject": _name(certificate.subject),
        "issuer": _name(certificate.issuer),
        "commonName": _common_name(certificate.subject),
        "serial": format(certificate.serial_number, "x"),
        "notBefore": _time(certificate.not_valid_before_utc),
        "notAfter": _time(certificate.not_valid_after_utc),
        "sha256": certificate.fingerprint(SHA256()).hex(),
        "isCA": _is_authority(certificate),
        "selfSigned": _signs(certificate, certificate),
        "dnsNames": _names(certificate, x509.DNSName),
        "ipAddresses": [str(address) for address in _names(certificate, x509.IPAddress)],
        "usages": _usages(certificate),
        "keyAlgorithm": _key_algorithm(certificate),
        "signatureAlgorithm": _signature_algorithm(certificate),
        "pem": certificate.public_bytes(Encoding.PEM).decode(),
    }


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _name(name: x509.Name) -> str:
    """As openssl and Go print it: `CN=my-ca,O=Pinniped`."""
    return name.rfc4514_string()


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _signs(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (*_UNREADABLE, TypeError, InvalidSignature):
        return False  # another name, another kind of key, another signature
    return True


def _names(
    certificate: x509.Certificate, kind: type[x509.DNSName] | type[x509.IPAddress]
) -> list[Any]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return list(names.get_values_for_type(kind))


def _usages(certificate: x509.Certificate) -> list[str]:
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return []
    return [_USAGES.get(usage) or usage.dotted_string for usage in usages]


def _key_algorithm(certificate: x509.Certificate) -> str:
    match certificate.public_key():
        case rsa.RSAPublicKey() as key:
            return f"RSA-{key.key_size}"
        case ec.EllipticCurvePublicKey() as key:
            return f"ECDSA-{key.curve.key_size}"
        case ed25519.Ed25519PublicKey():
            return "Ed25519"
        case ed448.Ed448PublicKey():
            return "Ed448"
        case dsa.DSAPublicKey() as key:
            return f"DSA-{key.key_size}"
        case key:
            return type(key).__name__


def _signature_algorithm(certificate: x509.Certificate) -> str:
    """As openssl's and Go's users know it: `ECDSA-SHA256`, `RSA-SHA256`, `Ed25519`."""
    hashed = certificate.signature_hash_algorithm
    oid = certificate.signature_algorithm_oid.dotted_string
    if hashed is None:
        return {"1.3.101.112": "Ed25519", "1.3.101.113": "Ed448"}.get(oid, oid)
    family = next((name for arc, name in _SIGNATURE_ARCS.items() if oid.startswith(arc)), oid)
    return f"{family}-{hashed.name.upper()}"


_SIGNATURE_ARCS = {"1.2.840.113549.1.1.": "RSA", "1.2.840.10045.4.": "ECDSA"}


def is_signed_by(certificate: str, authorities: str) -> bool:
    """Whether one of the authorities signed the first certificate. Both PEM."""
    child = _load(certificate)[0]
    return any(_signs(authority, child) for authority in _load(authorities))


def _load(pem: str) -> Sequence[x509.Certificate]:
    read_certificates(pem)  # for its message
    return x509.load_pem_x509_certificates(pem.encode())
