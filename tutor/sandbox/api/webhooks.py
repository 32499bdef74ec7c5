"""Admission webhooks: which of them a write concerns, what they are told, what they answer.

Source: apiserver's admission/plugin/webhook (rules, predicates, errors), admission.k8s.io/v1.
"""

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tutor.sandbox.api.builtin.reading import part
from tutor.sandbox.api.builtin.registration.evaluation import Activation, conditions_hold
from tutor.sandbox.api.patch import operations
from tutor.sandbox.api.ports import Address, Backends, Unreachable
from tutor.sandbox.api.registry import Served
from tutor.sandbox.api.request import Call
from tutor.sandbox.api.selectors import label_selector
from tutor.sandbox.api.status import ApiError, forbidden, internal_error
from tutor.sandbox.api.structural.cel.errors import EvaluationError
from tutor.sandbox.api.values import is_list, is_map
from tutor.sandbox.kinds import GroupResource, Object, labels_of, name_of
from tutor.sandbox.schema.body import word_for

MUTATING = GroupResource("admissionregistration.k8s.io", "mutatingwebhookconfigurations")
VALIDATING = GroupResource("admissionregistration.k8s.io", "validatingwebhookconfigurations")
_ADMISSION = "admissionregistration.k8s.io"
_NAMESPACES = GroupResource("", "namespaces")
_BAD_REQUEST = 400
_DEFAULT_TIMEOUT_S = 10
_RESPONSE: Mapping[str, tuple[type, str]] = {
    "allowed": (bool, "bool"),
    "patch": (str, "[]uint8"),
    "status": (dict, "v1.Status"),
    "warnings": (list, "[]string"),
}
_STATUS: Mapping[str, tuple[type, str]] = {
    "code": (int, "int32"),
    "message": (str, "string"),
    "reason": (str, "v1.StatusReason"),
}

