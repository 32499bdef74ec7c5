"""The `scale` subresource: one number of an object, as an autoscaling/v1 Scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tutor.sandbox.api.builtin.reading import items
from tutor.sandbox.api.status import FieldError, invalid, invalid_object
from tutor.sandbox.api.values import is_map
from tutor.sandbox.kinds import GroupResource, Object


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalePaths:
    """Where an object keeps its replicas and the selector of what it scales."""

    spec: Sequence[str]
    status: Sequence[str]
    selector: Sequence[str] = ()
    """A string in serialised form for custom resources; a LabelSelector for built-in ones."""


APPS = ScalePaths(
    spec=("spec", "replicas"), status=("status", "replicas"), selector=("spec", "selector")
)
BUILTIN: dict[GroupResource, ScalePaths] = {
    GroupResource("apps", "deployments"): APPS,
    GroupResource("apps", "replicasets"): APPS,
    GroupResource("apps", "statefulsets"): APPS,
    GroupResource("", "replicationcontrollers"): APPS,
}
_META = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def scale_of(obj: Object, paths: ScalePaths) -> Object:
    """The Scale of an object."""
    meta = {name: obj["metadata"][name] for name in _META if name in obj["metadata"]}
    replicas = _at(obj, paths.spec)
    status: Object = {"replicas": _at(obj, paths.status) or 0}
    selector = _selector_text(_at(obj, paths.selector) if paths.selector else None)
    if selector:
        status["selector"] = selector
    spec = {"replicas": replicas} if replicas else {}
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": meta,
        "spec": spec,
        "status": status,
    }


def has_replicas(obj: Object, paths: ScalePaths) -> bool:
    """Whether an object says how many replicas it wants."""
    return _at(obj, paths.spec) is not None


def apply_scale(obj: Object, scale: Object, paths: ScalePaths, *, judged: bool = True) -> Object:
    """The object with the replicas of a Scale, which is `judged` where the object will not be.

    Raises:
        ApiError: 422 for a number below zero.
    """
    replicas = scale.get("spec", {}).get("replicas", 0)
    errors: list[FieldError] = []
    if judged and replicas < 0:
        errors.append(invalid("spec.replicas", replicas, "must be greater than or equal to 0"))
    if errors:
        name = scale.get("metadata", {}).get("name", "")
        raise invalid_object("autoscaling", "Scale", name, errors)
    target = obj
    for name in paths.spec[:-1]:
        target = target.setdefault(name, {})
    target[paths.spec[-1]] = replicas
    version = scale.get("metadata", {}).get("resourceVersion")
    if version:
        obj["metadata"]["resourceVersion"] = version
    return obj


def _at(obj: Any, path: Sequence[str]) -> Any:
    for name in path:
        if not is_map(obj):
            return None
        obj = obj.get(name)
    return obj


def _selector_text(selector: Any) -> str:
    if selector is None or isinstance(selector, str):
        return selector or ""
    labels = selector.get("matchLabels", selector if "matchExpressions" not in selector else {})
    parts = [f"{key}={value}" for key, value in labels.items() if isinstance(value, str)]
    for item in items(selector, "matchExpressions"):
        key, operator = item["key"], item["operator"]
        listed = ",".join(sorted(items(item, "values")))
        parts.append(
            {
                "In": f"{key} in ({listed})",
                "NotIn": f"{key} notin ({listed})",
                "Exists": key,
                "DoesNotExist": f"!{key}",
            }[operator]
        )
    return ",".join(sorted(parts))
