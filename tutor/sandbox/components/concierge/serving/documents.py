"""The aggregated API's discovery: two groups with one resource each, which nobody stores.

Source: pinniped.md 2.2 and 2.3.
"""

from collections.abc import Sequence

from tutor.sandbox.components.concierge.config import Config
from tutor.sandbox.kinds import Kind, Object

VERSION = "v1alpha1"


def login_kind(config: Config) -> Kind:
    """TokenCredentialRequest."""
    return _kind(config.group("login.concierge"), "TokenCredentialRequest")


def identity_kind(config: Config) -> Kind:
    """WhoAmIRequest."""
    return _kind(config.group("identity.concierge"), "WhoAmIRequest")


def _kind(group: str, kind: str) -> Kind:
    singular = kind.lower()
    return Kind(
        group=group,
        version=VERSION,
        kind=kind,
        plural=f"{singular}s",
        singular=singular,
        namespaced=False,
        verbs=("create", "list"),
        categories=("pinniped",),
    )


def group_list(kinds: Sequence[Kind]) -> Object:
    """`/apis`."""
    groups = [_group(kind) for kind in kinds]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def group_of(kind: Kind) -> Object:
    """`/apis/GROUP`."""
    return {"kind": "APIGroup", "apiVersion": "v1"} | _group(kind)


def _group(kind: Kind) -> Object:
    version = {"groupVersion": kind.api_version, "version": kind.version}
    return {"name": kind.group, "versions": [version], "preferredVersion": version}


def resource_list(kind: Kind) -> Object:
    """`/apis/GROUP/VERSION`."""
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": kind.api_version,
        "resources": [
            {
                "name": kind.plural,
                "singularName": kind.singular,
                "namespaced": kind.namespaced,
                "kind": kind.kind,
                "verbs": list(kind.verbs),
                "categories": list(kind.categories),
            }
        ],
    }


def empty_list(kind: Kind) -> Object:
    """The collection: requests are answered and forgotten."""
    return {
        "kind": f"{kind.kind}List",
        "apiVersion": kind.api_version,
        "metadata": {"resourceVersion": "0"},
        "items": [],
    }
