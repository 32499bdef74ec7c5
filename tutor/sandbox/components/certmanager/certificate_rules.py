"""What the webhook refuses in Certificates, in its order and wording.

Objects are as the mutating half left them: required fields are there, possibly empty.

Source: cert-manager v1.12.3, internal/apis/certmanager/validation/certificate.go.
"""

from tutor.sandbox.api.builtin.checks import labels
from tutor.sandbox.api.formats import dns1123_subdomain
from tutor.sandbox.api.go_duration import (
    HOUR,
    MINUTE,
    format_duration,
    parse_duration,
)
from tutor.sandbox.api.metadata import annotations
from tutor.sandbox.api.status import FieldError, forbidden_field, invalid, not_supported, required
from tutor.sandbox.components.certmanager.mailaddress import MailError, parse_address
from tutor.sandbox.components.certmanager.resources import GROUP
from tutor.sandbox.components.certmanager.subject import is_address
from tutor.sandbox.kinds import Object
from tutor.sandbox.usages import BITS, EXTENDED

Errors = list[FieldError]


_MIN_DURATION, _MIN_RENEW_BEFORE = HOUR, 5 * MINUTE
_DEFAULT_DURATION = 2160 * HOUR
_COMMON_NAME_BYTES = 64
_RSA_MIN, _RSA_MAX = 2048, 8192
_CURVES = ("256", "384", "521")
_NAMES = ("commonName", "dnsNames", "uris", "emailAddresses", "ipAddresses")
_NO_LITERAL = (
    "Feature gate LiteralCertificateSubject must be enabled on both webhook and controller to use "
    "the alpha `literalSubject` field"
)


def certificate_errors(spec: Object) -> Errors:
    """What is wrong with a Certificate's spec."""
    return [
        *_secret_name(spec["secretName"]),
        *issuer_reference_errors(spec["issuerRef"]),
        *_names(spec),
        *_private_key(spec.get("privateKey")),
        *_durations(spec),
        *_usages(spec),
        *_history_limit(spec),
        *_secret_template(spec.get("secretTemplate")),
        *_output_formats(spec),
    ]


def _secret_name(name: str) -> Errors:
    path = "spec.secretName"
    if not name:
        return [required(path, "must be specified")]
    return [invalid(path, name, text) for text in dns1123_subdomain(name)]


def issuer_reference_errors(reference: Object) -> Errors:
    """What is wrong with a reference to an issuer."""
    found: Errors = []
    if not reference["name"]:
        found.append(required("spec.issuerRef.name", "must be specified"))
    kind = reference.get("kind", "")
    known = kind in ("", "Issuer", "ClusterIssuer")
    if reference.get("group", "") in ("", GROUP) and not known:
        text = "must be one of Issuer or ClusterIssuer"
        found.append(invalid("spec.issuerRef.kind", kind, text))
    return found


def _names(spec: Object) -> Errors:
    found: Errors = []
    common_name: str = spec.get("commonName", "")
    if spec.get("literalSubject"):
        found.append(forbidden_field("spec.literalSubject", _NO_LITERAL))
    if not any(spec.get(name) for name in _NAMES):
        text = (
            "at least one of commonName, dnsNames, uris ipAddresses, or emailAddresses must be set"
        )
        found.append(invalid("spec", "", text))
    if len(common_name.encode()) > _COMMON_NAME_BYTES:
        text = f"must have at most {_COMMON_NAME_BYTES} bytes"
        found.append(FieldError("spec.commonName", "Too long", "FieldValueTooLong", text))
    found.extend(
        invalid(f"spec.ipAddresses[{index}]", address, "invalid IP address")
        for index, address in enumerate(spec.get("ipAddresses") or ())
        if not is_address(address)
    )
    for index, email in enumerate(spec.get("emailAddresses") or ()):
        why = _why_no_email(email)
        if why:
            path = f"spec.emailAddresses[{index}]"
            found.append(invalid(path, email, f"invalid email address: {why}"))
    return found


def _why_no_email(text: str) -> str | None:
    try:
        parsed = parse_address(text)
    except MailError as error:
        return str(error)
    if parsed != text:
        return "make sure the supplied value only contains the email address itself"
    return None


def _private_key(key: Object | None) -> Errors:
    if key is None:
        return []
    size: int = key.get("size", 0)
    path = "spec.privateKey.size"
    match key.get("algorithm", ""):
        case "" | "RSA":
            if size > 0 and not _RSA_MIN <= size <= _RSA_MAX:
                text = f"must be between {_RSA_MIN} & {_RSA_MAX} for rsa keyAlgorithm"
                return [invalid(path, size, text)]
        case "ECDSA":
            if size > 0 and str(size) not in _CURVES:
                return [not_supported(path, size, _CURVES)]
        case "Ed25519":
            pass
        case other:
            text = "must be either empty or one of rsa or ecdsa"
            return [invalid("spec.privateKey.algorithm", other, text)]
    return []


def _durations(spec: Object) -> Errors:
    if "duration" not in spec and "renewBefore" not in spec:
        return []
    found: Errors = []
    duration = parse_duration(spec["duration"]) if "duration" in spec else _DEFAULT_DURATION
    if duration < _MIN_DURATION:
        text = f"certificate duration must be greater than {format_duration(_MIN_DURATION)}"
        found.append(_invalid_duration("spec.duration", duration, text))
    if "renewBefore" not in spec:
        return found
    before, path = parse_duration(spec["renewBefore"]), "spec.renewBefore"
    if before < _MIN_RENEW_BEFORE:
        least = format_duration(_MIN_RENEW_BEFORE)
        text = f"certificate renewBefore must be greater than {least}"
        found.append(_invalid_duration(path, before, text))
    if before >= duration:
        text = (
            f"certificate duration {format_duration(duration)} must be greater than "
            f"renewBefore {format_duration(before)}"
        )
        found.append(_invalid_duration(path, before, text))
    return found


def _invalid_duration(path: str, value: int, text: str) -> FieldError:
    """Go prints a duration as a bad value without quotes."""
    detail = f"{format_duration(value)}: {text}"
    return FieldError(path, "Invalid value", "FieldValueInvalid", detail)


def _usages(spec: Object) -> Errors:
    return [
        invalid(f"spec.usages[{index}]", usage, "unknown keyusage")
        for index, usage in enumerate(spec.get("usages") or ())
        if usage not in BITS and usage not in EXTENDED
    ]


def _history_limit(spec: Object) -> Errors:
    limit = spec.get("revisionHistoryLimit")
    if limit is None or limit >= 1:
        return []
    return [invalid("spec.revisionHistoryLimit", limit, "must not be less than 1")]


def _secret_template(template: Object | None) -> Errors:
    if template is None:
        return []
    path = "spec.secretTemplate"
    found = [*labels(template.get("labels"), f"{path}.labels")]
    given = template.get("annotations")
    if given:
        text = "cert-manager.io/* annotations are not allowed"
        found.extend(
            invalid(f"{path}.annotations", key, text)
            for key in sorted(given)
            if key.startswith("cert-manager.io/")
        )
        found.extend(annotations(given, f"{path}.annotations"))
    return found


def _output_formats(spec: Object) -> Errors:
    if not spec.get("additionalOutputFormats"):
        return []
    text = "feature gate AdditionalCertificateOutputFormats must be enabled"
    return [forbidden_field("spec.additionalOutputFormats", text)]
