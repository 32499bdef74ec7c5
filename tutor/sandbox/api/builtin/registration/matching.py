"""Which requests a webhook or a policy wants to see.

Source: `apis/admissionregistration/validation/validation.go`.
"""

from collections.abc import Sequence
from typing import Any

from tutor.sandbox.api import formats
from tutor.sandbox.api.builtin import checks
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.reading import fill_absent, indexed, items, text
from tutor.sandbox.api.builtin.registration.expressions import Scope, failure
from tutor.sandbox.api.status import duplicate, invalid, required, too_many
from tutor.sandbox.kinds import Object

MATCH_POLICIES = ("Equivalent", "Exact")
FAILURE_POLICIES = ("Fail", "Ignore")
_OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_SCOPES = ("*", "Cluster", "Namespaced")
_MAX_CONDITIONS = 64


def default_rules(obj: Object, key: str) -> None:
    """Rules match everything of a resource, whatever its scope."""
    for rule in items(obj, key):
        fill_absent(rule, scope="*")


def default_selection(obj: Object) -> None:
    """Match equivalent versions, all namespaces and all objects."""
    fill_absent(obj, matchPolicy="Equivalent", namespaceSelector={}, objectSelector={})


def rule_with_operations(rule: Object, path: str) -> Errors:
    """Operations on resources."""
    operations = items(rule, "operations")
    errors = [] if operations else [required(f"{path}.operations")]
    errors += _alone(operations, "operations", f"{path}.operations")
    for operation, at in indexed(rule, "operations", path):
        errors += checks.one_of(operation, _OPERATIONS, at)
    for field, word in (("apiGroups", "API groups"), ("apiVersions", "API versions")):
        listed = items(rule, field)
        errors += [] if listed else [required(f"{path}.{field}")]
        errors += _alone(listed, word, f"{path}.{field}")
    errors += [required(at) for version, at in indexed(rule, "apiVersions", path) if not version]
    errors += _resources(rule, f"{path}.resources")
    if (scope := rule.get("scope")) is not None:
        errors += checks.one_of(scope, _SCOPES, f"{path}.scope")
    return errors


def _alone(listed: Sequence[Any], word: str, path: str) -> Errors:
    if len(listed) > 1 and "*" in listed:
        return [invalid(path, listed, f"if '*' is present, must not specify other {word}")]
    return []


def _resources(rule: Object, path: str) -> Errors:
    listed = items(rule, "resources")
    errors = [] if listed else [required(path)]
    whole: set[str] = set()
    everywhere: set[str] = set()
    plain = False
    for index, written in enumerate(listed):
        at = f"{path}[{index}]"
        resource, slash, below = written.partition("/")
        if not written:
            errors.append(required(at))
        elif not slash:
            plain = written != "*"
        else:
            errors += _covered(written, resource in whole, f"{resource}/*", at)
            errors += _covered(written, below in everywhere, f"*/{below}", at)
            whole |= {resource} if below == "*" else set()
            everywhere |= {below} if resource == "*" else set()
    if len(listed) > 1 and "*/*" in listed:
        why = "if '*/*' is present, must not specify other resources"
        errors.append(invalid(path, listed, why))
    if "*" in listed and plain:
        why = "if '*' is present, must not specify other resources without subresources"
        errors.append(invalid(path, listed, why))
    return errors


def _covered(written: str, is_covered: bool, by: str, path: str) -> Errors:
    if not is_covered:
        return []
    return [invalid(path, written, f"if '{by}' is present, must not specify {written}")]


def match_conditions(obj: Object, path: str, *, params: bool = False) -> Errors:
    """Expressions that all have to hold."""
    errors: Errors = []
    count = len(items(obj, "matchConditions"))
    if count > _MAX_CONDITIONS:
        errors.append(too_many(f"{path}.matchConditions", count, _MAX_CONDITIONS))
    names: set[str] = set()
    for condition, at in indexed(obj, "matchConditions", path):
        name, expression = text(condition, "name"), text(condition, "expression").strip()
        if not expression:
            errors.append(required(f"{at}.expression"))
        else:
            errors += failure(expression, f"{at}.expression", Scope(params=params), "bool")
        if not name:
            errors.append(required(f"{at}.name"))
            continue
        errors += checks.obey(formats.label_key, name, f"{at}.name")
        errors += [duplicate(f"{at}.name", name)] if name in names else []
        names.add(name)
    return errors


def match_resources(match: Object, path: str) -> Errors:
    """What a policy is about."""
    errors = checks.one_of(match.get("matchPolicy"), MATCH_POLICIES, f"{path}.matchPolicy")
    for field in ("namespaceSelector", "objectSelector"):
        errors += checks.label_selector(match.get(field), f"{path}.{field}")
    for field in ("resourceRules", "excludeResourceRules"):
        for rule, at in indexed(match, field, path):
            errors += _named_rule(rule, at)
    return errors


def _named_rule(rule: Object, path: str) -> Errors:
    errors: Errors = []
    names = items(rule, "resourceNames")
    for index, name in enumerate(names):
        at = f"{path}.resourceNames[{index}]"
        errors += checks.obey(checks.path_segment, name, at)
        errors += [duplicate(at, name)] if name in names[:index] else []
    return errors + rule_with_operations(rule, path)


def static_warnings(name: str) -> list[str]:
    """What is said of names that only files of the server should have."""
    if not name.endswith(".static.k8s.io"):
        return []
    why = "are reserved for static manifest-based configurations and cannot be managed via the API"
    return [f'metadata.name: names ending with ".static.k8s.io" {why}']
