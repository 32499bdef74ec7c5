"""Certificates: what is signed, and the chain that goes with it.

Sources: Go's x509.CreateCertificate; cert-manager v1.12.3, pkg/util/pki (csr.go, parse.go) and
temporarycertificate.go.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import AuthorityInformationAccessOID

from tutor.sandbox import pki
from tutor.sandbox.api.go_duration import SECOND, parse_duration
from tutor.sandbox.components.certmanager.csr import request_of
from tutor.sandbox.components.certmanager.pem import InvalidData
from tutor.sandbox.components.certmanager.subject import (
    AlternativeNames,
    names_of_spec,
    subject_of_spec,
)
from tutor.sandbox.components.certmanager.usage import KeyUsages, bits_extension, key_usages
from tutor.sandbox.kinds import Object
from tutor.sandbox.pki import Authority, PrivateKey

DEFAULT_DURATION = timedelta(days=90)
_TEMPORARY_SERIAL = "1234567890"
_OCSP = AuthorityInformationAccessOID.OCSP


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A certificate before it is signed."""

    subject: x509.Name
    public_key: Any
    names: AlternativeNames
    usages: KeyUsages
    is_ca: bool
    lifetime: timedelta
    crl_points: Sequence[str] = ()
    ocsp_servers: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Bundle:
    """A signed certificate with its chain, and the CA above it; both PEM, the CA may be empty."""

    chain: str
    ca: str


def lifetime_of(spec: Object) -> timedelta:
    """How long a certificate for a spec is to live."""
    text = spec.get("duration")
    return timedelta(microseconds=parse_duration(text) // 1000) if text else DEFAULT_DURATION


def template_of(request: Object) -> Template:
    """The template for a CertificateRequest.

    Raises:
        InvalidData: Its signing request cannot be read, or its own key did not sign it.
    """
    spec = request["spec"]
    wanted = request_of(request)
    if not wanted.is_signed:
        raise InvalidData("x509: signature verification failed")
    is_ca = spec.get("isCA", False)
    return Template(
        subject=wanted.raw_subject,
        public_key=wanted.public_key,
        names=wanted.names,
        usages=key_usages(spec.get("usages") or (), is_ca=is_ca),
        is_ca=is_ca,
        lifetime=lifetime_of(spec),
    )


def self_sign(template: Template, key: PrivateKey, now: datetime) -> x509.Certificate:
    """The certificate of a template, signed by the key it certifies."""
    return _signed(template, template.subject, key, None, now)


def sign(template: Template, authority: Authority, now: datetime) -> x509.Certificate:
    """The certificate of a template, signed by an authority.

    Raises:
        InvalidData: The authority's key is not its certificate's.
    """
    if authority.certificate.public_key() != authority.key.public_key():
        raise InvalidData(
            "error creating x509 certificate: "
            "x509: provided PrivateKey doesn't match parent's PublicKey"
        )
    issuer = authority.certificate.subject
    parent_id = _subject_key_id(authority.certificate) if issuer != template.subject else None
    return _signed(template, issuer, authority.key, parent_id, now)


def _signed(
    template: Template,
    issuer: x509.Name,
    key: PrivateKey,
    parent_id: bytes | None,
    now: datetime,
) -> x509.Certificate:
    start = now.replace(microsecond=0)
    return pki.build(
        subject=template.subject,
        issuer=issuer,
        public_key=template.public_key,
        signer=key,
        not_before=start,
        not_after=(now + template.lifetime).replace(microsecond=0),
        extensions=list(_extensions(template, parent_id)),
    )


def _extensions(template: Template, parent_id: bytes | None):
    """The extensions in the order of Go's buildCertExtensions, each with its criticality."""
    usages = template.usages
    if usages.bits:
        yield bits_extension(usages.bits), True
    if usages.extended:
        yield x509.ExtendedKeyUsage(usages.extended), False
    yield x509.BasicConstraints(ca=template.is_ca, path_length=None), True
    if template.is_ca:
        yield x509.SubjectKeyIdentifier.from_public_key(template.public_key), False
    if parent_id:
        yield x509.AuthorityKeyIdentifier(parent_id, None, None), False
    if template.ocsp_servers:
        places = [
            x509.AccessDescription(_OCSP, x509.UniformResourceIdentifier(url))
            for url in template.ocsp_servers
        ]
        yield x509.AuthorityInformationAccess(places), False
    if template.names:
        yield template.names.extension(), not template.subject.rdns
    if template.crl_points:
        points = [
            x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)
            for url in template.crl_points
        ]
        yield x509.CRLDistributionPoints(points), False


def _subject_key_id(certificate: x509.Certificate) -> bytes | None:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except x509.ExtensionNotFound:
        return None
    return extension.value.digest


def bundle(signed: x509.Certificate, authorities: Sequence[x509.Certificate]) -> Bundle:
    """The chain of a signed certificate, leaf first and without its root, and its topmost CA.

    Raises:
        InvalidData: The authorities do not make one chain with it.
    """
    left = [certificate for certificate in dict.fromkeys(authorities) if certificate != signed]
    chain = [signed]
    while left:
        above = next((c for c in left if is_signed_by(chain[-1], c)), None)
        if above is None:
            raise InvalidData("certificate chain is malformed or broken")
        left.remove(above)
        chain.append(above)
    top = pki.certificate_pem(chain[-1])
    if len(chain) == 1:
        return Bundle(top, top if is_signed_by(signed, signed) else "")
    sent = [c for c in chain if not is_signed_by(c, c)]
    return Bundle("".join(pki.certificate_pem(c) for c in sent), top)


def is_signed_by(certificate: x509.Certificate, parent: x509.Certificate) -> bool:
    """Whether the parent's key signed the certificate, and may sign certificates."""
    if not is_ca(parent):
        return False
    try:
        certificate.verify_directly_issued_by(parent)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def is_ca(certificate: x509.Certificate) -> bool:
    """Whether a certificate says that it is a CA."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def temporary_certificate(spec: Object, key: PrivateKey, now: datetime) -> str:
    """PEM of a certificate that nobody will trust, to start with while the real one is awaited."""
    root = pki.new_authority(
        "cert-manager.local", now=now, lifetime=DEFAULT_DURATION, key=pki.new_key("ECDSA", 521)
    )
    subject = replace(subject_of_spec(spec), serial_number=_TEMPORARY_SERIAL)
    is_ca_wanted = spec.get("isCA", False)
    template = Template(
        subject=subject.name(),
        public_key=key.public_key(),
        names=names_of_spec(spec),
        usages=key_usages(spec.get("usages") or (), is_ca=is_ca_wanted),
        is_ca=is_ca_wanted,
        lifetime=lifetime_of(spec),
    )
    return pki.certificate_pem(sign(template, root, now))


def renewal_time(certificate: x509.Certificate, renew_before: str | None) -> datetime:
    """When a certificate is due: after two thirds of its life, or `renew_before` its end.

    A `renew_before` that is not shorter than its life does not count.
    """
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    life = end - start
    before = life / 3
    if renew_before is not None:
        wanted = parse_duration(renew_before)
        if wanted < life.total_seconds() * SECOND:
            before = timedelta(microseconds=wanted // 1000)
    return (end - before).replace(microsecond=0)
