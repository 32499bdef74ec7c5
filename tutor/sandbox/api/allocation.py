"""Service addresses and node ports: handed out from ranges, each once.

Source: pkg/registry/core/service (storage/alloc.go, the allocators and their messages), default
ranges of kubeadm.
"""

from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address, ip_network
from typing import Any

from tutor.sandbox.api.builtin.network import families
from tutor.sandbox.api.builtin.reading import items, number, part, text
from tutor.sandbox.api.registry import Served
from tutor.sandbox.api.status import ApiError, invalid, invalid_object
from tutor.sandbox.kinds import GroupResource, Object, labels_of, name_of

SERVICES = GroupResource("", "services")
RANGES = GroupResource("networking.k8s.io", "servicecidrs")
ADDRESSES = GroupResource("networking.k8s.io", "ipaddresses")
MANAGED_BY, ALLOCATOR = "ipaddress.kubernetes.io/managed-by", "ipallocator.k8s.io"
"""The label of the addresses that services have, and its value."""
NODE_PORTS = range(30_000, 32_768)
_TYPES_WITH_PORTS = ("NodePort", "LoadBalancer")
_EXTERNAL_NAME = "ExternalName"
_ATTEMPTS = 64
_NOTHING: Object = {}

Choose = Callable[[int], int]
"""A random number below its argument."""


class Allocation:
    """Fills in what a Service leaves to the cluster."""

    def __init__(
        self, objects: Callable[[GroupResource], Sequence[Object]], network: str, choose: Choose
    ) -> None:
        self._objects = objects
        self._addresses = _Addresses(network, choose)
        self._choose = choose

    def allocate(
        self, served: Served, new: Object, old: Object | None, *, dry_run: bool = False
    ) -> None:
        """Give a Service its addresses and ports; raises ApiError for what is taken or outside.

        As on the real server, a dry run takes addresses that are in use and ports that are out of
        range.
        """
        if served.kind.group_resource != SERVICES or served.kind.version != "v1":
            return
        spec = new.setdefault("spec", {})
        before = part(old, "spec") if old else None
        if before is not None:
            _keep_allocated(spec, before)
        _pair_addresses(spec, before)
        if errors := families.settle(spec, before):
            raise invalid_object("", "Service", name_of(new), errors)
        others = [
            part(service, "spec")
            for service in self._objects(SERVICES)
            if service["metadata"]["uid"] != new["metadata"].get("uid")
        ]
        if before is None or before.get("type") == _EXTERNAL_NAME:
            used = {text(other, "clusterIP") for other in others} | self._kept_by_hand()
            self._addresses.give(new, used, self._more_networks(), dry_run=dry_run)
        ports = _Ports(name_of(new), others, self._choose, dry_run=dry_run)
        if spec.get("type") in _TYPES_WITH_PORTS:
            ports.give(spec, before)
        if _needs_health_check(spec) and not _needs_health_check(before or _NOTHING):
            ports.give_health_check(spec)

    def _more_networks(self) -> list[IPv4Network]:
        """What may be asked for by name besides the range of the cluster."""
        ready = [one for one in self._objects(RANGES) if _is_ready(one)]
        found = (ip_network(cidr) for one in ready for cidr in items(one, "spec", "cidrs"))
        return [one for one in found if isinstance(one, IPv4Network)]

    def _kept_by_hand(self) -> set[str]:
        """Addresses with an object that somebody made; those of services follow the services."""
        return {name_of(one) for one in self._objects(ADDRESSES) if not is_allocated(one)}


def is_allocated(address: Object) -> bool:
    """Whether an IPAddress is there since a service has the address."""
    return labels_of(address).get(MANAGED_BY) == ALLOCATOR


def _is_ready(one: Object) -> bool:
    if one["metadata"].get("deletionTimestamp"):
        return False
    told = items(one, "status", "conditions")
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in told)


