"""What a component is, and what it may count on.

A component gives names to programs. When a pod's container is started, the node looks up what the
container runs; if a component has a program of that name, it runs for as long as the pod does. One
instance serves all replicas of a workload: it lives in the oldest running pod, and when that pod
goes, it ends and a new one begins in the next, with nothing remembered. So a component wakes when
its Deployment is there and sleeps when it is deleted or scaled to zero, by nothing but pods.
"""

from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, Protocol

from tutor.sandbox.api.ports import Backends
from tutor.sandbox.api.request import Answer, Request
from tutor.sandbox.client import Client
from tutor.sandbox.kinds import GroupResource, Object
from tutor.sandbox.pace import Pace
from tutor.sandbox.pki import Authority, Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTls:
    """How a server of a component does TLS.

    `pair` is asked for at every handshake, so that a rotation needs no restart; None ends the
    handshake with an internal error alert, as Go does without a certificate.
    """

    pair: Callable[[], Pair | None]
    asks_client: bool = False
    """Whether to ask for a client certificate; any is let in, the handler judges."""
    acceptable: Callable[[], str] = lambda: ""
    """PEM of the CAs that are named as acceptable."""
    minimum: str = "TLSv1.2"
    http2: bool = False
    """Whether to speak HTTP/2 with those who can."""
    refused: Callable[[str, str], None] = lambda _peer, _why: None
    """Called with `host:port` and the reason, in Go's words, for each handshake that fails."""


Handler = Callable[[Request], Awaitable[Answer]]

Publish = Callable[[str, Mapping[str, Any]], None]
"""Tells those who watch the trace of a hop on the way of a request: its kind, and what is
particular to it."""


def unheard(_kind: str, _fields: Mapping[str, Any]) -> None:
    """Publish a hop where nobody watches."""


class Connection(Protocol):
    """A raw connection between a client and a program: bytes both ways."""

    async def read(self) -> bytes:
        """The next bytes, empty at the end."""
        ...

    async def write(self, data: bytes) -> None:
        """Send bytes."""
        ...

    async def close(self) -> None:
        """End it."""
        ...


class Workload(Protocol):
    """What a program sees of the world it runs in."""

    @property
    def pod(self) -> Object:
        """The pod it runs in, as it is now."""
        ...

    @property
    def container(self) -> Object:
        """Its own container."""
        ...

    @property
    def client(self) -> Client:
        """The API, with the identity and rights of the pod's service account."""
        ...

    @property
    def backends(self) -> Backends:
        """Other servers, by the names of the cluster."""
        ...

    @property
    def pace(self) -> Pace:
        """How long things take."""
        ...

    def ready(self) -> None:
        """The container passes its readiness probe from now on."""
        ...

    def log(self, line: str) -> None:
        """Write a line to the container's log."""
        ...

    def tell(self, kind: str, **fields: Any) -> None:
        """Publish a hop on the way of a request, or, as `not-simulated`, `what` is not."""
        ...

    async def serve(self, port: int, tls: ServerTls, handler: Handler) -> None:
        """Serve HTTPS on a port of the pod until cancelled."""
        ...

    async def listen(self, port: int, accept: Callable[[Connection], Awaitable[None]]) -> None:
        """Take raw connections on a port of the pod until cancelled."""
        ...

    async def connect(self, ip: str, port: int) -> Connection:
        """Connect to a port of a pod; raises Unreachable with Go's sentence."""
        ...

    async def reconcile(
        self, reconcilers: Sequence["Reconciler"], backoff: "Backoff | None" = None
    ) -> None:
        """Run reconcilers until cancelled, by default with client-go's own back-off."""
        ...

    def on_execute(self, run: Callable[[Sequence[str]], str]) -> None:
        """Answer commands that are executed in the container: arguments to standard output."""
        ...

    def read_mounted(self, path: str) -> bytes:
        """A file that a volume puts into the container; raises FileNotFoundError."""
        ...

    def api_server(self) -> tuple[str, int, str]:
        """Host, port and CA (PEM) of the API server, as a pod finds it."""
        ...


Program = Callable[[Workload], Awaitable[None]]
"""What a container does. When it returns, the container has completed; see also `Exited`."""


class Exited(Exception):
    """A program that ends in failure. Its container is started again, later each time."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exit code {code}")
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A product: the programs of its containers."""

    name: str
    programs: Mapping[str, Program]


@dataclass(frozen=True, slots=True)
class Watches:
    """Which collection wakes a reconciler, and with which keys."""

    resource: GroupResource
    keys: Callable[[Object], Iterable[Hashable]]
    namespace: str = ""
    """Only objects there; empty for everywhere, which takes rights in the whole cluster."""
    always: tuple[Hashable, ...] = ()
    """Keys to look at when the reconciler starts, whether or not there is an object for them."""
    name: str = ""
    """Only the object of that name, for those who have rights on no other."""
    rate_limited: bool = False
    """A change counts as a failure of its keys: they are looked at after the next back-off."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a reconcile returns: when to look again, None for not before something changes."""

    again_s: float | None = None
    failed: bool = False
    """It did not work, as expected: look again after the back-off."""


DONE = Result()


class Reconciler(Protocol):
    """Brings the world of one key to where it should be.

    It receives a key, never an event; running it twice changes nothing the second time.
    """

    name: str
    watches: Sequence[Watches]

    async def reconcile(self, key: Hashable) -> Result:
        """Act on one key. What it raises is logged, and it is called again later."""
        ...


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays after failures: they double from `first_s` up to `most_s`."""

    first_s: float = 0.005
    most_s: float = 60.0

    def after(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row."""
        return min(self.first_s * 2 ** min(failures - 1, 40), self.most_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFacts:
    """What every built-in controller may know of its cluster."""

    name: str
    node: str
    pace: Pace
    authority: Authority
    """The cluster's CA."""
    ca_bundle: str
    now: Callable[[], datetime]
    features: frozenset[str] = field(default_factory=frozenset[str])


def program_of(container: Object) -> str:
    """What a container runs: the command's name and its subcommand, else the image's name."""
    words: list[str] = [*(container.get("command") or ()), *(container.get("args") or ())]
    if container.get("command"):
        name = PurePosixPath(words[0]).name
        follows = words[1] if len(words) > 1 else ""
        return f"{name} {follows}" if follows and not follows.startswith("-") else name
    image = container.get("image", "").partition("@")[0]
    return PurePosixPath(image).name.partition(":")[0]
