"""Subjects and alternative names: from a spec to X.509 and back, as Go's crypto/x509 does it.

Sources: Go's pkix.Name and x509.marshalSANs; cert-manager v1.12.3, pkg/util/pki/csr.go.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from cryptography import x509
from cryptography.x509.oid import NameOID, ObjectIdentifier

from tutor.sandbox.kinds import Object
from tutor.sandbox.pki import go_name

_LISTED: tuple[tuple[str, ObjectIdentifier], ...] = (
    ("countries", NameOID.COUNTRY_NAME),
    ("organizations", NameOID.ORGANIZATION_NAME),
    ("organizationalUnits", NameOID.ORGANIZATIONAL_UNIT_NAME),
    ("localities", NameOID.LOCALITY_NAME),
    ("provinces", NameOID.STATE_OR_PROVINCE_NAME),
    ("streetAddresses", NameOID.STREET_ADDRESS),
    ("postalCodes", NameOID.POSTAL_CODE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A distinguished name in the parts that cert-manager knows."""

    listed: dict[str, list[str]]
    """Values of the fields of `spec.subject` that are lists; fields without values are absent."""
    common_name: str = ""
    serial_number: str = ""

    def values(self, name: str) -> list[str]:
        """The values of a field of `spec.subject`."""
        return self.listed.get(name, [])

    def name(self) -> x509.Name:
        """The X.509 name, in Go's order of attributes."""
        parts = [(oid, self.values(name)) for name, oid in _LISTED]
        parts.append((NameOID.COMMON_NAME, [self.common_name] if self.common_name else []))
        parts.append((NameOID.SERIAL_NUMBER, [self.serial_number] if self.serial_number else []))
        return go_name(parts)


def subject_of_spec(spec: Object) -> Subject:
    """The subject that a Certificate's spec asks for."""
    subject: Object = spec.get("subject") or {}
    return Subject(
        listed={name: subject[name] for name, _ in _LISTED if subject.get(name)},
        common_name=spec.get("commonName", ""),
        serial_number=subject.get("serialNumber", ""),
    )


def read_subject(name: x509.Name) -> Subject:
    """The parts of an X.509 name; of attributes that occur once, the last counts, as in Go."""

    def values(oid: ObjectIdentifier) -> list[str]:
        return [str(attribute.value) for attribute in name.get_attributes_for_oid(oid)]

    return Subject(
        listed={field: found for field, oid in _LISTED if (found := values(oid))},
        common_name=next(reversed(values(NameOID.COMMON_NAME)), ""),
        serial_number=next(reversed(values(NameOID.SERIAL_NUMBER)), ""),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AlternativeNames:
    """Subject alternative names by kind, each in its own order."""

    dns: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.dns or self.emails or self.addresses or self.uris)

    def extension(self) -> x509.SubjectAlternativeName:
        """The extension, in Go's order of kinds."""
        names: list[x509.GeneralName] = [x509.DNSName(name) for name in self.dns]
        names += [x509.RFC822Name(email) for email in self.emails]
        names += [x509.IPAddress(_address(ip)) for ip in self.addresses]
        names += [x509.UniformResourceIdentifier(uri) for uri in self.uris]
        return x509.SubjectAlternativeName(names)


def names_of_spec(spec: Object) -> AlternativeNames:
    """The alternative names that a spec asks for; addresses that are none are left out."""
    return AlternativeNames(
        dns=tuple(spec.get("dnsNames") or ()),
        emails=tuple(spec.get("emailAddresses") or ()),
        addresses=tuple(_canonical(spec.get("ipAddresses") or ())),
        uris=tuple(spec.get("uris") or ()),
    )


def read_names(extensions: x509.Extensions) -> AlternativeNames:
    """The alternative names of a certificate or request, none when there is no such extension."""
    try:
        found = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return AlternativeNames()
    return AlternativeNames(
        dns=tuple(found.get_values_for_type(x509.DNSName)),
        emails=tuple(found.get_values_for_type(x509.RFC822Name)),
        addresses=tuple(str(ip) for ip in found.get_values_for_type(x509.IPAddress)),
        uris=tuple(found.get_values_for_type(x509.UniformResourceIdentifier)),
    )


def is_address(text: str) -> bool:
    """Whether Go would parse a text as an IP address."""
    try:
        return "%" not in text and bool(ip_address(text))
    except ValueError:
        return False


def _address(text: str):
    address = ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _canonical(texts: Sequence[str]) -> Iterable[str]:
    return (str(_address(text)) for text in texts if is_address(text))
