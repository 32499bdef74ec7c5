"""What becomes of a CertificateRequest: its Ready condition, and what is told of it.

Source: cert-manager v1.12.3, pkg/controller/certificaterequests (sync.go, util/reporter.go, ca,
selfsigned); cert-manager.md 3.5, 3.6.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from tutor.sandbox.api.status import go_quote
from tutor.sandbox.components.certmanager.conditions import Condition
from tutor.sandbox.components.certmanager.issuer_state import (
    Told,
    key_of,
    not_found,
    signing_chain,
)
from tutor.sandbox.components.certmanager.pem import InvalidData
from tutor.sandbox.components.certmanager.resources import GROUP
from tutor.sandbox.components.certmanager.signing import (
    Bundle,
    bundle,
    self_sign,
    sign,
    template_of,
)
from tutor.sandbox.controllers.resources import condition
from tutor.sandbox.kinds import Object, annotations_of, namespace_of
from tutor.sandbox.pki import Authority, certificate_pem

PRIVATE_KEY_SECRET = "cert-manager.io/private-key-secret-name"  # noqa: S105 - an annotation
WAITING = Told(
    "Normal", "WaitingForApproval", "Not signing CertificateRequest until it is Approved"
)
APPROVED = Condition(
    "Approved",
    "True",
    "cert-manager.io",
    "Certificate request has been approved by cert-manager.io",
)
_EMPTY_ISSUER = (
    "Certificate will be issued with an empty Issuer DN, which contravenes RFC 5280 and could "
    "break some strict clients"
)
_ISSUED = "Certificate fetched from issuer successfully"
_DENIED = "The CertificateRequest was denied by an approval controller"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The next step of a request."""

    condition: Condition
    events: Sequence[Told] = field(default=())
    issued: Bundle | None = None
    has_failed: bool = False
    """Whether this is the time of its failure."""


def ready_reason(request: Object) -> str:
    """The reason of the Ready condition, empty without one."""
    ready = condition(request, "Ready")
    return ready.get("reason", "") if ready is not None else ""


def is_ours(request: Object) -> bool:
    """Whether a request is for an issuer of cert-manager's own group."""
    return request["spec"]["issuerRef"].get("group", "") in ("", GROUP)


def denied() -> Step:
    """An approver said no."""
    return Step(condition=Condition("Ready", "False", "Denied", _DENIED), has_failed=True)


def pending(request: Object, reason: str, message: str) -> Step:
    """It has to wait; told only when it did not wait already."""
    told = [] if ready_reason(request) == "Pending" else [Told("Normal", reason, message)]
    return Step(condition=Condition("Ready", "False", "Pending", message), events=told)


def failed(reason: str, message: str) -> Step:
    """It will never be issued."""
    return Step(
        condition=Condition("Ready", "False", "Failed", message),
        events=[Told("Warning", reason, message)],
        has_failed=True,
    )


def issued(made: Bundle, told: Sequence[Told] = ()) -> Step:
    """It is done."""
    return Step(
        condition=Condition("Ready", "True", "Issued", _ISSUED),
        events=[*told, Told("Normal", "CertificateIssued", _ISSUED)],
        issued=made,
    )


def issuer_missing(request: Object) -> Step:
    """There is no such issuer."""
    reference = request["spec"]["issuerRef"]
    kind = reference.get("kind") or "Issuer"
    absent = f"{kind.lower()}.{GROUP} {go_quote(reference['name'])} not found"
    return pending(request, "IssuerNotFound", f"Referenced {go_quote(kind)} not found: {absent}")


def issuer_typeless(request: Object, issuer_namespace: str) -> Step:
    """The issuer has no type."""
    place = f"{issuer_namespace}/{request['spec']['issuerRef']['name']}"
    text = f"Missing issuer type: no issuer specified for Issuer '{place}'"
    return pending(request, "IssuerTypeMissing", text)


def issuer_not_ready(request: Object) -> Step:
    """The issuer is not Ready."""
    text = "Referenced issuer does not have a Ready status condition"
    return pending(request, "IssuerNotReady", text)


def sign_with_ca(
    request: Object, ca: Object, place: tuple[str, str], secret: Object | None, now: datetime
) -> Step:
    """What a CA issuer does. `ca` is its spec, `place` where its Secret is to be."""
    shown = "/".join(place)
    if secret is None:
        text = f"Referenced secret {shown} not found: {not_found(place[1])}"
        return pending(request, "SecretMissing", text)
    try:
        chain, key = signing_chain(secret)
    except InvalidData as error:
        text = f"Failed to parse signing CA keypair from secret {shown}: {error}"
        return pending(request, "SecretInvalidData", text)
    try:
        template = template_of(request)
    except InvalidData as error:
        return failed("SigningError", f"Error generating certificate template: {error}")
    template = replace(
        template,
        crl_points=ca.get("crlDistributionPoints") or (),
        ocsp_servers=ca.get("ocspServers") or (),
    )
    try:
        return issued(bundle(sign(template, Authority(chain[0], key), now), chain))
    except InvalidData as error:
        return failed("SigningError", f"Error signing certificate: {error}")


def sign_itself(request: Object, self_signed: Object, secret: Object | None, now: datetime) -> Step:
    """What a self-signed issuer does, with the key in the Secret that an annotation names."""
    name = annotations_of(request).get(PRIVATE_KEY_SECRET, "")
    namespace = namespace_of(request)
    if not name:
        quoted = go_quote(PRIVATE_KEY_SECRET)
        text = f"Annotation {quoted} missing or reference empty: secret name missing"
        return failed("MissingAnnotation", text)
    if secret is None:
        text = f"Referenced secret {namespace}/{name} not found: {not_found(name)}"
        return pending(request, "MissingSecret", text)
    try:
        key = key_of(secret)
    except InvalidData as error:
        text = (
            f"Failed to get key {go_quote(name)} referenced in annotation "
            f"{go_quote(PRIVATE_KEY_SECRET)}: {error}"
        )
        return pending(request, "ErrorParsingKey", text)
    try:
        template = template_of(request)
    except InvalidData as error:
        return failed("ErrorGenerating", f"Error generating certificate template: {error}")
    if template.public_key != key.public_key():
        why = "CSR not signed by referenced private key"
        return failed("ErrorKeyMatch", f"Error generating certificate template: {why}")
    template = replace(template, crl_points=self_signed.get("crlDistributionPoints") or ())
    made = certificate_pem(self_sign(template, key, now))
    told = [] if template.subject.rdns else [Told("Warning", "BadConfig", _EMPTY_ISSUER)]
    return issued(Bundle(made, made), told)
