"""Requests, limits and their names. Source: `apis/core/validation/validation.go`."""

from collections.abc import Callable, Collection
from dataclasses import replace

from tutor.sandbox.api import formats
from tutor.sandbox.api.builtin import checks, quantity
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.pod.defaults import container_resources
from tutor.sandbox.api.builtin.reading import indexed, items, part, text
from tutor.sandbox.api.status import (
    duplicate,
    forbidden_field,
    invalid,
    not_found_field,
    not_supported,
    required,
)
from tutor.sandbox.kinds import Object

Name = Callable[[str, str], Errors]

_CONTAINER = ("cpu", "memory", "ephemeral-storage")
_COUNTED = (
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
)
_OF_PODS = tuple(f"{kind}{name}" for kind in ("", "requests.", "limits.") for name in _CONTAINER)
_STANDARD = (*_OF_PODS, *_COUNTED, "storage", "requests.storage")
_IN_QUOTAS = (*_OF_PODS, *_COUNTED, "requests.storage")


def is_huge_pages(name: str) -> bool:
    """Whether it is memory in pages of one size."""
    return name.startswith("hugepages-")


def is_native(name: str) -> bool:
    """Whether it is one of Kubernetes' own."""
    return "/" not in name or "kubernetes.io/" in name


def is_extended(name: str) -> bool:
    """Whether it is somebody else's, and so counted in whole numbers."""
    if is_native(name) or name.startswith("requests."):
        return False
    return not formats.label_key(f"requests.{name}")


def is_overcommittable(name: str) -> bool:
    """Whether more may be promised than there is."""
    return is_native(name) and not is_huge_pages(name)


def resource_name(name: str, path: str) -> Errors:
    """A standard resource, or a qualified name."""
    if errors := checks.obey(formats.label_key, name, path):
        return errors
    huge = name.startswith(("hugepages-", "requests.hugepages-"))
    if "/" in name or name in _STANDARD or huge:
        return []
    return [invalid(path, name, "must be a standard resource type or fully qualified")]


def container_resource_name(name: str, path: str) -> Errors:
    """A resource that a container can ask for."""
    errors = resource_name(name, path)
    if "/" not in name:
        if name not in _CONTAINER and not is_huge_pages(name):
            why = "must be a standard resource for containers"
            errors.append(invalid(path, name, why))
    elif not is_native(name) and not is_extended(name):
        why = "doesn't follow extended resource name standard"
        errors.append(invalid(path, name, why))
    return errors


def quota_resource_name(name: str, path: str) -> Errors:
    """A resource that a quota can limit."""
    errors = resource_name(name, path)
    huge = name.startswith(("hugepages-", "requests.hugepages-"))
    if "/" not in name and name not in _IN_QUOTAS and not huge:
        errors.append(invalid(path, name, "must be a standard resource for quota"))
    return errors


def pod_resource_name(name: str, path: str) -> Errors:
    """A resource that a pod as a whole can ask for."""
    errors = resource_name(name, path)
    if not errors and name not in ("cpu", "memory") and not is_huge_pages(name):
        errors.append(not_supported(path, name, ("cpu", "memory")))
    return errors


def amount(name: str, value: str, path: str) -> Errors:
    """Not negative, and whole where only whole ones can be had."""
    errors = checks.non_negative_quantity(value, path)
    counted = name in _COUNTED or is_extended(name)
    parsed = quantity.parse(value)
    if counted and parsed.milli_value % 1000:
        errors.append(invalid(path, str(parsed), "must be an integer"))
    return errors


def _huge_pages(name: str, value: str, path: str) -> Errors:
    if not is_huge_pages(name):
        return []
    parsed = quantity.parse(value)
    try:
        size = quantity.parse(name.removeprefix("hugepages-")).value
    except ValueError:
        size = 0
    if size > 0 and parsed.value % size == 0:
        return []
    why = f"{parsed} is not positive integer multiple of {name}"
    return [invalid(path, str(parsed), why)]


