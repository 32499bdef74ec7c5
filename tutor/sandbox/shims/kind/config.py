"""The cluster configuration file, kind.x-k8s.io/v1alpha4: read, checked, in kind's words.

Source: kind v0.20.0, pkg/apis/config/v1alpha4, pkg/internal/apis/config (load, default, validate).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from tutor.sandbox.shims import gotext, tree, yamltext
from tutor.sandbox.shims.kind import decode

IMAGE = (
    "kindest/node:v1.27.3@sha256:3966ac761ae0136263ffdb6cfd4db23ef8a83cba8a463690e98317add2c9ba72"
)
_VERSION = "kind.x-k8s.io/v1alpha4"
_CONTROL_PLANE = "control-plane"
_NAME = r"^[a-z0-9.-]+$"
_PROTOCOLS = ("", "TCP", "UDP", "SCTP")
_SUBNETS = {
    "podSubnet": {"ipv4": "10.244.0.0/16", "ipv6": "fd00:10:244::/56"},
    "serviceSubnet": {"ipv4": "10.96.0.0/16", "ipv6": "fd00:10:96::/112"},
}
_IGNORED = (
    "featureGates",
    "runtimeConfig",
    "kubeadmConfigPatches",
    "kubeadmConfigPatchesJSON6902",
    "containerdConfigPatches",
    "containerdConfigPatchesJSON6902",
)
_IGNORED_OF_NODES = ("extraMounts", "kubeadmConfigPatches", "kubeadmConfigPatchesJSON6902")


class ConfigError(Exception):
    """The configuration is wrong; the text is kind's."""


class PortMapping(NamedTuple):
    """A port of a node on the host, as the file writes it: "" and 0 where it says nothing."""

    container: int
    host: int
    listen: str
    protocol: str


class Node(NamedTuple):
    """One node of the cluster."""

    role: str
    image: str
    ports: tuple[PortMapping, ...]


class Cluster(NamedTuple):
    """What a configuration asks for; `ignored` names fields that the sandbox does not simulate."""

    name: str
    nodes: tuple[Node, ...]
    networking: Mapping[str, Any]
    ignored: tuple[str, ...]


def default() -> Cluster:
    """The cluster that is made without a configuration."""
    return Cluster("", (Node(_CONTROL_PLANE, IMAGE, ()),), {}, ())


def parse(text: str) -> Cluster:
    """Read a configuration.

    Raises:
        ConfigError: it is no YAML, of another version, or has fields that do not fit.
    """
    try:
        document = yamltext.compose(text, v3=True)
        problems = decode.problems(document, "encoding.typeMeta")
        if problems:
            raise yamltext.YamlError(decode.told(problems))
    except yamltext.YamlError as error:
        raise ConfigError(f"could not determine kind / apiVersion for config: {error}") from None
    content = tree.mapping(decode.value(document))
    version = decode.scalar(content.get("apiVersion"))
    if version != _VERSION:
        raise ConfigError(f"unknown apiVersion: {version}")
    if (kind := decode.scalar(content.get("kind"))) != "Cluster":
        raise ConfigError(f"unknown kind {kind} for apiVersion: {version}")
    found = _cluster(content)
    if problems := decode.problems(document, "v1alpha4.Cluster"):
        raise ConfigError(f"unable to decode config: {decode.told(problems)}")
    return found


def _cluster(content: dict[str, Any]) -> Cluster:
    listed = [tree.mapping(node) for node in tree.items(content.get("nodes"))]
    ignored = [name for name in _IGNORED if content.get(name)]
    ignored += [name for name in _IGNORED_OF_NODES if any(node.get(name) for node in listed)]
    nodes = tuple(_node(node) for node in listed)
    return Cluster(
        decode.scalar(content.get("name")),
        nodes or default().nodes,
        tree.mapping(content.get("networking")),
        tuple(dict.fromkeys(ignored)),
    )


def _node(node: dict[str, Any]) -> Node:
    for mount in tree.items(node.get("extraMounts")):
        propagation = decode.scalar(tree.at(mount, "propagation"))
        if propagation not in ("", "None", "HostToContainer", "Bidirectional"):
            quoted = gotext.quote(propagation)
            raise ConfigError(f"unable to decode config: Unknown MountPropagation: {quoted}")
    ports = tuple(_port(port) for port in tree.items(node.get("extraPortMappings")))
    role = decode.scalar(node.get("role")) or _CONTROL_PLANE
    return Node(role, decode.scalar(node.get("image")) or IMAGE, ports)


