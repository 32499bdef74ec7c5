"""The kinds that a definition serves, as discovery tells of them."""

from tutor.sandbox.api.builtin.reading import items, part, text
from tutor.sandbox.api.customresources.definition import (
    has_status,
    names_of,
    spec_of,
    subresources_of,
    versions_of,
)
from tutor.sandbox.kinds import Kind, Object, Subresource

_VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
_SUBRESOURCE_VERBS = ("get", "patch", "update")


def kinds(crd: Object) -> list[Kind]:
    """One kind for each served version, in the definition's order, by its accepted names."""
    names = part(crd, "status", "acceptedNames") or names_of(crd)
    return [_kind(crd, version, names) for version in versions_of(crd) if version.get("served")]


def _kind(crd: Object, version: Object, names: Object) -> Kind:
    return Kind(
        group=text(spec_of(crd), "group"),
        version=text(version, "name"),
        kind=text(names, "kind"),
        plural=text(names, "plural"),
        singular=text(names, "singular"),
        namespaced=spec_of(crd).get("scope") == "Namespaced",
        verbs=_VERBS,
        short_names=tuple(items(names, "shortNames")),
        categories=tuple(items(names, "categories")),
        subresources=tuple(_subresources(version, names)),
        list_kind=text(names, "listKind"),
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
