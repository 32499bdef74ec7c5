"""The sandbox's own hosts file, and where a name leads: decisions without a network.

The file has the form of hosts(5). It is read anew at each connection, so an edit works at once.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_address
from pathlib import Path

_CLUSTER_NETWORKS = (IPv4Network("10.96.0.0/16"), IPv4Network("10.244.0.0/16"))
_NEVER_PUBLIC = (".local", ".svc", ".internal", ".test", ".localhost")
_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Served:
    """A download host that the sandbox answers for itself."""

    host: str


@dataclass(frozen=True, slots=True)
class HostPort:
    """A port of this machine, as the learner sees it: it may belong to a cluster's node."""

    ip: str
    port: int

    @property
    def refused(self) -> str:
        """What Go says when nobody has the port."""
        return f"dial tcp {self.ip}:{self.port}: connect: connection refused"


@dataclass(frozen=True, slots=True)
class Unknown:
    """No such name."""

    host: str

    @property
    def sentence(self) -> str:
        """What Go says of it."""
        return f"dial tcp: lookup {self.host}: no such host"


@dataclass(frozen=True, slots=True)
class Nowhere:
    """An address inside the cluster: from outside, packets get no answer."""

    ip: str
    port: int

    @property
    def sentence(self) -> str:
        """What Go says when it gives up."""
        return f"dial tcp {self.ip}:{self.port}: i/o timeout"


@dataclass(frozen=True, slots=True)
class Real:
    """The real network."""

    host: str
    port: int


Destination = Served | HostPort | Unknown | Nowhere | Real


def parse(text: str) -> dict[str, str]:
    """Names to addresses; the first line that has a name counts, as in hosts(5)."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        address, *names = line.partition("#")[0].split()[:32] or [""]
        try:
            ip_address(address)
        except ValueError:
            continue
        for name in names:
            found.setdefault(name.lower().rstrip("."), address)
    return found


def read(path: Path) -> dict[str, str]:
    """The hosts file of a working folder; nothing when it cannot be read."""
    try:
        return parse(path.read_text(errors="replace"))
    except OSError:
        return {}


def destination(
    host: str, port: int, known: Mapping[str, str], served: Collection[str]
) -> Destination:
    """Where a connection to a host and port goes."""
    name = host.lower().rstrip(".").strip("[]")
    address = known.get(name)
    if address is None and name in served:
        return Served(name)
    if address is None and name in _LOCAL_NAMES:
        address = "127.0.0.1"
    if address is None:
        address = _literal(name)
    if address is None:
        never = any(name.endswith(suffix) for suffix in _NEVER_PUBLIC) or "." not in name
        return Unknown(name) if never or name.endswith(".cluster.local") else Real(name, port)
    return _to_address(address, port)


def _literal(name: str) -> str | None:
    try:
        return str(ip_address(name))
    except ValueError:
        return None


def _to_address(address: str, port: int) -> Destination:
    ip = ip_address(address)
    if ip.is_loopback:
        return HostPort(address, port)
    if isinstance(ip, IPv4Address) and any(ip in network for network in _CLUSTER_NETWORKS):
        return Nowhere(address, port)
    return Real(address, port)
