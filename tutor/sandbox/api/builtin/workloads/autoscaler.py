"""HorizontalPodAutoscalers, which are served in two versions.

Source: `apis/autoscaling/v2/defaults.go`, `autoscaling/v1/conversion.go`,
`autoscaling/validation/validation.go`.
"""

import json
from typing import Any

from tutor.sandbox.api import formats, metadata
from tutor.sandbox.api.builtin import checks, quantity
from tutor.sandbox.api.builtin.behaviour import Behaviour, Subpath, drop_status, keep_status
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.pod.resources import container_resource_name
from tutor.sandbox.api.builtin.reading import fill_absent, indexed, items, number, part, text
from tutor.sandbox.api.status import forbidden_field, invalid, not_supported, required
from tutor.sandbox.kinds import Object

V1, V2 = "autoscaling/v1", "autoscaling/v2"
_ANNOTATION = "autoscaling.alpha.kubernetes.io/"
_METRICS, _CURRENT, _CONDITIONS, _BEHAVIOUR = (
    f"{_ANNOTATION}{name}" for name in ("metrics", "current-metrics", "conditions", "behavior")
)
_CPU_PERCENT = 80
_MAX_PERIOD_S, _MAX_WINDOW_S = 1800, 3600
_SELECTIONS, _POLICIES = ("Disabled", "Max", "Min"), ("Percent", "Pods")
_SOURCES = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}
_TARGETS = ("Utilization", "Value", "AverageValue")


def _cpu(percent: int) -> Object:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def _percent_of(metric: Object) -> int | None:
    """The CPU utilization that a metric is about, the only one that v1 has a field for."""
    resource = part(metric, "resource")
    if metric.get("type") != "Resource" or resource.get("name") != "cpu":
        return None
    return part(resource, "target").get("averageUtilization")


