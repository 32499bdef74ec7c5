"""Whether a certificate must be issued, is ready, and whether its Secret must be mended.

A policy looks at what was gathered and says what is wrong; the first of a chain that does counts.

Source: cert-manager v1.12.3, internal/controller/certificates/policies; cert-manager.md 3.5, 3.10.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from cryptography import x509

from tutor.sandbox.components.certmanager.conditions import go_time
from tutor.sandbox.components.certmanager.matching import (
    certificate_mismatches,
    go_list,
    key_mismatches,
    request_mismatches,
)
from tutor.sandbox.components.certmanager.pem import (
    InvalidData,
    decode_certificate,
    decode_key,
    why_no_pair,
)
from tutor.sandbox.components.certmanager.resources import GROUP
from tutor.sandbox.components.certmanager.signing import renewal_time
from tutor.sandbox.kinds import Object, annotations_of, labels_of

CERTIFICATE_NAME = "cert-manager.io/certificate-name"
ISSUER_NAME = "cert-manager.io/issuer-name"
ISSUER_KIND = "cert-manager.io/issuer-kind"
ISSUER_GROUP = "cert-manager.io/issuer-group"
PART_OF = "controller.cert-manager.io/fao"
FIELD_MANAGER = "cert-manager-certificates-issuing"
_OWN = "cert-manager.io/"
KEYSTORE_KEYS = ("keystore.p12", "truststore.p12", "keystore.jks", "truststore.jks")
_STAMP = "%Y-%m-%dT%H:%M:%SZ"


class Verdict(NamedTuple):
    """What is wrong, as conditions say it."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Everything that belongs to a Certificate."""

    certificate: Object
    secret: Object | None
    current: Object | None = None
    """The CertificateRequest of the revision that was issued last."""
    next: Object | None = None
    """The CertificateRequest of the revision after that."""

    @property
    def spec(self) -> Object:
        """The Certificate's spec."""
        return self.certificate["spec"]

    def data(self, key: str) -> bytes:
        """A value of the Secret, empty when there is none."""
        return secret_value(self.secret, key)

    def issued(self) -> x509.Certificate:
        """The certificate in the Secret; raises InvalidData."""
        return decode_certificate(self.data("tls.crt"))


def secret_value(secret: Object | None, key: str) -> bytes:
    """A decoded value of a Secret, empty when there is none."""
    data: Mapping[str, str] = (secret or {}).get("data") or {}
    return base64.b64decode(data.get(key, ""))


Policy = Callable[[Gathered, datetime], Verdict | None]


def first_verdict(chain: Sequence[Policy], given: Gathered, now: datetime) -> Verdict | None:
    """What the first policy that is not content says; None when all are."""
    return next((found for policy in chain if (found := policy(given, now))), None)


def secret_missing(given: Gathered, now: datetime) -> Verdict | None:
    """There is no Secret."""
    del now
    if given.secret is None:
        return Verdict("DoesNotExist", "Issuing certificate as Secret does not exist")
    return None


def data_missing(given: Gathered, now: datetime) -> Verdict | None:
    """The Secret lacks a key or a certificate."""
    del now
    what = ""
    if not (given.secret or {}).get("data"):
        what = "any data"
    elif not given.data("tls.key"):
        what = "a private key"
    elif not given.data("tls.crt"):
        what = "a certificate"
    if not what:
        return None
    return Verdict("MissingData", f"Issuing certificate as Secret does not contain {what}")


def pair_invalid(given: Gathered, now: datetime) -> Verdict | None:
    """The key is not the certificate's, or one of them is no such thing."""
    del now
    why = why_no_pair(given.data("tls.crt"), given.data("tls.key"))
    if why is None:
        return None
    text = f"Issuing certificate as Secret contains an invalid key-pair: {why}"
    return Verdict("InvalidKeyPair", text)


def key_mismatch(given: Gathered, now: datetime) -> Verdict | None:
    """The key is not of the kind that the spec asks for."""
    del now
    try:
        key = decode_key(given.data("tls.key"))
    except InvalidData as error:
        text = f"Existing issued Secret contains invalid private key data: {error}"
        return Verdict("SecretMismatch", text)
    found = key_mismatches(key, given.spec)
    if not found:
        return None
    text = f"Existing private key is not up to date for spec: {go_list(found)}"
    return Verdict("SecretMismatch", text)


def issuer_mismatch(given: Gathered, now: datetime) -> Verdict | None:
    """The Secret says that another issuer issued it."""
    del now
    annotations, wanted = annotations_of(given.secret or {}), given.spec["issuerRef"]
    name = annotations.get(ISSUER_NAME, "")
    kind = annotations.get(ISSUER_KIND) or "Issuer"
    group = annotations.get(ISSUER_GROUP) or GROUP
    as_wanted = (
        wanted["name"],
        wanted.get("kind") or "Issuer",
        wanted.get("group") or GROUP,
    )
    if (name, kind, group) == as_wanted:
        return None
    text = f"Issuing certificate as Secret was previously issued by {kind}.{group}/{name}"
    return Verdict("IncorrectIssuer", text)


