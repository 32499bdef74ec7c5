"""LimitRanges and ResourceQuotas.

Source: `apis/core/v1/defaults.go`, `apis/core/validation/validation.go`, `registry/core`.
"""

from collections.abc import Iterator

from tutor.sandbox.api import formats, metadata
from tutor.sandbox.api.builtin import checks, go_struct
from tutor.sandbox.api.builtin.behaviour import Behaviour, Subpath, drop_status, keep_status
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.pod.resources import (
    amount,
    container_resource_name,
    is_overcommittable,
    quota_resource_name,
    resource_name,
)
from tutor.sandbox.api.builtin.quantity import Quantity, parse, parse_all
from tutor.sandbox.api.builtin.reading import ensure, indexed, items, part, text
from tutor.sandbox.api.status import duplicate, forbidden_field, invalid, required
from tutor.sandbox.kinds import Object

_TYPES = ("Pod", "Container", "PersistentVolumeClaim")
_LISTS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")
_FINE_ENOUGH = 2**63 // 1000


def _default_limits(obj: Object) -> None:
    for limit in items(obj, "spec", "limits"):
        if limit.get("type") != "Container":
            continue
        default, request = ensure(limit, "default"), ensure(limit, "defaultRequest")
        default |= {k: v for k, v in part(limit, "max").items() if k not in default}
        request |= {k: v for k, v in default.items() if k not in request}
        request |= {k: v for k, v in part(limit, "min").items() if k not in request}


def _name(obj: Object) -> None:
    meta = obj.setdefault("metadata", {})
    if not meta.get("name") and meta.get("uid"):
        meta["name"] = meta["uid"]


def _validate_limits(obj: Object) -> Errors:
    errors = metadata.built_in(obj, metadata.dns_subdomain)
    seen: set[str] = set()
    for limit, path in indexed(part(obj, "spec"), "limits", "spec"):
        kind = text(limit, "type")
        errors += _limit_type(kind, f"{path}.type")
        errors += [duplicate(f"{path}.type", kind)] if kind in seen else []
        seen.add(kind)
        errors += _limit(limit, kind, path)
    return errors


def _limit_type(kind: str, path: str) -> Errors:
    if errors := checks.obey(formats.label_key, kind, path):
        return errors
    if "/" in kind or kind in _TYPES:
        return []
    return [invalid(path, kind, "must be a standard limit type or fully qualified")]


def _limit(limit: Object, kind: str, path: str) -> Errors:
    errors: Errors = []
    rule = container_resource_name if kind in ("Pod", "Container") else resource_name
    given: dict[str, dict[str, Quantity]] = {}
    for field in _LISTS:
        listed = parse_all(part(limit, field))
        if field == "maxLimitRequestRatio" and kind == "PersistentVolumeClaim":
            errors += _claim_limits(given, path)
        if kind == "Pod" and field in ("default", "defaultRequest"):
            if listed:
                why = "may not be specified when `type` is 'Pod'"
                errors.append(forbidden_field(f"{path}.{field}", why))
            continue
        given[field] = listed
        for name in sorted(listed):
            errors += rule(name, f"{path}.{field}[{name}]")
    for name in sorted({name for listed in given.values() for name in listed}):
        amounts = {field: listed[name] for field, listed in given.items() if name in listed}
        errors += _consistent(name, amounts, path)
    return errors


def _claim_limits(given: dict[str, dict[str, Quantity]], path: str) -> Errors:
    if "storage" in given["min"] or "storage" in given["max"]:
        return []
    why = "either minimum or maximum storage value is required, but neither was provided"
    return [required(f"{path}.limits", why)]


_WORDS = {
    "min": "min value",
    "max": "max value",
    "default": "default value",
    "defaultRequest": "default request value",
}
_ORDER = (
    ("min", "max", "min", "min"),
    ("min", "defaultRequest", "defaultRequest", "defaultRequest"),
    ("defaultRequest", "max", "defaultRequest", "defaultRequest"),
    ("defaultRequest", "default", "defaultRequest", "defaultRequest"),
    ("min", "default", "default", "min"),
    ("default", "max", "default", "max"),
)
"""What may not exceed what, the field that is blamed, and the field whose value is shown."""


