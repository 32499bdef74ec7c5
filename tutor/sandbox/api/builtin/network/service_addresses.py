"""The addresses of services: cluster, external and of load balancers.

Source: `apis/core/validation/validation.go`, `api/service/warnings.go`.
"""

from tutor.sandbox.api import formats
from tutor.sandbox.api.builtin import addresses, checks
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.reading import indexed, items, text
from tutor.sandbox.api.status import (
    duplicate,
    forbidden_field,
    invalid,
    not_supported,
    required,
)
from tutor.sandbox.kinds import Object

_ONCE = "may not change once set"


def is_headless(spec: Object) -> bool:
    """Whether it has no address of its own."""
    return items(spec, "clusterIPs") == ["None"]


def cluster_ips(spec: Object, before: Object) -> Errors:
    """`clusterIP`, `clusterIPs`, `ipFamilies` and `ipFamilyPolicy`, which go together."""
    if spec.get("type") == "ExternalName":
        return []
    errors = _singular(spec) + _families(spec)
    ips = items(spec, "clusterIPs")
    broken: Errors = []
    for index, ip in enumerate(ips):
        if index == 0 and ip == "None":
            if len(ips) > 1:
                why = "'None' must be the first and only value"
                broken.append(invalid("spec.clusterIPs", ips, why))
            continue
        path = f"spec.clusterIPs[{index}]"
        broken += addresses.ip(ip, path, known=items(before, "clusterIPs"))
    errors += broken
    if len(ips) > 2:
        errors.append(invalid("spec.clusterIPs", ips, "may only hold up to 2 values"))
    return errors if broken else errors + _dual_stack(spec)


def _singular(spec: Object) -> Errors:
    ip, ips = text(spec, "clusterIP"), items(spec, "clusterIPs")
    if ip and not ips:
        return [required("spec.clusterIPs")]
    if ip and ips[0] != ip:
        return [invalid("spec.clusterIPs", ips, "first value must match `clusterIP`")]
    if ips and not ip:
        why = "must be empty when `clusterIP` is not specified"
        return [invalid("spec.clusterIPs", ips, why)]
    return []


def _families(spec: Object) -> Errors:
    errors: Errors = []
    seen: set[str] = set()
    for family, path in indexed(spec, "ipFamilies", "spec"):
        errors += checks.one_of(family, ("IPv4", "IPv6"), path)
        if family in seen:
            errors.append(duplicate(path, family))
        seen.add(family)
    policies = ("PreferDualStack", "RequireDualStack", "SingleStack")
    if (policy := spec.get("ipFamilyPolicy")) is not None and policy not in policies:
        errors.append(not_supported("spec.ipFamilyPolicy", policy, policies))
    return errors


def _is_v6(ip: str) -> bool:
    found = addresses.address(ip)
    return found is not None and found.version == 6


def _dual_stack(spec: Object) -> Errors:
    errors: Errors = []
    ips = items(spec, "clusterIPs")
    if len(ips) > 1 and len({_is_v6(ip) for ip in ips}) == 1:
        why = "may specify no more than one IP for each IP family"
        errors.append(invalid("spec.clusterIPs", ips, why))
    if is_headless(spec):
        return errors
    pairs = zip(ips, items(spec, "ipFamilies"), strict=False)
    for index, (ip, family) in enumerate(pairs):
        if family in ("IPv4", "IPv6") and (family == "IPv6") != _is_v6(ip):
            why = f"expected an {family} value as indicated by `ipFamilies[{index}]`"
            errors.append(invalid(f"spec.clusterIPs[{index}]", ip, why))
    return errors


def changes(spec: Object, before: Object) -> Errors:
    """What of the cluster's addresses cannot change once it is there."""
    if "ExternalName" in (spec.get("type"), before.get("type")):
        return []
    headless, was = is_headless(spec), is_headless(before)
    errors: Errors = [] if headless and was else _ip_changes(spec, before)
    return errors if headless or was else errors + _family_changes(spec, before)


def _ip_changes(spec: Object, before: Object) -> Errors:
    ips, old = items(spec, "clusterIPs"), items(before, "clusterIPs")
    first = "spec.clusterIPs[0]"
    if len(ips) == len(old):
        return [
            invalid(f"spec.clusterIPs[{index}]", ips, _ONCE)
            for index, ip in enumerate(old)
            if ip != ips[index]
        ]
    errors: Errors = []
    if not ips:
        errors.append(invalid(first, None, "primary clusterIP can not be unset"))
    elif old and ips[0] != old[0]:
        errors.append(invalid(first, ips, _ONCE))
    if len(ips) == 1 and len(old) > 1:
        errors += _released(spec, "clusterIP")
    return errors


def _released(spec: Object, what: str) -> Errors:
    policy = spec.get("ipFamilyPolicy")
    why = f"must be set to 'SingleStack' when releasing the secondary {what}"
    return [] if policy == "SingleStack" else [invalid("spec.ipFamilyPolicy", policy, why)]