Read = Callable[[GroupResource], Sequence[Object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One write on its way through admission."""

    call: Call
    served: Served
    operation: str
    new: Object | None
    old: Object | None

    @property
    def namespace(self) -> str:
        """Where the object is; empty for cluster-scoped ones."""
        return (self.new or self.old or {}).get("metadata", {}).get("namespace", "")

    @property
    def name(self) -> str:
        """Its name."""
        return name_of(self.new or self.old or {})


class Webhooks:
    """Calls the webhooks that the configurations in the store name."""

    def __init__(self, read: Read, backends: Backends, uid: Callable[[], str]) -> None:
        self._read = read
        self._backends = backends
        self._uid = uid

    def concerned(self, write: Write, configurations: GroupResource) -> list[Object]:
        """The webhooks that want to see a write, in the order they are called."""
        found = self._read(configurations)
        if not found or is_exempt(write):
            return []
        ordered = sorted(found, key=name_of)
        return [
            webhook
            for configuration in ordered
            for webhook in configuration.get("webhooks") or ()
            if self._wants(webhook, write)
        ]

    async def mutate(self, write: Write) -> Object:
        """The object after every mutating webhook."""
        obj = write.new or {}
        for webhook in self.concerned(write, MUTATING):
            current = Write(
                call=write.call,
                served=write.served,
                operation=write.operation,
                new=obj,
                old=write.old,
            )
            answer = await self._ask(webhook, current)
            if answer is None:
                continue
            patch = answer.get("patch")
            if patch:
                obj = self._patched(webhook, obj, patch)
        return obj

    async def validate(self, write: Write) -> None:
        """Ask every validating webhook; raises ApiError at the first that refuses."""
        for webhook in self.concerned(write, VALIDATING):
            await self._ask(webhook, write)

    def _wants(self, webhook: Object, write: Write) -> bool:
        if not any(rule_matches(rule, write) for rule in webhook.get("rules") or ()):
            return False
        selected = label_selector(part(webhook, "namespaceSelector"))
        if not selected.matches(self._namespace_labels(write)):
            return False
        by_object = label_selector(part(webhook, "objectSelector"))
        candidates = [obj for obj in (write.new, write.old) if obj is not None]
        return any(by_object(obj) for obj in candidates) and _conditions_hold(webhook, write)

    def _namespace_labels(self, write: Write) -> dict[str, str]:
        kind = write.served.kind
        if kind.group_resource == _NAMESPACES:
            return labels_of(write.new or write.old or {})
        if not kind.namespaced:
            return {}
        found = next((n for n in self._read(_NAMESPACES) if name_of(n) == write.namespace), None)
        return labels_of(found) if found else {}

    async def _ask(self, webhook: Object, write: Write) -> Object | None:
        """The response of one webhook; None when it failed and may."""
        name = webhook["name"]
        timeout = webhook.get("timeoutSeconds") or _DEFAULT_TIMEOUT_S
        request_uid = self._uid()
        address = address_of(webhook["clientConfig"], timeout)
        try:
            review = await self._backends.post(address, _review(write, request_uid), timeout)
            answer = _response(review, request_uid)
        except Unreachable as error:
            if webhook.get("failurePolicy") == "Ignore":
                return None
            why = f'failed calling webhook "{name}": failed to call webhook: {error}'
            raise internal_error(why) from None
        write.call.warn(answer.get("warnings") or ())
        if not answer.get("allowed"):
            raise _denied(name, answer.get("status"))
        return answer

    def _patched(self, webhook: Object, obj: Object, patch: str) -> Object:
        try:
            steps = json.loads(base64.b64decode(patch, validate=True))
            if not is_list(steps) or not all(map(is_map, steps)):
                raise ValueError("a JSON patch is a list of operations")
            return operations.apply(obj, steps)
        except (binascii.Error, ValueError, ApiError) as error:
            why = f'failed calling webhook "{webhook["name"]}": received invalid patch: {error}'
            raise internal_error(why) from None


def address_of(config: Object, timeout_s: float) -> Address:
    """Where a webhook's clientConfig points."""
    bundle = base64.b64decode(config.get("caBundle") or "").decode(errors="replace")
    query = f"?timeout={timeout_s:g}s"
    service = config.get("service")
    if service:
        host = f"{service['name']}.{service['namespace']}.svc"
        port = service.get("port") or 443
        path = service.get("path") or "/"
        return Address(
            host=host,
            port=port,
            path=path + query,
            ca_bundle=bundle,
            service=(service["namespace"], service["name"]),
        )
    url = config.get("url", "")
    host, _, path = url.removeprefix("https://").partition("/")
    host, _, port = host.partition(":")
    return Address(host=host, port=int(port or 443), path=f"/{path}{query}", ca_bundle=bundle)


def is_exempt(write: Write) -> bool:
    """Whether the write is about admission itself, on which admission has no say."""
    return write.served.kind.group == _ADMISSION


def rule_matches(rule: Object, write: Write) -> bool:
    """Whether a rule of a webhook or a policy names the operation and the resource."""
    kind = write.served.kind

    def listed(field: str, value: str) -> bool:
        values = rule.get(field) or ()
        return "*" in values or value in values

    if not listed("operations", write.operation):
        return False
    if not listed("apiGroups", kind.group) or not listed("apiVersions", kind.version):
        return False
    scope = rule.get("scope") or "*"
    if scope != "*" and (scope == "Namespaced") != kind.namespaced:
        return False
    return any(
        pattern in _resource_patterns(kind.plural, write.call.subresource)
        for pattern in rule.get("resources") or ()
    )


def _resource_patterns(plural: str, subresource: str) -> Iterator[str]:
    yield "*/*"
    if subresource:
        yield from (f"{plural}/{subresource}", f"{plural}/*", f"*/{subresource}")
    else:
        yield from (plural, "*", f"{plural}/*")


def _review(write: Write, uid: str) -> Object:
    kind, call = write.served.kind, write.call
    gvk = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    gvr = {"group": kind.group, "version": kind.version, "resource": kind.plural}
    request: Object = {"uid": uid, "kind": gvk, "resource": gvr}
    if call.subresource:
        request["subResource"] = call.subresource
    request |= {"requestKind": gvk, "requestResource": gvr}
    if call.subresource:
        request["requestSubResource"] = call.subresource
    request["name"] = write.name
    if write.namespace:
        request["namespace"] = write.namespace
    request |= {
        "operation": write.operation,
        "userInfo": call.user.info(),
        "object": write.new,
        "oldObject": write.old,
        "dryRun": call.dry_run,
        "options": _options(write),
    }
    return {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request}


def _conditions_hold(webhook: Object, write: Write) -> bool:
    if not webhook.get("matchConditions"):
        return True
    values: Object = {"object": write.new, "oldObject": write.old, "request": request_of(write)}
    fails = webhook.get("failurePolicy", "Fail") == "Fail"
    try:
        return conditions_hold(webhook, Activation(values), fails=fails)
    except EvaluationError as error:
        raise forbidden(write.served.kind.group_resource, write.name, str(error)) from None


def request_of(write: Write) -> Object:
    """The request as expressions see it: without the objects, with every field of its type."""
    request = _review(write, "")["request"]
    user: Object = {"uid": "", "groups": [], "extra": {}} | request["userInfo"]
    fields: Object = {"name": "", "namespace": "", "subResource": "", "requestSubResource": ""}
    hidden = ("uid", "object", "oldObject")
    shown = {key: value for key, value in request.items() if key not in hidden}
    return fields | shown | {"userInfo": user}


def _options(write: Write) -> Object:
    kinds = {"CREATE": "CreateOptions", "UPDATE": "UpdateOptions", "DELETE": "DeleteOptions"}
    options: Object = {"kind": kinds[write.operation], "apiVersion": "meta.k8s.io/v1"}
    if write.operation != "DELETE":
        options["fieldManager"] = write.call.manager
    return options


def _response(review: Any, uid: str) -> Object:
    response = review.get("response") if is_map(review) else None
    if not is_map(response):
        raise Unreachable("Webhook response was absent")
    if response.get("uid") != uid:
        raise Unreachable(f'expected response.uid="{uid}", got "{response.get("uid", "")}"')
    _check_types(response, _RESPONSE, "response")
    _check_types(part(response, "status"), _STATUS, "response.status")
    if not all(isinstance(warning, str) for warning in response.get("warnings") or ()):
        raise Unreachable("json: cannot unmarshal response.warnings into Go value of type []string")
    return response


def _check_types(value: Object, types: Mapping[str, tuple[type, str]], path: str) -> None:
    """Raise Unreachable for a field of another type, as Go's decoder does."""
    for name, (wanted, go) in types.items():
        found = value.get(name)
        if found is not None and (
            not isinstance(found, wanted) or (wanted is int and isinstance(found, bool))
        ):
            where = f"Go struct field AdmissionReview.{path}.{name} of type {go}"
            raise Unreachable(f"json: cannot unmarshal {word_for(found)} into {where}")


def _denied(name: str, status: Object | None) -> ApiError:
    result = status or {}
    message = f'admission webhook "{name}" denied the request'
    explanation = result.get("message") or result.get("reason")
    message = f"{message}: {explanation}" if explanation else f"{message} without explanation"
    code = max(result.get("code") or 0, _BAD_REQUEST)
    return ApiError(code, result.get("reason", ""), message, details=result.get("details"))
