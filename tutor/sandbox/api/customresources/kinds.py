"""The kinds that a definition serves, as discovery tells of them."""

from tutor.sandbox.api.builtin.reading import items, part, text
from tutor.sandbox.api.customresources.definition import (
    has_status,
    is_true,
    names_of,
    spec_of,
    storage_version,
    subresources_of,
    versions_of,
)
from tutor.sandbox.kinds import GroupVersion, Kind, Object, Subresource, storage_hash, version_rank

_VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
_LAST_VERBS = ("delete", "deletecollection", "get", "list", "watch")
"""What discovery tells of a kind whose definition is on its way out."""
_SUBRESOURCE_VERBS = ("get", "patch", "update")


def kinds(crd: Object) -> list[Kind]:
    """One kind for each served version, in the definition's order, by its accepted names."""
    names = part(crd, "status", "acceptedNames") or names_of(crd)
    served = [version for version in versions_of(crd) if version.get("served")]
    if not served and is_true(crd, "Terminating"):
        # Somebody has to delete the objects, and does so through the API.
        served = [version for version in versions_of(crd) if version.get("storage")]
    return [_kind(crd, version, names) for version in served]


def deprecation(crd: Object, version: Object) -> str:
    """What requests in this version are warned of, empty when nothing is wrong with it."""
    if not version.get("deprecated"):
        return ""
    if warning := version.get("deprecationWarning"):
        return warning
    name = text(version, "name")
    newer = [
        other
        for one in versions_of(crd)
        if one.get("served")
        and not one.get("deprecated")
        and _rank(other := text(one, "name")) < _rank(name)
    ]
    told = f"{_type(crd, name)} is deprecated"
    return f"{told}; use {_type(crd, min(newer, key=_rank))}" if newer else told


def _rank(version: str) -> tuple[tuple[int, int, int], str]:
    return version_rank(version), version


def _type(crd: Object, version: str) -> str:
    return f"{GroupVersion(text(spec_of(crd), 'group'), version)} {text(names_of(crd), 'kind')}"


def _kind(crd: Object, version: Object, names: Object) -> Kind:
    group, stored = text(spec_of(crd), "group"), storage_version(crd)
    return Kind(
        group=group,
        version=text(version, "name"),
        kind=text(names, "kind"),
        plural=text(names, "plural"),
        singular=text(names, "singular"),
        namespaced=spec_of(crd).get("scope") == "Namespaced",
        verbs=_VERBS,
        announced=_LAST_VERBS if is_true(crd, "Terminating") else (),
        short_names=tuple(items(names, "shortNames")),
        categories=tuple(items(names, "categories")),
        subresources=tuple(_subresources(version, names)),
        list_kind=text(names, "listKind"),
        storage_hash=storage_hash(group, stored, text(names, "kind")),
        custom=True,
    )


def _subresources(version: Object, names: Object) -> list[Subresource]:
    found: list[Subresource] = []
    if has_status(version):
        found.append(Subresource(name="status", verbs=_SUBRESOURCE_VERBS, kind=text(names, "kind")))
    if subresources_of(version).get("scale") is not None:
        scale = Subresource(
            name="scale",
            verbs=_SUBRESOURCE_VERBS,
            kind="Scale",
            group="autoscaling",
            version="v1",
        )
        found.append(scale)
    return found