def request_changed(given: Gathered, now: datetime) -> Verdict | None:
    """The spec has changed since the certificate was requested."""
    del now
    try:
        if given.current is None:
            return _secret_outdated(given)
        found = request_mismatches(given.current, given.spec)
    except InvalidData:
        return None
    if not found:
        return None
    text = f"Fields on existing CertificateRequest resource not up to date: {go_list(found)}"
    return Verdict("RequestChanged", text)


def _secret_outdated(given: Gathered) -> Verdict | None:
    found = certificate_mismatches(given.issued(), given.spec)
    if not found:
        return None
    text = f"Existing issued Secret is not up to date for spec: {go_list(found)}"
    return Verdict("SecretMismatch", text)


def renewal_due(given: Gathered, now: datetime) -> Verdict | None:
    """The certificate has come to the end of what it may be used for."""
    try:
        due = renewal_time(given.issued(), given.spec.get("renewBefore"))
    except InvalidData as error:
        return Verdict("InvalidCertificate", f"Failed to decode stored certificate: {error}")
    if due > now:
        return None
    status: Object = given.certificate.get("status") or {}
    planned = status.get("renewalTime")
    shown = go_time(parse_time(planned)) if planned else "<nil>"
    return Verdict("Renewing", f"Renewing certificate as renewal was scheduled at {shown}")


def expired(given: Gathered, now: datetime) -> Verdict | None:
    """The certificate is not valid any more."""
    try:
        end = given.issued().not_valid_after_utc
    except InvalidData as error:
        return Verdict("InvalidCertificate", f"Failed to decode stored certificate: {error}")
    if now <= end:
        return None
    return Verdict("Expired", f"Certificate expired on {end:%a, %d %b %Y %H:%M:%S} UTC")


def template_mismatch(given: Gathered, now: datetime) -> Verdict | None:
    """The Secret lacks what the spec's template for it says."""
    del now
    template: Object = given.spec.get("secretTemplate") or {}
    has = {
        "annotations": annotations_of(given.secret or {}),
        "labels": labels_of(given.secret or {}),
    }
    for field, word in (("annotations", "Annotations"), ("labels", "Labels")):
        wanted: Mapping[str, str] = template.get(field) or {}
        if not wanted.items() <= has[field].items():
            text = f"Certificate's SecretTemplate {word} missing or incorrect value on Secret"
            return Verdict("SecretTemplateMismatch", text)
    return None


def template_unowned(given: Gathered, now: datetime) -> Verdict | None:
    """What the issuing controller owns of the Secret is not what the template says."""
    del now
    if given.secret is None:
        return None
    template: Object | None = given.spec.get("secretTemplate")
    owned = {field: managed_keys(given.secret, field) for field in ("labels", "annotations")}
    if template is None:
        if not any(owned.values()):
            return None
        text = "SecretTemplate is nil, but Secret contains extra managed entries"
        return Verdict("SecretTemplateMismatch", text)
    if all(set(template.get(field) or ()) == keys for field, keys in owned.items()):
        return None
    return Verdict("SecretTemplateMismatch", "Certificate's SecretTemplate doesn't match Secret")


def managed_keys(secret: Object, field: str) -> set[str]:
    """Labels or annotations that the issuing controller put in for a template, says the Secret."""
    found: set[str] = set()
    for entry in secret["metadata"].get("managedFields") or ():
        if entry.get("manager") == FIELD_MANAGER:
            fields: Object = entry.get("fieldsV1") or {}
            metadata: Object = fields.get("f:metadata") or {}
            owned: Object = metadata.get(f"f:{field}") or {}
            found |= {key.removeprefix("f:") for key in owned}
    return {key for key in found if key not in (".", PART_OF) and not key.startswith(_OWN)}


def keystore_mismatch(given: Gathered, now: datetime) -> Verdict | None:
    """The Secret has keystores that the spec does not ask for."""
    del now
    if given.spec.get("keystores") is None and any(given.data(key) for key in KEYSTORE_KEYS):
        return Verdict("SecretMismatch", "Keystore is not defined")
    return None


def label_missing(given: Gathered, now: datetime) -> Verdict | None:
    """The Secret lacks the label of Secrets that cert-manager keeps."""
    del now
    if PART_OF in labels_of(given.secret or {}):
        return None
    return Verdict("SecretBaseLabelsMissing", f"missing base label {PART_OF}")


TRIGGER: tuple[Policy, ...] = (
    secret_missing,
    data_missing,
    pair_invalid,
    key_mismatch,
    issuer_mismatch,
    request_changed,
    renewal_due,
)
READINESS: tuple[Policy, ...] = (
    secret_missing,
    data_missing,
    pair_invalid,
    request_changed,
    expired,
)
POST_ISSUANCE: tuple[Policy, ...] = (
    template_mismatch,
    template_unowned,
    keystore_mismatch,
    label_missing,
)
TEMPORARY: tuple[Policy, ...] = (secret_missing, data_missing, pair_invalid)


def parse_time(text: str) -> datetime:
    """A time of an object's status."""
    return datetime.strptime(text, _STAMP).replace(tzinfo=UTC)