def _default(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    fill_absent(spec, minReplicas=1)
    if obj.get("apiVersion") == V1:
        return
    if not spec.get("metrics"):
        spec["metrics"] = [_cpu(_CPU_PERCENT)]
    if (behaviour := spec.get("behavior")) is not None:
        pods = {"type": "Pods", "value": 4, "periodSeconds": 15}
        percent = {"type": "Percent", "value": 100, "periodSeconds": 15}
        up = {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": [pods, percent]}
        down = {"selectPolicy": "Max", "policies": [percent]}
        for name, rules in (("scaleUp", up), ("scaleDown", down)):
            given = {key: value for key, value in part(behaviour, name).items() if value}
            zero = part(behaviour, name).get("stabilizationWindowSeconds")
            behaviour[name] = rules | given
            if zero is not None:
                behaviour[name]["stabilizationWindowSeconds"] = zero


def convert(obj: Object, version: str) -> Object:
    """The object in another version; what v1 has no field for is in annotations there."""
    if obj.get("apiVersion") == version:
        return obj
    return _to_v1(obj) if version == V1 else _to_v2(obj)


def _annotated(obj: Object, annotations: dict[str, str]) -> Object:
    meta: Object = dict(part(obj, "metadata"))
    own = {key: v for key, v in part(meta, "annotations").items() if key not in _ROUND_TRIP}
    kept = dict(sorted((own | annotations).items()))
    meta.pop("annotations", None)
    return meta | ({"annotations": kept} if kept else {})


def _to_v1(obj: Object) -> Object:
    spec, status = dict(part(obj, "spec")), dict(part(obj, "status"))
    metrics: list[Object] = spec.pop("metrics", None) or []
    behaviour: Object | None = spec.pop("behavior", None)
    percents = [_percent_of(metric) for metric in metrics]
    percent = next((found for found in percents if found is not None), None)
    if percent is not None:
        spec["targetCPUUtilizationPercentage"] = percent
    others = [one for one, found in zip(metrics, percents, strict=True) if found is None]
    current, conditions = status.pop("currentMetrics", None), status.pop("conditions", None)
    kept = ((_METRICS, others), (_CURRENT, current), (_BEHAVIOUR, behaviour))
    written = {name: _json(value) for name, value in (*kept, (_CONDITIONS, conditions)) if value}
    meta = _annotated(obj, written)
    return obj | {"apiVersion": V1, "metadata": meta, "spec": spec, "status": status}


def _to_v2(obj: Object) -> Object:
    spec, status = dict(part(obj, "spec")), dict(part(obj, "status"))
    annotations = part(obj, "metadata", "annotations")
    percent = spec.pop("targetCPUUtilizationPercentage", None)
    metrics = [*_read(annotations, _METRICS), *([_cpu(percent)] if percent is not None else [])]
    spec["metrics"] = metrics or [_cpu(_CPU_PERCENT)]
    for place, key, name in (
        (spec, "behavior", _BEHAVIOUR),
        (status, "currentMetrics", _CURRENT),
        (status, "conditions", _CONDITIONS),
    ):
        if found := _read(annotations, name):
            place[key] = found
    status.pop("currentCPUUtilizationPercentage", None)
    meta = _annotated(obj, {})
    return obj | {"apiVersion": V2, "metadata": meta, "spec": spec, "status": status}


_ROUND_TRIP = (_METRICS, _CURRENT, _CONDITIONS, _BEHAVIOUR)


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _read(annotations: Object, name: str) -> Any:
    try:
        return json.loads(annotations.get(name) or "[]")
    except ValueError:  # the server passes over what it cannot read, too
        return []


def _validate(obj: Object) -> Errors:
    return metadata.built_in(obj, metadata.dns_subdomain) + _spec(obj, None)


def _validate_update(new: Object, old: Object) -> Errors:
    return metadata.built_in_update(new, old) + _spec(new, old)


def _validate_status(new: Object, old: Object) -> Errors:
    errors = metadata.built_in_update(new, old)
    for name in ("currentReplicas", "desiredReplicas"):
        errors += checks.non_negative(number(part(new, "status"), name), f"status.{name}")
    return errors


def _spec(obj: Object, old: Object | None) -> Errors:
    spec = part(convert(obj, V2), "spec")
    low, high = spec.get("minReplicas"), number(spec, "maxReplicas")
    errors: Errors = []
    if low is not None and low < 1:
        errors.append(invalid("spec.minReplicas", low, "must be greater than or equal to 1"))
    if high == 0:
        errors.append(required("spec.maxReplicas", "must be set and greater than 0"))
    elif high < 0:
        errors.append(invalid("spec.maxReplicas", high, "must be greater than or equal to 1"))
    if low is not None and high < low:
        why = "must be greater than or equal to `minReplicas`"
        errors.append(invalid("spec.maxReplicas", high, why))
    target, before = part(spec, "scaleTargetRef"), part(old or {}, "spec", "scaleTargetRef")
    kept = all(text(target, key) == text(before, key) for key in ("kind", "apiVersion"))
    core = text(target, "kind") == "ReplicationController"
    path = "spec.scaleTargetRef"
    errors += _reference(target, path, any_version=old is not None and kept, core=core)
    for metric, at in indexed(spec, "metrics", "spec"):
        errors += _metric(metric, at)
    if low == 0 and not any(one.get("type") in ("Object", "External") for one in spec["metrics"]):
        why = "must specify at least one Object or External metric to support scaling to zero"
        errors.append(forbidden_field("spec.metrics", f"{why} replicas"))
    for name in ("scaleUp", "scaleDown"):
        rules = part(spec, "behavior").get(name)
        errors += _rules(rules, f"spec.behavior.{name}") if rules is not None else []
    return errors


def _reference(ref: Object, path: str, *, any_version: bool = False, core: bool = True) -> Errors:
    errors: Errors = []
    for key in ("kind", "name"):
        if value := text(ref, key):
            errors += checks.obey(checks.path_segment, value, f"{path}.{key}")
        else:
            errors.append(required(f"{path}.{key}"))
    version = text(ref, "apiVersion")
    why = ""
    if version.count("/") > 1:
        why = f"unexpected GroupVersion string: {version}"
    elif not core and "/" not in version:
        why = "apiVersion must specify API group"
    if why and not any_version:
        errors.append(invalid(f"{path}.apiVersion", version, why))
    return errors


def _metric(metric: Object, path: str) -> Errors:
    kind = text(metric, "type")
    errors: Errors = []
    if not kind:
        errors.append(required(f"{path}.type", "must specify a metric source type"))
    if kind not in _SOURCES:
        errors.append(not_supported(f"{path}.type", kind, sorted(_SOURCES)))
    order = ("object", "external", "pods", "resource", "containerResource")
    present = [name for name in order if metric.get(name) is not None]
    if present:
        errors += _source(present[0], metric[present[0]], f"{path}.{present[0]}")
    wanted = _SOURCES.get(kind, "")
    if not wanted:
        errors.append(not_supported(f"{path}.type", kind, sorted(_SOURCES)))
    elif wanted not in present:
        why = "must populate information for the given metric source"
        errors.append(required(f"{path}.{wanted}", why))
    if len(present) != 1:
        why = "must populate the given metric source only"
        errors += [forbidden_field(f"{path}.{name}", why) for name in present if name != wanted]
    return errors


def _source(name: str, source: Object, path: str) -> Errors:
    target = part(source, "target")
    if name in ("resource", "containerResource"):
        return _resource(name, source, target, path)
    errors = _reference(part(source, "describedObject"), f"{path}.describedObject") * (
        name == "object"
    )
    metric = text(part(source, "metric"), "name")
    if metric:
        errors += checks.obey(checks.path_segment, metric, f"{path}.metric.name")
    else:
        errors.append(required(f"{path}.metric.name", "must specify a metric name"))
    errors += _target(target, f"{path}.target")
    value, average = (target.get(key) is not None for key in ("value", "averageValue"))
    at = f"{path}.target.averageValue"
    if name == "pods" and not average:
        errors.append(required(at, "must specify a positive target averageValue"))
    if name == "object" and not (value or average):
        errors.append(required(at, "must set either a target value or averageValue"))
    if name == "external":
        if not (value or average):
            why = "must set either a target value for metric or a per-pod target"
            errors.append(required(at, why))
        if value and average:
            why = "may not set both a target value for metric and a per-pod target"
            errors.append(forbidden_field(f"{path}.target.value", why))
    return errors


def _resource(name: str, source: Object, target: Object, path: str) -> Errors:
    errors: Errors = []
    if not text(source, "name"):
        errors.append(required(f"{path}.name", "must specify a resource name"))
    elif name == "containerResource":
        errors += container_resource_name(source["name"], f"{path}.name")
    if name == "containerResource":
        if container := text(source, "container"):
            errors += checks.obey(formats.dns1123_label, container, f"{path}.container")
        else:
            errors.append(required(f"{path}.container", "must specify a container"))
    errors += _target(target, f"{path}.target")
    share, value = (target.get(key) is not None for key in ("averageUtilization", "averageValue"))
    if not share and not value:
        why = "must set either a target raw value or a target utilization"
        errors.append(required(f"{path}.target.averageUtilization", why))
    if share and value:
        why = "may not set both a target raw value and a target utilization"
        errors.append(forbidden_field(f"{path}.target.averageValue", why))
    return errors


def _target(target: Object, path: str) -> Errors:
    kind = text(target, "type")
    errors: Errors = []
    if not kind:
        errors.append(required(f"{path}.type", "must specify a metric target type"))
    if kind not in _TARGETS:
        why = "must be either Utilization, Value, or AverageValue"
        errors.append(invalid(f"{path}.type", kind, why))
    for key in ("value", "averageValue"):
        value = target.get(key)
        if value is not None and quantity.parse(value) <= quantity.ZERO:
            errors.append(invalid(f"{path}.{key}", value, "must be positive"))
    share = target.get("averageUtilization")
    if share is not None and share < 1:
        errors.append(invalid(f"{path}.averageUtilization", share, "must be greater than 0"))
    return errors


def _rules(rules: Object, path: str) -> Errors:
    errors: Errors = []
    window = rules.get("stabilizationWindowSeconds")
    at = f"{path}.stabilizationWindowSeconds"
    if window is not None and window < 0:
        errors.append(invalid(at, window, "must be greater than or equal to zero"))
    if window is not None and window > _MAX_WINDOW_S:
        errors.append(invalid(at, window, f"must be less than or equal to {_MAX_WINDOW_S}"))
    if (chosen := rules.get("selectPolicy")) is not None:
        errors += checks.one_of(chosen, _SELECTIONS, f"{path}.selectPolicy")
    if not items(rules, "policies"):
        errors.append(required(f"{path}.policies", "must specify at least one Policy"))
    for policy, where in indexed(rules, "policies", path):
        errors += checks.one_of(text(policy, "type"), _POLICIES, f"{where}.type")
        for key in ("value", "periodSeconds"):
            if number(policy, key) <= 0:
                why = "must be greater than zero"
                errors.append(invalid(f"{where}.{key}", number(policy, key), why))
        if number(policy, "periodSeconds") > _MAX_PERIOD_S:
            why = f"must be less than or equal to {_MAX_PERIOD_S}"
            errors.append(invalid(f"{where}.periodSeconds", policy["periodSeconds"], why))
    if (tolerance := rules.get("tolerance")) is not None:
        errors += checks.non_negative_quantity(tolerance, f"{path}.tolerance")
    return errors


HORIZONTAL_POD_AUTOSCALER = Behaviour(
    default=_default,
    prepare_create=drop_status,
    prepare_update=keep_status,
    validate=_validate,
    validate_update=_validate_update,
    subpaths={"status": Subpath(validate=_validate_status)},
    convert=convert,
)
