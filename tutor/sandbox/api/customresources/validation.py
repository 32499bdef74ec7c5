"""What is wrong with a CustomResourceDefinition, or with a change of one.

The real server judges its own internal form of a definition: what all versions have in common
stands beside the versions there, and complaints name that place.

Source: apiextensions-apiserver (`pkg/apis/apiextensions/validation/validation.go`).
"""

from collections.abc import Iterator, Mapping, Sequence

from tutor.sandbox.api.builtin import checks
from tutor.sandbox.api.builtin.reading import items, part, text
from tutor.sandbox.api.customresources.approval import (
    ANNOTATION,
    annotated,
    approval,
    is_protected,
)
from tutor.sandbox.api.customresources.conversion import check_conversion, is_bad_bundle
from tutor.sandbox.api.customresources.definition import (
    Shared,
    has_status,
    is_true,
    names_of,
    schema_of,
    shared,
    spec_of,
    versions_of,
)
from tutor.sandbox.api.customresources.names import check_names, check_required_names
from tutor.sandbox.api.customresources.openapi import check_schema
from tutor.sandbox.api.customresources.printed import versions_printed
from tutor.sandbox.api.customresources.serving import (
    check_column,
    check_selectable,
    check_subresources,
)
from tutor.sandbox.api.customresources.structure import inner_schemas, unsupported
from tutor.sandbox.api.formats import dns1035_label, dns1123_subdomain
from tutor.sandbox.api.metadata import validate_object_meta, validate_object_meta_update
from tutor.sandbox.api.status import FieldError, invalid, not_supported, required
from tutor.sandbox.kinds import Object

_SCOPES = ("Cluster", "Namespaced")


def validate(crd: Object) -> list[FieldError]:
    """Everything that is wrong with a new definition."""

    def name_rule(name: str) -> list[str]:
        wanted = f"{text(names_of(crd), 'plural')}.{text(spec_of(crd), 'group')}"
        complaint = [] if name == wanted else ['must be spec.names.plural+"."+spec.group']
        return dns1123_subdomain(name) + complaint

    meta = part(crd, "metadata")
    return [
        *validate_object_meta(meta, namespaced=False, name_rule=name_rule),
        *_check_spec(crd, {}, lax_bundle=True),
        *_check_status(crd),
        *_check_approval(crd, None),
        *_check_preserving(crd),
    ]


def validate_update(new: Object, old: Object) -> list[FieldError]:
    """Everything that is wrong with a change of the definition."""
    spec, before = spec_of(new), spec_of(old)
    established = is_true(old, "Established")
    bundle = text(part(before, "conversion", "webhook", "clientConfig"), "caBundle")
    lax_bundle = not established or (bool(bundle) and is_bad_bundle(bundle))
    fixed = [("scope",), ("names", "kind")] if established else []
    return [
        *validate_object_meta_update(part(new, "metadata"), part(old, "metadata")),
        *_check_spec(new, old, lax_bundle=lax_bundle),
        *(
            error
            for place in (*fixed, ("group",), ("names", "plural"))
            for error in _check_fixed(spec, before, place)
        ),
        *_check_status(new),
        *_check_approval(new, old),
        *_check_preserving(new),
    ]


def validate_status_update(new: Object, old: Object) -> list[FieldError]:
    """What is wrong with a change of the status."""
    changed = validate_object_meta_update(part(new, "metadata"), part(old, "metadata"))
    return [*changed, *check_names(part(new, "status", "acceptedNames"), "status.acceptedNames")]


def _check_fixed(spec: Object, before: Object, place: Sequence[str]) -> list[FieldError]:
    *outer, name = place
    now, then = text(part(spec, *outer), name), text(part(before, *outer), name)
    return checks.immutable(now, then, ".".join(("spec", *place)))


