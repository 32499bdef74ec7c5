"""What the server does with CustomResourceDefinitions themselves.

Source: apiextensions-apiserver (`pkg/registry/customresourcedefinition`,
`pkg/apis/apiextensions/v1/defaults.go`).
"""

from collections.abc import Iterator

from tutor.sandbox.api.builtin.behaviour import (
    Behaviour,
    Subpath,
    first_generation,
    keep_spec,
    keep_status,
    next_generation,
)
from tutor.sandbox.api.builtin.reading import items, part, text
from tutor.sandbox.api.customresources.definition import (
    names_of,
    schema_of,
    spec_of,
    storage_version,
    versions_of,
)
from tutor.sandbox.api.customresources.validation import (
    validate,
    validate_status_update,
    validate_update,
)
from tutor.sandbox.api.status import go_quote
from tutor.sandbox.api.structural.string_formats import STRING_FORMATS
from tutor.sandbox.api.values import is_list, is_map
from tutor.sandbox.kinds import Object

_WEBHOOK_PORT = 443
_NUMBER_FORMATS = {"integer": ("int32", "int64"), "number": ("float", "double")}


def _default(crd: Object) -> None:
    names = names_of(crd)
    kind = text(names, "kind")
    if not names.get("singular"):
        names["singular"] = kind.lower()
    if kind and not names.get("listKind"):
        names["listKind"] = f"{kind}List"
    spec = spec_of(crd)
    if spec.get("conversion") is None:
        spec["conversion"] = {"strategy": "None"}
    service: Object | None = part(spec, "conversion", "webhook", "clientConfig").get("service")
    if service is not None and service.get("port") is None:
        service["port"] = _WEBHOOK_PORT
    if not items(crd, "status", "storedVersions"):
        _add_stored_version(crd)


def _add_stored_version(crd: Object) -> None:
    version = storage_version(crd)
    stored = items(crd, "status", "storedVersions")
    if version and version not in stored:
        # The status may still be that of the stored object, which must not change.
        crd["status"] = part(crd, "status") | {"storedVersions": [*stored, version]}


def _prepare_create(crd: Object) -> None:
    crd.pop("status", None)
    first_generation(crd)
    _add_stored_version(crd)


def _prepare_update(new: Object, old: Object) -> None:
    keep_status(new, old)
    if spec_of(new) != spec_of(old):
        next_generation(new, old)
    _add_stored_version(new)


def _warnings(crd: Object, old: Object | None) -> list[str]:
    if old is not None and spec_of(old) == spec_of(crd):
        return []
    known = set(_unrecognised(old)) if old is not None else set[str]()
    return [
        f"unrecognized format {go_quote(name)}" for name in _unrecognised(crd) if name not in known
    ]


def _unrecognised(crd: Object) -> list[str]:
    """Formats that mean nothing to the server; those that versions have in common once."""
    schemas = [schema_of(version) for version in versions_of(crd)]
    if schemas and all(schema == schemas[0] for schema in schemas):
        schemas = schemas[:1]
    return [name for schema in schemas if schema for name in _formats(schema)]


def _formats(schema: Object) -> Iterator[str]:
    name, type_ = text(schema, "format"), text(schema, "type")
    if name and not _is_known(name, type_):
        yield name
    for sub in _inner(schema):
        yield from _formats(sub)


def _is_known(name: str, type_: str) -> bool:
    if type_ in ("", "string"):
        return name.replace("-", "") in STRING_FORMATS
    return name in _NUMBER_FORMATS.get(type_, ())


def _inner(schema: Object) -> Iterator[Object]:
    below = schema.get("items")
    if is_map(below):
        yield below
    for word in ("allOf", "anyOf", "oneOf"):
        yield from schema.get(word) or ()
    if is_map(inverse := schema.get("not")):
        yield inverse
    properties: dict[str, Object] = schema.get("properties") or {}
    yield from (properties[name] for name in sorted(properties))
    if is_map(extra := schema.get("additionalProperties")):
        yield extra
    if is_list(below):
        yield from below


CUSTOM_RESOURCE_DEFINITION = Behaviour(
    default=_default,
    prepare_create=_prepare_create,
    prepare_update=_prepare_update,
    validate=validate,
    validate_update=validate_update,
    warnings=_warnings,
    subpaths={"status": Subpath(prepare=keep_spec, validate=validate_status_update)},
    unconditional_update=False,
)
