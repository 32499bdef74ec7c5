"""What becomes of TokenCredentialRequests and WhoAmIRequests: pure checks and answers.

Source: pinniped.md 2.2 and 2.3.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.api.request import User
from tutor.sandbox.api.status import ApiError, FieldError, go_quote, invalid_object, required
from tutor.sandbox.components.concierge.certificates import USER_LIFETIME
from tutor.sandbox.kinds import Kind, Object
from tutor.sandbox.pki import Pair

Shape = Mapping[str, "Shape | None"]
"""Known fields; None for one whose inside is not looked at."""

_META: Shape = {"apiVersion": None, "kind": None, "metadata": None}
LOGIN_SHAPE: Shape = {
    **_META,
    "spec": {"token": None, "authenticator": {"apiGroup": None, "kind": None, "name": None}},
    "status": {"credential": None, "message": None},
}
IDENTITY_SHAPE: Shape = {
    **_META,
    "spec": {},
    "status": {"kubernetesUserInfo": {"user": None, "audiences": None}},
}


def unknown_fields(obj: Object, shape: Shape, prefix: str = "") -> Iterator[str]:
    """What a strict decoder complains of."""
    for key, value in obj.items():
        if key not in shape:
            yield f'unknown field "{prefix}{key}"'
            continue
        inner = shape[key]
        if inner is not None and isinstance(value, dict):
            yield from unknown_fields(cast("Object", value), inner, f"{prefix}{key}.")


def type_fault(kind: Kind, obj: Object) -> str:
    """What a decoder of Go structs says of the first value of another type, empty for none."""
    spec: Any = obj.get("spec")
    values: list[tuple[str, Any, type, str]] = [
        ("spec", spec, dict, f"{kind.version}.{kind.kind}Spec")
    ]
    if isinstance(spec, dict):
        fields = cast("Object", spec)
        values.append(("spec.token", fields.get("token"), str, "string"))
        reference = fields.get("authenticator")
        values.append(("spec.authenticator", reference, dict, "v1.TypedLocalObjectReference"))
    for path, value, wanted, go_type in values:
        if value is not None and not isinstance(value, wanted):
            field = f"{kind.kind}.{path}"
            return (
                f"json: cannot unmarshal {_json_type(value)} into Go struct field {field}"
                f" of type {go_type}"
            )
    return ""


def _json_type(value: Any) -> str:
    match value:
        case bool():
            return "bool"
        case str():
            return "string"
        case list():
            return "array"
        case dict():
            return "object"
        case _:
            return "number"


def check_login(kind: Kind, obj: Object, dry_run: Sequence[str]) -> None:
    """Refuse a login that cannot be tried; raises ApiError 422.

    The message begins with a dot: the kind is empty by then.
    """
    spec: Any = obj.get("spec") or {}
    if not spec.get("token"):
        raise _invalid(kind, required("spec.token.value", "token must be supplied"))
    check_dry_run(kind, dry_run)


def check_dry_run(kind: Kind, dry_run: Sequence[str]) -> None:
    """Nothing is kept, so nothing can be tried out; raises ApiError 422."""
    if dry_run:
        values = ", ".join(go_quote(value) for value in dry_run)
        words = f"Unsupported value: []string{{{values}}}"
        raise _invalid(kind, FieldError("dryRun", words, "FieldValueNotSupported"))


def _invalid(kind: Kind, error: FieldError) -> ApiError:
    return invalid_object(kind.group, "", "", [error])


def login_answer(kind: Kind, pair: Pair | None, now: datetime) -> Object:
    """The answer to a login: a certificate, or that it failed; never why."""
    status: Object = {"message": "authentication failed"}
    if pair is not None:
        status = {
            "credential": {
                "expirationTimestamp": timestamp(now + USER_LIFETIME),
                "clientCertificateData": pair.certificate,
                "clientKeyData": pair.key,
            }
        }
    blank = {"authenticator": {"apiGroup": None, "kind": "", "name": ""}}
    return _answer(kind, blank, status)


def identity_answer(kind: Kind, user: User) -> Object:
    """The answer to who somebody is."""
    return _answer(kind, {}, {"kubernetesUserInfo": {"user": user.info()}})


def _answer(kind: Kind, spec: Object, status: Object) -> Object:
    return {
        "kind": kind.kind,
        "apiVersion": kind.api_version,
        "metadata": {"creationTimestamp": None},
        "spec": spec,
        "status": status,
    }
