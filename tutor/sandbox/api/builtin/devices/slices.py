"""ResourceSlices: the devices of a node, or of several.

Source: `apis/resource/validation/validation.go`, `registry/resource/resourceslice`.
"""

import re
from collections.abc import Callable

from tutor.sandbox.api import formats, metadata
from tutor.sandbox.api.builtin import checks
from tutor.sandbox.api.builtin.behaviour import Behaviour
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.devices.requests import (
    EFFECTS,
    label,
    listed,
    named,
    qualified_name,
)
from tutor.sandbox.api.builtin.pod.network_volumes import driver_name
from tutor.sandbox.api.builtin.pod.scheduling import node_selector
from tutor.sandbox.api.builtin.reading import fill_absent, items, number, part, same, text
from tutor.sandbox.api.builtin.workloads.template import count_changes
from tutor.sandbox.api.status import forbidden_field, invalid, required, too_long
from tutor.sandbox.kinds import Object

_MAX_DEVICES, _MAX_SPECIAL_DEVICES = 128, 64
_MAX_COUNTER_SETS, _MAX_ATTRIBUTES, _MAX_TAINTS = 8, 32, 16
_MAX_POOL_NAME, _MAX_VALUE = 253, 64
_PLACES = ("nodeName", "nodeSelector", "allNodes", "perDeviceNodeSelection")
_ONE_PLACE = (
    "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required"
)
_ONE_DEVICE_PLACE = (
    "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when"
    " `perDeviceNodeSelection` is set to true in the ResourceSlice spec"
)
_NO_DEVICE_PLACE = (
    "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set"
    " to true in the ResourceSlice spec"
)
_NUMBER, _BUILD = r"(0|[1-9]\d*)", "[0-9a-zA-Z-]+"
_PRE = r"(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
_is_version = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(-{_PRE}(\.{_PRE})*)?(\+{_BUILD}(\.{_BUILD})*)?"
).fullmatch
_VALUES = ("bool", "int", "string", "version", "bools", "ints", "strings", "versions")


def _validate(obj: Object) -> Errors:
    meta = part(obj, "metadata")
    rule = metadata.dns_subdomain
    errors = metadata.validate_object_meta(meta, namespaced=False, name_rule=rule)
    return errors + _spec(part(obj, "spec"), None)


def _validate_update(new: Object, old: Object) -> Errors:
    meta, before = part(new, "metadata"), part(old, "metadata")
    errors = metadata.validate_object_meta_update(meta, before)
    return errors + _spec(part(new, "spec"), part(old, "spec"))


def _spec(spec: Object, old: Object | None) -> Errors:
    errors = driver_name(text(spec, "driver"), "spec.driver") + _pool(part(spec, "pool"))
    if old is not None:
        pool, before = (text(part(one, "pool"), "name") for one in (spec, old))
        errors += checks.immutable(pool, before, "spec.pool.name")
        for field in ("driver", "nodeName"):
            errors += checks.immutable(spec.get(field), old.get(field), f"spec.{field}")
    errors += _place(spec, "spec", "must be either unset or set to a non-empty string")
    terms = items(part(spec, "nodeSelector"), "nodeSelectorTerms")
    if spec.get("nodeSelector") is not None and len(terms) != 1:
        why = "must have exactly one node selector term"
        errors.append(invalid("spec.nodeSelector.nodeSelectorTerms", terms, why))
    given = [f"`{field}`" for field in _PLACES if spec.get(field)]
    if not given:
        errors.append(required("spec", _ONE_PLACE))
    elif len(given) > 1:
        why = f"{_ONE_PLACE}, but multiple fields are set"
        errors.append(invalid("spec", f"{{{', '.join(given)}}}", why))
    if spec.get("sharedCounters") and spec.get("devices"):
        errors.append(invalid("spec", "", "only one of `sharedCounters` or `devices` is allowed"))
    special = any(
        one.get("taints") or one.get("consumesCounters") for one in items(spec, "devices")
    )
    most = _MAX_SPECIAL_DEVICES if special else _MAX_DEVICES
    known = {text(one, "name"): one for one in items(old or {}, "devices")}
    chosen = spec.get("perDeviceNodeSelection") is True

    def judge(device: Object, path: str) -> Errors:
        return _device(device, known.get(text(device, "name")), path, chosen=chosen)

    errors += named(spec, "devices", "spec", most, judge)
    return errors + named(spec, "sharedCounters", "spec", _MAX_COUNTER_SETS, _counter_set)


def _pool(pool: Object) -> Errors:
    name, path = text(pool, "name"), "spec.pool"
    errors = [] if name else [required(f"{path}.name")]
    if len(name.encode()) > _MAX_POOL_NAME:
        errors.append(too_long(f"{path}.name", _MAX_POOL_NAME))
    if name:
        for one in name.split("/"):
            errors += checks.obey(formats.dns1123_subdomain, one, f"{path}.name")
    if (count := number(pool, "resourceSliceCount")) <= 0:
        errors.append(invalid(f"{path}.resourceSliceCount", count, "must be greater than zero"))
    if (generation := number(pool, "generation")) < 0:
        why = "must be greater than or equal to zero"
        errors.append(invalid(f"{path}.generation", generation, why))
    return errors


def _place(obj: Object, path: str, empty: str) -> Errors:
    """Where devices are, as far as it is said."""
    errors: Errors = []
    if (name := obj.get("nodeName")) is not None:
        at = f"{path}.nodeName"
        found = checks.obey(formats.dns1123_subdomain, name, at)
        errors += found if name else [invalid(at, name, empty)]
    if (selector := obj.get("nodeSelector")) is not None:
        errors += node_selector(selector, f"{path}.nodeSelector")
    return errors + [
        invalid(f"{path}.{field}", False, "must be either unset or set to true")
        for field in ("allNodes", "perDeviceNodeSelection")
        if obj.get(field) is False
    ]