def _port(port: object) -> PortMapping:
    protocol = decode.scalar(tree.at(port, "protocol")).upper()
    if protocol not in _PROTOCOLS:
        quoted = gotext.quote(protocol)
        raise ConfigError(f"unable to decode config: Unknown PortMappingProtocol: {quoted}")
    numbers = [tree.at(port, key) for key in ("containerPort", "hostPort")]
    container, host = (number if isinstance(number, int) else 0 for number in numbers)
    return PortMapping(container, host, decode.scalar(tree.at(port, "listenAddress")), protocol)


def check(cluster: Cluster) -> None:
    """Judge a configuration whose name is settled.

    Raises:
        ConfigError: with every fault that kind finds.
    """
    problems: list[str] = []
    if not re.match(_NAME, cluster.name):
        problems.append(
            f"'{cluster.name}' is not a valid cluster name, cluster names must match `{_NAME}`"
        )
    problems += _networking_problems(cluster.networking)
    for index, node in enumerate(cluster.nodes):
        if found := _node_problems(node):
            problems.append(f"invalid configuration for node {index}: {_aggregate(found)}")
    if not any(node.role == _CONTROL_PLANE for node in cluster.nodes):
        problems.append(f"must have at least one {_CONTROL_PLANE} node")
    if problems:
        raise ConfigError(_aggregate(problems))


def _aggregate(problems: list[str]) -> str:
    return problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"


def _networking_problems(networking: Mapping[str, Any]) -> list[str]:
    problems: list[str] = []
    port = networking.get("apiServerPort")
    if isinstance(port, int) and (wrong := _port_problem(port)):
        problems.append(f"invalid apiServerPort: {wrong}")
    family = decode.scalar(networking.get("ipFamily")) or "ipv4"
    for key, word in (("podSubnet", "pod"), ("serviceSubnet", "service")):
        known = _SUBNETS[key]
        both = f"{known['ipv4']},{known['ipv6']}"
        usual = both if family == "dual" else known.get(family, known["ipv4"])
        subnet = decode.scalar(networking.get(key)) or usual
        if wrong := _subnet_problem(subnet, family):
            problems.append(f"invalid {word} subnet {wrong}")
    mode = decode.scalar(networking.get("kubeProxyMode")) or "iptables"
    if mode not in ("iptables", "ipvs", "none"):
        problems.append(f"invalid kubeProxyMode: {mode}")
    return problems


def _subnet_problem(subnet: str, family: str) -> str:
    versions: list[int] = []
    for cidr in subnet.split(","):
        try:
            if "/" not in cidr:
                raise ValueError(cidr)
            versions.append(ipaddress.ip_network(cidr, strict=False).version)
        except ValueError:
            quoted = gotext.quote(cidr)
            return f"failed to parse cidr value:{quoted} with error: invalid CIDR address: {cidr}"
    if family == "dual":
        if len(versions) > 2 or (len(versions) == 2 and len(set(versions)) == 1):
            return (
                "expected one (IPv4 or IPv6) CIDR or two CIDRs from each family "
                "for dual-stack networking"
            )
        return ""
    if len(versions) > 1:
        return "only one CIDR allowed for single-stack networking"
    if family == "ipv4" and versions[0] != 4:
        return "expected IPv4 CIDR for IPv4 family"
    if family == "ipv6" and versions[0] != 6:
        return "expected IPv6 CIDR for IPv6 family"
    return ""


def _node_problems(node: Node) -> list[str]:
    problems: list[str] = []
    if node.role not in (_CONTROL_PLANE, "worker"):
        problems.append(f"{gotext.quote(node.role)} is not a valid node role")
    for port in node.ports:
        if wrong := _port_problem(port.host):
            problems.append(f"invalid hostPort: {wrong}")
        if wrong := _port_problem(port.container):
            problems.append(f"invalid containerPort: {wrong}")
    if wrong := _clash(node.ports):
        problems.append(f"invalid portMapping: {wrong}")
    return problems


def _port_problem(port: int) -> str:
    return "" if -1 <= port <= 65535 else f"invalid port number: {port}"


def _clash(ports: tuple[PortMapping, ...]) -> str:
    """Two mappings of one host port, where one of them listens on every address or on the same."""
    taken: dict[str, set[str]] = {}
    for port in ports:
        where = f"{port.host}/{port.protocol}"
        written = _go_address(port.listen)
        address = "0.0.0.0" if written == "::" else written  # noqa: S104  (a name, not a listener)
        used = taken.setdefault(where, set())
        wild = "0.0.0.0"  # noqa: S104  (a name, not a listener)
        if used and (address == wild or address in used or wild in used):
            return (
                "port mapping with same listen address, port and protocol already configured: "
                f"{written}:{where}"
            )
        used.add(address)
    return ""


def _go_address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return "<nil>"
