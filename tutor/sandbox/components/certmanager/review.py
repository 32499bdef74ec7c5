"""AdmissionReviews: a request in, a response out.

Source: cert-manager v1.12.3, pkg/webhook/admission/request_handler.go and internal/plugin.
"""

import base64
import json
from collections.abc import Iterator
from typing import Any, Protocol

from tutor.sandbox.api.status import FieldError, aggregate, forbidden_field
from tutor.sandbox.api.values import is_map
from tutor.sandbox.components.certmanager import request_rules as rules
from tutor.sandbox.components.certmanager.certificate_rules import certificate_errors
from tutor.sandbox.components.certmanager.issuer_rules import issuer_errors
from tutor.sandbox.components.certmanager.resources import GROUP
from tutor.sandbox.components.certmanager.shape import Undecodable, recode
from tutor.sandbox.components.certmanager.structs import STRUCTS
from tutor.sandbox.kinds import Object, namespace_of

_IDENTITY = ("username", "uid", "groups", "extra")


class Signers(Protocol):
    """What the webhook must ask the API server before somebody approves a request."""

    def resource_of(self, group: str, kind: str) -> tuple[str, bool] | None:
        """Plural of a kind of issuers and whether it is namespaced; None when there is none."""
        ...

    def may_approve(self, requester: Object, signer: str) -> bool:
        """Whether the requester (a review's userInfo) may approve for a signer."""
        ...


def mutate(request: Object) -> Object:
    """The response of the mutating webhook to a review's request."""
    original: Object = request["object"]
    try:
        made = _decoded(request, original)
    except Undecodable as error:
        return _refused(request, 400, "BadRequest", str(error))
    if request["resource"]["resource"] == "certificaterequests" and request["operation"] == (
        "CREATE"
    ):
        made["spec"] = _identified(made["spec"], request["userInfo"])
    steps = sorted(_differences(original, made, ""), key=lambda step: step["path"])
    patch = base64.b64encode(json.dumps(steps).encode()).decode()
    return {"uid": request["uid"], "allowed": True, "patchType": "JSONPatch", "patch": patch}


def validate(request: Object, signers: Signers) -> Object:
    """The response of the validating webhook to a review's request."""
    if request["operation"] not in ("CREATE", "UPDATE"):
        return {"uid": request["uid"], "allowed": True}
    try:
        new = _decoded(request, request["object"])
        old = _decoded(request, request["oldObject"]) if request.get("oldObject") else None
    except Undecodable as error:
        return _refused(request, 400, "BadRequest", str(error))
    found = _errors(request, new, old, signers)
    if found:
        return _refused(request, 406, "NotAcceptable", aggregate(found))
    return {"uid": request["uid"], "allowed": True}


def _decoded(request: Object, obj: Object) -> Object:
    kind = request["kind"]["kind"]
    if kind not in STRUCTS:
        version = f"{request['kind']['group']}/{request['kind']['version']}"
        raise Undecodable(f'no kind "{kind}" is registered for version "{version}"')
    return recode(obj, STRUCTS[kind])


def _refused(request: Object, code: int, reason: str, message: str) -> Object:
    status: Object = {
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }
    return {"uid": request["uid"], "allowed": False, "status": status}


def _identified(spec: Object, requester: Object) -> Object:
    """A new CertificateRequest's spec with its requester and nobody else's name."""
    kept = {key: value for key, value in spec.items() if key not in _IDENTITY}
    named = {key: requester[key] for key in _IDENTITY if requester.get(key)}
    return kept | named


def _errors(request: Object, new: Object, old: Object | None, signers: Signers) -> list[FieldError]:
    match request["resource"]["resource"]:
        case "certificates":
            return certificate_errors(new["spec"])
        case "issuers" | "clusterissuers":
            return issuer_errors(new["spec"])
        case "certificaterequests" if old is None:
            spec = new["spec"]
            identity = rules.identity_errors(spec, request["userInfo"])
            return [*rules.request_errors(new), *identity]
        case "certificaterequests" if old is not None:
            changed = rules.request_update_errors(new, old)
            identity = rules.identity_update_errors(new["spec"], old["spec"])
            return [*changed, *identity, *_approval_errors(request, new, old, signers)]
        case _:
            return []


def _approval_errors(
    request: Object, new: Object, old: Object, signers: Signers
) -> list[FieldError]:
    if request.get("subResource") != "status" or not rules.is_being_decided(new, old):
        return []
    reference = new["spec"]["issuerRef"]
    group, kind = reference.get("group") or GROUP, reference.get("kind") or "Issuer"
    printed = rules.printed_reference(reference)
    found = signers.resource_of(group, kind)
    if found is None:
        text = f"referenced signer resource does not exist: {printed}"
        return [forbidden_field("spec.issuerRef", text)]
    plural, namespaced = found
    names = rules.signer_names(plural, group, namespaced, namespace_of(new), reference["name"])
    if any(signers.may_approve(request["userInfo"], name) for name in names):
        return []
    user = request["userInfo"].get("username", "")
    text = (
        f'user "{user}" does not have permissions to set approved/denied conditions '
        f"for issuer {printed}"
    )
    return [forbidden_field("status.conditions", text)]


def _differences(old: Any, new: Any, path: str) -> Iterator[Object]:
    """JSON Patch operations from one object to another; lists are replaced whole."""
    if old == new and type(old) is type(new):
        return
    if not is_map(old) or not is_map(new):
        yield {"op": "replace", "path": path, "value": new}
        return
    for key in sorted(old.keys() | new.keys()):
        at = f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
        if key not in new:
            yield {"op": "remove", "path": at}
        elif key not in old:
            yield {"op": "add", "path": at, "value": new[key]}
        else:
            yield from _differences(old[key], new[key], at)
