"""The cluster's own network: pod and Service addresses to ports on loopback.

A pod's port exists when a program listens there: then `bind` ties its address to a loopback port.
A Service leads to one of its ready endpoints; without any, the connection is refused by a loopback
port on which nobody listens, as kube-proxy's REJECT rule does. Services that are given to a program
outside the cluster, its peer, lead to that program's port instead. Names and addresses of the
cluster mean something only here: to the machine, 10.96.0.0/16 is a foreign network.
"""

import random
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tutor.sandbox.api.ports import Unreachable
from tutor.sandbox.kinds import GroupResource, Object

SERVICES = GroupResource("", "services")
ENDPOINTS = GroupResource("", "endpoints")
_SUFFIXES = (".svc.cluster.local", ".svc")

Find = Callable[[GroupResource, str, str], Object | None]
"""(resource, namespace, name) -> object or None."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a connection goes: the address that messages name, and the loopback port behind it."""

    ip: str
    port: int
    loopback: int

    @property
    def refused(self) -> str:
        """What Go says when nobody listens there."""
        return f"dial tcp {self.ip}:{self.port}: connect: connection refused"


class Network:
    """Routes of one cluster."""

    def __init__(self, find: Find, peers: Mapping[str, int]) -> None:
        self._find = find
        self._peers = peers
        self._bound: dict[tuple[str, int], int] = {}
        self._reject = socket.socket()
        self._reject.bind(("127.0.0.1", 0))

    def close(self) -> None:
        """Give the rejecting port back."""
        self._reject.close()

    def bind(self, ip: str, port: int, loopback: int) -> Callable[[], None]:
        """Let an address lead to a loopback port; returns what ends it."""
        self._bound[(ip, port)] = loopback

        def release() -> None:
            if self._bound.get((ip, port)) == loopback:
                del self._bound[(ip, port)]

        return release

    def bound(self, ip: str, port: int) -> int | None:
        """The loopback port behind an address, None when nothing listens there."""
        return self._bound.get((ip, port))

    def to_address(self, ip: str, port: int) -> Route:
        """The route to a pod's address; refused when nothing listens there."""
        return Route(ip, port, self._bound.get((ip, port), self._rejecting))

    def to_name(self, host: str, port: int) -> Route:
        """The route to a Service by its DNS name.

        Raises:
            Unreachable: There is no such name, in Go's words.
        """
        for suffix in _SUFFIXES:
            if host.endswith(suffix):
                name, _, namespace = host.removesuffix(suffix).partition(".")
                service = self._find(SERVICES, namespace, name)
                if service is not None:
                    return self._through(service, port)
        raise Unreachable(f"dial tcp: lookup {host} on 10.96.0.10:53: no such host")

    def to_service(self, namespace: str, name: str, port: int) -> Route:
        """The route to a port of a Service.

        Raises:
            Unreachable: There is no such Service, in the API server's words.
        """
        service = self._find(SERVICES, namespace, name)
        if service is None:
            raise Unreachable(f'service "{name}" not found')
        return self._through(service, port)

    def endpoints(self, namespace: str, name: str, port: int) -> list[tuple[str, int]]:
        """The ready addresses behind a Service's port."""
        service = self._find(SERVICES, namespace, name)
        return self._targets(service, port) if service else []

    def _through(self, service: Object, port: int) -> Route:
        ip = service["spec"].get("clusterIP", "")
        meta = service["metadata"]
        peer = self._peers.get(f"{meta['namespace']}/{meta['name']}")
        if peer is not None:
            return Route(ip, port, peer)
        targets = self._targets(service, port)
        if not targets:
            return Route(ip, port, self._rejecting)
        target = random.choice(targets)  # noqa: S311 - balances load, hides nothing
        return Route(ip, port, self._bound.get(target, self._rejecting))

    def _targets(self, service: Object, port: int) -> list[tuple[str, int]]:
        ports: Sequence[Mapping[str, Any]] = service["spec"].get("ports") or ()
        wanted = next((p for p in ports if p["port"] == port), None)
        if wanted is None:
            return []
        meta = service["metadata"]
        found = self._find(ENDPOINTS, meta["namespace"], meta["name"])
        targets: list[tuple[str, int]] = []
        for subset in (found or {}).get("subsets") or ():
            for item in subset.get("ports") or ():
                if item.get("name", "") == wanted.get("name", ""):
                    addresses = subset.get("addresses") or ()
                    targets.extend((a["ip"], item["port"]) for a in addresses)
        return targets

    @property
    def _rejecting(self) -> int:
        return self._reject.getsockname()[1]