def _counter_set(counters: Object, path: str) -> Errors:
    name = text(counters, "name")
    errors = label(name, f"{path}.name") if name else [required(f"{path}.name")]
    return errors + _counters(counters, path)


def _consumption(consumption: Object, path: str) -> Errors:
    name, at = text(consumption, "counterSet"), f"{path}.counterSet"
    errors = label(name, at) if name else [required(at)]
    return errors + _counters(consumption, path)


def _counters(obj: Object, path: str) -> Errors:
    found = part(obj, "counters")
    if not found:
        return [required(f"{path}.counters")]
    return [error for name in found for error in label(name, f"{path}.counters")]


def _device(device: Object, before: Object | None, path: str, *, chosen: bool) -> Errors:
    errors = label(text(device, "name"), f"{path}.name")
    attributes, capacity = part(device, "attributes"), part(device, "capacity")
    if (count := len(attributes) + len(capacity)) > _MAX_ATTRIBUTES:
        why = f"the total number of attributes and capacities must not exceed {_MAX_ATTRIBUTES}"
        errors.append(invalid(path, count, why))
    for name, attribute in attributes.items():
        errors += qualified_name(name, f"{path}.attributes")
        errors += _attribute(attribute, f"{path}.attributes[{name}]")
    for name, amount in capacity.items():
        errors += qualified_name(name, f"{path}.capacity")
        if amount.get("requestPolicy") is not None and not device.get("allowMultipleAllocations"):
            at = f"{path}.capacity[{name}].requestPolicy"
            errors.append(forbidden_field(at, "allowMultipleAllocations must be true"))
    if before is None or not same({"t": device.get("taints")}, {"t": before.get("taints")}):
        errors += listed(device, "taints", path, _taint, most=_MAX_TAINTS)
    errors += named(device, "consumesCounters", path, 2, _consumption, "counterSet")
    return errors + _device_place(device, path, chosen=chosen) + _binding(device, path)


def _device_place(device: Object, path: str, *, chosen: bool) -> Errors:
    fields = _PLACES[:3]
    if not chosen:
        is_given = any(device.get(field) is not None for field in fields)
        return [invalid(path, None, _NO_DEVICE_PLACE)] if is_given else []
    errors = _place(device, path, "must not be empty")
    given = [f"`{field}`" for field in fields if device.get(field)]
    if not given:
        return [*errors, required(path, _ONE_DEVICE_PLACE)]
    if len(given) > 1:
        errors.append(invalid(path, f"{{{', '.join(given)}}}", _ONE_DEVICE_PLACE))
    return errors


def _attribute(attribute: Object, path: str) -> Errors:
    errors: Errors = []
    given = [field for field in _VALUES if attribute.get(field) is not None]
    judges: tuple[tuple[str, Callable[[str, str], Errors]], ...] = (
        ("string", _text_value),
        ("version", _version_value),
    )
    for field, judge in judges:
        if field in given:
            errors += judge(attribute[field], f"{path}.{field}")
        for index, value in enumerate(items(attribute, f"{field}s")):
            errors += judge(value, f"{path}.{field}s[{index}]")
    if len(given) != 1:
        shown = attribute if given else ""
        errors.append(invalid(path, shown, "exactly one value must be specified"))
    return errors


def _text_value(value: str, path: str) -> Errors:
    return [too_long(path, _MAX_VALUE)] if len(value.encode()) > _MAX_VALUE else []


def _version_value(value: str, path: str) -> Errors:
    errors: Errors = []
    if not _is_version(value):
        why = "must be a string compatible with semver.org spec 2.0.0"
        errors.append(invalid(path, value, why))
    return errors + _text_value(value, path)


def _taint(taint: Object, path: str) -> Errors:
    errors = checks.obey(formats.label_key, text(taint, "key"), f"{path}.key")
    errors += checks.obey(formats.label_value, text(taint, "value"), f"{path}.value")
    return errors + checks.required_one_of(text(taint, "effect"), EFFECTS, f"{path}.effect")


def _binding(device: Object, path: str) -> Errors:
    """Conditions that are waited for before a pod is bound."""
    errors: Errors = []
    wanted, failing = items(device, "bindingConditions"), items(device, "bindingFailureConditions")
    for field, found in (("bindingConditions", wanted), ("bindingFailureConditions", failing)):
        for index, one in enumerate(found):
            errors += checks.obey(formats.label_key, one, f"{path}.{field}[{index}]")
    for index, one in enumerate(failing):
        if one in wanted:
            why = "bindingFailureConditions must not overlap with bindingConditions"
            errors.append(invalid(f"{path}.bindingFailureConditions[{index}]", one, why))
    if failing and not wanted:
        why = "bindingConditions are required to use bindingFailureConditions"
        errors.append(invalid(f"{path}.bindingConditions", None, why))
    if wanted and not failing:
        why = "bindingFailureConditions are required to use bindingConditions"
        errors.append(invalid(f"{path}.bindingFailureConditions", None, why))
    return errors


def _prepare_create(obj: Object) -> None:
    meta = obj.setdefault("metadata", {})
    meta["generation"] = 1
    for device in items(part(obj, "spec"), "devices"):
        for taint in items(device, "taints"):
            fill_absent(taint, timeAdded=meta.get("creationTimestamp"))


RESOURCE_SLICE = Behaviour(
    prepare_create=_prepare_create,
    prepare_update=count_changes,
    validate=_validate,
    validate_update=_validate_update,
)
