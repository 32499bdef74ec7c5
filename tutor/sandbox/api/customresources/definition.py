"""Read a CustomResourceDefinition."""

from dataclasses import dataclass
from typing import Any

from tutor.sandbox.api.builtin.reading import items
from tutor.sandbox.kinds import Object


def spec_of(crd: Object) -> Object:
    """The spec."""
    return crd.get("spec") or {}


def names_of(crd: Object) -> Object:
    """The names that the spec asks for."""
    return spec_of(crd).get("names") or {}


def versions_of(crd: Object) -> list[Object]:
    """The versions, in order."""
    return spec_of(crd).get("versions") or []


def version_of(crd: Object, name: str) -> Object:
    """The version of that name; raises LookupError."""
    for version in versions_of(crd):
        if version.get("name") == name:
            return version
    raise LookupError(f"{crd['metadata']['name']} has no version {name}")


def storage_version(crd: Object) -> str:
    """The name of the version that objects are stored in, empty when none is marked."""
    marked = (version.get("name", "") for version in versions_of(crd) if version.get("storage"))
    return next(marked, "")


def schema_of(version: Object) -> Object | None:
    """The `openAPIV3Schema` of a version."""
    schema: Object | None = version.get("schema")
    return schema.get("openAPIV3Schema") if schema else None


def subresources_of(version: Object) -> Object:
    """The subresources that are on in a version."""
    return version.get("subresources") or {}


def has_status(version: Object) -> bool:
    """Whether the status subresource is on in a version."""
    return subresources_of(version).get("status") is not None


def condition_of(crd: Object, type_: str) -> Object | None:
    """A condition of the status, None when there is none of that type."""
    return next(
        (one for one in items(crd, "status", "conditions") if one.get("type") == type_), None
    )


def is_true(crd: Object, type_: str) -> bool:
    """Whether a condition is there and True."""
    condition = condition_of(crd, type_)
    return condition is not None and condition.get("status") == "True"


@dataclass(frozen=True, slots=True)
class Shared:
    """What all versions have in common.

    The real server keeps that beside the versions, once, and complains of it there:
    `spec.validation` and not `spec.versions[0].schema`.
    """

    schema: bool
    subresources: bool
    columns: bool
    selectable: bool


def shared(crd: Object) -> Shared:
    """What all versions have in common; versions that all lack something have that in common."""
    versions = versions_of(crd)

    def same(field: str) -> bool:
        values: list[Any] = [version.get(field) or None for version in versions]
        if field == "subresources":
            # An empty object is not the same as none here.
            values = [version.get(field) for version in versions]
        return bool(values) and all(value == values[0] for value in values)

    return Shared(
        schema=same("schema"),
        subresources=same("subresources"),
        columns=same("additionalPrinterColumns"),
        selectable=same("selectableFields"),
    )
