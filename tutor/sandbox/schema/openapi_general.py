"""OpenAPI v3 documents of what is about no resource: groups, versions, the issuer's keys.

They are small and say which document a client gets at one fixed path.

Source: k8s.io/apiserver, pkg/endpoints/discovery and pkg/server/routes; the index of a recorded
v1.36.2 server.
"""

from collections.abc import Mapping
from functools import cache

from tutor.sandbox.kinds import GroupVersion, Object
from tutor.sandbox.schema import declarations
from tutor.sandbox.schema.openapi_schemas import Components
from tutor.sandbox.schema.resources import builtin_groups

_INFO = {"title": "Kubernetes", "version": "unversioned"}
_VERSION_MODEL = "io.k8s.apimachinery.pkg.version.Info"
_VERSION_REQUIRED = (
    "major",
    "minor",
    "gitVersion",
    "gitCommit",
    "gitTreeState",
    "buildDate",
    "goVersion",
    "compiler",
    "platform",
)
_VERSION_OPTIONAL = (
    "emulationMajor",
    "emulationMinor",
    "minCompatibilityMajor",
    "minCompatibilityMinor",
)
_ISSUER = {
    ".well-known/openid-configuration": (
        "WellKnown",
        "getServiceAccountIssuerOpenIDConfiguration",
        "application/json",
    ),
    "openid/v1/jwks": ("openid", "getServiceAccountIssuerOpenIDKeyset", "application/jwk-set+json"),
}
_CORE = {
    "api": ("core", "getCoreAPIVersions", "APIVersions"),
    "apis": ("apis", "getAPIVersions", "APIGroupList"),
}


@cache
def general_documents() -> Mapping[str, Object]:
    """Path below `/openapi/v3/` to document."""
    documents = {path: _of_meta(path, *named) for path, named in _CORE.items()}
    for group in builtin_groups():
        if group.group:
            tag, camel = _names(group.group)
            path = f"apis/{group.group}"
            documents[path] = _of_meta(path, tag, f"get{camel}APIGroup", "APIGroup")
    for path, (tag, id_, media) in _ISSUER.items():
        documents[path] = _document(path, tag, id_, {media: {"schema": {"type": "string"}}}, {})
    documents["version"] = _version()
    return documents


def _of_meta(path: str, tag: str, id_: str, kind: str) -> Object:
    components = Components("v3", GroupVersion("", "v1"))
    reference = components.reference(declarations.resolve("meta/v1", kind))
    content = {"application/json": {"schema": {"$ref": reference}}}
    return _document(f"{path}/", tag, id_, content, components.schemas)


def _version() -> Object:
    strings = {name: {"type": "string"} for name in (*_VERSION_REQUIRED, *_VERSION_OPTIONAL)}
    model: Object = {
        "type": "object",
        "required": list(_VERSION_REQUIRED),
        "properties": {
            name: schema | ({"default": ""} if name in _VERSION_REQUIRED else {})
            for name, schema in sorted(strings.items())
        },
    }
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{_VERSION_MODEL}"}}}
    schemas = {_VERSION_MODEL: model}
    return _document("version/", "version", "getCodeVersion", content, schemas)


def _document(path: str, tag: str, id_: str, content: Object, schemas: Object) -> Object:
    operation = {
        "tags": [tag],
        "operationId": id_,
        "responses": {
            "200": {"description": "OK", "content": content},
            "401": {"description": "Unauthorized"},
        },
    }
    return {
        "openapi": "3.0.0",
        "info": _INFO,
        "paths": {f"/{path}": {"get": operation}},
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


def _names(group: str) -> tuple[str, str]:
    """A group as tags (`rbacAuthorization`) and operation ids have it."""
    words = group.removesuffix(".k8s.io").split(".")
    camel = "".join(word[:1].upper() + word[1:] for word in words).replace("-", "")
    return camel[:1].lower() + camel[1:], camel
