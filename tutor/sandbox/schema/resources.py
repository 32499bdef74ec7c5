"""What a 1.36 server serves when nothing has been added to it: groups, versions, resources.

The order is the server's own everywhere: groups by priority, versions by preference, resources by
name. Source: the discovery documents of a recorded v1.36.2 server; the priorities are those that
kube-apiserver registers its API services with.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tutor.sandbox.kinds import Kind, Subresource

_DATA = Path(__file__).parent / "data" / "resources.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedVersion:
    """One version of a built-in group."""

    version: str
    priority: int
    """`versionPriority` of its APIService; 0 where the server registers none."""
    kinds: tuple[Kind, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedGroup:
    """A built-in group, its preferred version first."""

    group: str
    priority: int
    """`groupPriorityMinimum` of its APIServices; 0 where the server registers none."""
    versions: tuple[ServedVersion, ...]


@cache
def builtin_groups() -> tuple[ServedGroup, ...]:
    """Every built-in group, the core group first."""
    return tuple(
        ServedGroup(
            group=group["group"],
            priority=group["priority"],
            versions=tuple(
                ServedVersion(
                    version=v["version"],
                    priority=v["priority"],
                    kinds=tuple(_kind(group["group"], v["version"], r) for r in v["resources"]),
                )
                for v in group["versions"]
            ),
        )
        for group in _data()
    )


@cache
def builtin_kinds() -> tuple[Kind, ...]:
    """Every resource of every built-in group version."""
    return tuple(k for group in builtin_groups() for v in group.versions for k in v.kinds)


def _kind(group: str, version: str, resource: dict[str, Any]) -> Kind:
    return Kind(
        group=group,
        version=version,
        kind=resource["kind"],
        plural=resource["name"],
        singular=resource["singular"],
        namespaced=resource["namespaced"],
        verbs=tuple(resource["verbs"]),
        short_names=tuple(resource.get("short_names", ())),
        categories=tuple(resource.get("categories", ())),
        subresources=tuple(_subresource(s) for s in resource.get("subresources", ())),
        list_kind=f"{resource['kind']}List" if "list" in resource["verbs"] else "",
        storage_hash=resource.get("hash", ""),
    )


def _subresource(described: dict[str, Any]) -> Subresource:
    return Subresource(
        name=described["name"],
        verbs=tuple(described["verbs"]),
        kind=described["kind"],
        group=described.get("group", ""),
        version=described.get("version", ""),
    )


@cache
def _data() -> list[dict[str, Any]]:
    return json.loads(_DATA.read_bytes())
