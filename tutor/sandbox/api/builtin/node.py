"""Nodes. Source: `apis/core/validation/validation.go`, `registry/core/node/strategy.go`."""

import re

from tutor.sandbox.api import formats, metadata
from tutor.sandbox.api.builtin import addresses, checks, go_struct
from tutor.sandbox.api.builtin.behaviour import Behaviour, Subpath, keep_spec, keep_status
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.pod.defaults import round_up_resources
from tutor.sandbox.api.builtin.pod.resources import amount
from tutor.sandbox.api.builtin.pod.scheduling import EFFECTS
from tutor.sandbox.api.builtin.reading import drop, indexed, items, part, text
from tutor.sandbox.api.status import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid,
    not_supported,
    required,
)
from tutor.sandbox.kinds import Object

_FEATURE = r"[A-Z][a-zA-Z0-9]*(\/[a-zA-Z][a-zA-Z0-9]*)*"
_MAX_NAME = 253


def _default(obj: Object) -> None:
    spec, status = obj.setdefault("spec", {}), obj.setdefault("status", {})
    single, several = text(spec, "podCIDR"), items(spec, "podCIDRs")
    if single and several[:1] != [single]:
        spec["podCIDRs"] = [single]
    elif several:
        spec["podCIDR"] = several[0]
    if status.get("allocatable") is None and status.get("capacity") is not None:
        status["allocatable"] = dict(status["capacity"])
    for field in ("capacity", "allocatable"):
        round_up_resources(status.get(field))


def _prepare_create(obj: Object) -> None:
    drop(part(obj, "spec"), "configSource")
    drop(part(obj, "status"), "config")


def _prepare_update(new: Object, old: Object) -> None:
    keep_status(new, old)
    if part(old, "spec").get("configSource") is None:
        drop(part(new, "spec"), "configSource")


def _validate(obj: Object) -> Errors:
    errors = metadata.built_in(obj, metadata.dns_subdomain, namespaced=False)
    status = part(obj, "status")
    errors += _taints(obj) + _resources(status)
    capacity = part(status, "nodeInfo", "swap").get("capacity")
    if capacity is not None:
        errors += checks.positive(capacity, "metadata.nodeSwapStatus.capacity")
    errors += _features(status)
    ranges = items(obj, "spec", "podCIDRs")
    for value, path in indexed(part(obj, "spec"), "podCIDRs", "spec"):
        errors += addresses.cidr(value, path)
    if len(ranges) > 1:
        errors += _families(ranges)
    return errors


def _families(ranges: list[str]) -> Errors:
    path = "spec.podCIDRs"
    errors: Errors = []
    versions: set[int] = set()
    for index, value in enumerate(ranges):
        found = addresses.network(value)
        if found is None:
            cause = f"invalid CIDR[{index}]: <nil> (invalid CIDR address: {value})"
            why = f"invalid PodCIDRs. failed to check with dual stack with error:{cause}"
            errors.append(FieldError(path, "Internal error", "InternalError", why))
            break
        versions.add(found.version)
    if errors or len(versions) < 2 or len(ranges) > 2:
        why = "may specify no more than one CIDR for each IP family"
        errors.append(invalid(path, ranges, why))
    return errors


def _taints(obj: Object) -> Errors:
    errors: Errors = []
    seen: set[tuple[str, str]] = set()
    for taint, at in indexed(part(obj, "spec"), "taints", "metadata"):
        key, value, effect = (text(taint, field) for field in ("key", "value", "effect"))
        errors += checks.obey(formats.label_key, key, f"{at}.key")
        if found := formats.label_value(value):
            errors.append(invalid(f"{at}.value", value, ";".join(found)))
        if not effect:
            errors.append(required(f"{at}.effect"))
        elif effect not in EFFECTS:
            errors.append(not_supported(f"{at}.effect", effect, EFFECTS))
        if (effect, key) in seen:
            why = "taints must be unique by key and effect pair"
            repeated = duplicate(at, go_struct.render("Taint", taint))
            errors.append(
                FieldError(
                    at, repeated.kind, repeated.reason, why, repeated.value, shows_value=True
                )
            )
        seen.add((effect, key))
    return errors


def _resources(status: Object) -> Errors:
    errors: Errors = []
    for field in ("capacity", "allocatable"):
        for name, value in sorted(part(status, field).items()):
            errors += amount(name, value, f"status.{field}.{name}")
    return errors


def _features(status: Object) -> Errors:
    errors: Errors = []
    names = items(status, "declaredFeatures")
    for index, name in enumerate(names):
        path = f"status.declaredFeatures[{index}]"
        before = names[index - 1] if index else None
        if before == name:
            errors.append(duplicate(path, name))
        elif before is not None and before > name:
            errors.append(invalid(path, name, "list must be sorted alphabetically"))
        errors += checks.obey(_feature, name, path)
    return errors


def _feature(name: str) -> list[str]:
    subject = f'invalid feature name "{name}"'
    if len(name) > _MAX_NAME:
        return [f"{subject}: must be no more than {_MAX_NAME} characters"]
    if re.fullmatch(_FEATURE, name):
        return []
    rule = (
        "must start with an UpperCamelCase segment, with subsequent segments separated by '/'"
        " (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and"
        " slashes"
    )
    return [f"{subject}: {rule}"]


def _validate_update(new: Object, old: Object) -> Errors:
    return _validate(new) + _judge_change(new, old)


def _judge_change(new: Object, old: Object) -> Errors:
    status, spec, before = part(new, "status"), part(new, "spec"), part(old, "spec")
    errors = metadata.built_in_update(new, old) + _resources(status) + _features(status)
    seen: list[Object] = []
    for address, path in indexed(status, "addresses", "status"):
        if address in seen:
            errors.append(duplicate(path, go_struct.render("NodeAddress", address)))
        seen.append(address)
    errors += _pod_ranges(items(spec, "podCIDRs"), items(before, "podCIDRs"))
    known = text(before, "providerID")
    if known and text(spec, "providerID") != known:
        why = 'node updates may not change providerID except from "" to valid'
        errors.append(forbidden_field("spec.providerID", why))
    errors += _taints(new)
    if text(spec, "externalID") != text(before, "externalID"):
        errors.append(forbidden_field("spec.externalID", "may not be updated"))
    return errors


def _pod_ranges(new: list[str], old: list[str]) -> Errors:
    if not old:
        return []
    why = 'node updates may not change podCIDR except from "" to valid'
    changes = 1 if len(new) != len(old) else sum(a != b for a, b in zip(new, old, strict=True))
    return [forbidden_field("spec.podCIDRs", why)] * changes


def _warnings(obj: Object, _old: Object | None) -> list[str]:
    spec = part(obj, "spec")
    said: list[str] = []
    if spec.get("configSource") is not None:
        said.append("spec.configSource: the feature is removed")
    if spec.get("externalID"):
        said.append("spec.externalID: this field is deprecated, and is unused by Kubernetes")
    for value, path in indexed(spec, "podCIDRs", "spec"):
        said += addresses.cidr_warnings(value, path)
    return said


def _prepare_status(new: Object, old: Object) -> None:
    keep_spec(new, old)
    if part(old, "status").get("config") is None:
        drop(part(new, "status"), "config")


NODE = Behaviour(
    default=_default,
    prepare_create=_prepare_create,
    prepare_update=_prepare_update,
    validate=_validate,
    validate_update=_validate_update,
    warnings=_warnings,
    subpaths={"status": Subpath(prepare=_prepare_status, validate=_judge_change)},
)
