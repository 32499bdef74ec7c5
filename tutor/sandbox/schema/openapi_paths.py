"""OpenAPI v3 paths: what can be asked of a kind, by which parameters.

Clients look for the PATCH of a kind and at its parameters (is there a `dryRun`, a
`fieldValidation`?), and find a kind by the path of its resource. Bodies are shown as JSON only.

kubectl reads the whole document of a group three times with every `apply`, and a third of it would
be parameters, bodies and answers that no client looks at. So built-in kinds show the parameters of
PATCH alone and which forms of a body it takes (that decides how kubectl patches; without any it
asks for the second document), and that there are answers.

Source: k8s.io/apiserver, pkg/endpoints/installer; a recorded document of a custom group.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tutor.sandbox.kinds import GroupVersion, Kind, Object, Subresource

_LIST = (
    ("allowWatchBookmarks", "boolean"),
    ("continue", "string"),
    ("fieldSelector", "string"),
    ("labelSelector", "string"),
    ("limit", "integer"),
    ("resourceVersion", "string"),
    ("resourceVersionMatch", "string"),
    ("sendInitialEvents", "boolean"),
    ("timeoutSeconds", "integer"),
    ("watch", "boolean"),
)
_WRITE = (("dryRun", "string"), ("fieldManager", "string"), ("fieldValidation", "string"))
_DELETE = (
    ("dryRun", "string"),
    ("gracePeriodSeconds", "integer"),
    ("ignoreStoreReadErrorWithClusterBreakingPotential", "boolean"),
    ("orphanDependents", "boolean"),
    ("propagationPolicy", "string"),
)
_PARAMETERS = {
    "list": _LIST,
    "deletecollection": _LIST,
    "create": _WRITE,
    "update": _WRITE,
    "patch": (*_WRITE, ("force", "boolean")),
    "delete": _DELETE,
}
_METHODS = {
    "list": "get",
    "get": "get",
    "create": "post",
    "update": "put",
    "patch": "patch",
    "delete": "delete",
    "deletecollection": "delete",
}
_ACTIONS = {"create": "post", "update": "put"}
_IDS = {"get": "read", "update": "replace", "deletecollection": "delete"}
_PATCHES = ("json-patch+json", "merge-patch+json", "strategic-merge-patch+json", "apply-patch+yaml")
_ON_COLLECTIONS = ("list", "create", "deletecollection")
_ON_OBJECTS = ("get", "update", "patch", "delete")


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """References to the schemas that a custom kind's operations exchange."""

    kind: str
    list_kind: str
    delete_options: str
    status: str
    patch: str
    subresources: dict[str, str]
    """By name."""


def base_path(version: GroupVersion) -> str:
    """`/api/v1` or `/apis/GROUP/VERSION`."""
    return f"/apis/{version}" if version.group else f"/api/{version}"


def resources_path(version: GroupVersion, reference: str) -> tuple[str, Object]:
    """The path that lists the resources of a group version, which `reference` describes."""
    tag, camel = _names(version)
    operation: Object = {
        "tags": [tag],
        "operationId": f"get{camel}APIResources",
        "responses": {"200": {"description": "OK", "content": _json(reference)}},
    }
    return f"{base_path(version)}/", {"get": operation}


def paths_of(kind: Kind, references: References | None = None) -> Iterator[tuple[str, Object]]:
    """Every path of a kind with its operations; built-in ones show no references."""
    base = base_path(kind.group_version)
    collection = f"{base}/namespaces/{{namespace}}" if kind.namespaced else base
    collection = f"{collection}/{kind.plural}"
    writer = _Operations(kind, references)
    if operations := writer.operations(_ON_COLLECTIONS, kind.verbs):
        yield collection, {**operations, "parameters": _common(kind)}
    if operations := writer.operations(_ON_OBJECTS, kind.verbs):
        yield f"{collection}/{{name}}", {**operations, "parameters": _common(kind, "name")}
    for sub in kind.subresources:
        operations = writer.subresource(sub)
        path = f"{collection}/{{name}}/{sub.name}"
        yield path, {**operations, "parameters": _common(kind, "name")}
    if kind.namespaced and "list" in kind.verbs:
        yield f"{base}/{kind.plural}", writer.across_namespaces()


