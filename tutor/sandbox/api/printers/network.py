"""Services, their endpoints, and what leads to them.

Source: kubernetes v1.36.2, pkg/printers/internalversion.
"""

from datetime import datetime
from typing import Any

from tutor.sandbox.api.printers.field import (
    NONE,
    UNSET,
    age,
    at,
    items,
    labels,
    mapping,
    name,
    number,
    selector,
    shortened,
    text,
)
from tutor.sandbox.api.printers.printer import AGE, NAME, WIDE, Column, Printer
from tutor.sandbox.kinds import GroupResource, Object, annotations_of

_DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class"
_SHOWN = 3


def _service(obj: Object, now: datetime) -> list[Any]:
    ips = items(obj, "spec", "clusterIPs") or [text(obj, "spec", "clusterIP")]
    return [
        name(obj),
        text(obj, "spec", "type", default="ClusterIP"),
        ips[0] or NONE,
        _external_ip(obj),
        ",".join(map(_service_port, items(obj, "spec", "ports"))) or NONE,
        age(obj, now),
        labels(mapping(obj, "spec", "selector")),
    ]


def _external_ip(obj: Object) -> str:
    own: list[str] = items(obj, "spec", "externalIPs")
    match text(obj, "spec", "type", default="ClusterIP"):
        case "ClusterIP" | "NodePort":
            return ",".join(own) or NONE
        case "LoadBalancer":
            return ",".join([*_balancer(obj), *own]) or "<pending>"
        case "ExternalName":
            return text(obj, "spec", "externalName")
        case _:
            return "<unknown>"


def _balancer(obj: Object) -> list[str]:
    points = items(obj, "status", "loadBalancer", "ingress")
    return sorted({text(one, "ip") or text(one, "hostname") for one in points} - {""})


def _service_port(port: Object) -> str:
    node_port = number(port, "nodePort")
    shown = f"{number(port, 'port')}:{node_port}" if node_port > 0 else str(number(port, "port"))
    return f"{shown}/{text(port, 'protocol', default='TCP')}"


def _endpoints(obj: Object, now: datetime) -> list[Any]:
    subsets = items(obj, "subsets")
    found = [address for subset in subsets for address in _addresses(subset)]
    return [name(obj), shortened(found) if subsets else NONE, age(obj, now)]


def _addresses(subset: Object) -> list[str]:
    ips = [text(one, "ip") for one in items(subset, "addresses")]
    ports = items(subset, "ports")
    if not ports:
        return ips
    return [_host_port(ip, number(port, "port")) for port in ports for ip in ips]


def _host_port(ip: str, port: int) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def _endpoint_slice(obj: Object, now: datetime) -> list[Any]:
    addresses: list[str] = [
        address for one in items(obj, "endpoints") for address in items(one, "addresses")
    ]
    return [
        name(obj),
        text(obj, "addressType"),
        shortened([_slice_port(port) for port in items(obj, "ports")]) or UNSET,
        shortened(addresses) or UNSET,
        age(obj, now),
    ]


def _slice_port(port: Object) -> str:
    value = at(port, "port")
    return text(port, "name") if value is None else str(value)


def _ingress(obj: Object, now: datetime) -> list[Any]:
    return [
        name(obj),
        text(obj, "spec", "ingressClassName", default=NONE),
        _hosts(items(obj, "spec", "rules")),
        ",".join(_balancer(obj)),
        "80, 443" if items(obj, "spec", "tls") else "80",
        age(obj, now),
    ]


def _hosts(rules: list[Any]) -> str:
    shown: list[str] = []
    for rule in rules:
        if len(shown) == _SHOWN:
            # Counted are the rules without a host too, as the real server does.
            return f"{','.join(shown)} + {len(rules) - _SHOWN} more..."
        if host := text(rule, "host"):
            shown.append(host)
    return ",".join(shown) or "*"


def _ingress_class(obj: Object, now: datetime) -> list[Any]:
    is_default = annotations_of(obj).get(_DEFAULT_CLASS) == "true"
    parameters = NONE
    if (reference := at(obj, "spec", "parameters")) is not None:
        group = at(reference, "apiGroup")
        kind = text(reference, "kind") + (f".{group}" if group is not None else "")
        parameters = f"{kind}/{text(reference, 'name')}"
    return [
        name(obj) + (" (default)" if is_default else ""),
        text(obj, "spec", "controller"),
        parameters,
        age(obj, now),
    ]


def _network_policy(obj: Object, now: datetime) -> list[Any]:
    return [name(obj), selector(mapping(obj, "spec", "podSelector")), age(obj, now)]


def _service_cidr(obj: Object, now: datetime) -> list[Any]:
    return [name(obj), ",".join(items(obj, "spec", "cidrs")), age(obj, now)]


def _ip_address(obj: Object, now: datetime) -> list[Any]:
    parent = NONE
    if (reference := at(obj, "spec", "parentRef")) is not None:
        resource = GroupResource(text(reference, "group"), text(reference, "resource"))
        namespace = text(reference, "namespace")
        parent = "/".join(
            [str(resource).lower(), *([namespace] if namespace else []), text(reference, "name")]
        )
    # The real server sends the age as well, in a cell that has no column.
    return [name(obj), parent, age(obj, now)]


PRINTERS = {
    GroupResource("", "services"): Printer(
        (
            NAME,
            Column("Type", "How the service is exposed."),
            Column("Cluster-IP", "Address inside the cluster."),
            Column("External-IP", "Addresses outside the cluster."),
            Column("Port(s)", "Ports, with the node's port after a colon."),
            AGE,
            Column("Selector", "Labels of the pods behind it.", priority=WIDE),
        ),
        _service,
    ),
    GroupResource("", "endpoints"): Printer(
        (NAME, Column("Endpoints", "Addresses and ports that serve."), AGE), _endpoints
    ),
    GroupResource("discovery.k8s.io", "endpointslices"): Printer(
        (
            NAME,
            Column("AddressType", "Kind of the addresses."),
            Column("Ports", "Ports of every address."),
            Column("Endpoints", "Addresses that serve."),
            AGE,
        ),
        _endpoint_slice,
    ),
    GroupResource("networking.k8s.io", "ingresses"): Printer(
        (
            NAME,
            Column("Class", "Class that carries it out."),
            Column("Hosts", "Host names it matches."),
            Column("Address", "Where the load balancer listens."),
            Column("Ports", "Ports it opens."),
            AGE,
        ),
        _ingress,
    ),
    GroupResource("networking.k8s.io", "ingressclasses"): Printer(
        (
            NAME,
            Column("Controller", "Controller that handles the class."),
            Column("Parameters", "Object with the controller's parameters."),
            AGE,
        ),
        _ingress_class,
    ),
    GroupResource("networking.k8s.io", "networkpolicies"): Printer(
        (NAME, Column("Pod-Selector", "Labels of the pods it applies to."), AGE), _network_policy
    ),
    GroupResource("networking.k8s.io", "servicecidrs"): Printer(
        (NAME, Column("CIDRs", "Ranges that services get addresses from."), AGE), _service_cidr
    ),
    GroupResource("networking.k8s.io", "ipaddresses"): Printer(
        (NAME, Column("ParentRef", "Object that the address belongs to.")), _ip_address
    ),
}
