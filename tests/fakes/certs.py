"""Real certificates for tests, of an authority made on the spot."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = timedelta(days=1)


def now() -> datetime:
    """The time, whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - handshakes compare with the real clock


@dataclass(frozen=True, kw_only=True)
class Issued:
    """A certificate and its key, both PEM."""

    certificate: str
    key: str


@dataclass(frozen=True)
class Authority:
    """Signs certificates."""

    name: str
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    @property
    def certificate(self) -> str:
        """Its own certificate, self-signed."""
        built = self._builder(self.name, self.key, days=365).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        return _pem(built.sign(self.key, SHA256()))

    def issue(
        self, name: str, *, dns: Sequence[str] = (), days: int = 90, client: bool = False
    ) -> Issued:
        """A certificate of that name; expired when `days` is negative."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(name, key, days=days)
        if dns:
            names = x509.SubjectAlternativeName([x509.DNSName(each) for each in dns])
            builder = builder.add_extension(names, critical=False)
        usage = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return Issued(certificate=_pem(builder.sign(self.key, SHA256())), key=text)

    def _builder(
        self, name: str, key: ec.EllipticCurvePrivateKey, *, days: int
    ) -> x509.CertificateBuilder:
        end = now() + days * DAY
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(now(), end) - DAY)
            .not_valid_after(end)
        )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
