"""Why Go would refuse a certificate chain, in Go's words.

Only for explaining a failure that OpenSSL found already: importing `cryptography` takes longer than
a login. Source: Go's crypto/x509 (verify.go, x509.go).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tutor.sandbox.shims import gotext

Certificate = x509.Certificate
_MAX_NAMES = 100


class Refused(Exception):
    """The chain is no good; the text is Go's."""


def explain(
    presented: Sequence[bytes], roots: Sequence[bytes], name: str, now: datetime
) -> str | None:
    """Go's sentence for this chain (DER, leaf first), or None when Go would accept it.

    `now` carries the local zone, in which Go prints it.

    Raises:
        ValueError: a certificate cannot be read.
    """
    chain = [x509.load_der_x509_certificate(der) for der in presented]
    # Of the system's many roots, some of which `cryptography` dislikes, only named issuers matter.
    issuers = [certificate.issuer.public_bytes() for certificate in chain]
    anchors = [
        x509.load_der_x509_certificate(der)
        for der in roots
        if der in presented or any(issuer in der for issuer in issuers)
    ]
    try:
        _verify(chain, anchors, name, now)
    except Refused as refusal:
        return str(refusal)
    except (x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise ValueError(str(error)) from None
    return None


def _verify(
    chain: Sequence[Certificate], roots: Sequence[Certificate], name: str, now: datetime
) -> None:
    leaf = chain[0]
    _check_time(leaf, now)
    _check_name(leaf, name)
    paths = [[leaf]] if leaf in roots else _paths([leaf], chain[1:], roots, now)
    if not any(_allows_servers(path) for path in paths):
        raise Refused("x509: certificate specifies an incompatible key usage")


def _check_time(certificate: Certificate, now: datetime) -> None:
    stamp = now.replace(microsecond=0).isoformat().replace("+00:00", "Z")
    expired = "x509: certificate has expired or is not yet valid"
    if now < certificate.not_valid_before_utc:
        raise Refused(
            f"{expired}: current time {stamp} is before {_utc(certificate.not_valid_before_utc)}"
        )
    if now > certificate.not_valid_after_utc:
        raise Refused(
            f"{expired}: current time {stamp} is after {_utc(certificate.not_valid_after_utc)}"
        )


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _check_name(leaf: Certificate, name: str) -> None:
    names, addresses = _alternative_names(leaf)
    try:
        wanted = ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        parts = name.lower().rstrip(".").split(".")
        if any(_matches(pattern, parts) for pattern in names):
            return
        raise Refused(_name_error(leaf, name, parts, names)) from None
    if wanted in addresses:
        return
    if not addresses:
        raise Refused(
            f"x509: cannot validate certificate for {wanted} because it doesn't contain any IP SANs"
        )
    listed = ", ".join(str(address) for address in addresses)
    raise Refused(f"x509: certificate is valid for {listed}, not {wanted}")


def _name_error(leaf: Certificate, name: str, parts: Sequence[str], names: Sequence[str]) -> str:
    common = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    has_extension = any(
        isinstance(extension.value, x509.SubjectAlternativeName) for extension in leaf.extensions
    )
    if not has_extension and common and _matches(str(common[0].value), parts):
        return "x509: certificate relies on legacy Common Name field, use SANs instead"
    if not names:
        return f"x509: certificate is not valid for any names, but wanted to match {name}"
    if len(names) > _MAX_NAMES:
        return f"x509: certificate is valid for {len(names)} names, but none matched {name}"
    return f"x509: certificate is valid for {', '.join(names)}, not {name}"


def _alternative_names(
    leaf: Certificate,
) -> tuple[list[str], list[ipaddress.IPv4Address | ipaddress.IPv6Address]]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return [], []
    addresses = names.get_values_for_type(x509.IPAddress)
    return names.get_values_for_type(x509.DNSName), [
        address
        for address in addresses
        if isinstance(address, (ipaddress.IPv4Address, ipaddress.IPv6Address))
    ]


def _matches(pattern: str, parts: Sequence[str]) -> bool:
    wanted = pattern.lower().split(".")
    return len(wanted) == len(parts) and all(
        one == other or (index == 0 and one == "*")
        for index, (one, other) in enumerate(zip(wanted, parts, strict=True))
    )


def _paths(
    path: list[Certificate],
    intermediates: Sequence[Certificate],
    roots: Sequence[Certificate],
    now: datetime,
) -> list[list[Certificate]]:
    """Every way from the last certificate of `path` to a root.

    Raises:
        Refused: there is none; the first candidate that failed is named, as Go's hint does.
    """
    child = path[-1]
    found: list[list[Certificate]] = []
    hint: tuple[Refused, Certificate] | None = None
    invalid: Refused | None = None
    candidates = [(root, True) for root in _parents(child, roots)]
    candidates += [(parent, False) for parent in _parents(child, intermediates)]
    for candidate, is_root in candidates:
        if candidate in path:
            continue
        try:
            _check_signature(child, candidate)
        except Refused as refusal:
            hint = hint or (refusal, candidate)
            continue
        try:
            _check_issuer(candidate, len(path) - 1, now, is_root=is_root)
            longer = [*path, candidate]
            found += [longer] if is_root else _paths(longer, intermediates, roots, now)
            invalid = None
        except Refused as refusal:
            invalid = refusal
    if not found:
        raise invalid or Refused(_unknown_authority(hint))
    return found


def _unknown_authority(hint: tuple[Refused, Certificate] | None) -> str:
    sentence = "x509: certificate signed by unknown authority"
    if hint is None:
        return sentence
    refusal, certificate = hint
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    names += certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    name = str(names[0].value) if names else f"serial:{certificate.serial_number}"
    return (
        f"{sentence} (possibly because of {gotext.quote(str(refusal))} while trying to verify "
        f"candidate authority certificate {gotext.quote(name)})"
    )


def _parents(child: Certificate, pool: Sequence[Certificate]) -> list[Certificate]:
    """Certificates with the issuer's name, those with its key id first."""
    named = [candidate for candidate in pool if candidate.subject == child.issuer]
    wanted = _authority_key(child)

    def rank(candidate: Certificate) -> int:
        has = _subject_key(candidate)
        if has == wanted:
            return 0
        return 1 if not has or not wanted else 2

    return sorted(named, key=rank)


def _authority_key(certificate: Certificate) -> bytes | None:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    except x509.ExtensionNotFound:
        return None
    return extension.value.key_identifier


def _subject_key(certificate: Certificate) -> bytes | None:
    try:
        return certificate.extensions.get_extension_for_class(
            x509.SubjectKeyIdentifier
        ).value.digest
    except x509.ExtensionNotFound:
        return None


def _constraints(certificate: Certificate) -> x509.BasicConstraints | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return None


def _check_signature(child: Certificate, parent: Certificate) -> None:
    constraints = _constraints(parent)
    is_authority = constraints.ca if constraints else parent.version is not x509.Version.v3
    if not is_authority or not _may_sign(parent):
        raise Refused(
            "x509: invalid signature: parent certificate cannot sign this kind of certificate"
        )
    try:
        child.verify_directly_issued_by(parent)
    except InvalidSignature:
        raise Refused(_signature_error(parent)) from None
    except (TypeError, ValueError):
        raise Refused("x509: cannot verify signature: algorithm unimplemented") from None


def _may_sign(parent: Certificate) -> bool:
    try:
        return parent.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        return True


def _signature_error(parent: Certificate) -> str:
    key = parent.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "x509: ECDSA verification failure"
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "x509: Ed25519 verification failure"
    if isinstance(key, rsa.RSAPublicKey):
        return "crypto/rsa: verification error"
    return "x509: cannot verify signature: algorithm unimplemented"


def _check_issuer(issuer: Certificate, between: int, now: datetime, *, is_root: bool) -> None:
    _check_time(issuer, now)
    constraints = _constraints(issuer)
    if not is_root and not (constraints and constraints.ca):
        raise Refused("x509: certificate is not authorized to sign other certificates")
    if constraints and constraints.path_length is not None and between > constraints.path_length:
        raise Refused("x509: too many intermediates for path length constraint")


def _allows_servers(path: Sequence[Certificate]) -> bool:
    for certificate in path:
        try:
            usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        except x509.ExtensionNotFound:
            continue
        if ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in usages:
            continue
        if ExtendedKeyUsageOID.SERVER_AUTH not in usages:
            return False
    return True
