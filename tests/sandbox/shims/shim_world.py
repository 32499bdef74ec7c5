"""What the fixtures hand to the tests."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from shim_concierge import FakeConcierge
from shim_servers import WebServer


class Outcome(NamedTuple):
    """What one run of a command left."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


class Cluster(NamedTuple):
    """A cluster on loopback, and the admin's kubeconfig for it."""

    concierge: FakeConcierge
    server: WebServer
    kubeconfig: str

    @property
    def url(self) -> str:
        """Where the cluster answers."""
        return self.server.url

    def paths(self) -> Sequence[str]:
        """What was asked so far."""
        return [request.path for request in self.server.requests]
