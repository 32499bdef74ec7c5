"""What the webhook refuses in CertificateRequests, in its order and wording.

Sources: cert-manager v1.12.3, internal/apis/certmanager/validation/certificaterequest.go and
internal/plugin/admission/certificaterequest/{identity,approval}.
"""

import base64
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from tutor.sandbox.api.status import FieldError, forbidden_field, go_quote, invalid, required
from tutor.sandbox.components.certmanager.certificate_rules import issuer_reference_errors
from tutor.sandbox.components.certmanager.csr import read_request
from tutor.sandbox.components.certmanager.pem import InvalidData
from tutor.sandbox.components.certmanager.usage import DEFAULT
from tutor.sandbox.kinds import Object, annotations_of

Errors = list[FieldError]

_CONDITIONS = "status.conditions"
_APPROVAL = ("Approved", "Denied")
_GROUPS = ("cert-manager.io", "acme.cert-manager.io")


def request_errors(request: Object) -> Errors:
    """What is wrong with a new CertificateRequest."""
    spec = request["spec"]
    return [
        *issuer_reference_errors(spec["issuerRef"]),
        *_signing_request(spec),
        *_approval(_conditions(request)),
    ]


def request_update_errors(new: Object, old: Object) -> Errors:
    """What is wrong with a change of a CertificateRequest."""
    return [
        *_changed_annotations(annotations_of(old), annotations_of(new)),
        *_changed_annotations(annotations_of(new), annotations_of(old)),
        *_changed_approval(_conditions(new), _conditions(old)),
        *(
            [forbidden_field("spec", "cannot change spec after creation")]
            if new["spec"] != old["spec"]
            else []
        ),
    ]


def _signing_request(spec: Object) -> Errors:
    path = "spec.request"
    data = base64.b64decode(spec.get("request") or "")
    if not data:
        return [required(path, "must be specified")]
    try:
        found = read_request(data)
    except InvalidData as error:
        return [_invalid_bytes(path, data, f"failed to decode csr: {error}")]
    usages: list[str] = spec.get("usages") or []
    if not usages or not found.has_extensions or usages == list(DEFAULT):
        return []
    if spec.get("isCA") and "cert sign" not in usages:
        usages = [*usages, "cert sign"]
    asked = found.usages.names()
    if not asked or _same(asked, usages) or _same(asked, DEFAULT):
        return []
    text = (
        "csr key usages do not match specified usages, these should match if both are set: "
        f"{_difference(_merged(asked), _merged(usages))}"
    )
    return [_invalid_bytes(path, data, text)]


def _invalid_bytes(path: str, data: bytes, text: str) -> FieldError:
    """Go prints bytes as a bad value one by one."""
    shown = ", ".join(f"{byte:#x}" for byte in data)
    detail = f"[]byte{{{shown}}}: {text}"
    return FieldError(path, "Invalid value", "FieldValueInvalid", detail)


def _merged(usages: Iterable[str]) -> list[str]:
    """`signing` and `digital signature` are one usage."""
    return list(dict.fromkeys("digital signature" if u == "signing" else u for u in usages))


def _same(one: Iterable[str], other: Iterable[str]) -> bool:
    return Counter(_merged(one)) == Counter(_merged(other))


def _difference(one: Sequence[str], other: Sequence[str]) -> str:
    """The slices' difference as kr/pretty prints it."""
    name = "[]certmanager.KeyUsage"
    if len(one) != len(other):
        return f"[{name}[{len(one)}] != {name}[{len(other)}]]"
    pairs = enumerate(zip(one, other, strict=True))
    parts = [f"[{i}]: {go_quote(a)} != {go_quote(b)}" for i, (a, b) in pairs if a != b]
    return f"[{' '.join(parts)}]"


def _conditions(request: Object) -> list[Object]:
    status: Object = request.get("status") or {}
    return status.get("conditions") or []


def condition_of(conditions: Iterable[Object], kind: str) -> Object | None:
    """The first condition of a type."""
    return next((c for c in conditions if c["type"] == kind), None)


def _approval(conditions: Sequence[Object]) -> Errors:
    found: Errors = []
    by_kind = {kind: [c for c in conditions if c["type"] == kind] for kind in _APPROVAL}
    for kind, present in by_kind.items():
        if len(present) > 1:
            found.append(forbidden_field(_CONDITIONS, f'multiple "{kind}" conditions present'))
        elif present and present[0]["status"] != "True":
            text = f'"{kind}" condition may only be set to True'
            found.append(invalid(f"{_CONDITIONS}.{kind}", present[0]["status"], text))
    if all(by_kind.values()):
        text = "both 'Denied' and 'Approved' conditions cannot coexist"
        found.append(forbidden_field(_CONDITIONS, text))
    return found


def _changed_approval(new: Sequence[Object], old: Sequence[Object]) -> Errors:
    found = [
        forbidden_field(_CONDITIONS, f"'{kind}' condition may not be modified once set")
        for kind in _APPROVAL
        if (was := condition_of(old, kind)) is not None and was != condition_of(new, kind)
    ]
    return [*found, *_approval(new)]


def _changed_annotations(one: Mapping[str, str], other: Mapping[str, str]) -> Errors:
    text = "cannot change cert-manager annotation after creation"
    return [
        forbidden_field(f"metadata.annotations.{key}", text)
        for key, value in sorted(one.items())
        if key.startswith(_GROUPS) and other.get(key) != value
    ]


def identity_errors(spec: Object, requester: Object) -> Errors:
    """Whether a new request names its requester (a review's userInfo) and nobody else."""
    same: dict[str, bool] = {
        "uid": spec.get("uid", "") == requester.get("uid", ""),
        "username": spec.get("username", "") == requester.get("username", ""),
        "groups": _unsorted(spec.get("groups")) == _unsorted(requester.get("groups")),
        "extra": _extra(spec.get("extra")) == _extra(requester.get("extra")),
    }
    return [
        forbidden_field(f"spec.{name}", f"{name} identity must be that of the requester")
        for name, is_same in same.items()
        if not is_same
    ]


def identity_update_errors(new: Object, old: Object) -> Errors:
    """Whether a changed spec keeps its requester."""
    same: dict[str, bool] = {
        "uid": new.get("uid") == old.get("uid"),
        "username": new.get("username") == old.get("username"),
        "groups": _unsorted(new.get("groups")) == _unsorted(old.get("groups")),
        "extra": (new.get("extra") or {}) == (old.get("extra") or {}),
    }
    return [
        forbidden_field(f"spec.{name}", f"{name} identity cannot be changed once set")
        for name, is_same in same.items()
        if not is_same
    ]


def _unsorted(values: Sequence[str] | None) -> Counter[str]:
    return Counter(values or ())


def _extra(values: Mapping[str, Sequence[str]] | None) -> dict[str, Counter[str]]:
    return {key: Counter(found) for key, found in values.items()} if values else {}


def is_being_decided(new: Object, old: Object) -> bool:
    """Whether a change approves or denies a request that was not before."""
    return any(
        condition_of(_conditions(old), kind) is None
        and condition_of(_conditions(new), kind) is not None
        for kind in _APPROVAL
    )


def signer_names(plural: str, group: str, namespaced: bool, namespace: str, name: str) -> list[str]:
    """What somebody must be allowed to `approve`: any one of these `signers`."""
    own = f"{namespace}.{name}" if namespaced else name
    return [f"{plural}.{group}/*", f"{plural}.{group}/{own}"]


def printed_reference(reference: Object) -> str:
    """A reference to an issuer as Go's `%v` prints it."""
    return "{" + " ".join(reference.get(field, "") for field in ("name", "kind", "group")) + "}"
