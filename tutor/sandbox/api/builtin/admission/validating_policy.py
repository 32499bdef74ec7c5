"""ValidatingAdmissionPolicies: what their expressions say of a write.

Source: apiserver's `admission/plugin/policy/validating` and `policy/generic`. Audit annotations are
evaluated by nobody, since there is no audit log.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tutor.sandbox.api.builtin.admission.plugin import Plugin, World, refusal
from tutor.sandbox.api.builtin.admission.policy_targets import Misconfigured, Targets
from tutor.sandbox.api.builtin.reading import items, part, text
from tutor.sandbox.api.builtin.registration.evaluation import (
    Activation,
    conditions_hold,
)
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.api.structural.cel.errors import EvaluationError
from tutor.sandbox.api.webhooks import Write, is_exempt
from tutor.sandbox.kinds import GroupResource, Object, name_of

_GROUP = "admissionregistration.k8s.io"
POLICIES = GroupResource(_GROUP, "validatingadmissionpolicies")
BINDINGS = GroupResource(_GROUP, "validatingadmissionpolicybindings")
_CODES = {"Forbidden": 403, "RequestEntityTooLarge": 413, "Invalid": 422}
_MAX_MESSAGE_BYTES = 5 * 1024


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
    targets: Targets

    def validate(self, write: Write) -> None:
        """Ask every policy that the write concerns."""
        bindings = self.world.objects_of(BINDINGS)
        if not bindings or is_exempt(write):
            return
        denials: list[_Denial] = []
        for policy in sorted(self.world.objects_of(POLICIES), key=name_of):
            mine = [one for one in bindings if one["spec"].get("policyName") == name_of(policy)]
            if mine and self.targets.matches(part(policy, "spec", "matchConstraints"), write):
                denials += self._judged(policy, sorted(mine, key=name_of), write)
        if denials:
            raise _refusal(write, denials[0])

    def _judged(
        self, policy: Object, bindings: Sequence[Object], write: Write
    ) -> Iterator[_Denial]:
        fails = part(policy, "spec").get("failurePolicy", "Fail") == "Fail"
        for binding in bindings:
            spec = part(binding, "spec")
            if not self.targets.matches(part(spec, "matchResources"), write):
                continue
            try:
                params = list(self.targets.params(policy, binding, write))
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
        activation = self.targets.activation(spec, param, write)
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