def _consistent(name: str, amounts: dict[str, Quantity], path: str) -> Errors:
    errors: Errors = []
    for lower, upper, blamed, shown in _ORDER:
        low, high = amounts.get(lower), amounts.get(upper)
        if low is not None and high is not None and low > high:
            limit = (
                "default limit value" if lower == "defaultRequest" and upper == "default" else ""
            )
            why = f"{_WORDS[lower]} {low} is greater than {limit or _WORDS[upper]} {high}"
            errors.append(invalid(f"{path}.{blamed}[{name}]", str(amounts[shown]), why))
    errors += _ratio(name, amounts, path)
    default, request = amounts.get("default"), amounts.get("defaultRequest")
    if is_overcommittable(name) or default is None or request is None:
        return errors
    if default.amount != request.amount:
        why = f"default value {default} must equal to defaultRequest value {request} in {name}"
        errors.append(invalid(f"{path}.defaultRequest[{name}]", str(request), why))
    return errors


def _ratio(name: str, amounts: dict[str, Quantity], path: str) -> Errors:
    ratio, low, high = (amounts.get(field) for field in ("maxLimitRequestRatio", "min", "max"))
    if ratio is None:
        return []
    at = f"{path}.maxLimitRequestRatio[{name}]"
    errors: Errors = []
    if ratio < parse("1"):
        errors.append(invalid(at, str(ratio), f"ratio {ratio} is less than 1"))
    if low is None or high is None:
        return errors
    fine = all(value.value < _FINE_ENOUGH for value in (ratio, low, high))
    top, bottom = (high.milli_value, low.milli_value) if fine else (high.value, low.value)
    wanted = ratio.milli_value / 1000 if fine else ratio.value
    most = top / bottom if bottom else float("inf") if top else float("nan")
    if wanted > most:
        why = f"ratio {ratio} is greater than max/min = {most:.6f}"
        errors.append(invalid(at, str(ratio), why))
    return errors


def _validate_limits_update(new: Object, _old: Object) -> Errors:
    return _validate_limits(new)


LIMIT_RANGE = Behaviour(
    default=_default_limits,
    prepare_create=_name,
    validate=_validate_limits,
    validate_update=_validate_limits_update,
    create_on_update=True,
)

_POD_SCOPES = ("Terminating", "NotTerminating", "BestEffort", "NotBestEffort")
_ONLY_EXISTS = (*_POD_SCOPES, "CrossNamespacePodAffinity")
_SCOPES = (*_ONLY_EXISTS, "PriorityClass", "VolumeAttributesClass")
_CONFLICTS = ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"})
_CLAIM_LIMITS = ("persistentvolumeclaims", "requests.storage")
_COMPUTE = tuple(
    f"{prefix}{name}" for prefix in ("", "requests.", "limits.") for name in ("cpu", "memory")
)
_OTHER_LIMITS = (
    "ephemeral-storage",
    "requests.ephemeral-storage",
    "limits.ephemeral-storage",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "resourcequotas",
    "services.nodeports",
    "services.loadbalancers",
)


def _validate_quota(obj: Object) -> Errors:
    errors = metadata.built_in(obj, metadata.dns_subdomain) + _quota_spec(part(obj, "spec"))
    return errors + _quota_status(obj)


def _amounts(listed: Object, path: str) -> Errors:
    errors: Errors = []
    for name, value in sorted(listed.items()):
        at = f"{path}[{name}]"
        errors += quota_resource_name(name, at) + amount(name, value, at)
    return errors


def _quota_spec(spec: Object) -> Errors:
    hard = part(spec, "hard")
    errors = _amounts(hard, "spec.hard")
    scopes = items(spec, "scopes")
    for scope in scopes:
        for why in _unfit(scope, hard):
            errors.append(invalid("spec.scopes", scopes, why))
    errors += _conflicts(scopes, "spec.scopes", scopes)
    selector = spec.get("scopeSelector")
    return errors if selector is None else errors + _selector(spec, selector)


def _unfit(scope: str, hard: Object) -> Iterator[str]:
    if scope not in _SCOPES:
        yield "unsupported scope"
    for name in sorted(hard):
        if not _limits_scope(scope, name):
            yield "unsupported scope applied to resource"


