"""ValidatingAdmissionPolicies and their bindings.

Source: `apis/admissionregistration/validation/validation.go`. Of expressions only syntax and
variables are judged, not types and costs.
"""

import re
from collections.abc import Callable

from tutor.sandbox.api import formats, metadata
from tutor.sandbox.api.builtin import checks
from tutor.sandbox.api.builtin.behaviour import (
    Behaviour,
    Subpath,
    drop_status,
    first_generation,
    keep_metadata,
    keep_spec,
    keep_status,
)
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.conditions import conditions
from tutor.sandbox.api.builtin.reading import fill_absent, indexed, items, part, text
from tutor.sandbox.api.builtin.registration.expressions import (
    Scope,
    failure,
    type_of_variable,
)
from tutor.sandbox.api.builtin.registration.matching import (
    FAILURE_POLICIES,
    default_rules,
    default_selection,
    match_conditions,
    match_resources,
    static_warnings,
)
from tutor.sandbox.api.builtin.workloads.template import count_changes
from tutor.sandbox.api.status import (
    duplicate,
    forbidden_field,
    invalid,
    required,
)
from tutor.sandbox.kinds import Object, name_of

_ACTIONS = ("Audit", "Deny", "Warn")
_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge")
_NOT_FOUND = ("Deny", "Allow")
_MAX_ANNOTATIONS, _MAX_ANNOTATION = 20, 5 * 1024
Typed = Callable[[str, str, Scope], tuple[Errors, object]]
"""Of an expression, its path and scope: what is wrong with it, and its type for the engine."""
_IDENTIFIER = re.compile("[_a-zA-Z][_a-zA-Z0-9]*")
_RESERVED = (
    *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for"),
    *("function", "if", "import", "let", "loop", "package", "namespace", "return", "var"),
    *("void", "while"),
)


def _default_match(match: Object) -> None:
    default_selection(match)
    for field in ("resourceRules", "excludeResourceRules"):
        default_rules(match, field)


def default_policy(obj: Object) -> None:
    """Policies fail closed, and match as widely as their rules say."""
    spec = obj.setdefault("spec", {})
    fill_absent(spec, failurePolicy="Fail")
    if spec.get("matchConstraints") is not None:
        _default_match(spec["matchConstraints"])


def _prepare_create(obj: Object) -> None:
    drop_status(obj)
    first_generation(obj)


def _prepare_update(new: Object, old: Object) -> None:
    keep_status(new, old)
    count_changes(new, old)


def _validate(obj: Object) -> Errors:
    return _judge(obj, None)


def _judge(obj: Object, old: Object | None) -> Errors:
    errors = metadata.built_in(obj, metadata.dns_subdomain, namespaced=False)
    spec, before = part(obj, "spec"), part(old or {}, "spec")
    errors += checks.one_of(spec.get("failurePolicy"), FAILURE_POLICIES, "spec.failurePolicy")
    if (kind := spec.get("paramKind")) is not None:
        errors += param_kind(kind)
    match = spec.get("matchConstraints")
    if match is None:
        errors.append(required("spec.matchConstraints"))
    else:
        errors += match_resources(match, "spec.matchConstraints")
        if not items(match, "resourceRules"):
            errors.append(required("spec.matchConstraints.resourceRules"))
    kept = ("paramKind", "matchConditions")
    if old is None or any(spec.get(field) != before.get(field) for field in kept):
        errors += match_conditions(spec, "spec", params=spec.get("paramKind") is not None)
    scope, found = variables(spec)
    errors += found
    if not items(spec, "validations") and not items(spec, "auditAnnotations"):
        why = "validations or auditAnnotations must contain at least one item"
        fields = ("validations", "auditAnnotations")
        return errors + [required(f"spec.{field}", why) for field in fields]
    for validation, path in indexed(spec, "validations", "spec"):
        errors += _validation(validation, scope, path)
    return errors + _annotations(spec, name_of(obj), scope)


