"""Who may do what: Kubernetes' RBAC authorizer.

Source: plugin/pkg/auth/authorizer/rbac; messages from apiserver's authorization filter.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tutor.sandbox.api.request import User
from tutor.sandbox.api.status import go_quote
from tutor.sandbox.kinds import GroupResource, Object, name_of

RBAC = "rbac.authorization.k8s.io"
ROLES = GroupResource(RBAC, "roles")
CLUSTER_ROLES = GroupResource(RBAC, "clusterroles")
BINDINGS = GroupResource(RBAC, "rolebindings")
CLUSTER_BINDINGS = GroupResource(RBAC, "clusterrolebindings")
MASTERS = "system:masters"
_SERVICE_ACCOUNT = "system:serviceaccount:"
_REMEMBERED = 1024
_AS_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """One access, as an authorizer sees it. `resource` includes no subresource."""

    verb: str
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""
    is_resource: bool = True

    def denial(self, user: User, reason: str = "") -> str:
        """The sentence that follows `forbidden:`, in the server's words."""
        if not self.is_resource:
            text = f"User {go_quote(user.name)} cannot {self.verb} path {go_quote(self.path)}"
        else:
            resource = self.resource + (f"/{self.subresource}" if self.subresource else "")
            text = (
                f"User {go_quote(user.name)} cannot {self.verb} resource {go_quote(resource)}"
                f" in API group {go_quote(self.group)}"
            )
            place = f"in the namespace {go_quote(self.namespace)}" if self.namespace else ""
            text += f" {place or 'at the cluster scope'}"
        text = text.translate(_AS_MARKUP)
        return f"{text}: {reason}" if reason else text


class Decision(NamedTuple):
    """Whether an access is allowed, and what the authorizer has to say about it."""

    allowed: bool
    reason: str = ""


class Reader:
    """What the authorizer reads: collections, and how often each has changed."""

    def __init__(
        self,
        objects: Callable[[GroupResource, str], Sequence[Object]],
        changes: Callable[[GroupResource], int],
    ) -> None:
        self.objects = objects
        self.changes = changes


class _Grant(NamedTuple):
    namespace: str
    """Empty for a cluster-wide grant."""
    role: Object
    subject: Object
    binding: Object


