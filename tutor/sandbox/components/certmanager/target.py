"""The Secret that a certificate is stored in.

Source: cert-manager v1.12.3, pkg/controller/certificates/issuing/internal/secret.go and
internal/controller/certificates/secrets.go; cert-manager.md 3.7.
"""

import base64
import csv
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from cryptography import x509

from tutor.sandbox.components.certmanager.pem import decode_certificate
from tutor.sandbox.components.certmanager.policies import (
    CERTIFICATE_NAME,
    ISSUER_GROUP,
    ISSUER_KIND,
    ISSUER_NAME,
    PART_OF,
    managed_keys,
)
from tutor.sandbox.components.certmanager.resources import issuer_kind
from tutor.sandbox.components.certmanager.subject import read_names, read_subject
from tutor.sandbox.kinds import Object, annotations_of, labels_of, name_of, namespace_of, thaw

_PREFIX = "cert-manager.io/"
_SUBJECT = (
    ("subject-organizations", "organizations"),
    ("subject-organizationalunits", "organizationalUnits"),
    ("subject-countries", "countries"),
    ("subject-provinces", "provinces"),
    ("subject-localities", "localities"),
    ("subject-postalcodes", "postalCodes"),
    ("subject-streetaddresses", "streetAddresses"),
)
_OPTIONAL = {
    f"{_PREFIX}{name}"
    for name in (*(name for name, _ in _SUBJECT), "subject-serialnumber", "email-sans")
}
TLS = "kubernetes.io/tls"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """What goes into the Secret: PEM; without a CA `ca` is empty."""

    key: bytes
    certificate: bytes
    ca: bytes


def _joined(values: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(values)
    return out.getvalue() if values else ""


def certificate_annotations(certificate: x509.Certificate) -> dict[str, str]:
    """What annotations say of a certificate; those of the subject only where there is one."""
    subject, names = read_subject(certificate.subject), read_names(certificate.extensions)
    optional = {name: _joined(subject.values(field)) for name, field in _SUBJECT}
    optional["subject-serialnumber"] = subject.serial_number
    optional["email-sans"] = ",".join(names.emails)
    always = {
        "common-name": subject.common_name,
        "alt-names": ",".join(names.dns),
        "ip-sans": ",".join(names.addresses),
        "uri-sans": ",".join(names.uris),
    }
    given = {name: value for name, value in optional.items() if value} | always
    return {f"{_PREFIX}{name}": value for name, value in given.items()}


def target_secret(existing: Object | None, certificate: Object, issued: Issued) -> Object:
    """The Secret for a Certificate, from the one that is there; what others put in stays."""
    spec: Object = certificate["spec"]
    reference: Object = spec["issuerRef"]
    template: dict[str, dict[str, str]] = spec.get("secretTemplate") or {}
    annotations = certificate_annotations(decode_certificate(issued.certificate)) | {
        CERTIFICATE_NAME: name_of(certificate),
        ISSUER_NAME: reference["name"],
        ISSUER_KIND: issuer_kind(reference),
        ISSUER_GROUP: reference.get("group", ""),
    }
    data = {"tls.key": issued.key, "tls.crt": issued.certificate}
    if issued.ca:
        data["ca.crt"] = issued.ca
    old = existing or _new(certificate)
    secret = thaw(old)
    secret["metadata"]["annotations"] = {
        **_without(annotations_of(old), {*_OPTIONAL, *managed_keys(old, "annotations")}),
        **annotations,
        **template.get("annotations", {}),
    }
    secret["metadata"]["labels"] = {
        **_without(labels_of(old), managed_keys(old, "labels")),
        PART_OF: "true",
        **template.get("labels", {}),
    }
    encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
    secret["data"] = _without(old.get("data") or {}, {"ca.crt"}) | encoded
    return secret


def _without(found: Mapping[str, str], names: Collection[str]) -> dict[str, str]:
    return {key: value for key, value in found.items() if key not in names}


def _new(certificate: Object) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": certificate["spec"]["secretName"],
            "namespace": namespace_of(certificate),
        },
        "type": TLS,
    }