def _needs_health_check(spec: Object) -> bool:
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def _keep_allocated(spec: Object, before: Object) -> None:
    """Take over what an update may leave out."""
    if _EXTERNAL_NAME not in (spec.get("type"), before.get("type")):
        spec["clusterIP"] = text(spec, "clusterIP") or text(before, "clusterIP")
        spec["clusterIPs"] = items(spec, "clusterIPs") or list(items(before, "clusterIPs"))
    if spec.get("type") in _TYPES_WITH_PORTS and before.get("type") in _TYPES_WITH_PORTS:
        had = {text(port, "name"): number(port, "nodePort") for port in items(before, "ports")}
        named = {number(port, "nodePort") for port in items(spec, "ports")}
        for port in items(spec, "ports"):
            known = had.get(text(port, "name"), 0)
            if not port.get("nodePort") and known and known not in named:
                port["nodePort"] = known
    if _needs_health_check(spec) and _needs_health_check(before):
        known = number(spec, "healthCheckNodePort") or number(before, "healthCheckNodePort")
        spec["healthCheckNodePort"] = known


def _pair_addresses(spec: Object, before: Object | None) -> None:
    """Make `clusterIP` and `clusterIPs` agree where the caller wrote the first alone."""
    ip, ips = text(spec, "clusterIP"), items(spec, "clusterIPs")
    if before is None:
        if ip and not ips:
            spec["clusterIPs"] = [ip]
        return
    old, known = text(before, "clusterIP"), items(before, "clusterIPs")
    if known and not ips and ip == old:
        spec["clusterIPs"] = list(known)
    elif ip != old and ips == known:
        if ip:
            spec["clusterIPs"] = [ip]
        else:
            spec.pop("clusterIPs", None)