class _Operations:
    """The operations of one kind."""

    def __init__(self, kind: Kind, references: References | None) -> None:
        self._kind = kind
        self._references = references
        self._tag, self._camel = _names(kind.group_version)
        self._shown = {"group": kind.group, "version": kind.version, "kind": kind.kind}

    def operations(self, wanted: tuple[str, ...], verbs: tuple[str, ...]) -> Object:
        return {_METHODS[v]: self._operation(v) for v in wanted if v in verbs}

    def across_namespaces(self) -> Object:
        operation = self._operation("list", suffix="ForAllNamespaces", scope="")
        parameters = operation.pop("parameters", None)
        return {"get": operation} | ({"parameters": parameters} if parameters else {})

    def subresource(self, sub: Subresource) -> Object:
        suffix = "".join(part.capitalize() for part in sub.name.split("-"))
        return {
            _METHODS[verb]: self._operation(verb, suffix=suffix, sub=sub)
            for verb in sub.verbs
            if verb in _METHODS
        }

    def _operation(
        self,
        verb: str,
        *,
        suffix: str = "",
        scope: str = "Namespaced",
        sub: Subresource | None = None,
    ) -> Object:
        scope = scope if self._kind.namespaced else ""
        collection = "Collection" if verb == "deletecollection" else ""
        connects = sub is not None and sub.kind.endswith("Options")
        action = "connect" if connects else _ACTIONS.get(verb, verb)
        who = f"{self._camel}{collection}{scope}{self._kind.kind}{suffix}"
        verb_id = f"connect{_METHODS[verb].capitalize()}" if connects else _IDS.get(verb, verb)
        operation: Object = {"tags": [self._tag], "operationId": f"{verb_id}{who}"}
        if names := () if connects else self._parameters(verb):
            operation["parameters"] = [_query(*name) for name in names]
        if not connects and (body := self._body(verb, sub)):
            operation["requestBody"] = body
        code = "201" if verb == "create" and not connects else "200"
        answer = {"description": "OK"} | ({} if connects else self._answer(verb, sub))
        operation["responses"] = {code: answer}
        operation["x-kubernetes-action"] = action
        operation["x-kubernetes-group-version-kind"] = self._exchanged(sub)
        return operation

    def _parameters(self, verb: str) -> tuple[tuple[str, str], ...]:
        shown = verb == "patch" or self._kind.custom
        return _PARAMETERS.get(verb, ()) if shown else ()

    def _exchanged(self, sub: Subresource | None) -> Object:
        """The kind that documents name; for custom resources always the resource's own."""
        if sub is None or self._kind.custom:
            return dict(self._shown)
        version = sub.version or self._kind.version
        group = sub.group if sub.version else self._kind.group
        return {"group": group, "version": version, "kind": sub.kind}

    def _body(self, verb: str, sub: Subresource | None) -> Object:
        """What is sent; empty where that is nothing, or not shown."""
        references = self._references
        if verb == "patch":
            schema = {"schema": {"$ref": references.patch}} if references else {}
            return {"content": dict.fromkeys(patch_types(self._kind), schema), "required": True}
        if references is None:
            return {}
        if verb in ("create", "update"):
            return {"content": _json(_exchanged(references, sub)), "required": True}
        if verb in ("delete", "deletecollection"):
            return {"content": _json(references.delete_options)}
        return {}

    def _answer(self, verb: str, sub: Subresource | None) -> Object:
        """What is answered, where that is shown."""
        references = self._references
        if references is None:
            return {}
        if verb in ("delete", "deletecollection"):
            return {"content": _json(references.status)}
        reference = references.list_kind if verb == "list" else _exchanged(references, sub)
        return {"content": _json(reference)}


def _exchanged(references: References, sub: Subresource | None) -> str:
    return references.subresources[sub.name] if sub else references.kind


def patch_types(kind: Kind) -> list[str]:
    """The media types of patches, which tell kubectl whether lists may be merged by their keys."""
    names = (name for name in _PATCHES if not kind.custom or not name.startswith("strategic"))
    return [f"application/{name}" for name in names]


def _names(version: GroupVersion) -> tuple[str, str]:
    """A group version as tags (`rbacAuthorization_v1`) and operation ids have it."""
    words = (version.group.removesuffix(".k8s.io") or "core").split(".")
    camel = "".join(word[:1].upper() + word[1:] for word in words).replace("-", "")
    tag = f"{camel[:1].lower()}{camel[1:]}_{version.version}"
    return tag, camel + version.version[:1].upper() + version.version[1:]


def _common(kind: Kind, *names: str) -> list[Object]:
    scope = ("namespace",) if kind.namespaced else ()
    in_path = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "uniqueItems": True},
        }
        for name in (*names, *scope)
    ]
    return [*in_path, _query("pretty", "string")] if kind.custom else in_path


def _query(name: str, type_: str) -> Object:
    return {"name": name, "in": "query", "schema": {"type": type_, "uniqueItems": True}}


def _json(reference: str) -> Object:
    return {"application/json": {"schema": {"$ref": reference}}}
