"""The certificates that the Concierge makes.

Source: pinniped.md 1.4.1 (its own) and 4.10 (those of users).
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509

from tutor.sandbox import pki
from tutor.sandbox.api.builtin.tls_pair import mismatch
from tutor.sandbox.pki import Authority, Pair

USER_LIFETIME = timedelta(minutes=5)
HUNDRED_YEARS = timedelta(days=100 * 365)
SIGNER_LIFETIME = timedelta(days=365)
_BACKDATE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class CertificateNames:
    """The names of a serving certificate: addresses, or one host name."""

    addresses: tuple[str, ...] = ()
    host: str = ""


def new_authority(common_name: str, now: datetime, lifetime: timedelta) -> Authority:
    """A CA of the Concierge's own."""
    return pki.new_authority(
        common_name,
        now=now,
        lifetime=lifetime,
        key_usages=("digital_signature", "key_cert_sign"),
        extended=(pki.CLIENT_AUTH, pki.SERVER_AUTH),
        backdate=_BACKDATE,
    )


def authority_texts(authority: Authority) -> tuple[str, str]:
    """The PEM texts of a CA: certificate and key."""
    return authority.pem, pki.key_pem(authority.key, "PKCS1")


def new_serving(
    authority: Authority, names: CertificateNames, now: datetime, lifetime: timedelta
) -> Pair:
    """A serving certificate: no subject, only names."""
    hosts = [*names.addresses, *([names.host] if names.host else [])]
    return pki.issue(
        authority, subject=pki.subject_of(), now=now, lifetime=lifetime, hosts=hosts, usages=()
    )


def new_user(authority: Authority, name: str, groups: Sequence[str], now: datetime) -> Pair:
    """A client certificate for a user. Groups come back sorted: they are a DER SET."""
    return pki.issue(
        authority,
        subject=pki.subject_of(name, groups),
        now=now,
        lifetime=USER_LIFETIME,
        extended=(pki.CLIENT_AUTH,),
        usages=(),
    )


def serves(
    certificate: bytes, key: bytes, authority: Authority, names: CertificateNames, now: datetime
) -> bool:
    """Whether a generated pair is sound, by this CA, valid, and has exactly these names."""
    if mismatch(certificate, key):
        return False
    leaf = pki.load_certificates(certificate)[0]
    if not pki.is_issued_by(leaf, authority.certificate):
        return False
    if not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
        return False
    return names_of(leaf) == names


def names_of(leaf: x509.Certificate) -> CertificateNames | None:
    """The names of a certificate; None when it has other than addresses, or one host name."""
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return None
    addresses = tuple(str(address) for address in names.get_values_for_type(x509.IPAddress))
    hosts = names.get_values_for_type(x509.DNSName)
    if len(hosts) > 1 or (hosts and addresses):
        return None
    return CertificateNames(addresses, hosts[0] if hosts else "")


def is_address(text: str) -> bool:
    """Whether a text is an IP address, as Go's `net.ParseIP` has it."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text
