"""Which flow schema and which priority level a request belongs to.

Nothing is limited here; answers only tell where they would have queued.

Source: apiserver's `util/flowcontrol` (rule.go) and `server/filters/priority-and-fairness.go`.
"""

from collections.abc import Callable, Sequence

from tutor.sandbox.api.builtin.reading import items, part, text
from tutor.sandbox.api.rbac import Attributes, Reader
from tutor.sandbox.api.request import Headers, User
from tutor.sandbox.kinds import GroupResource, Object, name_of

_GROUP = "flowcontrol.apiserver.k8s.io"
SCHEMAS = GroupResource(_GROUP, "flowschemas")
LEVELS = GroupResource(_GROUP, "prioritylevelconfigurations")
_SCHEMA_HEADER = "X-Kubernetes-Pf-Flowschema-Uid"
_LEVEL_HEADER = "X-Kubernetes-Pf-Prioritylevel-Uid"
_ACCOUNT = "system:serviceaccount:"
_REMEMBERED = 1024

_Asked = tuple[User, Attributes]


class FlowControl:
    """Classifies requests by the schemas in the store; remembers how until these change."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._stamp: tuple[int, ...] = ()
        self._schemas: list[Object] = []
        self._levels: dict[str, Object] = {}
        self._known: dict[tuple[str, ...], Headers] = {}

    def headers(self, user: User, access: Attributes) -> Headers:
        """The headers that name the schema and the level of a request."""
        self._refresh()
        place = (
            (access.group, access.resource, access.subresource, access.namespace)
            if access.is_resource
            else (access.path,)
        )
        key = (user.name, "\0".join(user.groups), access.verb, *place)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[key] = self._found(user, access)
        return found

    def _found(self, user: User, access: Attributes) -> Headers:
        for schema in self._schemas:
            name = text(part(schema, "spec", "priorityLevelConfiguration"), "name")
            level = self._levels.get(name)
            if level is not None and _matches(schema, user, access):
                return (
                    (_SCHEMA_HEADER, schema["metadata"]["uid"]),
                    (_LEVEL_HEADER, level["metadata"]["uid"]),
                )
        return ()

    def _refresh(self) -> None:
        changes = self._reader.changes
        stamp = (changes(SCHEMAS), changes(LEVELS))
        if stamp == self._stamp:
            return
        self._stamp = stamp
        self._known = {}
        self._levels = {name_of(level): level for level in self._reader.objects(LEVELS, "")}
        self._schemas = sorted(self._reader.objects(SCHEMAS, ""), key=_precedence)


def _precedence(schema: Object) -> tuple[int, str]:
    return part(schema, "spec").get("matchingPrecedence") or 0, name_of(schema)


def _matches(schema: Object, user: User, access: Attributes) -> bool:
    asks: Callable[[Object], bool] = (
        (lambda rule: _any(rule, "resourceRules", lambda one: _resource(one, access)))
        if access.is_resource
        else (lambda rule: _any(rule, "nonResourceRules", lambda one: _path(one, access)))
    )
    return any(
        asks(rule) and any(_is(subject, user) for subject in items(rule, "subjects"))
        for rule in items(schema, "spec", "rules")
    )


def _any(rule: Object, key: str, matches: Callable[[Object], bool]) -> bool:
    return any(matches(one) for one in items(rule, key))


def _is(subject: Object, user: User) -> bool:
    match subject.get("kind"):
        case "User":
            return text(part(subject, "user"), "name") in ("*", user.name)
        case "Group":
            name = text(part(subject, "group"), "name")
            return name == "*" or name in user.groups
        case _:
            account = part(subject, "serviceAccount")
            prefix = f"{_ACCOUNT}{text(account, 'namespace')}:"
            if text(account, "name") == "*":
                return user.name.startswith(prefix)
            return user.name == prefix + text(account, "name")


def _listed(values: Sequence[str], value: str) -> bool:
    return "*" in values or value in values


def _resource(rule: Object, access: Attributes) -> bool:
    resource = access.resource + (f"/{access.subresource}" if access.subresource else "")
    if not _listed(items(rule, "verbs"), access.verb):
        return False
    if not _listed(items(rule, "apiGroups"), access.group):
        return False
    if not _listed(items(rule, "resources"), resource):
        return False
    if access.namespace:
        return _listed(items(rule, "namespaces"), access.namespace)
    return bool(rule.get("clusterScope"))


def _path(rule: Object, access: Attributes) -> bool:
    return _listed(items(rule, "verbs"), access.verb) and any(
        path in ("*", access.path)
        or (path.endswith("/*") and access.path.startswith(path.removesuffix("*")))
        for path in items(rule, "nonResourceURLs")
    )
