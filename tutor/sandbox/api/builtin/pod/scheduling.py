"""Where pods may run. Source: `apis/core/validation/validation.go`."""

from collections.abc import Iterable
from typing import Any

from tutor.sandbox.api import formats
from tutor.sandbox.api.builtin import checks
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.reading import indexed, items, number, part, text
from tutor.sandbox.api.status import duplicate, forbidden_field, invalid, not_supported, required
from tutor.sandbox.kinds import Object

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_BOTH_KEYS = "exists in both matchLabelKeys and labelSelector"
_NO_SELECTOR = "must not be specified when labelSelector is not set"


def affinity(given: Object, path: str) -> Errors:
    """Nodes and neighbours that a pod needs, prefers or avoids."""
    errors = _node_affinity(part(given, "nodeAffinity"), f"{path}.nodeAffinity")
    for field in ("podAffinity", "podAntiAffinity"):
        errors += _pod_affinity(part(given, field), f"{path}.{field}")
    return errors


def _node_affinity(given: Object, path: str) -> Errors:
    errors: Errors = []
    if (selector := given.get(_REQUIRED)) is not None:
        errors += node_selector(selector, f"{path}.{_REQUIRED}")
    for term, at in indexed(given, _PREFERRED, path):
        errors += _weight(term, at)
        errors += node_selector_term(part(term, "preference"), f"{at}.preference", any_value=True)
    return errors


def _weight(term: Object, path: str) -> Errors:
    weight = number(term, "weight")
    if 1 <= weight <= 100:
        return []
    return [invalid(f"{path}.weight", weight, "must be in the range 1-100")]


def node_selector(selector: Object, path: str, *, any_value: bool = False) -> Errors:
    """Terms of which a node has to fulfil one."""
    if not selector.get("nodeSelectorTerms"):
        why = "must have at least one node selector term"
        return [required(f"{path}.nodeSelectorTerms", why)]
    errors: Errors = []
    for term, at in indexed(selector, "nodeSelectorTerms", path):
        errors += node_selector_term(term, at, any_value=any_value)
    return errors


def node_selector_term(term: Object, path: str, *, any_value: bool = False) -> Errors:
    """Labels and fields of a node."""
    errors: Errors = []
    for requirement, at in indexed(term, "matchExpressions", path):
        errors += _node_requirement(requirement, at, any_value=any_value)
    for requirement, at in indexed(term, "matchFields", path):
        errors += _node_field(requirement, at)
    return errors


def _node_requirement(requirement: Object, path: str, *, any_value: bool) -> Errors:
    operator, values = text(requirement, "operator"), items(requirement, "values")
    errors: Errors = []
    if operator in ("In", "NotIn") and not values:
        why = "must be specified when `operator` is 'In' or 'NotIn'"
        errors.append(required(f"{path}.values", why))
    elif operator in ("Exists", "DoesNotExist") and values:
        why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        errors.append(forbidden_field(f"{path}.values", why))
    elif operator in ("Gt", "Lt") and len(values) != 1:
        why = "must be specified single value when `operator` is 'Lt' or 'Gt'"
        errors.append(required(f"{path}.values", why))
    elif operator not in ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"):
        errors.append(invalid(f"{path}.operator", operator, "not a valid selector operator"))
    errors += checks.obey(formats.label_key, text(requirement, "key"), f"{path}.key")
    if not any_value:
        for index, value in enumerate(values):
            errors += checks.obey(formats.label_value, value, f"{path}.values[{index}]")
    return errors


def _node_field(requirement: Object, path: str) -> Errors:
    operator, values = text(requirement, "operator"), items(requirement, "values")
    errors: Errors = []
    if operator not in ("In", "NotIn"):
        errors.append(invalid(f"{path}.operator", operator, "not a valid selector operator"))
    elif len(values) != 1:
        why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        errors.append(required(f"{path}.values", why))
    if (key := text(requirement, "key")) != "metadata.name":
        return [*errors, invalid(f"{path}.key", key, "not a valid field selector key")]
    for index, value in enumerate(values):
        errors += checks.obey(formats.dns1123_subdomain, value, f"{path}.values[{index}]")
    return errors


def _pod_affinity(given: Object, path: str) -> Errors:
    errors: Errors = []
    for term, at in indexed(given, _REQUIRED, path):
        errors += _pod_term(term, at)
    for term, at in indexed(given, _PREFERRED, path):
        errors += _weight(term, at)
        errors += _pod_term(part(term, "podAffinityTerm"), f"{at}.podAffinityTerm")
    return errors


def _pod_term(term: Object, path: str) -> Errors:
    errors = checks.label_selector(term.get("labelSelector"), f"{path}.labelSelector")
    errors += checks.label_selector(term.get("namespaceSelector"), f"{path}.namespaceSelector")
    for name in items(term, "namespaces"):
        errors += checks.obey(formats.dns1123_label, name, f"{path}.namespace")
    errors += _label_keys(term, path)
    if not (key := text(term, "topologyKey")):
        errors.append(required(f"{path}.topologyKey", "can not be empty"))
    return errors + checks.obey(formats.label_key, key, f"{path}.topologyKey")