class _Addresses:
    """The cluster IPs."""

    def __init__(self, network: str, choose: Choose) -> None:
        self._network = IPv4Network(network)
        self._choose = choose

    def give(
        self,
        service: Object,
        used: set[str],
        more: Sequence[IPv4Network],
        *,
        dry_run: bool,
    ) -> None:
        """Give a service its address; raises ApiError (422, 500)."""
        spec = service["spec"]
        ips = items(spec, "clusterIPs")
        if spec.get("type") == _EXTERNAL_NAME or ips[:1] == ["None"]:
            return
        wanted = ips[0] if ips else ""
        if not wanted:
            wanted = str(self._network[0]) if dry_run else self._free(name_of(service), used)
            if not name_of(service) and not dry_run:
                # The address gets an object that names its service, before the service is judged.
                message = (
                    f'failed to allocate IP: IPAddress.networking.k8s.io "{wanted}" is invalid:'
                    " spec.parentRef.name: Required value"
                )
                error = invalid("spec.clusterIPs", [""], message)
                raise invalid_object("", "Service", "", [error])
        elif why := self._refusal(wanted, set[str]() if dry_run else used, more):
            message = f"failed to allocate IP {wanted}: {why}"
            error = invalid("spec.clusterIPs", ips, message)
            raise invalid_object("", "Service", name_of(service), [error])
        spec["clusterIP"] = wanted
        spec["clusterIPs"] = [wanted, *ips[1:]]

    def _refusal(self, wanted: str, used: set[str], more: Sequence[IPv4Network]) -> str:
        address = ip_address(wanted)
        if not (address in self._network or any(_usable(address, one) for one in more)):
            return (
                f"the provided IP ({wanted}) is not in the valid range. The range of valid IPs is"
                f" {self._network}"
            )
        return "provided IP is already allocated" if wanted in used else ""

    def _free(self, name: str, used: set[str]) -> str:
        size = self._network.num_addresses
        # The first sixteenth (at most 256) is for addresses that are asked for.
        reserved = min(max(size // 16, 16), 256)
        for _ in range(_ATTEMPTS):
            candidate = str(self._network[reserved + self._choose(size - reserved - 1)])
            if candidate not in used:
                return candidate
        for index in range(1, size - 1):
            candidate = str(self._network[index])
            if candidate not in used:
                return candidate
        raise _full(f'failed to allocate a serviceIP for Service "{name}"')


def _usable(address: IPv4Address | IPv6Address, network: IPv4Network) -> bool:
    outermost = (network.network_address, network.broadcast_address)
    return address in network and address not in outermost


class _Ports:
    """The node ports that one service asks for."""

    def __init__(
        self, name: str, others: Sequence[Object], choose: Choose, *, dry_run: bool
    ) -> None:
        self._name = name
        self._choose = choose
        self._dry_run = dry_run
        self._taken: list[int] = []
        self._used = {
            number(port, "nodePort") for other in others for port in items(other, "ports")
        } | {number(other, "healthCheckNodePort") for other in others}

    def give(self, spec: Object, before: Object | None) -> None:
        """Give every port its node port; raises ApiError (422, 500)."""
        had = {number(port, "nodePort") for port in items(before or _NOTHING, "ports")} - {0}
        automatic = spec["type"] == "NodePort" or spec.get("allocateLoadBalancerNodePorts", True)
        shared: dict[int, int] = {}
        for index, port in enumerate(items(spec, "ports")):
            if not port.get("nodePort") and not automatic:
                continue
            # A new service uses one node port for the protocols of one port.
            known = shared.get(port["port"], 0) if before is None else 0
            if before is None and not known:
                known = self._requested(index, port["port"], spec, had)
            wanted = number(port, "nodePort") or known
            if not wanted:
                wanted = self._free("failed to allocate a nodePort")
            elif wanted not in (*had, *self._taken):
                self._take(wanted, f"spec.ports[{index}].nodePort")
            port["nodePort"] = wanted
            shared.setdefault(port["port"], wanted)

    def _requested(self, index: int, port: int, spec: Object, had: set[int]) -> int:
        """The node port that another entry names for the same port."""
        asked: list[Any] = [one for one in items(spec, "ports") if one["port"] == port]
        wanted = next((one["nodePort"] for one in asked if one.get("nodePort")), 0)
        if wanted and wanted not in (*had, *self._taken):
            self._take(wanted, f"spec.ports[{index}].nodePort")
        return wanted

    def give_health_check(self, spec: Object) -> None:
        """A load balancer that keeps traffic on its node asks a port there for its health."""
        wanted = number(spec, "healthCheckNodePort")
        if not wanted:
            spec["healthCheckNodePort"] = self._free("failed to allocate a HealthCheck NodePort 0")
        elif why := self._refusal(wanted):
            message = f"failed to allocate requested HealthCheck NodePort {wanted}: {why}"
            raise _internal(message)
        self._taken.append(spec["healthCheckNodePort"])

    def _take(self, wanted: int, path: str) -> None:
        if why := self._refusal(wanted):
            raise invalid_object("", "Service", self._name, [invalid(path, wanted, why)])
        self._taken.append(wanted)

    def _refusal(self, wanted: int) -> str:
        if wanted not in NODE_PORTS and not self._dry_run:
            return (
                "provided port is not in the valid range. The range of valid ports is"
                f" {NODE_PORTS.start}-{NODE_PORTS.stop - 1}"
            )
        taken = wanted in self._used or wanted in self._taken
        return "provided port is already allocated" if taken else ""

    def _free(self, failed: str) -> int:
        if self._dry_run:
            chosen = max(self._taken, default=NODE_PORTS.stop) + 1
        else:
            chosen = self._random(failed)
        self._taken.append(chosen)
        return chosen

    def _random(self, failed: str) -> int:
        used = self._used.union(self._taken)
        for _ in range(_ATTEMPTS):
            candidate = NODE_PORTS[self._choose(len(NODE_PORTS))]
            if candidate not in used:
                return candidate
        found = next((port for port in NODE_PORTS if port not in used), None)
        if found is None:
            raise _full(failed)
        return found


def _internal(message: str) -> ApiError:
    text = f"Internal error occurred: {message}"
    return ApiError(500, "InternalError", text, details={"causes": [{"message": message}]})


def _full(what: str) -> ApiError:
    return _internal(f"{what}: range is full")
