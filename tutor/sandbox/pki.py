"""Keys and certificates, as pure functions of a request and the time.

P-256 keys unless somebody asks otherwise: an RSA key takes a hundred times as long to make.
Sources: RFC 5280; Go's crypto/x509 and kube-apiserver's x509 request authenticator for what a
client certificate must have.
"""

import warnings
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.name import _ASN1Type  # pyright: ignore[reportPrivateUsage] - no other way
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_T = TypeVar("_T", x509.Certificate, x509.CertificateSigningRequest)
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

CLIENT_AUTH = ExtendedKeyUsageOID.CLIENT_AUTH
SERVER_AUTH = ExtendedKeyUsageOID.SERVER_AUTH
_BACKDATE = timedelta(minutes=5)
_SURPLUS_SERIAL_BITS = 31
"""cryptography's serial numbers have 159 random bits, those of Go programs 128."""
_PRINTABLE = " '()+,-./:=?"
UNREADABLE = (
    ValueError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What cryptography raises, some of it long after loading, where a certificate is malformed."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate and the key that signs with it."""

    certificate: x509.Certificate
    key: PrivateKey

    @property
    def pem(self) -> str:
        """The certificate."""
        return certificate_pem(self.certificate)


@dataclass(frozen=True, slots=True)
class Pair:
    """A leaf certificate with its key, both PEM."""

    certificate: str
    key: str


def new_key(algorithm: str = "ECDSA", size: int = 0) -> PrivateKey:
    """A fresh private key: `ECDSA` (256, 384, 521), `RSA` (bits) or `Ed25519`."""
    if algorithm == "RSA":
        return rsa.generate_private_key(65537, size or 2048)
    if algorithm == "Ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    curves: dict[int, ec.EllipticCurve] = {
        256: ec.SECP256R1(),
        384: ec.SECP384R1(),
        521: ec.SECP521R1(),
    }
    return ec.generate_private_key(curves[size or 256])


def key_pem(key: PrivateKey, encoding: str = "PKCS8") -> str:
    """PEM of a key: `PKCS8`, or `PKCS1` (SEC1 for elliptic curves, as Go and cert-manager say)."""
    form = (
        serialization.PrivateFormat.PKCS8
        if encoding == "PKCS8" or isinstance(key, ed25519.Ed25519PrivateKey)
        else serialization.PrivateFormat.TraditionalOpenSSL
    )
    return key.private_bytes(
        serialization.Encoding.PEM, form, serialization.NoEncryption()
    ).decode()


def certificate_pem(certificate: x509.Certificate) -> str:
    """PEM of a certificate."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def load_certificates(pem: str | bytes) -> list[x509.Certificate]:
    """The certificates of a bundle.

    Raises:
        ValueError: There is none, or one is malformed.
    """
    data = pem.encode() if isinstance(pem, str) else pem
    with reading():
        return [_whole(each) for each in x509.load_pem_x509_certificates(data)]


def load_certificate(der: bytes) -> x509.Certificate:
    """One certificate. Raises `ValueError` when it is malformed."""
    with reading():
        return _whole(x509.load_der_x509_certificate(der))


def load_request(pem: bytes) -> x509.CertificateSigningRequest:
    """A signing request. Raises `ValueError` when it is malformed or not PEM."""
    with reading():
        return _whole(x509.load_pem_x509_csr(pem))


def is_signed_by_its_key(request: x509.CertificateSigningRequest) -> bool:
    """Whether who made a request has the key in it."""
    try:
        return request.is_signature_valid
    except UNREADABLE:
        return False


@contextmanager
def reading() -> Generator[None]:
    """Raise `ValueError`, whatever cryptography has to say of what it cannot read."""
    try:
        yield
    except UNREADABLE as error:
        raise ValueError(str(error)) from error


def check_names(certificate: x509.Certificate | x509.CertificateSigningRequest) -> None:
    """Read what cryptography puts off, and Go does not, of a certificate's names."""
    _ = certificate.subject, certificate.issuer if isinstance(certificate, x509.Certificate) else ""


def _whole(certificate: _T) -> _T:
    check_names(certificate)
    _ = certificate.extensions
    return certificate