def _label_keys(term: Object, path: str) -> Errors:
    """Labels whose values the pod's own labels give."""
    errors: Errors = []
    selector, wanted = term.get("labelSelector"), items(term, "matchLabelKeys")
    unwanted = items(term, "mismatchLabelKeys")
    for field, keys in (("matchLabelKeys", wanted), ("mismatchLabelKeys", unwanted)):
        if keys and selector is None:
            errors.append(forbidden_field(f"{path}.{field}", _NO_SELECTOR))
        elif keys:
            for index, key in enumerate(keys):
                errors += checks.obey(formats.label_key, key, f"{path}.{field}[{index}]")
    errors += _selected_twice(selector or {}, wanted, path)
    for index, key in enumerate(wanted):
        if key in unwanted:
            why = "exists in both matchLabelKeys and mismatchLabelKeys"
            errors.append(invalid(f"{path}.matchLabelKeys[{index}]", key, why))
    return errors


def _selected_twice(selector: Object, wanted: list[str], path: str) -> Errors:
    errors: Errors = []
    seen = set(part(selector, "matchLabels"))
    positions = {key: position for position, key in enumerate(wanted)}
    for expression in items(selector, "matchExpressions"):
        key = text(expression, "key")
        if key in positions and key in seen:
            errors.append(invalid(f"{path}[{positions[key]}]", key, _BOTH_KEYS))
        seen.add(key)
    return errors


def merge_label_keys(term: Object, labels: Object) -> None:
    """Put what `matchLabelKeys` and `mismatchLabelKeys` say into the selector, in place."""
    selector = term.get("labelSelector")
    if selector is None:
        return
    for field, operator in (("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn")):
        for key in items(term, field):
            if key in labels:
                entry: Object = {"key": key, "operator": operator, "values": [labels[key]]}
                selector["matchExpressions"] = [*items(selector, "matchExpressions"), entry]


def merge_all_label_keys(pod: Object) -> None:
    """Resolve label keys of affinities and spread constraints of a new pod, in place."""
    spec, labels = part(pod, "spec"), part(pod, "metadata", "labels")
    for field in ("podAffinity", "podAntiAffinity"):
        for term in items(spec, "affinity", field, _PREFERRED):
            merge_label_keys(part(term, "podAffinityTerm"), labels)
        for term in items(spec, "affinity", field, _REQUIRED):
            merge_label_keys(term, labels)
    for constraint in items(spec, "topologySpreadConstraints"):
        merge_label_keys(constraint, labels)


def spread(spec: Object, path: str) -> Errors:
    """`topologySpreadConstraints`."""
    errors: Errors = []
    constraints = items(spec, "topologySpreadConstraints")
    for index, (constraint, at) in enumerate(indexed(spec, "topologySpreadConstraints", path)):
        action, key = text(constraint, "whenUnsatisfiable"), text(constraint, "topologyKey")
        errors += checks.positive(number(constraint, "maxSkew"), f"{at}.maxSkew")
        if not key:
            errors.append(required(f"{at}.topologyKey", "can not be empty"))
        actions = ("DoNotSchedule", "ScheduleAnyway")
        errors += checks.one_of(action, actions, f"{at}.whenUnsatisfiable")
        errors += _not_again(key, action, constraints[index + 1 :], at)
        errors += _min_domains(constraint, action, at)
        for field in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            if (policy := constraint.get(field)) is not None:
                errors += checks.one_of(policy, ("Honor", "Ignore"), f"{at}.{field}")
        errors += _label_keys(constraint, at)
        errors += checks.label_selector(constraint.get("labelSelector"), f"{at}.labelSelector")
    return errors


def _not_again(key: str, action: str, rest: Iterable[Object], path: str) -> Errors:
    for other in rest:
        if (other.get("topologyKey"), other.get("whenUnsatisfiable")) == (key, action):
            at = f"{path}.{{topologyKey, whenUnsatisfiable}}"
            return [duplicate(at, f"{{{key}, {action}}}")]
    return []


def _min_domains(constraint: Object, action: str, path: str) -> Errors:
    least = constraint.get("minDomains")
    if least is None:
        return []
    errors = checks.positive(least, f"{path}.minDomains")
    if action != "DoNotSchedule":
        why = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
        errors.append(invalid(f"{path}.minDomains", least, why))
    return errors


def tolerations(listed: list[Any], path: str) -> Errors:
    """Taints that a pod puts up with."""
    errors: Errors = []
    for index, toleration in enumerate(listed):
        at = f"{path}[{index}]"
        key, operator = text(toleration, "key"), text(toleration, "operator")
        if key:
            errors += checks.obey(formats.label_key, key, f"{at}.key")
        elif operator != "Exists":
            why = (
                "operator must be Exists when `key` is empty, which means "
                '"match all values and all keys"'
            )
            errors.append(invalid(f"{at}.operator", operator, why))
        effect = text(toleration, "effect")
        if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
            why = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            errors.append(invalid(f"{at}.effect", effect, why))
        errors += _operator(operator, text(toleration, "value"), f"{at}.operator")
        if effect and effect not in EFFECTS:
            errors.append(not_supported(f"{at}.effect", effect, EFFECTS))
    return errors


def _operator(operator: str, value: str, path: str) -> Errors:
    if operator in ("", "Equal"):
        complaints = formats.label_value(value)
        return [invalid(path, value, ";".join(complaints))] if complaints else []
    if operator == "Exists":
        why = "value must be empty when `operator` is 'Exists'"
        return [invalid(path, value, why)] if value else []
    comparing = ("Lt", "Gt") if operator in ("Lt", "Gt") else ()
    return [not_supported(path, operator, ("Equal", "Exists", *comparing))]