def param_kind(kind: Object) -> Errors:
    """The kind of the objects that a policy takes its parameters from."""
    errors: Errors = []
    path, written = "spec.paramKind.apiVersion", text(kind, "apiVersion")
    group, _, version = written.rpartition("/")
    if not written:
        errors.append(required(path))
    elif written.count("/") > 1:
        errors.append(invalid(path, written, f"unexpected GroupVersion string: {written}"))
    else:
        wrong = formats.dns1123_subdomain(group) if group else []
        errors += [invalid(path, group, ",".join(wrong))] if wrong else []
        if not version:
            errors.append(invalid(path, written, "version must be specified"))
        elif wrong := formats.dns1035_label(version):
            errors.append(invalid(path, version, ",".join(wrong)))
    path, name = "spec.paramKind.kind", text(kind, "kind")
    if not name:
        errors.append(required(path))
    elif wrong := formats.dns1035_label(name.lower()):
        why = f"may have mixed case, but should otherwise match: {','.join(wrong)}"
        errors.append(invalid(path, name, why))
    return errors


def variables(spec: Object, typed: Typed | None = None) -> tuple[Scope, Errors]:
    """What expressions may look at after the variables, and what is wrong with these.

    `typed` is how their types and what is wrong with them is found, if not as usual.
    """
    errors: Errors = []
    params = spec.get("paramKind") is not None
    if not items(spec, "variables"):
        return Scope(params=params), errors
    types: dict[str, object] = {}
    scope = Scope(params=params, variables=types)
    for variable, path in indexed(spec, "variables", "spec"):
        name, expression = text(variable, "name"), text(variable, "expression")
        if not name.strip():
            errors.append(required(f"{path}.name", "name is not specified"))
        elif not _IDENTIFIER.fullmatch(name) or name in _RESERVED:
            errors.append(invalid(f"{path}.name", name, "must be a valid CEL identifier"))
        if not expression.strip():
            errors.append(required(f"{path}.expression", "expression is not specified"))
        else:
            wrong, types[name] = (typed or _typed)(expression, f"{path}.expression", scope)
            errors += wrong
    return scope, errors


def _typed(expression: str, path: str, scope: Scope) -> tuple[Errors, object]:
    wrong = failure(expression, path, scope)
    return wrong, None if wrong else type_of_variable(expression, scope)


def _validation(validation: Object, scope: Scope, path: str) -> Errors:
    expression = text(validation, "expression")
    if not expression.strip():
        errors = [required(f"{path}.expression", "expression is not specified")]
    else:
        errors = failure(expression, f"{path}.expression", scope, "bool")
    told, path_of_told = text(validation, "messageExpression"), f"{path}.messageExpression"
    if told.strip():
        errors += failure(told, path_of_told, scope, "string")
    elif told:
        errors.append(invalid(path_of_told, told, "must be non-empty if specified"))
    message = text(validation, "message")
    if message and not message.strip():
        errors.append(invalid(f"{path}.message", message, "must be non-empty if specified"))
    elif re.search(r"[\n\r]", message.strip()):
        errors.append(invalid(f"{path}.message", message, "must not contain line breaks"))
    if (reason := validation.get("reason")) is not None:
        errors += checks.one_of(reason, _REASONS, f"{path}.reason")
    return errors


def _annotations(spec: Object, policy: str, scope: Scope) -> Errors:
    errors: Errors = []
    listed = items(spec, "auditAnnotations")
    if len(listed) > _MAX_ANNOTATIONS:
        why = f"must not have more than {_MAX_ANNOTATIONS} auditAnnotations"
        errors.append(invalid("spec.auditAnnotations", listed, why))
    keys: set[str] = set()
    for annotation, path in indexed(spec, "auditAnnotations", "spec"):
        key, expression = text(annotation, "key"), text(annotation, "valueExpression").strip()
        if policy:
            errors += checks.obey(formats.label_key, f"{policy}/{key}", f"{path}.key")
        else:
            errors.append(invalid(f"{path}.key", key, "requires metadata.name be non-empty"))
        at = f"{path}.valueExpression"
        if not expression:
            errors.append(required(at, "valueExpression is not specified"))
        elif len(expression.encode()) > _MAX_ANNOTATION:
            errors.append(required(at, f"must not exceed {_MAX_ANNOTATION} bytes in length"))
        else:
            errors += failure(expression, at, scope, "string", "null_type")
        errors += [duplicate(f"{path}.key", key)] if key in keys else []
        keys.add(key)
    return errors


