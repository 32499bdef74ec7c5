"""ValidatingAdmissionPolicies: what their expressions say of a write.

Source: apiserver's `admission/plugin/policy/validating` and `policy/generic`. Audit annotations are
evaluated by nobody, since there is no audit log.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tutor.sandbox.api.builtin.admission.plugin import NAMESPACES, Plugin, World, refusal
from tutor.sandbox.api.builtin.reading import items, part, text
from tutor.sandbox.api.builtin.registration.evaluation import (
    Activation,
    conditions_hold,
    namespace_object,
)
from tutor.sandbox.api.selectors import label_selector
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.api.structural.cel.errors import EvaluationError
from tutor.sandbox.api.webhooks import Write, is_exempt, request_of, rule_matches
from tutor.sandbox.kinds import GroupResource, Object, labels_of, name_of

_GROUP = "admissionregistration.k8s.io"
POLICIES = GroupResource(_GROUP, "validatingadmissionpolicies")
BINDINGS = GroupResource(_GROUP, "validatingadmissionpolicybindings")
_CODES = {"Forbidden": 403, "RequestEntityTooLarge": 413, "Invalid": 422}
_MAX_MESSAGE_BYTES = 5 * 1024

ResourceOf = Callable[[str, str], tuple[GroupResource, bool] | None]
"""(apiVersion, kind) -> its collection and whether that is in namespaces, None when not served."""


class Misconfigured(ValueError):
    """A policy or binding that cannot be carried out; the text is the server's."""


class _Failure(NamedTuple):
    message: str
    reason: str = ""


class _Denial(NamedTuple):
    policy: str
    binding: str
    failure: _Failure

    @property
    def message(self) -> str:
        """The whole sentence."""
        bound = f" with binding '{self.binding}'" if self.binding else ""
        said = self.failure.message
        return f"ValidatingAdmissionPolicy '{self.policy}'{bound} denied request: {said}"


