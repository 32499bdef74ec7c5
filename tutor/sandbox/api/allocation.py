"""Service addresses and node ports: handed out from ranges, each once.

Source: pkg/registry/core/service (allocators and their messages), default ranges of kubeadm.
"""

from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, ip_address
from typing import Any

from tutor.sandbox.api.registry import Served
from tutor.sandbox.api.status import ApiError, FieldError, invalid, invalid_object
from tutor.sandbox.kinds import GroupResource, Object, name_of

SERVICES = GroupResource("", "services")
NODE_PORTS = range(30_000, 32_768)
_TYPES_WITH_PORTS = ("NodePort", "LoadBalancer")
_ATTEMPTS = 64

Choose = Callable[[int], int]
"""A random number below its argument."""


class Allocation:
    """Fills in what a Service leaves to the cluster."""

    def __init__(
        self, objects: Callable[[GroupResource], Sequence[Object]], network: str, choose: Choose
    ) -> None:
        self._objects = objects
        self._network = IPv4Network(network)
        self._choose = choose

    def allocate(self, served: Served, new: Object, old: Object | None) -> None:
        """Give a Service its addresses and ports; raises ApiError for what is taken or outside."""
        if served.kind.group_resource != SERVICES or served.kind.version != "v1":
            return
        spec = new.setdefault("spec", {})
        errors = [*self._address(spec, new, old), *self._ports(spec, new, old)]
        if errors:
            raise invalid_object("", "Service", name_of(new), errors)

    def _address(self, spec: Object, new: Object, old: Object | None) -> list[FieldError]:
        if spec.get("type") == "ExternalName":
            return []
        before = (old or {}).get("spec", {})
        if old is not None and not spec.get("clusterIP") and before.get("type") != "ExternalName":
            spec["clusterIP"] = before.get("clusterIP", "")
            spec["clusterIPs"] = before.get("clusterIPs", [])
        wanted = spec.get("clusterIP") or next(iter(spec.get("clusterIPs") or ()), "")
        used = self._used_addresses(new)
        errors: list[FieldError] = []
        if not wanted:
            wanted = self._free_address(used)
        elif wanted != "None" and wanted != before.get("clusterIP"):
            errors = self._check_address(wanted, used)
        spec["clusterIP"] = wanted
        spec["clusterIPs"] = [wanted]
        spec.setdefault("ipFamilies", ["IPv4"])
        spec.setdefault("ipFamilyPolicy", "SingleStack")
        return errors

    def _check_address(self, wanted: str, used: set[str]) -> list[FieldError]:
        field = "spec.clusterIPs"
        try:
            address = ip_address(wanted)
        except ValueError:
            return []
        if address not in self._network:
            detail = (
                f"failed to allocate IP {wanted}: the provided IP ({wanted}) is not in the valid"
                f" range. The range of valid IPs is {self._network}"
            )
            return [invalid(field, [wanted], detail)]
        if wanted in used:
            detail = f"failed to allocate IP {wanted}: provided IP is already allocated"
            return [invalid(field, [wanted], detail)]
        return []

    def _used_addresses(self, new: Object) -> set[str]:
        uid = new["metadata"].get("uid")
        return {
            service["spec"].get("clusterIP", "")
            for service in self._objects(SERVICES)
            if service["metadata"]["uid"] != uid
        }

    def _free_address(self, used: set[str]) -> str:
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
        raise ApiError(500, "InternalError", "failed to allocate a serviceIP: range is full")

    def _ports(self, spec: Object, new: Object, old: Object | None) -> list[FieldError]:
        ports: list[dict[str, Any]] = spec.get("ports") or []
        if spec.get("type") not in _TYPES_WITH_PORTS:
            self._drop_ports(ports, old)
            return []
        if spec.get("allocateLoadBalancerNodePorts") is False and spec["type"] == "LoadBalancer":
            return []
        before = {
            (p.get("name", ""), p["port"], p.get("protocol", "TCP")): p.get("nodePort")
            for p in (old or {}).get("spec", {}).get("ports") or ()
        }
        used = self._used_ports(new)
        errors: list[FieldError] = []
        for index, port in enumerate(ports):
            place = (port.get("name", ""), port.get("port"), port.get("protocol", "TCP"))
            wanted = port.get("nodePort") or before.get(place)
            if not wanted:
                wanted = self._free_port(used)
            elif wanted not in before.values():
                errors.extend(self._check_port(index, wanted, used))
            used.add(wanted)
            port["nodePort"] = wanted
        self._health_check(spec, old, used)
        return errors

    def _health_check(self, spec: Object, old: Object | None, used: set[int]) -> None:
        """A load balancer that keeps traffic on its node asks a port there for its health."""
        local = spec.get("externalTrafficPolicy") == "Local" and spec["type"] == "LoadBalancer"
        if local and not spec.get("healthCheckNodePort"):
            before = (old or {}).get("spec", {}).get("healthCheckNodePort")
            spec["healthCheckNodePort"] = before or self._free_port(used)

    def _drop_ports(self, ports: list[dict[str, Any]], old: Object | None) -> None:
        """A Service that no longer has node ports gives back those it did not name anew."""
        had = (old or {}).get("spec", {})
        if had.get("type") not in _TYPES_WITH_PORTS:
            return
        known = {p.get("nodePort") for p in had.get("ports") or ()}
        for port in ports:
            if port.get("nodePort") in known:
                port.pop("nodePort", None)

    def _check_port(self, index: int, wanted: int, used: set[int]) -> list[FieldError]:
        field = f"spec.ports[{index}].nodePort"
        if wanted not in NODE_PORTS:
            detail = (
                "provided port is not in the valid range. The range of valid ports is"
                f" {NODE_PORTS.start}-{NODE_PORTS.stop - 1}"
            )
            return [invalid(field, wanted, detail)]
        if wanted in used:
            return [invalid(field, wanted, "provided port is already allocated")]
        return []

    def _used_ports(self, new: Object) -> set[int]:
        uid = new["metadata"].get("uid")
        return {
            port["nodePort"]
            for service in self._objects(SERVICES)
            if service["metadata"]["uid"] != uid
            for port in service["spec"].get("ports") or ()
            if port.get("nodePort")
        }

    def _free_port(self, used: set[int]) -> int:
        for _ in range(_ATTEMPTS):
            candidate = NODE_PORTS[self._choose(len(NODE_PORTS))]
            if candidate not in used:
                return candidate
        return next(port for port in NODE_PORTS if port not in used)
