"""Certificates for the tests of the commands: good ones, and ones with a single fault."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Sequence
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tutor.clock import SystemClock

DAY = dt.timedelta(days=1)


class Issued(NamedTuple):
    """A certificate (with what follows it in its chain) and its key, in PEM."""

    certificate: str
    key: str


def _name(common: str) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Pinniped")]
    if common:
        attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    return x509.Name(attributes)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")


class Authority:
    """A certificate authority; `parent` makes it an intermediate one."""

    def __init__(
        self,
        common: str = "my-selfsigned-ca",
        *,
        parent: Authority | None = None,
        age: int = 1,
        life: int = 365,
    ) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        now = SystemClock().now()
        issuer = parent.certificate.subject if parent else _name(common)
        key_id = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(_name(common))
            .issuer_name(issuer)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - age * DAY)
            .not_valid_after(now - age * DAY + life * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(key_id, critical=False)
            .sign(parent.key if parent else self.key, hashes.SHA256())
        )
        self.pem = _pem(self.certificate)

    def issue(
        self,
        names: Sequence[str] = (),
        *,
        common: str = "",
        ages: tuple[float, float] = (-1, 90),
        client: bool = False,
        chain: Sequence[Authority] = (),
    ) -> Issued:
        """A leaf for these DNS names and addresses, valid between two days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = SystemClock().now()
        usage = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(common))
            .issuer_name(self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + ages[0] * DAY)
            .not_valid_after(now + ages[1] * DAY)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
        )
        if names:
            alternatives = x509.SubjectAlternativeName([_alternative(name) for name in names])
            builder = builder.add_extension(alternatives, critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        text = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        chained = "".join([_pem(certificate), *(authority.pem for authority in chain)])
        return Issued(chained, text.decode("ascii"))


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