def _limits_scope(scope: str, name: str) -> bool:
    """Whether a standard limit makes sense within a scope."""
    huge = name.startswith(("hugepages-", "requests.hugepages-"))
    if name not in (*_COMPUTE, *_CLAIM_LIMITS, *_OTHER_LIMITS, "pods") and not huge:
        return True
    match scope:
        case "BestEffort":
            return name == "pods"
        case "VolumeAttributesClass":
            return name in _CLAIM_LIMITS
        case _ if scope in _SCOPES:
            return name in _COMPUTE or name == "pods"
        case _:
            return True


def _conflicts(scopes: list[str], path: str, shown: object) -> Errors:
    found = [pair for pair in _CONFLICTS if pair <= set(scopes)]
    return [invalid(path, shown, "conflicting scopes") for _ in found]


def _selector(spec: Object, selector: Object) -> Errors:
    errors: Errors = []
    path = "spec.scopeSelector.matchExpressions"
    shown = go_struct.render("ScopeSelector", selector)
    requirements = items(selector, "matchExpressions")
    for requirement in requirements:
        scope = text(requirement, "scopeName")
        for why in _unfit(scope, part(spec, "hard")):
            applied = "applied" in why
            at, value = (path, shown) if applied else (f"{path}.scopeName", scope)
            errors.append(invalid(at, value, why))
        errors += _requirement(requirement, scope, path)
    scopes = [text(requirement, "scopeName") for requirement in requirements]
    return errors + _conflicts(scopes, path, spec.get("scopes"))


def _requirement(requirement: Object, scope: str, path: str) -> Errors:
    errors: Errors = []
    operator, values = text(requirement, "operator"), items(requirement, "values")
    if scope in _ONLY_EXISTS and operator != "Exists":
        listed = "ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating,"
        listed += " ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or"
        why = f"must be 'Exists' when scope is any of {listed}"
        why += " ResourceQuotaScopeCrossNamespacePodAffinity"
        errors.append(invalid(f"{path}.operator", operator, why))
    if operator in ("In", "NotIn"):
        if not values:
            why = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
            errors.append(required(f"{path}.values", why))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            why = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
            errors.append(invalid(f"{path}.values", values, why))
    else:
        errors.append(invalid(f"{path}.operator", operator, "not a valid selector operator"))
    return errors


def _validate_quota_update(new: Object, old: Object) -> Errors:
    spec, before = part(new, "spec"), part(old, "spec")
    errors = metadata.built_in_update(new, old) + _quota_spec(spec)
    if set(items(spec, "scopes")) != set(items(before, "scopes")):
        errors.append(invalid("spec.scopes", spec.get("scopes"), checks.IMMUTABLE))
    return errors


def _quota_status(obj: Object) -> Errors:
    status = part(obj, "status")
    return _amounts(part(status, "hard"), "status.hard") + _amounts(
        part(status, "used"), "status.used"
    )


def _validate_quota_status(new: Object, old: Object) -> Errors:
    errors = metadata.built_in_update(new, old)
    if not part(new, "metadata").get("resourceVersion"):
        errors.append(required("resourceVersion"))
    return errors + _quota_status(new)


def _quota_warnings(obj: Object, old: Object | None) -> list[str]:
    if old is not None:
        return []
    hard = parse_all(part(obj, "spec", "hard"))
    said: list[str] = []
    for name in ("cpu", "memory", "storage", "ephemeral-storage"):
        request, limit = f"requests.{name}", f"limits.{name}"
        if request not in hard and name in ("cpu", "memory"):
            request = name
        if request in hard and limit in hard and hard[request] > hard[limit]:
            over = f"{request} ({hard[request]}) should be less than {limit} ({hard[limit]})"
            said.append(f"ResourceQuota {over}")
    return said


RESOURCE_QUOTA = Behaviour(
    prepare_create=drop_status,
    prepare_update=keep_status,
    validate=_validate_quota,
    validate_update=_validate_quota_update,
    warnings=_quota_warnings,
    subpaths={"status": Subpath(validate=_validate_quota_status)},
)