def requirements(
    given: Object, claims: Collection[str], path: str, name_rule: Name = container_resource_name
) -> Errors:
    """Limits, requests and claims. `claims`: the names of the pod's own claims."""
    errors: Errors = []
    limits, requests = part(given, "limits"), part(given, "requests")
    for name, value in sorted(limits.items()):
        at = f"{path}.limits[{name}]"
        errors += name_rule(name, at) + amount(name, value, at) + _huge_pages(name, value, at)
    for name, value in sorted(requests.items()):
        at = f"{path}.requests[{name}]"
        errors += name_rule(name, at) + amount(name, value, at)
        errors += _against_limit(name, value, limits, path)
        errors += _huge_pages(name, value, at)
    named = limits.keys() | requests.keys()
    if any(map(is_huge_pages, named)) and not named & {"cpu", "memory"}:
        errors.append(forbidden_field(path, "HugePages require cpu or memory"))
    return errors + _claims(given, claims, path)


def _against_limit(name: str, value: str, limits: Object, path: str) -> Errors:
    overcommits, wanted = is_overcommittable(name), quantity.parse(value)
    if name not in limits:
        why = "Limit must be set for non overcommitable resources"
        return [] if overcommits else [required(f"{path}.limits", why)]
    limit = quantity.parse(limits[name])
    if wanted.amount != limit.amount and not overcommits:
        why = f"must be equal to {name} limit of {limit}"
    elif wanted > limit:
        why = f"must be less than or equal to {name} limit of {limit}"
    else:
        return []
    return [invalid(f"{path}.requests", str(wanted), why)]


def _claims(given: Object, claims: Collection[str], path: str) -> Errors:
    errors: Errors = []
    names: set[str] = set()
    for claim, at in indexed(given, "claims", path):
        name, request = text(claim, "name"), text(claim, "request")
        if not name:
            errors.append(required(at))
            continue
        if name in names:
            errors.append(duplicate(at, name))
        else:
            if request:
                errors += checks.obey(formats.dns1123_label, request, f"{at}.request")
            key = f"{name}/{request}" if request else name
            repeated = not request and any(known.startswith(f"{name}/") for known in names)
            errors += [duplicate(at, key)] if key in names or repeated else []
            names.add(key)
        if name not in claims:
            listed = f": {', '.join(sorted(claims))}" if claims else " which is empty"
            why = f"must be one of the names in pod.spec.resourceClaims{listed}"
            errors.append(replace(not_found_field(at, name), detail=why))
    return errors


def pod_level(spec: Object, claims: Collection[str], path: str) -> Errors:
    """`spec.resources`, which cover the pod as a whole."""
    given = spec.get("resources")
    if given is None:
        return []
    at = f"{path}.resources"
    if part(spec, "os").get("name") == "windows":
        return [forbidden_field(at, "may not be set for a windows pod")]
    errors: Errors = []
    if given.get("claims"):
        why = "claims may not be set for Resources at pod-level"
        errors.append(forbidden_field(f"{at}.claims", why))
    return errors + requirements(given, claims, at, pod_resource_name) + _consistent(spec, at)


def _consistent(spec: Object, path: str) -> Errors:
    """The pod has at least what its containers have."""
    errors: Errors = []
    given = part(spec, "resources")
    for field in ("requests", "limits"):
        own = quantity.parse_all(part(given, field))
        for name, total in sorted(container_resources(spec, field).items()):
            if name not in own or total <= own[name]:
                continue
            if field == "requests" or is_huge_pages(name):
                why = f"must be greater than or equal to aggregate container {field} of {total}"
                errors.append(invalid(f"{path}.{field}[{name}]", str(own[name]), why))
    limits = quantity.parse_all(part(given, "limits"))
    for index, container in enumerate(items(spec, "containers")):
        own = quantity.parse_all(part(container, "resources", "limits"))
        for name, limit in sorted(own.items()):
            if name in limits and limit > limits[name]:
                why = f"must be less than or equal to pod limits of {limits[name]}"
                at = f"{path}.containers[{index}][{name}].limits"
                errors.append(invalid(at, str(limit), why))
    return errors


def fractional_bytes(listed: Object, path: str) -> list[str]:
    """Warnings of memory and storage that is not a whole number of bytes."""
    said: list[str] = []
    for name in ("memory", "ephemeral-storage"):
        if name in listed and (value := quantity.parse(listed[name])).milli_value % 1000:
            why = f'fractional byte value "{value}" is invalid, must be an integer'
            said.append(f"{path}[{name}]: {why}")
    return said
