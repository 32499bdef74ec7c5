"""From a method and a path to what is asked for.

Source: apiserver's RequestInfo rules (`/api`, `/apis`, namespaces, the `watch` prefix, verbs).
"""

from dataclasses import dataclass, replace

from tutor.sandbox.api.request import Query
from tutor.sandbox.kinds import GroupResource

_VERBS = {
    "POST": "create",
    "GET": "get",
    "HEAD": "get",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
_NAMESPACE_SUBRESOURCES = ("status", "finalize")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a request is about. For anything but resources only `verb` and `path` are set."""

    verb: str
    path: str
    is_resource: bool = False
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    name: str = ""
    subresource: str = ""
    tail: str = ""
    """What follows the subresource, for proxies."""
    selected: str = ""
    """The one name that the field selector of a list or watch allows: rights are asked for it."""

    @property
    def group_resource(self) -> GroupResource:
        """The collection."""
        return GroupResource(self.group, self.resource)

    @property
    def full_resource(self) -> str:
        """`pods/log`: the resource as RBAC and messages name it."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


def parse(method: str, path: str, query: Query) -> Target:
    """What the request is about, and with which verb."""
    plain = Target(verb=method.lower(), path=path)
    parts = [part for part in path.strip("/").split("/") if part]
    if not parts or parts[0] not in ("api", "apis"):
        return plain
    prefix = 2 if parts[0] == "api" else 3
    if len(parts) <= prefix:
        return plain
    group = "" if parts[0] == "api" else parts[1]
    version, rest = parts[prefix - 1], parts[prefix:]
    verb = _VERBS.get(method, "")
    if rest[0] in ("watch", "proxy"):
        verb, rest = rest[0], rest[1:]
        if not rest:
            return plain
    target = replace(
        _scope(rest), verb=verb, path=path, is_resource=True, group=group, version=version
    )
    return _with_list_verbs(target, query)


def _scope(rest: list[str]) -> Target:
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        if len(rest) > 2 and rest[2] not in _NAMESPACE_SUBRESOURCES:
            rest = rest[2:]
    pick = dict(enumerate(rest))
    return Target(
        verb="",
        path="",
        namespace=namespace,
        resource=pick.get(0, ""),
        name=pick.get(1, ""),
        subresource=pick.get(2, ""),
        tail="/".join(rest[3:]),
    )


def _with_list_verbs(target: Target, query: Query) -> Target:
    if target.name:
        return target
    if target.verb == "get":
        watching = query.has("watch") and query.get("watch").lower() not in ("false", "0")
        selected = _selected_name(query.get("fieldSelector"))
        return replace(target, verb="watch" if watching else "list", selected=selected)
    if target.verb == "delete":
        return replace(target, verb="deletecollection")
    return target


def _selected_name(selector: str) -> str:
    for term in selector.split(","):
        field, equal, value = term.partition("=")
        name = value.removeprefix("=")
        if field == "metadata.name" and equal and name not in (".", "..") and "/" not in name:
            return name
    return ""