class Authorizer:
    """Answers from the roles and bindings in the store; indexes them once per change."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._stamp: tuple[int, ...] = ()
        self._cluster_roles: dict[str, Object] = {}
        self._roles: dict[tuple[str, str], Object] = {}
        self._by_subject: dict[tuple[str, str], list[_Grant]] = {}
        self._decided: dict[tuple[str, tuple[str, ...], Attributes], Decision] = {}

    def decide(self, user: User, access: Attributes) -> Decision:
        """Whether the user may do this."""
        if MASTERS in user.groups:
            return Decision(allowed=True)
        self._refresh()
        asked = (user.name, user.groups, access)
        known = self._decided.get(asked)
        if known is None:
            if len(self._decided) >= _REMEMBERED:
                self._decided.clear()
            known = self._decided[asked] = self._judge(user, access)
        return known

    def _judge(self, user: User, access: Attributes) -> Decision:
        missing: list[str] = []
        for grant in self._grants(user, access.namespace):
            rules = self.rules_of(grant.role, grant.binding, missing)
            if any(matches(rule, access) for rule in rules):
                return Decision(True, _because(grant))
        return Decision(False, _reason(missing))

    def rules_for(self, user: User, namespace: str) -> tuple[list[Object], list[str]]:
        """Every rule that applies to the user in a namespace, and what could not be found."""
        self._refresh()
        missing: list[str] = []
        rules: list[Object] = []
        for grant in self._grants(user, namespace):
            rules.extend(self.rules_of(grant.role, grant.binding, missing))
        return rules, missing

    def rules_of(self, ref: Object, binding: Object, missing: list[str]) -> Sequence[Object]:
        """The rules of a role reference; a role that is not there is named in `missing`."""
        kind, name = ref.get("kind", ""), ref.get("name", "")
        if kind == "ClusterRole":
            role = self._cluster_roles.get(name)
            if role is None:
                missing.append(f'clusterrole.{RBAC} "{name}" not found')
        else:
            role = self._roles.get((binding["metadata"].get("namespace", ""), name))
            if role is None:
                missing.append(f'role.{RBAC} "{name}" not found')
        return (role.get("rules") or []) if role else []

    def _grants(self, user: User, namespace: str) -> Iterator[_Grant]:
        keys = [("User", user.name), *(("Group", group) for group in user.groups)]
        seen: set[int] = set()
        for key in keys:
            for grant in self._by_subject.get(key, ()):
                # A binding that names a user and one of its groups applies once.
                if grant.namespace in ("", namespace) and id(grant.binding) not in seen:
                    seen.add(id(grant.binding))
                    yield grant

    def _refresh(self) -> None:
        # Every request asks, and a generator costs as much as the answers.
        of = self._reader.changes
        stamp = (of(ROLES), of(CLUSTER_ROLES), of(BINDINGS), of(CLUSTER_BINDINGS))
        if stamp == self._stamp:
            return
        self._stamp = stamp
        self._decided.clear()
        read = self._reader.objects
        self._cluster_roles = {name_of(role): role for role in read(CLUSTER_ROLES, "")}
        self._roles = {
            (role["metadata"].get("namespace", ""), name_of(role)): role for role in read(ROLES, "")
        }
        self._by_subject = {}
        for binding in (*read(CLUSTER_BINDINGS, ""), *read(BINDINGS, "")):
            self._index(binding)

    def _index(self, binding: Object) -> None:
        namespace = binding["metadata"].get("namespace", "")
        for subject in binding.get("subjects") or ():
            grant = _Grant(namespace, binding["roleRef"], subject, binding)
            self._by_subject.setdefault(_subject_key(subject, namespace), []).append(grant)


def _subject_key(subject: Object, namespace: str) -> tuple[str, str]:
    kind, name = subject.get("kind", ""), subject.get("name", "")
    if kind == "ServiceAccount":
        owner = subject.get("namespace") or namespace
        return "User", f"{_SERVICE_ACCOUNT}{owner}:{name}"
    return kind, name


def _because(grant: _Grant) -> str:
    kind = "RoleBinding" if grant.namespace else "ClusterRoleBinding"
    name = name_of(grant.binding)
    if grant.namespace:
        name = f"{name}/{grant.namespace}"
    role = f'{grant.role.get("kind")} "{grant.role.get("name")}"'
    subject = grant.subject.get("kind", "")
    who = grant.subject.get("name", "")
    if subject == "ServiceAccount":
        who = f"{who}/{grant.subject.get('namespace') or grant.namespace}"
    return f'RBAC: allowed by {kind} "{name}" of {role} to {subject} "{who}"'


def _reason(missing: Sequence[str]) -> str:
    unique = list(dict.fromkeys(missing))
    if not unique:
        return ""
    return "RBAC: " + (unique[0] if len(unique) == 1 else "[" + ", ".join(unique) + "]")


def matches(rule: Object, access: Attributes) -> bool:
    """Whether one rule allows one access."""
    verbs = rule.get("verbs") or ()
    if access.verb not in verbs and "*" not in verbs:
        return False
    if not access.is_resource:
        return any(_url_matches(url, access.path) for url in rule.get("nonResourceURLs") or ())
    groups = rule.get("apiGroups") or ()
    if access.group not in groups and "*" not in groups:
        return False
    names = rule.get("resourceNames") or ()
    return _resource_matches(rule, access) and (not names or access.name in names)


def _resource_matches(rule: Object, access: Attributes) -> bool:
    resources = rule.get("resources") or ()
    full = access.resource + (f"/{access.subresource}" if access.subresource else "")
    if full in resources or "*" in resources:
        return True
    return bool(access.subresource) and f"*/{access.subresource}" in resources


def _url_matches(pattern: str, path: str) -> bool:
    if pattern in ("*", path):
        return True
    return pattern.endswith("*") and path.startswith(pattern.rstrip("*"))


def uncovered(owned: Sequence[Object], rules: Sequence[Object]) -> list[Object]:
    """What of `rules` the owned rules do not allow, in its smallest parts (escalation check)."""
    return [
        simple
        for rule in rules
        for simple in break_down(rule)
        if not any(_covers_simple(own, simple) for own in owned)
    ]


def break_down(rule: Object) -> Iterator[Object]:
    """A rule as rules of one verb, one group, one resource and one name each."""
    verbs = rule.get("verbs") or ()
    names = rule.get("resourceNames") or ()
    for group in rule.get("apiGroups") or ():
        for resource in rule.get("resources") or ():
            for verb in verbs:
                simple = {"verbs": [verb], "apiGroups": [group], "resources": [resource]}
                if not names:
                    yield simple
                for name in names:
                    yield simple | {"resourceNames": [name]}
    for url in rule.get("nonResourceURLs") or ():
        for verb in verbs:
            yield {"verbs": [verb], "nonResourceURLs": [url]}


def _covers_simple(own: Object, simple: Object) -> bool:
    def within(field: str, value: str) -> bool:
        values = own.get(field) or ()
        return "*" in values or value in values

    if not within("verbs", simple["verbs"][0]):
        return False
    if "nonResourceURLs" in simple:
        url = simple["nonResourceURLs"][0]
        return any(_url_matches(pattern, url) for pattern in own.get("nonResourceURLs") or ())
    resource = simple["resources"][0]
    _, _, subresource = resource.partition("/")
    if not within("apiGroups", simple["apiGroups"][0]):
        return False
    if not within("resources", resource) and not (
        subresource and f"*/{subresource}" in (own.get("resources") or ())
    ):
        return False
    names = own.get("resourceNames") or ()
    if not names:
        return True
    wanted = simple.get("resourceNames") or ()
    return bool(wanted) and wanted[0] in names
