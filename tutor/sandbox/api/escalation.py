"""Nobody grants what they do not hold: the checks before a role or a binding is written.

They act after mutating admission and before validation. Who may `escalate` roles, or `bind` the
role in question, is let through.

Source: Kubernetes' `pkg/registry/rbac/*/policybased`, `rbac/validation/rule.go` and
`policy_compact.go`.
"""

from collections.abc import Sequence

from tutor.sandbox.api.builtin.reading import items, part, same, text
from tutor.sandbox.api.rbac import (
    BINDINGS,
    CLUSTER_BINDINGS,
    CLUSTER_ROLES,
    MASTERS,
    RBAC,
    ROLES,
    Attributes,
    Authorizer,
    uncovered,
)
from tutor.sandbox.api.request import Call
from tutor.sandbox.api.status import forbidden, go_quote, not_found
from tutor.sandbox.api.webhooks import Write
from tutor.sandbox.kinds import GroupResource, Object, name_of

_EVERYTHING: Sequence[Object] = (
    {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
    {"verbs": ["*"], "nonResourceURLs": ["*"]},
)
_COLLECTED = ("ownerReferences", "finalizers", "managedFields", "selfLink")
"""What the garbage collector may change of every object."""
_COMPACTED = (
    ("APIGroups", "apiGroups"),
    ("Resources", "resources"),
    ("NonResourceURLs", "nonResourceURLs"),
    ("ResourceNames", "resourceNames"),
    ("Verbs", "verbs"),
)


class EscalationGuard:
    """Refuses writes of roles and bindings that would grant more than the caller holds."""

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    def check(self, write: Write) -> None:
        """Raise ApiError when the write grants too much."""
        resource = write.served.kind.group_resource
        if resource.group != RBAC or write.new is None or MASTERS in write.call.user.groups:
            return
        if write.old is not None and _only_collected(write.new, write.old):
            return
        if resource in (ROLES, CLUSTER_ROLES):
            self._check_role(write, write.new)
        elif resource in (BINDINGS, CLUSTER_BINDINGS):
            self._check_binding(write, write.new)

    def _check_role(self, write: Write, role: Object) -> None:
        resource = write.served.kind.group_resource
        name = "" if write.call.verb == "create" else name_of(role)
        if self._may(write.call, "escalate", resource, write.namespace, name):
            return
        self._confirm(write, items(role, "rules"))
        aggregates = any(
            items(one or {}, "aggregationRule", "clusterRoleSelectors") for one in (role, write.old)
        )
        if aggregates and self._missing(write, _EVERYTHING):
            why = "must have cluster-admin privileges to use the aggregationRule"
            raise forbidden(resource, name_of(role), why)

    def _check_binding(self, write: Write, binding: Object) -> None:
        ref = part(binding, "roleRef")
        kind, name = text(ref, "kind"), text(ref, "name")
        roles = {"ClusterRole": CLUSTER_ROLES, "Role": ROLES}.get(kind)
        if roles is None:
            return  # validation has more to say about it
        group = GroupResource(text(ref, "apiGroup"), roles.resource)
        if self._may(write.call, "bind", group, write.namespace, name):
            return
        missing: list[str] = []
        rules = self._authorizer.rules_of(ref, binding, missing)
        if missing:
            # The registry names what the request is about, whatever it looks for.
            raise not_found(write.served.kind.group_resource, name)
        self._confirm(write, rules)

    def _may(
        self, call: Call, verb: str, resource: GroupResource, namespace: str, name: str
    ) -> bool:
        access = Attributes(
            verb=verb,
            group=resource.group,
            version="*",
            resource=resource.resource,
            namespace=namespace,
            name=name,
        )
        return self._authorizer.decide(call.user, access).allowed

    def _missing(self, write: Write, rules: Sequence[Object]) -> list[Object]:
        owned, _ = self._authorizer.rules_for(write.call.user, write.namespace)
        return uncovered(owned, rules)

    def _confirm(self, write: Write, rules: Sequence[Object]) -> None:
        missing = self._missing(write, rules)
        if not missing:
            return
        user, kind = write.call.user, write.served.kind
        groups = " ".join(go_quote(group) for group in user.groups)
        told = "\n".join(sorted({_told(rule) for rule in compact(missing)}))
        why = (
            f"user {go_quote(user.name)} (groups=[{groups}]) is attempting to grant RBAC"
            f" permissions not currently held:\n{told}"
        )
        _, unresolved = self._authorizer.rules_for(user, write.namespace)
        if unresolved:
            errors = ", ".join(dict.fromkeys(unresolved))
            if len(set(unresolved)) > 1:
                errors = f"[{errors}]"
            why += f"; resolution errors: [{errors}]"
        raise forbidden(kind.group_resource, name_of(write.new or {}), why)


def compact(rules: Sequence[Object]) -> list[Object]:
    """Join rules that differ by their verbs alone."""
    joined: dict[tuple[str, str, tuple[str, ...]], Object] = {}
    others: list[Object] = []
    for rule in rules:
        names = items(rule, "resourceNames")
        simple = len(items(rule, "apiGroups")) == len(items(rule, "resources")) == 1
        if rule.get("nonResourceURLs") or len(names) > 1 or not simple:
            others.append(rule)
            continue
        key = (rule["apiGroups"][0], rule["resources"][0], tuple(names))
        if key in joined:
            joined[key]["verbs"] += rule["verbs"]
        else:
            joined[key] = rule | {"verbs": list(rule["verbs"])}
    return [*others, *joined.values()]


def _told(rule: Object) -> str:
    fields = (
        f"{name}:[{' '.join(go_quote(value) for value in rule[key])}]"
        for name, key in _COMPACTED
        if rule.get(key)
    )
    return "{" + ", ".join(fields) + "}"


def _only_collected(new: Object, old: Object) -> bool:
    meta = {key: value for key, value in new["metadata"].items() if key not in _COLLECTED}
    before = {key: value for key, value in old["metadata"].items() if key not in _COLLECTED}
    return same(new | {"metadata": meta}, old | {"metadata": before})