def load_key(pem: str | bytes, *, own: bool = False) -> PrivateKey:
    """A private key from PEM.

    Args:
        pem: the text.
        own: it is one that was made here: whether an RSA key's numbers fit together, which takes
            a long time, is not looked at.

    Raises:
        ValueError: It is no key, or of a type that is not used here.
    """
    data = pem.encode() if isinstance(pem, str) else pem
    try:
        key = serialization.load_pem_private_key(
            data, password=None, unsafe_skip_rsa_key_validation=own
        )
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(str(error)) from error
    if isinstance(key, PrivateKey):
        return key
    raise ValueError(f"unusable key type {type(key).__name__}")


def load_authority(pair: Pair, *, own: bool = False) -> Authority:
    """An authority from its PEM texts; `own` as for `load_key`."""
    return Authority(load_certificates(pair.certificate)[0], load_key(pair.key, own=own))


def subject_of(common_name: str = "", organizations: Sequence[str] = ()) -> x509.Name:
    """A name with one multi-valued RDN of organizations and a common name, as Go encodes it."""
    parts = [(NameOID.ORGANIZATION_NAME, organizations)]
    return go_name([*parts, (NameOID.COMMON_NAME, [common_name] if common_name else [])])


def go_name(parts: Sequence[tuple[x509.ObjectIdentifier, Sequence[str]]]) -> x509.Name:
    """A name as Go's pkix.Name encodes it: each part with values is one RDN, in this order.

    A value is a PrintableString where it can be one, else a UTF8String.
    """
    return x509.Name(
        [
            x509.RelativeDistinguishedName([_attribute(oid, v) for v in dict.fromkeys(values)])
            for oid, values in parts
            if values
        ]
    )


def _attribute(oid: x509.ObjectIdentifier, value: str) -> x509.NameAttribute[str]:
    printable = all(char.isascii() and (char.isalnum() or char in _PRINTABLE) for char in value)
    form = _ASN1Type.PrintableString if printable else _ASN1Type.UTF8String
    with warnings.catch_warnings():  # lengths that RFC 5280 does not allow, and Go does
        warnings.simplefilter("ignore")
        return x509.NameAttribute(oid, value, form, _validate=False)


def signing_hash(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None:
    """The hash that goes with a signing key, as Go chooses it."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    if isinstance(key, ec.EllipticCurvePrivateKey):
        by_size = {384: hashes.SHA384(), 521: hashes.SHA512()}
        return by_size.get(key.curve.key_size, hashes.SHA256())
    return hashes.SHA256()


def build(
    *,
    subject: x509.Name,
    issuer: x509.Name,
    public_key: Any,
    signer: PrivateKey,
    not_before: datetime,
    not_after: datetime,
    extensions: Sequence[tuple[x509.ExtensionType, bool]],
) -> x509.Certificate:
    """Sign a certificate with the extensions in the given order; each with its criticality."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number() >> _SURPLUS_SERIAL_BITS)
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(signer, signing_hash(signer))


def new_authority(
    common_name: str,
    *,
    now: datetime,
    lifetime: timedelta,
    key: PrivateKey | None = None,
    key_usages: Sequence[str] = ("digital_signature", "key_encipherment", "key_cert_sign"),
    extended: Sequence[x509.ObjectIdentifier] = (),
    backdate: timedelta = timedelta(0),
) -> Authority:
    """A self-signed certification authority."""
    signer = key or new_key()
    extensions: list[tuple[x509.ExtensionType, bool]] = [(key_usage(key_usages), True)]
    if extended:
        extensions.append((x509.ExtendedKeyUsage(extended), False))
    extensions.append((x509.BasicConstraints(ca=True, path_length=None), True))
    extensions.append((x509.SubjectKeyIdentifier.from_public_key(signer.public_key()), False))
    name = subject_of(common_name)
    certificate = build(
        subject=name,
        issuer=name,
        public_key=signer.public_key(),
        signer=signer,
        not_before=now - backdate,
        not_after=now + lifetime,
        extensions=extensions,
    )
    return Authority(certificate, signer)


def key_usage(names: Sequence[str]) -> x509.KeyUsage:
    """A key usage extension from the names of cryptography's parameters."""
    every = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: name in names for name in every})


