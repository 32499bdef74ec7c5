"""CertificateSigningRequests.

Source: `apis/certificates/validation/validation.go`, `registry/certificates/certificates`.
"""

import base64
import binascii

from tutor.sandbox import pki
from tutor.sandbox.api import formats, metadata
from tutor.sandbox.api.builtin import checks, go_struct
from tutor.sandbox.api.builtin.behaviour import Behaviour, Subpath, keep_spec, keep_status
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.reading import indexed, items, keep, part, same, text
from tutor.sandbox.api.status import (
    duplicate,
    forbidden_field,
    go_quote,
    invalid,
    not_supported,
    required,
    too_long,
)
from tutor.sandbox.kinds import Object
from tutor.sandbox.usages import BITS, EXTENDED

_USAGES = tuple(sorted({*BITS, *EXTENDED}))
_DECISIONS = ("Approved", "Denied")
_FINAL = (*_DECISIONS, "Failed")
_STATUSES = ("False", "True", "Unknown")
_LEGACY = "kubernetes.io/legacy-unknown"
_TEN_MINUTES = 600
_MAX_DOMAIN, _MAX_PATH = 253, 253 + 63 + 1
_CONDITIONS = "status.conditions"
_BEGIN = b"-----BEGIN "


def _prepare_create(obj: Object) -> None:
    obj["status"] = {}


def _prepare_update(new: Object, old: Object) -> None:
    keep_spec(new, old)
    keep_status(new, old)


def _unparsed(request: str) -> str:
    """Why a request is none; empty when it is one, and whoever made it has the key."""
    try:
        asked = pki.load_request(base64.b64decode(request, validate=True))
    except (binascii.Error, ValueError):
        return "PEM block type must be CERTIFICATE REQUEST"
    return "" if pki.is_signed_by_its_key(asked) else "x509: ECDSA verification failure"


def _validate(obj: Object) -> Errors:
    return _judge(obj, None)


def _judge(obj: Object, old: Object | None) -> Errors:
    errors = metadata.built_in(obj, _any_name, namespaced=False)
    spec, before = part(obj, "spec"), part(old or {}, "spec")
    request = text(spec, "request")
    if why := _unparsed(request):
        errors.append(invalid("spec.request", spec.get("request"), why))
    errors += _usages(spec, before)
    errors += signer_name(
        text(spec, "signerName"), "spec.signerName", was=text(before, "signerName")
    )
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < _TEN_MINUTES:
        why = "may not specify a duration less than 600 seconds (10 minutes)"
        errors.append(invalid("spec.expirationSeconds", seconds, why))
    errors += _conditions(obj, old)
    certificate, known = (text(part(one or {}, "status"), "certificate") for one in (obj, old))
    kept = old is not None and (certificate == known or bool(_no_certificate(known)))
    why = "" if kept else _no_certificate(certificate)
    return [*errors, invalid("status.certificate", "<certificate data>", why)] if why else errors


def _any_name(_name: str) -> list[str]:
    return []


def _usages(spec: Object, before: Object) -> Errors:
    usages, known = items(spec, "usages"), items(before, "usages")
    path = "spec.usages"
    errors = [] if usages else [required(path)]
    if all(usage in _USAGES for usage in known):
        for index, usage in enumerate(usages):
            if usage not in _USAGES:
                errors.append(not_supported(f"{path}[{index}]", usage, _USAGES))
    if len(set(known)) == len(known):
        for index, usage in enumerate(usages):
            if usage in usages[:index]:
                errors.append(duplicate(f"{path}[{index}]", usage))
    return errors


def signer_name(name: str, path: str, *, was: str = "") -> Errors:
    """The name of a signer: a domain and a path. `was`: what it was before."""
    if name == _LEGACY != was:
        return [invalid(path, name, "the legacy signerName is not allowed via this API version")]
    if not name:
        return [required(path)]
    domain, slash, rest = name.partition("/")
    if not slash or "/" in rest:
        why = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        return [invalid(path, name, why)]
    errors = [too_long(path, _MAX_DOMAIN)] if len(domain) > _MAX_DOMAIN else []
    labels = domain.split(".")
    errors += _first_wrong(labels, formats.dns1123_label, domain, path)
    if len(labels) < 2:
        why = "should be a domain with at least two segments separated by dots"
        errors.append(invalid(path, domain, why))
    errors += _first_wrong(rest.split("."), formats.dns1123_subdomain, rest, path)
    longest = _MAX_DOMAIN + _MAX_PATH + 1
    return [*errors, too_long(path, longest)] if len(name) > longest else errors


def _first_wrong(labels: list[str], rule: checks.Rule, whole: str, path: str) -> Errors:
    for label in labels:
        if found := rule(label):
            told = f"validating label {go_quote(label)}"
            return [invalid(path, whole, f"{told}: {why}") for why in found]
    return []


