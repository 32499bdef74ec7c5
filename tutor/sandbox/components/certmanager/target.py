"""The Secret that a certificate is stored in.

Source: cert-manager v1.12.3, pkg/controller/certificates/issuing/internal/secret.go and
internal/controller/certificates/secrets.go; cert-manager.md 3.7.
"""

import base64
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509

from tutor.sandbox.components.certmanager.pem import decode_certificate
from tutor.sandbox.components.certmanager.policies import (
    CERTIFICATE_NAME,
    ISSUER_GROUP,
    ISSUER_KIND,
    ISSUER_NAME,
    PART_OF,
)
from tutor.sandbox.components.certmanager.resources import issuer_kind
from tutor.sandbox.components.certmanager.subject import read_names, read_subject
from tutor.sandbox.kinds import Object, name_of, namespace_of

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
    """What the issuing controller applies for a Certificate; a Secret that is there keeps its type.

    What others put into it is theirs: it is not in here.
    """
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
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": spec["secretName"],
            "namespace": namespace_of(certificate),
            "annotations": annotations | template.get("annotations", {}),
            "labels": {PART_OF: "true"} | template.get("labels", {}),
        },
        "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
        "type": TLS if existing is None else existing.get("type", ""),
    }
