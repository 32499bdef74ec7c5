"""Discovery documents: what is served, in the old form and in the aggregated one.

Source: recorded documents of v1.36; KEP 3352 (aggregated discovery).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tutor.sandbox.api.registry import Registry
from tutor.sandbox.kinds import GroupVersion, Kind, Object, Subresource, storage_hash

AGGREGATED = "apidiscovery.k8s.io"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A group version that another server answers for, as its own discovery describes it."""

    resources: Sequence[Object]
    """APIResource entries; the last known ones when `stale`."""
    stale: bool


class Discovery:
    """Makes the documents, once for each state of the registry.

    `order` gives the groups and their versions by priority, best first, without the core group.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.order: Sequence[tuple[str, Sequence[str]]] = ()
        self.remotes: Mapping[GroupVersion, Remote] = {}
        self._cache: dict[str, tuple[bytes, str]] = {}

    def changed(
        self, order: Sequence[tuple[str, Sequence[str]]], remotes: Mapping[GroupVersion, Remote]
    ) -> None:
        """Take the groups as the APIServices are now."""
        self.order = order
        self.remotes = remotes
        self._cache.clear()

    def forget(self) -> None:
        """Make every document anew: kinds came or went."""
        self._cache.clear()

    def aggregated(self, version: str, *, core: bool) -> tuple[bytes, str]:
        """The aggregated document for `/api` or `/apis`, and its ETag."""
        name = f"{version}:{core}"
        if name not in self._cache:
            groups: Sequence[tuple[str, Sequence[str]]] = [("", ["v1"])] if core else self.order
            document: Object = {
                "kind": "APIGroupDiscoveryList",
                "apiVersion": f"{AGGREGATED}/{version}",
                "metadata": {},
                "items": [self._group_item(group, versions) for group, versions in groups],
            }
            body = json.dumps(document, separators=(",", ":")).encode() + b"\n"
            self._cache[name] = body, f'"{hashlib.sha512(body).hexdigest().upper()}"'
        return self._cache[name]

    def groups(self) -> Object:
        """APIGroupList."""
        items = [self._group(group, versions) for group, versions in self.order]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": items}

    def group(self, name: str) -> Object | None:
        """APIGroup, None when there is none of that name."""
        for group, versions in self.order:
            if group == name:
                return {"kind": "APIGroup", "apiVersion": "v1"} | self._group(group, versions)
        return None

    def resources(self, version: GroupVersion) -> Object | None:
        """APIResourceList, None when the group version is not served."""
        remote = self.remotes.get(version)
        if remote is not None:
            entries = list(remote.resources)
        else:
            served = self._registry.in_version(version)
            if not served and not self.has(version):
                return None
            entries = [entry for s in served for entry in _entries(s.kind)]
        document: Object = {"kind": "APIResourceList"}
        if version.group:
            document["apiVersion"] = "v1"
        return document | {"groupVersion": str(version), "resources": entries}

    def has(self, version: GroupVersion) -> bool:
        """Whether the group version is announced."""
        return any(
            group == version.group and version.version in versions for group, versions in self.order
        )

    def is_own(self, group: str) -> bool:
        """Whether a group is the server's own, not one of custom resources or of another server."""
        return self._registry.builtin_group(group)

    def paths(self) -> Iterable[str]:
        """The API paths that `/` lists."""
        yield from ("/api", "/api/v1", "/apis", "/apis/")
        for group, versions in self.order:
            yield f"/apis/{group}"
            yield from (f"/apis/{group}/{version}" for version in versions)

    def _group(self, group: str, versions: Sequence[str]) -> Object:
        listed = [{"groupVersion": f"{group}/{v}", "version": v} for v in versions]
        return {"name": group, "versions": listed, "preferredVersion": listed[0]}

    def _group_item(self, group: str, versions: Sequence[str]) -> Object:
        meta = {"name": group} if group else {}
        items = [self._version_item(GroupVersion(group, version)) for version in versions]
        return {"metadata": meta, "versions": items}

    def _version_item(self, version: GroupVersion) -> Object:
        remote = self.remotes.get(version)
        item: Object = {"version": version.version}
        if remote is None:
            served = self._registry.in_version(version)
            kinds = sorted((s.kind for s in served), key=lambda kind: kind.plural)
            resources = [_aggregated_entry(kind) for kind in kinds]
        else:
            resources = _from_entries(remote.resources, version)
        if resources:
            item["resources"] = resources
        item["freshness"] = "Stale" if remote is not None and remote.stale else "Current"
        return item


def _entries(kind: Kind) -> Iterable[Object]:
    entry: Object = {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": list(kind.announced or kind.verbs),
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    if "list" in kind.verbs and "watch" in kind.verbs:
        own = storage_hash(kind.group, kind.version, kind.kind)
        entry["storageVersionHash"] = kind.storage_hash or own
    yield entry
    for subresource in kind.subresources:
        yield _subresource_entry(kind, subresource)


def _subresource_entry(kind: Kind, subresource: Subresource) -> Object:
    entry: Object = {
        "name": f"{kind.plural}/{subresource.name}",
        "singularName": "",
        "namespaced": kind.namespaced,
    }
    if subresource.group:
        entry["group"] = subresource.group
    if subresource.version:
        entry["version"] = subresource.version
    entry["kind"] = subresource.kind
    entry["verbs"] = list(subresource.verbs)
    return entry


def _aggregated_entry(kind: Kind) -> Object:
    own = (kind.group, kind.version) if kind.custom else ("", "")
    entry: Object = {
        "resource": kind.plural,
        "responseKind": _response_kind(*own, kind.kind),
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": list(kind.announced or kind.verbs),
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    if kind.subresources:
        entry["subresources"] = [
            {
                "subresource": sub.name,
                "responseKind": _response_kind(
                    sub.group or own[0], sub.version or own[1], sub.kind
                ),
                "verbs": list(sub.verbs),
            }
            for sub in kind.subresources
        ]
    return entry


def _response_kind(group: str, version: str, kind: str) -> Object:
    return {"group": group, "version": version, "kind": kind}


def _from_entries(entries: Sequence[Object], version: GroupVersion) -> list[Any]:
    found: dict[str, Object] = {}
    for entry in entries:
        name, _, subresource = entry["name"].partition("/")
        kind = _response_kind(
            entry.get("group") or version.group,
            entry.get("version") or version.version,
            entry["kind"],
        )
        if subresource:
            sub = {"subresource": subresource, "responseKind": kind, "verbs": entry["verbs"]}
            found.setdefault(name, {}).setdefault("subresources", []).append(sub)
            continue
        item: Object = {
            "resource": name,
            "responseKind": kind,
            "scope": "Namespaced" if entry.get("namespaced") else "Cluster",
            "singularResource": entry.get("singularName", ""),
            "verbs": entry["verbs"],
        }
        for source in ("shortNames", "categories"):
            if entry.get(source):
                item[source] = entry[source]
        found[name] = item | found.get(name, {})
    return [found[name] for name in sorted(found)]
