"""Address families of services, on a cluster that has IPv4 alone.

Source: Kubernetes' `registry/core/service/storage/alloc.go` (`initIPFamilyFields`).
"""

from tutor.sandbox.api.builtin import addresses
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.network import service_addresses
from tutor.sandbox.api.builtin.reading import items, text
from tutor.sandbox.api.status import invalid
from tutor.sandbox.kinds import Object

_SINGLE, _PREFER, _REQUIRE = "SingleStack", "PreferDualStack", "RequireDualStack"
_POLICY = "spec.ipFamilyPolicy"
_FAMILY = "IPv4"
_NONE: Object = {}


def settle(spec: Object, before: Object | None) -> Errors:
    """Fill in `ipFamilies` and `ipFamilyPolicy`, or say why they cannot be had.

    `before` is the old spec, None for a new service.
    """
    if spec.get("type") == "ExternalName" or (before is not None and _keeps(spec, before)):
        return []
    old = before or _NONE
    headless = spec.get("clusterIP") == "None" and not spec.get("selector")
    if spec.get("ipFamilyPolicy") is None:
        inherited = old.get("ipFamilyPolicy")
        spec["ipFamilyPolicy"] = inherited or (_REQUIRE if headless else _SINGLE)
    if errors := service_addresses.cluster_ips(spec, old):
        return errors
    if before is not None and (errors := _reductions(spec, before)):
        return errors
    if errors := [*_contradictions(spec), *_inferred(spec)]:
        return errors
    if headless:
        spec["ipFamilies"] = items(spec, "ipFamilies") or [_FAMILY]
        if len(spec["ipFamilies"]) == 1 and spec["ipFamilyPolicy"] != _SINGLE:
            spec["ipFamilies"].append("IPv6" if spec["ipFamilies"] == [_FAMILY] else _FAMILY)
        return []
    return _unserved(spec)


def _keeps(spec: Object, before: Object) -> bool:
    return (
        spec.get("type") == before.get("type")
        and spec.get("ipFamilyPolicy") == _PREFER
        and before.get("ipFamilyPolicy") in (None, _PREFER)
        and all(items(spec, name) == items(before, name) for name in ("clusterIPs", "ipFamilies"))
    )


def _reductions(spec: Object, before: Object) -> Errors:
    errors: Errors = []
    for field, what in (("clusterIPs", "cluster IP"), ("ipFamilies", "IP family")):
        now, was = items(spec, field), items(before, field)
        if spec["ipFamilyPolicy"] == _SINGLE:
            if now == was and len(now) > 1:
                spec[field] = now[:1]
        elif 0 < len(now) < len(was):
            why = f"must be 'SingleStack' to release the secondary {what}"
            errors.append(invalid(_POLICY, spec["ipFamilyPolicy"], why))
    return errors


def _contradictions(spec: Object) -> Errors:
    if spec["ipFamilyPolicy"] != _SINGLE:
        return []
    return [
        invalid(
            _POLICY,
            _SINGLE,
            f"must be 'RequireDualStack' or 'PreferDualStack' when multiple {what} are specified",
        )
        for field, what in (("clusterIPs", "cluster IPs"), ("ipFamilies", "IP families"))
        if len(items(spec, field)) == 2
    ]


def _inferred(spec: Object) -> Errors:
    """The families that addresses tell."""
    errors: Errors = []
    families = list(items(spec, "ipFamilies"))
    for index, ip in enumerate(items(spec, "clusterIPs")):
        if ip == "None":
            break
        if index < len(families):
            continue
        found = addresses.address(ip)
        family = "IPv6" if found is not None and found.version == 6 else _FAMILY
        if family != _FAMILY:
            why = f"{family} is not configured on this cluster"
            errors.append(invalid(f"spec.clusterIPs[{index}]", spec["clusterIPs"], why))
            continue
        families.append(family)
    if families:
        spec["ipFamilies"] = families
    return errors


def _unserved(spec: Object) -> Errors:
    errors: Errors = []
    if text(spec, "ipFamilyPolicy") == _REQUIRE:
        why = "this cluster is not configured for dual-stack services"
        errors.append(invalid(_POLICY, _REQUIRE, why))
    errors += [
        invalid(f"spec.ipFamilies[{index}]", family, "not configured on this cluster")
        for index, family in enumerate(items(spec, "ipFamilies"))
        if family != _FAMILY
    ]
    if not errors and not items(spec, "ipFamilies"):
        spec["ipFamilies"] = [_FAMILY]
    return errors