def _validate_update(new: Object, old: Object) -> Errors:
    return _judge(new, old)


def _warnings(obj: Object, _old: Object | None) -> list[str]:
    return static_warnings(name_of(obj))


def _prepare_status(new: Object, old: Object) -> None:
    keep_spec(new, old)
    keep_metadata(new, old)


def _validate_status(new: Object, _old: Object) -> Errors:
    status = part(new, "status")
    errors: Errors = []
    for warning, path in indexed(
        part(status, "typeChecking"), "expressionWarnings", "status.typeChecking"
    ):
        for field in ("fieldRef", "warning"):
            if not text(warning, field):
                errors.append(required(f"{path}.{field}"))
    return errors + conditions(status, "status")


VALIDATING_ADMISSION_POLICY = Behaviour(
    default=default_policy,
    prepare_create=_prepare_create,
    prepare_update=_prepare_update,
    validate=_validate,
    validate_update=_validate_update,
    warnings=_warnings,
    subpaths={"status": Subpath(prepare=_prepare_status, validate=_validate_status)},
    unconditional_update=False,
)


def default_binding(obj: Object) -> None:
    """Bindings match as widely as their rules say."""
    match = part(obj, "spec").get("matchResources")
    if match is not None:
        _default_match(match)


def _validate_binding(obj: Object) -> Errors:
    errors = metadata.built_in(obj, metadata.dns_subdomain, namespaced=False)
    spec = part(obj, "spec")
    name = text(spec, "policyName")
    if name:
        errors += checks.obey(formats.dns1123_subdomain, name, "spec.policyName")
    else:
        errors.append(required("spec.policyName"))
    if (reference := spec.get("paramRef")) is not None:
        errors += param_reference(reference, "spec.paramRef")
    if (match := spec.get("matchResources")) is not None:
        errors += match_resources(match, "spec.matchResources")
    return errors + _actions(spec)


def param_reference(reference: Object, path: str) -> Errors:
    """The objects that a binding takes parameters from."""
    errors: Errors = []
    name, selector = text(reference, "name"), reference.get("selector")
    exclusive = "name and selector are mutually exclusive"
    if name:
        errors += checks.obey(checks.path_segment, name, f"{path}.name")
        if selector is not None:
            errors.append(forbidden_field(f"{path}.name", exclusive))
    if selector is not None:
        errors += checks.label_selector(selector, f"{path}.selector")
        if name:
            errors.append(forbidden_field(f"{path}.selector", exclusive))
    if not name and selector is None:
        errors.append(required(path, "one of name or selector must be specified"))
    action = text(reference, "parameterNotFoundAction")
    return errors + checks.required_one_of(action, _NOT_FOUND, f"{path}.parameterNotFoundAction")


def _actions(spec: Object) -> Errors:
    path, actions = "spec.validationActions", items(spec, "validationActions")
    errors: Errors = []
    for index, action in enumerate(actions):
        errors += checks.one_of(action, _ACTIONS, f"{path}[{index}]")
        errors += [duplicate(f"{path}[{index}]", action)] if action in actions[:index] else []
    if {"Deny", "Warn"} <= set(actions):
        why = (
            "must not contain both Deny and Warn (repeating the same validation failure information"
            " in the API response and headers serves no purpose)"
        )
        errors.append(invalid(path, actions, why))
    if not actions:
        errors.append(required(path, "at least one validation action is required"))
    return errors


def _validate_binding_update(new: Object, _old: Object) -> Errors:
    return _validate_binding(new)


VALIDATING_ADMISSION_POLICY_BINDING = Behaviour(
    default=default_binding,
    prepare_create=first_generation,
    prepare_update=count_changes,
    validate=_validate_binding,
    validate_update=_validate_binding_update,
    warnings=_warnings,
    unconditional_update=False,
)