def _family_changes(spec: Object, before: Object) -> Errors:
    families, old = items(spec, "ipFamilies"), items(before, "ipFamilies")
    path, ips = "spec.ipFamilies[0]", items(spec, "clusterIPs") or None
    if len(families) == len(old):
        return [
            invalid(path, families, _ONCE)
            for now, was in zip(families, old, strict=True)
            if now != was
        ]
    errors: Errors = []
    if len(old) > len(families) and not ips:
        errors.append(invalid(path, families or None, "primary ipFamily can not be unset"))
    if old and families and families[0] != old[0]:
        errors.append(invalid(path, ips, _ONCE))
    if len(families) == 1 and len(old) > 1:
        errors += _released(spec, "ipFamily")
    return errors


def external_ips(spec: Object, before: Object) -> Errors:
    """Addresses that the cluster did not give."""
    errors: Errors = []
    for ip, path in indexed(spec, "externalIPs", "spec"):
        errors += addresses.ip(ip, path, known=items(before, "externalIPs")) or endpoint_ip(
            ip, path
        )
    return errors


def endpoint_ip(value: str, path: str) -> Errors:
    """An address that something outside the node can be reached at."""
    found = addresses.address(value)
    if found is None:
        return [invalid(path, value, "must be a valid IP address")]
    errors: Errors = []
    if found.is_unspecified:
        errors.append(invalid(path, value, f"may not be unspecified ({value})"))
    if found.is_loopback:
        why = "may not be in the loopback range (127.0.0.0/8, ::1/128)"
        errors.append(invalid(path, value, why))
    if found.is_link_local:
        why = "may not be in the link-local range (169.254.0.0/16, fe80::/10)"
        errors.append(invalid(path, value, why))
    if value.startswith(("224.0.0.", "ff02:")):
        why = "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"
        errors.append(invalid(path, value, why))
    return errors


def load_balancer(status: Object, known: Object, kind: str, path: str = "status") -> Errors:
    """`status.loadBalancer` of a service, given that of the old one and the type."""
    path = f"{path}.loadBalancer"
    if kind != "LoadBalancer" and items(status, "ingress"):
        why = "may only be used when `spec.type` is 'LoadBalancer'"
        return [forbidden_field(f"{path}.ingress", why)]
    known_ips = [text(ingress, "ip") for ingress in items(known, "ingress")]
    errors: Errors = []
    for ingress, at in indexed(status, "ingress", path):
        ip, mode = text(ingress, "ip"), ingress.get("ipMode")
        errors += addresses.ip(ip, f"{at}.ip", known=known_ips) if ip else []
        if mode is None and ip:
            errors.append(required(f"{at}.ipMode", "must be specified when `ip` is set"))
        elif mode is not None and not ip:
            why = "may not be specified when `ip` is not set"
            errors.append(forbidden_field(f"{at}.ipMode", why))
        elif mode is not None:
            errors += checks.one_of(mode, ("Proxy", "VIP"), f"{at}.ipMode")
        errors += host_not_address(text(ingress, "hostname"), f"{at}.hostname")
    return errors


def host_not_address(name: str, path: str) -> Errors:
    """A host name of a load balancer, which no address can be."""
    if not name:
        return []
    errors = checks.obey(formats.dns1123_subdomain, name, path)
    if addresses.address(name):
        errors.append(invalid(path, name, "must be a DNS name, not an IP address"))
    return errors


def warnings(spec: Object) -> list[str]:
    """What the server says of addresses that it takes and does not like."""
    found: list[str] = []
    headless = spec.get("type") == "ClusterIP" and spec.get("clusterIP") == "None"
    external_name = spec.get("type") == "ExternalName"
    if not headless:
        found += _all_ips(spec, "clusterIPs")
    else:
        ignored = {
            "loadBalancerIP": bool(spec.get("loadBalancerIP")),
            "externalIPs": bool(spec.get("externalIPs")),
            "SessionAffinity": spec.get("sessionAffinity") != "None",
        }
        ending = "is ignored for headless services"
        found += [f"spec.{field} {ending}" for field, is_set in ignored.items() if is_set]
    found += _all_ips(spec, "externalIPs")
    if spec.get("externalIPs") and not headless and not external_name:
        found.append(
            "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
        )
    if ip := text(spec, "loadBalancerIP"):
        found += addresses.ip_warnings(ip, "spec.loadBalancerIP")
    for value, path in indexed(spec, "loadBalancerSourceRanges", "spec"):
        found += addresses.cidr_warnings(value, path)
    if external_name and spec.get("externalIPs"):
        found.append('spec.externalIPs is ignored when spec.type is "ExternalName"')
    if not external_name and spec.get("externalName"):
        found.append('spec.externalName is ignored when spec.type is not "ExternalName"')
    if spec.get("trafficDistribution") == "PreferClose":
        found.append('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
    return found


def _all_ips(spec: Object, field: str) -> list[str]:
    return [
        warning
        for ip, path in indexed(spec, field, "spec")
        for warning in addresses.ip_warnings(ip, path)
    ]
