"""What a cluster is made of, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tutor.sandbox.component import Component, Publish, unheard
from tutor.sandbox.pace import WATCHABLE, Pace

SERVICE_NETWORK = "10.96.0.0/16"
SERVICE_ADDRESS = "10.96.0.1"
NODE_ADDRESS = "172.18.0.2"
NODE_PORT = 6443

KIND_VERSION = {
    "major": "1",
    "minor": "27",
    "gitVersion": "v1.27.3",
    "gitCommit": "25b4e43193bcda6c7328a6d147b1fb73a33f1598",
    "gitTreeState": "clean",
    "buildDate": "2023-06-15T00:36:28Z",
    "goVersion": "go1.20.5",
    "compiler": "gc",
    "platform": "linux/amd64",
}
BARE_VERSION = {
    "major": "1",
    "minor": "36",
    "emulationMajor": "1",
    "emulationMinor": "36",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "35",
    "gitVersion": "v1.36.2",
    "gitCommit": "98b35193b2ac7a23a673325f5e9b830ecd5ba406",
    "gitTreeState": "clean",
    "buildDate": "2026-06-11T00:00:00Z",
    "goVersion": "go1.26.3",
    "compiler": "gc",
    "platform": "linux/amd64",
}
BARE_OPEN_PATHS = ("/.well-known", "/.well-known/*")
"""What the control plane that bare clusters are compared with lets everybody read besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPort:
    """A port of the node that the machine would see: kind's extraPortMappings."""

    container: int
    host: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSettings:
    """One cluster. Without a `node` it is a bare control plane: nothing schedules or runs pods."""

    name: str
    folder: Path
    """Its own folder: the log and the keys."""
    version: Mapping[str, str] = field(default_factory=lambda: KIND_VERSION)
    node: str = ""
    """The name of the one node, empty for none."""
    node_port_mappings: tuple[HostPort, ...] = ()
    pace: Pace = WATCHABLE
    components: Mapping[str, Component] = field(default_factory=dict[str, Component])
    peers: Mapping[str, int] = field(default_factory=dict[str, int])
    """Services (`NAMESPACE/NAME`) that lead to a loopback port of a program outside the cluster."""
    port: int = 0
    """The API server's loopback port; 0 for any."""
    publish: Publish = unheard
    """Who watches what happens on the way of requests."""
