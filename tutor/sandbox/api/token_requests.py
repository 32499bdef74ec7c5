"""Tokens that are asked for: TokenRequest, the `token` subresource of service accounts."""

from collections.abc import Callable
from datetime import timedelta

from tutor.sandbox.api.builtin.reading import fill_absent, items, part, text
from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.api.identity import TokenAuthority
from tutor.sandbox.api.request import Call
from tutor.sandbox.api.status import (
    FieldError,
    bad_request,
    conflict,
    invalid,
    invalid_object,
    not_found,
)
from tutor.sandbox.kinds import GroupResource, Object

GROUP = "authentication.k8s.io"
KIND = "TokenRequest"
_MIN_S = 600
_MAX_S = 1 << 32
_DEFAULT_S = 3600
_CORE = {"Pod": "pods", "Secret": "secrets", "Node": "nodes"}
_KEPT = ("labels", "annotations", "ownerReferences", "finalizers", "managedFields")

Lookup = Callable[[str, str, str], Object | None]


def default_token_request(obj: Object) -> None:
    """An hour, where nobody says how long."""
    fill_absent(obj.setdefault("spec", {}), expirationSeconds=_DEFAULT_S)


class TokenRequests:
    """Issues tokens for service accounts."""

    def __init__(self, tokens: TokenAuthority, lookup: Lookup, uid: Callable[[], str]) -> None:
        self._tokens = tokens
        self._lookup = lookup
        self._uid = uid

    def answer(self, call: Call, namespace: str, name: str, obj: Object) -> Object:
        """The request with the token in its status.

        Raises:
            ApiError: 404 for an account or an object to be bound to that is not there, 409 for one
                that was made again since, 422 for what the request says of itself, 400 for what no
                token can be bound to.
        """
        asked, spec = part(obj, "metadata"), part(obj, "spec")
        _check_place(asked, namespace, name)
        account = self._lookup("serviceaccounts", namespace, name)
        if account is None:
            raise not_found(GroupResource("", "serviceaccounts"), name)
        uid = account["metadata"]["uid"]
        if text(asked, "uid") not in ("", uid):
            why = (
                f"the UID in the token request ({asked['uid']}) does not match the UID of the"
                f" service account ({uid})"
            )
            raise conflict(GroupResource(GROUP, KIND), name, why)
        seconds = spec.get("expirationSeconds")
        seconds = _DEFAULT_S if seconds is None else seconds
        _check_lifetime(seconds)
        ref = spec.get("boundObjectRef")
        bound = None if ref is None else self._bound(namespace, name, ref)
        audiences = items(spec, "audiences") or [self._tokens.audience]
        lifetime = timedelta(seconds=seconds)
        token = self._tokens.issue(
            account,
            now=call.now,
            lifetime=lifetime,
            token_id=self._uid(),
            audiences=audiences,
            bound=bound,
            node=self._node_of(bound),
        )
        meta = {
            "name": name,
            "namespace": namespace,
            "uid": uid,
            "creationTimestamp": timestamp(call.now),
        }
        return {
            "kind": KIND,
            "apiVersion": f"{GROUP}/v1",
            "metadata": meta | {field: asked[field] for field in _KEPT if asked.get(field)},
            "spec": {"audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": ref},
            "status": {"token": token, "expirationTimestamp": timestamp(call.now + lifetime)},
        }

    def _bound(self, namespace: str, account: str, ref: Object) -> Object:
        group, _, version = text(ref, "apiVersion").rpartition("/")
        kind, name = text(ref, "kind"), text(ref, "name")
        plural = None if group else _CORE.get(kind)
        if plural is None:
            type_ = f"{group}/{version}, Kind={kind}"
            raise bad_request(f"cannot bind token to object of type {type_}")
        found = self._lookup(plural, "" if plural == "nodes" else namespace, name)
        if found is None:
            raise not_found(GroupResource("", plural), name)
        if plural == "pods" and text(part(found, "spec"), "serviceAccountName") != account:
            raise bad_request(
                f'cannot bind token for serviceaccount "{account}" to pod running with different'
                " serviceaccount name."
            )
        uid = text(ref, "uid")
        if uid not in ("", found["metadata"]["uid"]):
            why = (
                f"the UID in the bound object reference ({uid}) does not match the UID in record."
                " The object might have been deleted and then recreated"
            )
            raise conflict(GroupResource("", kind), name, why)
        return found | {"kind": kind}

    def _node_of(self, bound: Object | None) -> Object | None:
        """The node of the pod that a token is bound to: its name alone when the node is gone."""
        if bound is None or bound["kind"] != "Pod":
            return None
        name = text(part(bound, "spec"), "nodeName")
        if not name:
            return None
        return self._lookup("nodes", "", name) or {"metadata": {"name": name}}


def _check_place(asked: Object, namespace: str, name: str) -> None:
    for field, own in (("name", name), ("namespace", namespace)):
        said = text(asked, field)
        if said not in ("", own):
            why = f"must match the service account {field} if specified"
            raise _refused(name, invalid(f"metadata.{field}", said, why))


def _check_lifetime(seconds: int) -> None:
    why = ""
    if seconds < _MIN_S:
        why = "may not specify a duration less than 10 minutes"
    elif seconds > _MAX_S:
        why = "may not specify a duration larger than 2^32 seconds"
    if why:
        raise _refused("", invalid("spec.expirationSeconds", seconds, why))


def _refused(name: str, error: FieldError) -> Exception:
    return invalid_object(GROUP, KIND, name, [error])
