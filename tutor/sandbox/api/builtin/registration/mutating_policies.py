"""MutatingAdmissionPolicies and their bindings.

Source: `apis/admissionregistration/validation/validation.go`. Of expressions only syntax and
variables are judged, not types and costs.
"""

from tutor.sandbox.api import formats, metadata
from tutor.sandbox.api.builtin import checks
from tutor.sandbox.api.builtin.behaviour import Behaviour, first_generation
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.reading import indexed, items, part, text
from tutor.sandbox.api.builtin.registration import policies
from tutor.sandbox.api.builtin.registration.expressions import Scope
from tutor.sandbox.api.builtin.registration.matching import (
    FAILURE_POLICIES,
    match_conditions,
    match_resources,
    static_warnings,
)
from tutor.sandbox.api.builtin.registration.patch_types import (
    object_failure,
    patch_failure,
    variable,
)
from tutor.sandbox.api.builtin.workloads.template import count_changes
from tutor.sandbox.api.status import invalid, not_supported, required
from tutor.sandbox.kinds import Object, name_of

_OPERATIONS = ("*", "CONNECT", "CREATE", "UPDATE")
_REINVOCATIONS = ("IfNeeded", "Never")
_FIELDS = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}
"""The field of each type of patch."""


def _judge(obj: Object, old: Object | None) -> Errors:
    errors = metadata.validate_object_meta(
        part(obj, "metadata"), namespaced=False, name_rule=metadata.dns_subdomain
    )
    spec, before = part(obj, "spec"), part(old or {}, "spec")
    errors += checks.one_of(spec.get("failurePolicy"), FAILURE_POLICIES, "spec.failurePolicy")
    params = spec.get("paramKind") is not None
    if params:
        errors += policies.param_kind(spec["paramKind"])
    match = spec.get("matchConstraints")
    if match is None:
        errors.append(required("spec.matchConstraints"))
    else:
        errors += match_resources(match, "spec.matchConstraints")
        if not items(match, "resourceRules"):
            errors.append(required("spec.matchConstraints.resourceRules"))
        errors += _operations(match, "spec.matchConstraints")
    kept = ("paramKind", "matchConditions")
    if old is None or any(spec.get(field) != before.get(field) for field in kept):
        errors += match_conditions(spec, "spec", params=params)
    declared, found = policies.variables(spec, variable)
    scope = Scope(params=params, variables=declared.variables or {})
    errors += found
    if not items(spec, "mutations"):
        errors.append(required("spec.mutations", "mutations must contain at least one item"))
    for mutation, path in indexed(spec, "mutations", "spec"):
        errors += _mutation(mutation, scope, path)
    policy, path = text(spec, "reinvocationPolicy"), "spec.reinvocationPolicy"
    return errors + checks.required_one_of(policy, _REINVOCATIONS, path)


def _operations(match: Object, path: str) -> Errors:
    """Only what creates and updates can be changed on its way."""
    return [
        not_supported(f"{path}.resourceRules.operations", operation, _OPERATIONS)
        for rule in items(match, "resourceRules")
        for operation in items(rule, "operations")
        if operation not in _OPERATIONS
    ]


def _mutation(mutation: Object, scope: Scope, path: str) -> Errors:
    kind = text(mutation, "patchType")
    if not kind:
        return [required(f"{path}.patchType")]
    if kind not in _FIELDS:
        return [not_supported(f"{path}.patchType", kind, _FIELDS)]
    errors: Errors = []
    mine = _FIELDS[kind]
    other = next(field for field in _FIELDS.values() if field != mine)
    if mutation.get(mine) is None:
        errors.append(required(f"{path}.{mine}", f"must be specified when patchType is {kind}"))
    else:
        errors += _expression(mutation[mine], kind, scope, f"{path}.{mine}.expression")
    if mutation.get(other) is not None:
        why = f"must not be specified when patchType is {kind}"
        errors.append(invalid(f"{path}.{other}", f"{{{other}}}", why))
    return errors


def _expression(patch: Object, kind: str, scope: Scope, path: str) -> Errors:
    expression = text(patch, "expression").strip()
    if not expression:
        return [required(path)]
    judge = patch_failure if kind == "JSONPatch" else object_failure
    return judge(expression, path, scope)


def _validate(obj: Object) -> Errors:
    return _judge(obj, None)


def _warnings(obj: Object, _old: Object | None) -> list[str]:
    return static_warnings(name_of(obj))


MUTATING_ADMISSION_POLICY = Behaviour(
    default=policies.default_policy,
    prepare_create=first_generation,
    prepare_update=count_changes,
    validate=_validate,
    validate_update=_judge,
    warnings=_warnings,
    unconditional_update=False,
)


def _validate_binding(obj: Object) -> Errors:
    errors = metadata.validate_object_meta(
        part(obj, "metadata"), namespaced=False, name_rule=metadata.dns_subdomain
    )
    spec = part(obj, "spec")
    name = text(spec, "policyName")
    if name:
        errors += checks.obey(formats.dns1123_subdomain, name, "spec.policyName")
    else:
        errors.append(required("spec.policyName"))
    if (reference := spec.get("paramRef")) is not None:
        errors += policies.param_reference(reference, "spec.paramRef")
    if (match := spec.get("matchResources")) is not None:
        errors += match_resources(match, "spec.matchResources")
        errors += _operations(match, "spec.matchResources")
    return errors


MUTATING_ADMISSION_POLICY_BINDING = Behaviour(
    default=policies.default_binding,
    prepare_create=first_generation,
    prepare_update=count_changes,
    validate=_validate_binding,
    validate_update=lambda new, _old: _validate_binding(new),
    warnings=_warnings,
    unconditional_update=False,
)
