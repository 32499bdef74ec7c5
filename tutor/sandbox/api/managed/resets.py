"""Which fields a path of a resource cannot change, so that nobody owns them by writing there.

Source: the strategies' GetResetFields in kubernetes, apiextensions-apiserver and kube-aggregator.
"""

from tutor.sandbox.api.managed.fields import (
    ANY,
    Fields,
    Pattern,
    deep_difference,
    fields_of,
    matching,
)
from tutor.sandbox.kinds import GroupResource, Kind

_STATUS = fields_of(("f:status",))
_SPEC = fields_of(("f:spec",))
_ALL_BUT_STATUS = fields_of(("f:metadata",), ("f:spec",))
_PODS = GroupResource("", "pods")
_REQUESTS = GroupResource("certificates.k8s.io", "certificatesigningrequests")

_EXCLUDED: dict[tuple[GroupResource, str], Fields] = {
    (_PODS, "status"): fields_of(
        ("f:spec",),
        ("f:metadata", "f:deletionTimestamp"),
        ("f:metadata", "f:ownerReferences"),
    ),
    (GroupResource("apps", "deployments"), "status"): fields_of(
        ("f:metadata", "f:labels"), ("f:spec",)
    ),
    (GroupResource("", "namespaces"), "finalize"): _STATUS,
    (GroupResource("apiextensions.k8s.io", "customresourcedefinitions"), "status"): _SPEC,
    (_REQUESTS, ""): fields_of(("f:spec",), ("f:status",)),
    (_REQUESTS, "status"): fields_of(("f:spec",), ("f:status", "f:conditions")),
    (_REQUESTS, "approval"): fields_of(("f:spec",), ("f:status", "f:certificate")),
}
_RESIZED: Pattern = {ANY: {"f:resources": {}, "f:resizePolicy": {}}}
_INCLUDED: dict[tuple[GroupResource, str], Pattern] = {
    (_PODS, "ephemeralcontainers"): {"f:spec": {"f:ephemeralContainers": {}}},
    (_PODS, "resize"): {"f:spec": {"f:containers": _RESIZED, "f:initContainers": _RESIZED}},
}
_METADATA_STAYS = frozenset(
    {
        "admissionregistration.k8s.io",
        "apiregistration.k8s.io",
        "flowcontrol.apiserver.k8s.io",
        "resource.k8s.io",
    }
)
"""Groups whose kinds keep their metadata when the status is written."""
_METADATA_STAYS_TOO = frozenset(
    {
        GroupResource("networking.k8s.io", "servicecidrs"),
        GroupResource("storage.k8s.io", "volumeattachments"),
    }
)


def writable(fields: Fields, kind: Kind, subresource: str) -> Fields:
    """Those of the fields that a write to a path of this kind can set."""
    if not fields:
        return fields
    place = (kind.group_resource, subresource)
    if place in _INCLUDED:
        return matching(fields, _INCLUDED[place])
    excluded = _EXCLUDED.get(place)
    if excluded is None:
        excluded = _usually_excluded(kind, subresource)
    return deep_difference(fields, excluded) if excluded else fields


def _usually_excluded(kind: Kind, subresource: str) -> Fields:
    if subresource not in ("", "status") or kind.subresource("status") is None:
        return {}
    if not subresource:
        return _STATUS
    keeps_metadata = (
        kind.custom or kind.group in _METADATA_STAYS or kind.group_resource in _METADATA_STAYS_TOO
    )
    return _ALL_BUT_STATUS if keeps_metadata else _SPEC
