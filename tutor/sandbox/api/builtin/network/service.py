"""Services, as far as no address has to be allocated.

Source: `apis/core/v1/defaults.go`, `apis/core/validation/validation.go`,
`registry/core/service/strategy.go`.
"""

from tutor.sandbox.api import formats, metadata
from tutor.sandbox.api.builtin import addresses, checks
from tutor.sandbox.api.builtin.behaviour import Behaviour, Subpath, keep_spec, keep_status
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.network import service_addresses
from tutor.sandbox.api.builtin.network.service_addresses import is_headless
from tutor.sandbox.api.builtin.reading import (
    drop,
    fill,
    fill_absent,
    indexed,
    items,
    number,
    part,
    same,
    text,
)
from tutor.sandbox.api.status import duplicate, forbidden_field, invalid, required
from tutor.sandbox.kinds import Object, annotations_of

PROTOCOLS = ("SCTP", "TCP", "UDP")
_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")
_THREE_HOURS, _DAY = 10800, 86400
_HINTS = "service.kubernetes.io/topology-aware-hints"
_MODE = "service.kubernetes.io/topology-mode"
_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
_ONLY_LOAD_BALANCER = "may only be used when `type` is 'LoadBalancer'"


def _is_reachable(spec: Object) -> bool:
    """Whether it is reached from outside the cluster."""
    kind = text(spec, "type")
    from_outside = kind == "ClusterIP" and bool(items(spec, "externalIPs"))
    return kind in ("LoadBalancer", "NodePort") or from_outside