def _check_spec(crd: Object, old: Object, *, lax_bundle: bool) -> Iterator[FieldError]:
    spec, common = spec_of(crd), shared(crd)
    schemas = [schema for version in versions_of(crd) if (schema := schema_of(version))]
    before = {text(version, "name"): schema_of(version) for version in versions_of(old)}
    yield from _check_group(text(spec, "group"))
    scope = text(spec, "scope")
    if not scope:
        yield required("spec.scope")
    elif scope not in _SCOPES:
        yield not_supported("spec.scope", scope, _SCOPES)
    yield from _check_schemas_there(crd)
    if spec.get("preserveUnknownFields") and any(map(_fills, schemas)):
        why = "must be false in order to use defaults in the schema"
        yield invalid("spec.preserveUnknownFields", True, why)
    for index, version in enumerate(versions_of(crd)):
        yield from _check_version(version, f"spec.versions[{index}]", common, before)
    yield from _check_versions(crd, common)
    yield from check_required_names(names_of(crd), "spec.names")
    yield from check_names(names_of(crd), "spec.names")
    yield from _check_shared(crd, common, before)
    strategy = text(part(spec, "conversion"), "strategy")
    if spec.get("preserveUnknownFields") and strategy != "None":
        why = "must be None if spec.preserveUnknownFields is true"
        yield invalid("spec.conversion.strategy", strategy, why)
    yield from check_conversion(spec.get("conversion"), "spec.conversion", lax_bundle=lax_bundle)


def _fills(schema: Object) -> bool:
    return schema.get("default") is not None or any(map(_fills, inner_schemas(schema)))


def _check_group(group: str) -> Iterator[FieldError]:
    if not group:
        yield required("spec.group")
    elif complaints := dns1123_subdomain(group):
        yield invalid("spec.group", group, ",".join(complaints))
    elif "." not in group:
        yield invalid("spec.group", group, "should be a domain with at least one dot")


def _check_schemas_there(crd: Object) -> Iterator[FieldError]:
    for index, version in enumerate(versions_of(crd)):
        if schema_of(version) is None:
            yield required(f"spec.versions[{index}].schema.openAPIV3Schema")


def _check_version(
    version: Object, path: str, common: Shared, before: Mapping[str, Object | None]
) -> Iterator[FieldError]:
    name = text(version, "name")
    if complaints := dns1035_label(name):
        yield invalid(f"{path}.name", name, ",".join(complaints))
    yield from _check_deprecation(version, f"{path}.deprecationWarning")
    schema = schema_of(version)
    if schema is not None and not common.schema:
        at = f"{path}.schema.openAPIV3Schema"
        unchanged = schema == before.get(name)
        yield from check_schema(schema, at, with_status=has_status(version), unchanged=unchanged)
    if not common.subresources:
        yield from check_subresources(version.get("subresources"), f"{path}.subresources")
    if not common.columns:
        yield from _check_columns(version, path)
    fields: list[Object] = [] if common.selectable else items(version, "selectableFields")
    if fields:
        # The real server says the contrary of what it means.
        lacking = "may only be set when `version.schema.openAPIV3Schema` is not included"
        yield from _check_selectable(fields, None if common.schema else schema, path, lacking)


def _check_columns(version: Object, path: str) -> Iterator[FieldError]:
    for index, column in enumerate(items(version, "additionalPrinterColumns")):
        yield from check_column(column, f"{path}.additionalPrinterColumns[{index}]")


def _check_selectable(
    fields: list[Object], schema: Object | None, path: str, lacking: str
) -> Iterator[FieldError]:
    at = f"{path}.selectableFields"
    if schema is None:
        yield invalid(at, "", lacking)
    elif why := unsupported(schema):
        yield invalid(f"{path}.schema.openAPIV3Schema", "", why)
        yield from check_selectable(fields, {}, at)
    else:
        yield from check_selectable(fields, schema, at)


