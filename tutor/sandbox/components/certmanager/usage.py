"""Key usages: cert-manager's names, X.509's bits and object identifiers.

Source: cert-manager v1.12.3, pkg/api/util/usages.go; RFC 5280 sections 4.2.1.3 and 4.2.1.12.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, ObjectIdentifier

from tutor.sandbox.pki import key_usage

BITS = {
    "digital signature": "digital_signature",
    "signing": "digital_signature",
    "content commitment": "content_commitment",
    "key encipherment": "key_encipherment",
    "data encipherment": "data_encipherment",
    "key agreement": "key_agreement",
    "cert sign": "key_cert_sign",
    "crl sign": "crl_sign",
    "encipher only": "encipher_only",
    "decipher only": "decipher_only",
}
"""Names of plain usages, in the order of their bits, to the names that `pki.key_usage` takes."""

EXTENDED = {
    "any": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "server auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "email protection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "s/mime": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "ipsec end system": ObjectIdentifier("1.3.6.1.5.5.7.3.5"),
    "ipsec tunnel": ObjectIdentifier("1.3.6.1.5.5.7.3.6"),
    "ipsec user": ObjectIdentifier("1.3.6.1.5.5.7.3.7"),
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "ocsp signing": ExtendedKeyUsageOID.OCSP_SIGNING,
    "microsoft sgc": ObjectIdentifier("1.3.6.1.4.1.311.10.3.3"),
    "netscape sgc": ObjectIdentifier("2.16.840.1.113730.4.1"),
}
DEFAULT = ("digital signature", "key encipherment")
_EMPTY_BITS = bytes.fromhex("03020000")
"""How Go writes a key usage without any bit."""


@dataclass(frozen=True, slots=True)
class KeyUsages:
    """What a key may be used for."""

    bits: frozenset[str]
    """Names that `pki.key_usage` takes."""
    extended: tuple[ObjectIdentifier, ...]

    def names(self) -> list[str]:
        """cert-manager's names for them, one each."""
        plain = [name for name, bit in BITS.items() if bit in self.bits and name != "signing"]
        by_identifier = {oid: name for name, oid in reversed(EXTENDED.items())}
        return [*plain, *(by_identifier.get(oid, "unknown") for oid in self.extended)]


def key_usages(usages: Sequence[str], *, is_ca: bool) -> KeyUsages:
    """Usages of a spec: a list replaces the default, a CA may always sign certificates."""
    wanted = usages or DEFAULT
    bits = {BITS[name] for name in wanted if name in BITS}
    if is_ca:
        bits.add("key_cert_sign")
    extended = tuple(EXTENDED[name] for name in wanted if name in EXTENDED)
    return KeyUsages(frozenset(bits), extended)


def bits_extension(bits: Iterable[str]) -> x509.ExtensionType:
    """A key usage extension, also one without any bit.

    `encipher only` and `decipher only` mean nothing without key agreement (RFC 5280), and are left
    out then: a certificate with them cannot be read here.
    """
    wanted = set(bits)
    if "key_agreement" not in wanted:
        wanted -= {"encipher_only", "decipher_only"}
    if not wanted:
        return x509.UnrecognizedExtension(ExtensionOID.KEY_USAGE, _EMPTY_BITS)
    return key_usage(sorted(wanted))


def read_bits(value: bytes) -> frozenset[str]:
    """The bits of a key usage extension's value; none for a malformed one."""
    if len(value) < 4 or value[0] != 3:
        return frozenset()
    number = int.from_bytes(value[3:5].ljust(2, b"\0"), "big")
    every = dict.fromkeys(BITS.values())
    return frozenset(bit for place, bit in enumerate(every) if number & (1 << (15 - place)))
