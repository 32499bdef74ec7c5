"""Whether what there is fits what a Certificate's spec asks for: keys, requests, certificates.

Each function names the fields that do not fit.
Source: cert-manager v1.12.3, pkg/util/pki/match.go.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from tutor.sandbox.api.go_duration import parse_duration
from tutor.sandbox.components.certmanager.csr import request_of
from tutor.sandbox.components.certmanager.subject import (
    AlternativeNames,
    read_names,
    read_subject,
    subject_of_spec,
)
from tutor.sandbox.kinds import Object
from tutor.sandbox.pki import PrivateKey

DEFAULT_SIZES = {"RSA": 2048, "ECDSA": 256}
_ALGORITHMS: dict[str, type] = {
    "RSA": rsa.RSAPrivateKey,
    "ECDSA": ec.EllipticCurvePrivateKey,
    "Ed25519": ed25519.Ed25519PrivateKey,
}
_SUBJECT = (
    ("organizations", "organizations"),
    ("countries", "countries"),
    ("localities", "localities"),
    ("organizationalUnits", "organizationalUnits"),
    ("postalCodes", "postCodes"),
    ("provinces", "postCodes"),
    ("streetAddresses", "streetAddresses"),
)
"""Fields of the subject and what the real program calls them, provinces wrongly."""


def algorithm_of(spec: Object) -> str:
    """The key algorithm that a spec asks for."""
    key: Object = spec.get("privateKey") or {}
    return key.get("algorithm") or "RSA"


def size_of(spec: Object) -> int:
    """The key size that a spec asks for, 0 where there is only one."""
    key: Object = spec.get("privateKey") or {}
    return key.get("size") or DEFAULT_SIZES.get(algorithm_of(spec), 0)


def key_mismatches(key: PrivateKey, spec: Object) -> list[str]:
    """What of a private key is not as the spec wants it."""
    if not isinstance(key, _ALGORITHMS[algorithm_of(spec)]):
        return ["spec.privateKey.algorithm"]
    if not isinstance(key, ed25519.Ed25519PrivateKey) and key.key_size != size_of(spec):
        return ["spec.privateKey.size"]
    return []


def _differ(one: Iterable[str] | None, other: Iterable[str] | None) -> bool:
    return Counter(one or ()) != Counter(other or ())


def _name_mismatches(names: AlternativeNames, spec: Object) -> list[str]:
    found = [
        ("spec.ipAddresses", names.addresses, spec.get("ipAddresses")),
        ("spec.uris", names.uris, spec.get("uris")),
        ("spec.emailAddresses", names.emails, spec.get("emailAddresses")),
    ]
    return [path for path, has, wants in found if _differ(has, wants)]


def request_mismatches(request: Object, spec: Object) -> list[str]:
    """What of a CertificateRequest is not as the spec wants it.

    Raises:
        InvalidData: Its signing request cannot be read.
    """
    csr, asked = request_of(request), request["spec"]
    found = _name_mismatches(csr.names, spec)
    if _differ(csr.names.dns, spec.get("dnsNames")):
        found.append("spec.dnsNames")
    wanted = subject_of_spec(spec)
    if csr.subject.common_name != wanted.common_name:
        found.append("spec.commonName")
    if csr.subject.serial_number != wanted.serial_number:
        found.append("spec.subject.serialNumber")
    found.extend(
        f"spec.subject.{shown}"
        for field, shown in _SUBJECT
        if _differ(csr.subject.values(field), wanted.values(field))
    )
    if asked.get("isCA", False) != spec.get("isCA", False):
        found.append("spec.isCA")
    if _differ(asked.get("usages"), spec.get("usages")):
        found.append("spec.usages")
    if _durations_differ(asked.get("duration"), spec.get("duration")):
        found.append("spec.duration")
    if asked["issuerRef"] != spec["issuerRef"]:
        found.append("spec.issuerRef")
    return found


def _durations_differ(one: str | None, other: str | None) -> bool:
    if one is None or other is None:
        return False
    return parse_duration(one) != parse_duration(other)


def certificate_mismatches(certificate: x509.Certificate, spec: Object) -> list[str]:
    """What of an issued certificate is not as the spec wants it; a loose look at the names only.

    A DNS name may have become the common name or the other way round.
    """
    names = read_names(certificate.extensions)
    common_name = read_subject(certificate.subject).common_name
    wanted_name: str = spec.get("commonName", "")
    wanted_dns: Sequence[str] = spec.get("dnsNames") or ()
    has = {*names.dns, *filter(None, [common_name])}
    wants = {*wanted_dns, *filter(None, [wanted_name])}
    found: list[str] = []
    if has != wants:
        if (wanted_name and wanted_name not in has) or (common_name and common_name not in wants):
            found.append("spec.commonName")
        if not set(wanted_dns) <= has or not set(names.dns) <= wants:
            found.append("spec.dnsNames")
    return [*found, *_name_mismatches(names, spec)]


def go_list(items: Iterable[str]) -> str:
    """A list as Go prints it: `[a b]`."""
    return f"[{' '.join(items)}]"
