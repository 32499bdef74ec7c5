"""Key usages: cert-manager's names, X.509's bits and object identifiers.

Source: cert-manager v1.12.3, pkg/api/util/usages.go; RFC 5280 sections 4.2.1.3 and 4.2.1.12.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import ExtensionOID, ObjectIdentifier

from tutor.sandbox.pki import key_usage
from tutor.sandbox.usages import BITS, EXTENDED

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