def _conditions(obj: Object, old: Object | None) -> Errors:
    errors: Errors = []
    known = [text(one, "type") for one in items(old or {}, "status", "conditions")]
    was_both = set(_DECISIONS) <= set(known)
    seen: list[str] = []
    for condition, path in indexed(part(obj, "status"), "conditions", "status"):
        kind, status = text(condition, "type"), text(condition, "status")
        if not kind and "" not in known:
            errors.append(required(f"{path}.type"))
        allowed = ("True",) if kind in _FINAL else _STATUSES
        errors += checks.required_one_of(status, allowed, f"{path}.status")
        other = {"Approved": "Denied", "Denied": "Approved"}.get(kind)
        if other in seen and not was_both:
            why = "Approved and Denied conditions are mutually exclusive"
            errors.append(invalid(_CONDITIONS, kind, why))
        if kind in seen and len(set(known)) == len(known):
            errors.append(duplicate(f"{path}.type", kind))
        seen.append(kind)
    return errors


def _no_certificate(encoded: str) -> str:
    """Why this is no chain of certificates; empty when it is, or when there is nothing."""
    if not encoded:
        return ""
    pem = base64.b64decode(encoded)
    begins = [line for line in pem.splitlines() if line.startswith(_BEGIN)]
    for line in begins:
        kind = line.removeprefix(_BEGIN).removesuffix(b"-----").decode(errors="replace")
        if kind != "CERTIFICATE":
            return f"only CERTIFICATE PEM blocks are allowed, found {go_quote(kind)}"
    if not begins:
        return "must contain at least one CERTIFICATE PEM block"
    try:
        pki.load_certificates(pem)
    except ValueError:
        return "x509: malformed certificate"
    return ""


def _of_type(obj: Object, kind: str) -> list[Object]:
    return [one for one in items(obj, "status", "conditions") if text(one, "type") == kind]


def _judge_change(new: Object, old: Object, *, decides: bool, signs: bool) -> Errors:
    errors = _judge(new, old)
    for kind in _FINAL:
        if len(_of_type(new, kind)) < len(_of_type(old, kind)):
            why = f'updates may not remove a condition of type "{kind}"'
            errors.append(forbidden_field(_CONDITIONS, why))
    if not decides:
        for kind in _DECISIONS:
            errors += _undecided(_of_type(new, kind), _of_type(old, kind), kind)
    certificate, known = (text(part(one, "status"), "certificate") for one in (new, old))
    if certificate != known and not signs:
        why = "updates may not set certificate content"
        errors.append(forbidden_field("status.certificate", why))
    elif certificate != known and known:
        why = "updates may not modify existing certificate content"
        errors.append(forbidden_field("status.certificate", why))
    return errors + metadata.built_in_update(new, old)


def _undecided(new: list[Object], old: list[Object], kind: str) -> Errors:
    if len(new) > len(old):
        why = f'updates may not add a condition of type "{kind}"'
        return [forbidden_field(_CONDITIONS, why)]
    if len(new) < len(old) or same(new, old):
        return []
    difference = go_struct.list_difference("CertificateSigningRequestCondition", old, new)
    why = f'updates may not modify a condition of type "{kind}"\n{difference}'
    return [forbidden_field(_CONDITIONS, why)]


def _validate_update(new: Object, old: Object) -> Errors:
    return _judge_change(new, old, decides=False, signs=False)


def _validate_status(new: Object, old: Object) -> Errors:
    return _judge_change(new, old, decides=False, signs=True)


def _validate_approval(new: Object, old: Object) -> Errors:
    return _judge_change(new, old, decides=True, signs=False)


def _prepare_status(new: Object, old: Object) -> None:
    keep_spec(new, old)
    conditions = items(new, "status", "conditions")
    for kind in _DECISIONS:
        before, after = _of_type(old, kind), _of_type(new, kind)
        if len(before) == len(after):
            places = [place for place, one in enumerate(conditions) if text(one, "type") == kind]
            for place, condition in zip(places, before, strict=True):
                conditions[place] = dict(condition)


def _prepare_approval(new: Object, old: Object) -> None:
    decided = part(new, "status")
    keep_spec(new, old)
    keep_status(new, old)
    new["status"] = dict(part(new, "status"))
    keep(new["status"], decided, "conditions")


CERTIFICATE_SIGNING_REQUEST = Behaviour(
    prepare_create=_prepare_create,
    prepare_update=_prepare_update,
    validate=_validate,
    validate_update=_validate_update,
    subpaths={
        "status": Subpath(prepare=_prepare_status, validate=_validate_status),
        "approval": Subpath(prepare=_prepare_approval, validate=_validate_approval),
    },
)