def _check_deprecation(version: Object, path: str) -> Iterator[FieldError]:
    warning: str | None = version.get("deprecationWarning")
    if warning is None:
        return
    if not version.get("deprecated"):
        yield invalid(path, warning, "can only be set for deprecated versions")
        return
    if len(warning.encode()) > 256:
        yield invalid(path, warning, "must be <= 256 characters long")
    if not warning:
        yield invalid(path, warning, "must not be an empty string")
    odd = next((at for at, char in enumerate(warning) if not char.isprintable()), None)
    if odd is not None:
        at = len(warning[:odd].encode())
        why = (
            "must only contain printable UTF-8 characters;"
            f" non-printable character found at index {at}"
        )
        yield invalid(path, warning, why)


def _check_versions(crd: Object, common: Shared) -> Iterator[FieldError]:
    versions = versions_of(crd)
    names = [text(version, "name") for version in versions]
    complaints: list[str] = []
    if len(set(names)) < len(names):
        complaints.append("must contain unique version names")
    if sum(1 for version in versions if version.get("storage")) != 1:
        complaints.append("must have exactly one version marked as storage version")
    for complaint in complaints:
        printed = (
            versions_printed(versions, common) if crd["spec"].get("versions") is not None else None
        )
        yield invalid("spec.versions", printed, complaint)
    # The internal form repeats the name of the first version.
    if names and names[0] and (found := dns1035_label(names[0])):
        yield invalid("spec.version", names[0], ",".join(found))


def _check_shared(
    crd: Object, common: Shared, before: Mapping[str, Object | None]
) -> Iterator[FieldError]:
    """Check what all versions have in common, where the real server keeps it."""
    versions = versions_of(crd)
    if not versions:
        return
    first = versions[0]
    schema = schema_of(first) if common.schema else None
    if schema is not None:
        with_status = any(has_status(version) for version in versions)
        path = "spec.validation.openAPIV3Schema"
        unchanged = schema == before.get(text(first, "name"))
        yield from check_schema(schema, path, with_status=with_status, unchanged=unchanged)
    if common.subresources:
        yield from check_subresources(first.get("subresources"), "spec.subresources")
    if common.columns:
        yield from _check_columns(first, "spec")
    fields: list[Object] = items(first, "selectableFields") if common.selectable else []
    if fields:
        lacking = "may only be set when validations.schema is included"
        yield from _check_selectable(fields, schema, "spec", lacking)


def _check_status(crd: Object) -> Iterator[FieldError]:
    yield from check_names(part(crd, "status", "acceptedNames"), "status.acceptedNames")
    path = "status.storedVersions"
    stored: list[str] = items(crd, "status", "storedVersions")
    if not stored:
        yield invalid(path, None, "must have at least one stored version")
        return
    names = [text(version, "name") for version in versions_of(crd)]
    for index, version in enumerate(versions_of(crd)):
        # A version that is there twice counts once.
        if version.get("storage") and (names[index] not in stored or names[index] in names[:index]):
            yield invalid(path, stored, f"must have the storage version {names[index]}")
    for index, name in enumerate(stored):
        if name not in names:
            why = (
                f"missing from spec.versions; {name} was previously a storage version, and must"
                " remain in spec.versions until a storage migration ensures no data remains"
                f" persisted in {name} and removes {name} from status.storedVersions"
            )
            yield invalid(f"{path}[{index}]", name, why)


def _check_approval(new: Object, old: Object | None) -> Iterator[FieldError]:
    if not is_protected(new):
        return
    state, reason = approval(new)
    if old is not None and approval(old).state == state:
        return
    path = f"metadata.annotations[{ANNOTATION}]"
    if state == "missing":
        yield required(path, reason)
    elif state == "invalid":
        yield invalid(path, annotated(new), reason)


def _check_preserving(crd: Object) -> Iterator[FieldError]:
    if spec_of(crd).get("preserveUnknownFields"):
        why = (
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in"
            " spec.versions[*].schema instead"
        )
        yield invalid("spec.preserveUnknownFields", True, why)