@dataclass(frozen=True, slots=True)
class ValidatingPolicies(Plugin):
    """Refuses, or warns of, what policies with a binding object to."""

    world: World
    resource_of: ResourceOf

    def validate(self, write: Write) -> None:
        """Ask every policy that the write concerns."""
        bindings = self.world.objects_of(BINDINGS)
        if not bindings or is_exempt(write):
            return
        denials: list[_Denial] = []
        for policy in sorted(self.world.objects_of(POLICIES), key=name_of):
            mine = [one for one in bindings if one["spec"].get("policyName") == name_of(policy)]
            if mine and self._matches(part(policy, "spec", "matchConstraints"), write):
                denials += self._judged(policy, sorted(mine, key=name_of), write)
        if denials:
            raise _refusal(write, denials[0])

    def _judged(
        self, policy: Object, bindings: Sequence[Object], write: Write
    ) -> Iterator[_Denial]:
        fails = part(policy, "spec").get("failurePolicy", "Fail") == "Fail"
        for binding in bindings:
            spec = part(binding, "spec")
            if not self._matches(part(spec, "matchResources"), write):
                continue
            try:
                params = list(self._params(policy, binding, write))
            except Misconfigured as error:
                if fails:
                    failure = _Failure(f"failed to configure binding: {error}")
                    yield _Denial(name_of(policy), name_of(binding), failure)
                continue
            for param in params:
                for failure in self._failures(policy, param, write, fails=fails):
                    denial = _Denial(name_of(policy), name_of(binding), failure)
                    if "Warn" in items(spec, "validationActions"):
                        write.call.warn([_warning(denial)])
                    if "Deny" in items(spec, "validationActions"):
                        yield denial

    def _failures(
        self, policy: Object, param: Object | None, write: Write, *, fails: bool
    ) -> Iterator[_Failure]:
        spec = part(policy, "spec")
        activation = self._activation(spec, param, write)
        try:
            if not conditions_hold(spec, activation, fails=fails):
                return
        except EvaluationError as error:
            yield _Failure(str(error))
            return
        for validation in items(spec, "validations"):
            try:
                if activation.evaluate(text(validation, "expression")) is True:
                    continue
            except EvaluationError as error:
                if fails:
                    yield _Failure(str(error))
                continue
            reason = text(validation, "reason") or "Invalid"
            yield _Failure(_message(validation, activation), reason)

    def _activation(self, spec: Object, param: Object | None, write: Write) -> Activation:
        is_namespace = write.served.kind.group_resource == NAMESPACES
        namespace = None
        if write.namespace and not is_namespace:
            namespace = self.world.find(NAMESPACES, "", write.namespace)
        values: dict[str, Any] = {
            "object": write.new,
            "oldObject": write.old,
            "request": request_of(write),
            "namespaceObject": namespace_object(namespace),
        }
        if spec.get("paramKind") is not None:
            values["params"] = param
        return Activation(values, items(spec, "variables"))

    def _matches(self, match: Object, write: Write) -> bool:
        if not label_selector(part(match, "namespaceSelector")).matches(self._labels(write)):
            return False
        by_object = label_selector(part(match, "objectSelector"))
        if not any(by_object(obj) for obj in (write.new, write.old) if obj is not None):
            return False
        if _any_rule(items(match, "excludeResourceRules"), write):
            return False
        rules = items(match, "resourceRules")
        return not rules or _any_rule(rules, write)

    def _labels(self, write: Write) -> dict[str, str]:
        if write.served.kind.group_resource == NAMESPACES:
            return labels_of(write.new or write.old or {})
        if not write.namespace:
            return {}
        return labels_of(self.world.find(NAMESPACES, "", write.namespace) or {})

    def _params(self, policy: Object, binding: Object, write: Write) -> Iterable[Object | None]:
        kind, ref = part(policy, "spec").get("paramKind"), part(binding, "spec").get("paramRef")
        if kind is None or ref is None:
            return [None]
        found = self.resource_of(kind["apiVersion"], kind["kind"])
        if found is None:
            shown = f"&ParamKind{{APIVersion:{kind['apiVersion']},Kind:{kind['kind']},}}"
            raise Misconfigured(f"paramKind kind `{shown}` not known")
        resource, namespaced = found
        namespace = text(ref, "namespace")
        if namespaced:
            namespace = namespace or write.namespace
            if not namespace:
                raise Misconfigured(
                    "cannot use namespaced paramRef in policy binding that matches cluster-scoped"
                    " resources"
                )
        elif namespace:
            raise Misconfigured(
                "paramRef.namespace must not be provided for a cluster-scoped `paramKind`"
            )
        params = self._named(resource, namespace, ref)
        if not params and ref.get("parameterNotFoundAction", "Deny") == "Deny":
            raise Misconfigured(
                "no params found for policy binding with `Deny` parameterNotFoundAction"
            )
        return params

    def _named(self, resource: GroupResource, namespace: str, ref: Object) -> list[Object]:
        if name := text(ref, "name"):
            found = self.world.find(resource, namespace, name)
            return [] if found is None else [found]
        selects = label_selector(part(ref, "selector"))
        return [obj for obj in self.world.objects_of(resource, namespace) if selects(obj)]


def _any_rule(rules: Iterable[Object], write: Write) -> bool:
    return any(
        rule_matches(rule, write)
        and (not rule.get("resourceNames") or write.name in rule["resourceNames"])
        for rule in rules
    )


def _message(validation: Object, activation: Activation) -> str:
    told = ""
    if expression := text(validation, "messageExpression"):
        try:
            value = activation.evaluate(expression)
        except EvaluationError:  # the server falls back to the fixed message, too
            value = ""
        told = value.strip() if isinstance(value, str) else ""
        if "\n" in told or len(told.encode()) > _MAX_MESSAGE_BYTES:
            told = ""
    expression = text(validation, "expression").strip()
    return told or text(validation, "message").strip() or f"failed expression: {expression}"


def _warning(denial: _Denial) -> str:
    return (
        f"Validation failed for ValidatingAdmissionPolicy '{denial.policy}' with binding"
        f" '{denial.binding}': {denial.failure.message}"
    )


def _refusal(write: Write, denial: _Denial) -> ApiError:
    error = refusal(write, denial.message)
    reason = denial.failure.reason or "Invalid"
    details = (error.details or {}) | {"causes": [{"message": denial.message}]}
    return ApiError(_CODES[reason], reason, error.message, details=details)