def alternative_names(hosts: Sequence[str]) -> x509.SubjectAlternativeName:
    """Subject alternative names: DNS names and IP addresses, told apart by their form."""
    names: list[x509.GeneralName] = []
    for host in hosts:
        try:
            names.append(x509.IPAddress(ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    return x509.SubjectAlternativeName(names)


def issue(
    authority: Authority,
    *,
    subject: x509.Name,
    now: datetime,
    lifetime: timedelta,
    hosts: Sequence[str] = (),
    extended: Sequence[x509.ObjectIdentifier] = (SERVER_AUTH,),
    key: PrivateKey | None = None,
    usages: Sequence[str] = ("digital_signature", "key_encipherment"),
    backdate: timedelta = _BACKDATE,
) -> Pair:
    """A leaf certificate and its key. Subject alternative names are critical without a subject."""
    leaf_key = key or new_key()
    extensions: list[tuple[x509.ExtensionType, bool]] = []
    if usages:
        extensions.append((key_usage(usages), True))
    extensions.append((x509.ExtendedKeyUsage(extended), False))
    extensions.append((x509.BasicConstraints(ca=False, path_length=None), True))
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    extensions.append((issuer_key, False))
    if hosts:
        extensions.append((alternative_names(hosts), not subject.rdns))
    certificate = build(
        subject=subject,
        issuer=authority.certificate.subject,
        public_key=leaf_key.public_key(),
        signer=authority.key,
        not_before=now - backdate,
        not_after=now + lifetime,
        extensions=extensions,
    )
    return Pair(certificate_pem(certificate), key_pem(leaf_key))


def why_not_client(
    chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], now: datetime
) -> str | None:
    """Why a client certificate is refused, in Go's words; None when it is good.

    `chain` is the leaf and the intermediates that the client sent.
    """
    leaf, *intermediates = chain
    if not _is_valid_at(leaf, now):
        return "x509: certificate has expired or is not yet valid"
    if not _is_vouched_for(leaf, intermediates, roots, now):
        return "x509: certificate signed by unknown authority"
    try:
        # An authority that has extended usages passes on no others.
        between, above = (
            [c for c in some if _is_for_clients(c)] for some in (intermediates, roots)
        )
        if not _is_for_clients(leaf) or not _is_vouched_for(leaf, between, above, now):
            return "x509: certificate specifies an incompatible key usage"
    except UNREADABLE:
        return "x509: malformed extension"
    return None


def _is_valid_at(certificate: x509.Certificate, now: datetime) -> bool:
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def _is_for_clients(certificate: x509.Certificate) -> bool:
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return CLIENT_AUTH in usages or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in usages


def _is_vouched_for(
    leaf: x509.Certificate,
    intermediates: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    now: datetime,
) -> bool:
    """Whether a chain leads to a root. Each intermediate is looked at once, at its lowest place."""
    if leaf in roots:
        return True
    unused, todo = list(intermediates), [(leaf, 0)]
    while todo:
        certificate, below = todo.pop(0)
        if any(_vouches(root, certificate, below, now) for root in roots):
            return True
        issuers = [each for each in unused if _vouches(each, certificate, below, now)]
        unused = [each for each in unused if each not in issuers]
        todo.extend((each, below + 1) for each in issuers)
    return False


def _vouches(
    issuer: x509.Certificate, certificate: x509.Certificate, below: int, now: datetime
) -> bool:
    if not _is_valid_at(issuer, now) or not is_issued_by(certificate, issuer):
        return False
    limit = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length
    return limit is None or below <= limit


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether `issuer` is a CA that may sign, and whose key signed the certificate."""
    if certificate.issuer != issuer.subject:
        return False
    try:
        if not _may_sign(issuer.extensions):
            return False
        certificate.verify_directly_issued_by(issuer)
    except (*UNREADABLE, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return True


def _may_sign(extensions: x509.Extensions) -> bool:
    if not extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
        return False
    try:
        return extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        return True


def identity_of(certificate: x509.Certificate) -> tuple[str, tuple[str, ...]]:
    """The user (common name) and groups (organizations) that a client certificate names."""
    subject = certificate.subject
    names = [str(a.value) for a in subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    groups = [str(a.value) for a in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    return (names[-1] if names else ""), tuple(groups)


def names_of(certificate: x509.Certificate) -> list[str]:
    """The DNS names and IP addresses that a certificate is for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    addresses = [str(address) for address in found.get_values_for_type(x509.IPAddress)]
    return [*found.get_values_for_type(x509.DNSName), *addresses]
