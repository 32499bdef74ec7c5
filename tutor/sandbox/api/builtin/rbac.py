"""Roles and their bindings. Source: `apis/rbac/validation/validation.go`."""

from tutor.sandbox.api import metadata
from tutor.sandbox.api.builtin import checks
from tutor.sandbox.api.builtin.behaviour import Behaviour
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.reading import fill, indexed, items, part, text
from tutor.sandbox.api.status import invalid, not_supported, required
from tutor.sandbox.kinds import Object

GROUP = "rbac.authorization.k8s.io"


def _default_binding(obj: Object) -> None:
    fill(obj.setdefault("roleRef", {}), apiGroup=GROUP)
    for subject in items(obj, "subjects"):
        if subject.get("kind") in ("User", "Group"):
            fill(subject, apiGroup=GROUP)


def _rule(rule: Object, path: str, *, namespaced: bool) -> Errors:
    errors: Errors = []
    if not rule.get("verbs"):
        errors.append(required(f"{path}.verbs", "verbs must contain at least one value"))
    if urls := rule.get("nonResourceURLs"):
        if namespaced:
            why = "namespaced rules cannot apply to non-resource URLs"
            errors.append(invalid(f"{path}.nonResourceURLs", urls, why))
        if any(rule.get(field) for field in ("apiGroups", "resources", "resourceNames")):
            why = "rules cannot apply to both regular resources and non-resource URLs"
            errors.append(invalid(f"{path}.nonResourceURLs", urls, why))
        return errors
    if not rule.get("apiGroups"):
        why = "resource rules must supply at least one api group"
        errors.append(required(f"{path}.apiGroups", why))
    if not rule.get("resources"):
        why = "resource rules must supply at least one resource"
        errors.append(required(f"{path}.resources", why))
    return errors


def _validate_role(obj: Object) -> Errors:
    errors = metadata.built_in(obj, metadata.path_segment)
    for rule, path in indexed(obj, "rules", ""):
        errors += _rule(rule, path, namespaced=True)
    return errors


def _validate_cluster_role(obj: Object) -> Errors:
    return _cluster_role(obj, any_value=False)


def _cluster_role(obj: Object, *, any_value: bool) -> Errors:
    errors = metadata.built_in(obj, metadata.path_segment, namespaced=False)
    for rule, path in indexed(obj, "rules", ""):
        errors += _rule(rule, path, namespaced=False)
    aggregation = obj.get("aggregationRule")
    if aggregation is None:
        return errors
    path = "aggregationRule.clusterRoleSelectors"
    if not aggregation.get("clusterRoleSelectors"):
        why = "at least one clusterRoleSelector required if aggregationRule is non-nil"
        errors.append(required(path, why))
    return errors + _selectors(aggregation, any_value=any_value)


def _selectors(aggregation: Object, *, any_value: bool) -> Errors:
    errors: Errors = []
    for selector, at in indexed(aggregation, "clusterRoleSelectors", "aggregationRule"):
        errors += checks.label_selector(selector, at, any_value=any_value)
        if checks.label_selector(selector, at):
            errors.append(invalid(at, None, "invalid label selector."))
    return errors


def _role_ref(obj: Object, kinds: tuple[str, ...]) -> Errors:
    errors: Errors = []
    reference = part(obj, "roleRef")
    if text(reference, "apiGroup") != GROUP:
        errors.append(not_supported("roleRef.apiGroup", text(reference, "apiGroup"), [GROUP]))
    errors += checks.one_of(text(reference, "kind"), kinds, "roleRef.kind")
    if name := text(reference, "name"):
        errors += checks.obey(metadata.path_segment, name, "roleRef.name")
    else:
        errors.append(required("roleRef.name"))
    return errors


def _subject(subject: Object, path: str, *, namespaced: bool) -> Errors:
    errors: Errors = []
    name, group, kind = (text(subject, field) for field in ("name", "apiGroup", "kind"))
    if not name:
        errors.append(required(f"{path}.name"))
    if kind == "ServiceAccount":
        errors += checks.obey(metadata.dns_subdomain, name, f"{path}.name") if name else []
        if group:
            errors.append(not_supported(f"{path}.apiGroup", group, [""]))
        if not namespaced and not text(subject, "namespace"):
            errors.append(required(f"{path}.namespace"))
    elif kind in ("User", "Group"):
        errors += checks.one_of(group, [GROUP], f"{path}.apiGroup")
    else:
        errors.append(not_supported(f"{path}.kind", kind, ["ServiceAccount", "User", "Group"]))
    return errors


def _binding(obj: Object, kinds: tuple[str, ...], *, namespaced: bool) -> Errors:
    errors = metadata.built_in(obj, metadata.path_segment, namespaced=namespaced)
    errors += _role_ref(obj, kinds)
    for subject, path in indexed(obj, "subjects", ""):
        errors += _subject(subject, path, namespaced=namespaced)
    return errors


def _validate_role_binding(obj: Object) -> Errors:
    return _binding(obj, ("Role", "ClusterRole"), namespaced=True)


def _validate_cluster_role_binding(obj: Object) -> Errors:
    return _binding(obj, ("ClusterRole",), namespaced=False)


def _metadata_update(new: Object, old: Object) -> Errors:
    return metadata.built_in_update(new, old)


def _same_role(new: Object, old: Object) -> Errors:
    errors = _metadata_update(new, old)
    reference = part(new, "roleRef")
    if reference != part(old, "roleRef"):
        shown = {
            "APIGroup": text(reference, "apiGroup"),
            "Kind": text(reference, "kind"),
            "Name": text(reference, "name"),
        }
        errors.append(invalid("roleRef", shown, "cannot change roleRef"))
    return errors


def _validate_role_update(new: Object, old: Object) -> Errors:
    return _validate_role(new) + _metadata_update(new, old)


def _validate_cluster_role_update(new: Object, old: Object) -> Errors:
    tolerated = bool(_selectors(part(old, "aggregationRule"), any_value=False))
    return _cluster_role(new, any_value=tolerated) + _metadata_update(new, old)


def _validate_role_binding_update(new: Object, old: Object) -> Errors:
    return _validate_role_binding(new) + _same_role(new, old)


def _validate_cluster_role_binding_update(new: Object, old: Object) -> Errors:
    return _validate_cluster_role_binding(new) + _same_role(new, old)


ROLE = Behaviour(
    validate=_validate_role, validate_update=_validate_role_update, create_on_update=True
)
CLUSTER_ROLE = Behaviour(
    validate=_validate_cluster_role,
    validate_update=_validate_cluster_role_update,
    create_on_update=True,
)
ROLE_BINDING = Behaviour(
    default=_default_binding,
    validate=_validate_role_binding,
    validate_update=_validate_role_binding_update,
    create_on_update=True,
)
CLUSTER_ROLE_BINDING = Behaviour(
    default=_default_binding,
    validate=_validate_cluster_role_binding,
    validate_update=_validate_cluster_role_binding_update,
    create_on_update=True,
)