def _needs_health_check(spec: Object) -> bool:
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def _default(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    fill(spec, sessionAffinity="None", type="ClusterIP")
    _default_affinity(spec)
    for port in items(spec, "ports"):
        fill(port, protocol="TCP", targetPort=port.get("port", 0))
    if _is_reachable(spec):
        fill(spec, externalTrafficPolicy="Cluster")
    if spec["type"] in ("NodePort", "LoadBalancer", "ClusterIP"):
        fill_absent(spec, internalTrafficPolicy="Cluster")
    if spec["type"] == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
        for ingress in items(obj, "status", "loadBalancer", "ingress"):
            if ingress.get("ip"):
                fill(ingress, ipMode="VIP")


def _read_back(obj: Object) -> None:
    """`registry/core/service/storage.go`: nothing inside the cluster leads to another name."""
    spec = part(obj, "spec")
    if spec.get("type") == "ExternalName":
        drop(spec, "internalTrafficPolicy")


def _default_affinity(spec: Object) -> None:
    if spec["sessionAffinity"] == "None":
        drop(spec, "sessionAffinityConfig")
    if spec["sessionAffinity"] == "ClientIP":
        given = part(spec, "sessionAffinityConfig", "clientIP")
        if given.get("timeoutSeconds") is None:
            spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": _THREE_HOURS}}


def _prepare_create(obj: Object) -> None:
    obj["status"] = {"loadBalancer": {}}


def _prepare_update(new: Object, old: Object) -> None:
    keep_status(new, old)
    spec, before = part(new, "spec"), part(old, "spec")
    _drop_what_the_type_has_not(spec, before)
    if spec.get("type") != "LoadBalancer":
        new.setdefault("status", {})["loadBalancer"] = {}


def _drop_what_the_type_has_not(spec: Object, before: Object) -> None:
    """Leaving a type takes its fields along, unless they were changed too."""
    kind, was = text(spec, "type"), text(before, "type")
    if kind == "ExternalName" != was:
        if all(same(spec.get(field), before.get(field)) for field in ("clusterIP", "clusterIPs")):
            drop(spec, "clusterIP", "clusterIPs")
        for field in ("ipFamilies", "ipFamilyPolicy"):
            if same(spec.get(field), before.get(field)):
                drop(spec, field)
    _drop_node_ports(spec, before)
    if _needs_health_check(before) and not _needs_health_check(spec):
        _drop_unchanged(spec, before, "healthCheckNodePort")
    if was == "LoadBalancer" != kind:
        _drop_unchanged(spec, before, "allocateLoadBalancerNodePorts")
        _drop_unchanged(spec, before, "loadBalancerClass")
    if _is_reachable(before) and not _is_reachable(spec):
        _drop_unchanged(spec, before, "externalTrafficPolicy")


def _drop_unchanged(spec: Object, before: Object, field: str) -> None:
    if spec.get(field) == before.get(field):
        drop(spec, field)


def _drop_node_ports(spec: Object, before: Object) -> None:
    with_ports = ("NodePort", "LoadBalancer")
    if text(before, "type") not in with_ports or text(spec, "type") in with_ports:
        return
    known = {number(port, "nodePort") for port in items(before, "ports")} | {0}
    if known.issuperset(number(port, "nodePort") for port in items(spec, "ports")):
        for port in items(spec, "ports"):
            drop(port, "nodePort")


def _validate(obj: Object) -> Errors:
    return metadata.built_in(obj, metadata.dns_label) + _judge(obj, None)


def _validate_update(new: Object, old: Object) -> Errors:
    errors = metadata.built_in_update(new, old)
    spec, before = part(new, "spec"), part(old, "spec")
    errors += service_addresses.changes(spec, before)
    errors += _load_balancer_class_change(spec, before) + _load_balancer_class(spec)
    ports = number(spec, "healthCheckNodePort"), number(before, "healthCheckNodePort")
    if _needs_health_check(spec) and _needs_health_check(before) and ports[0] != ports[1]:
        errors.append(forbidden_field("spec.healthCheckNodePort", "field is immutable"))
    return errors + _judge(new, old)


def _load_balancer_class_change(spec: Object, before: Object) -> Errors:
    now, was = spec.get("loadBalancerClass"), before.get("loadBalancerClass")
    if now == was or not spec.get("type") == before.get("type") == "LoadBalancer":
        return []
    return [invalid("spec.loadBalancerClass", now, "may not change once set")]


def _load_balancer_class(spec: Object) -> Errors:
    given = spec.get("loadBalancerClass")
    if given is None:
        return []
    if spec.get("type") == "LoadBalancer":
        return checks.obey(formats.label_key, given, "spec.loadBalancerClass")
    return [forbidden_field("spec.loadBalancerClass", _ONLY_LOAD_BALANCER)]


def _judge(obj: Object, old: Object | None) -> Errors:
    spec, before = part(obj, "spec"), part(old or {}, "spec")
    errors = _topology(obj)
    no_ports_needed = is_headless(spec) or spec.get("type") == "ExternalName"
    if not items(spec, "ports") and not no_ports_needed:
        errors.append(required("spec.ports"))
    errors += _type(spec) + _ports(spec)
    errors += checks.labels(spec.get("selector"), "spec.selector")
    errors += _affinity(spec)
    errors += service_addresses.cluster_ips(spec, before)
    errors += service_addresses.external_ips(spec, before)
    errors += checks.required_one_of(spec.get("type"), _TYPES, "spec.type")
    errors += _port_numbers(spec) + _source_ranges(obj, old)
    if spec.get("allocateLoadBalancerNodePorts") is not None and spec["type"] != "LoadBalancer":
        errors.append(forbidden_field("spec.allocateLoadBalancerNodePorts", _ONLY_LOAD_BALANCER))
    errors += _load_balancer_class(spec)
    return errors + _traffic(spec)


def _topology(obj: Object) -> Errors:
    annotations = annotations_of(obj)
    mode, hints = annotations.get(_MODE), annotations.get(_HINTS)
    if mode is None or hints is None or mode == hints:
        return []
    why = f"must match annotations[{_HINTS}] when both are specified"
    return [invalid(f"metadata.annotations[{_MODE}]", mode, why)]


def _type(spec: Object) -> Errors:
    kind = text(spec, "type")
    if kind in ("LoadBalancer", "NodePort") and is_headless(spec):
        why = f"may not be set to 'None' for {kind} services"
        return [invalid("spec.clusterIPs[0]", "None", why)]
    if kind != "ExternalName":
        return []
    why = "may not be set for ExternalName services"
    fields = ("clusterIPs", "ipFamilies", "ipFamilyPolicy")
    errors = [forbidden_field(f"spec.{field}", why) for field in fields if spec.get(field)]
    if name := text(spec, "externalName").removesuffix("."):
        return errors + checks.obey(formats.dns1123_subdomain, name, "spec.externalName")
    return [*errors, required("spec.externalName")]


def _ports(spec: Object) -> Errors:
    errors: Errors = []
    names: set[str] = set()
    for port, path in indexed(spec, "ports", "spec"):
        name = text(port, "name")
        if name:
            errors += checks.obey(formats.dns1123_label, name, f"{path}.name")
            if name in names:
                errors.append(duplicate(f"{path}.name", name))
            names.add(name)
        elif len(spec["ports"]) > 1:
            errors.append(required(f"{path}.name"))
        errors += checks.port(number(port, "port"), f"{path}.port")
        errors += checks.required_one_of(port.get("protocol"), PROTOCOLS, f"{path}.protocol")
        errors += checks.port_or_name(port.get("targetPort"), f"{path}.targetPort")
        if (protocol := port.get("appProtocol")) is not None:
            errors += checks.obey(formats.label_key, protocol, f"{path}.appProtocol")
    return errors


def _affinity(spec: Object) -> Errors:
    path, config = "spec.sessionAffinityConfig", spec.get("sessionAffinityConfig")
    supported = ("ClientIP", "None")
    errors = checks.required_one_of(spec.get("sessionAffinity"), supported, "spec.sessionAffinity")
    if spec.get("sessionAffinity") != "ClientIP":
        return errors
    seconds = part(config or {}, "clientIP").get("timeoutSeconds", 0)
    if not 0 < seconds <= _DAY:
        why = f"must be greater than 0 and less than {_DAY}"
        errors.append(invalid(f"{path}.clientIP.timeoutSeconds", seconds, why))
    return errors


def _port_numbers(spec: Object) -> Errors:
    errors: Errors = []
    if spec.get("type") == "ClusterIP":
        why = "may not be used when `type` is 'ClusterIP'"
        errors += [
            forbidden_field(f"{path}.nodePort", why)
            for port, path in indexed(spec, "ports", "spec")
            if port.get("nodePort")
        ]
    node_ports: set[tuple[str, int]] = set()
    for port, path in indexed(spec, "ports", "spec"):
        key = (text(port, "protocol"), number(port, "nodePort"))
        if key[1] and key in node_ports:
            errors.append(duplicate(f"{path}.nodePort", key[1]))
        node_ports.add(key)
    seen: set[tuple[str, int]] = set()
    for port, path in indexed(spec, "ports", "spec"):
        key = (text(port, "protocol"), number(port, "port"))
        if key in seen:
            errors.append(duplicate(path, _shown(*key)))
        seen.add(key)
    return errors


def _shown(protocol: str, port: int) -> Object:
    """The internal form of a port of which only these two are known."""
    named = {"Name": "", "Protocol": protocol, "AppProtocol": None}
    return named | {"Port": port, "TargetPort": 0, "NodePort": 0}


def _source_ranges(obj: Object, old: Object | None) -> Errors:
    spec, before = part(obj, "spec"), part(old or {}, "spec")
    errors: Errors = []
    if ranges := items(spec, "loadBalancerSourceRanges"):
        path = "spec.LoadBalancerSourceRanges"
        if spec.get("type") != "LoadBalancer":
            errors.append(forbidden_field(path, _ONLY_LOAD_BALANCER))
        known = [value.strip() for value in items(before, "loadBalancerSourceRanges")]
        for index, value in enumerate(ranges):
            errors += addresses.cidr(value.strip(), f"{path}[{index}]", known=known)
        return errors
    annotation = annotations_of(obj).get(_RANGES)
    if annotation is None:
        return errors
    path = f"metadata.annotations[{_RANGES}]"
    if spec.get("type") != "LoadBalancer":
        errors.append(forbidden_field(path, _ONLY_LOAD_BALANCER))
    if annotation.strip() and annotations_of(old or {}).get(_RANGES) != annotation:
        for value in annotation.split(","):
            errors += addresses.cidr(value.strip(), path)
    return errors


def _traffic(spec: Object) -> Errors:
    errors: Errors = []
    policy, port = text(spec, "externalTrafficPolicy"), number(spec, "healthCheckNodePort")
    policies = ("Cluster", "Local")
    if _is_reachable(spec):
        errors += checks.required_one_of(policy, policies, "spec.externalTrafficPolicy")
    elif policy:
        why = "may only be set for externally-accessible services"
        errors.append(invalid("spec.externalTrafficPolicy", policy, why))
    if not _needs_health_check(spec):
        if port:
            why = (
                "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is "
                "'Local'"
            )
            errors.append(invalid("spec.healthCheckNodePort", port, why))
    elif port:
        errors += checks.port(port, "spec.healthCheckNodePort")
    else:
        errors.append(required("spec.healthCheckNodePort"))
    inside = spec.get("internalTrafficPolicy")
    if inside is not None:
        errors += checks.one_of(inside, policies, "spec.internalTrafficPolicy")
    if (distribution := spec.get("trafficDistribution")) is not None:
        errors += checks.one_of(distribution, _DISTRIBUTIONS, "spec.trafficDistribution")
    return errors


def _validate_status(new: Object, old: Object) -> Errors:
    known = part(old, "status", "loadBalancer")
    kind = text(part(new, "spec"), "type")
    errors = metadata.built_in_update(new, old)
    status = part(new, "status", "loadBalancer")
    return errors + service_addresses.load_balancer(status, known, kind)


def _warnings(obj: Object, _old: Object | None) -> list[str]:
    found: list[str] = []
    if _HINTS in annotations_of(obj):
        found.append(f"annotation {_HINTS} is deprecated, please use {_MODE} instead")
    return found + service_addresses.warnings(part(obj, "spec"))


def _status_warnings(obj: Object, _old: Object | None) -> list[str]:
    return [
        warning
        for ingress, path in indexed(
            part(obj, "status", "loadBalancer"), "ingress", "status.loadBalancer"
        )
        for warning in addresses.ip_warnings(text(ingress, "ip"), path)
    ]


SERVICE = Behaviour(
    default=_default,
    read_back=_read_back,
    prepare_create=_prepare_create,
    prepare_update=_prepare_update,
    validate=_validate,
    validate_update=_validate_update,
    warnings=_warnings,
    subpaths={
        "status": Subpath(prepare=keep_spec, validate=_validate_status, warnings=_status_warnings)
    },
    create_on_update=True,
)
