"""One running program, and the pods that it stands for."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from tutor.sandbox.api.ports import Backends, Unreachable
from tutor.sandbox.client import Client
from tutor.sandbox.component import (
    Backoff,
    Connection,
    Exited,
    Handler,
    Program,
    Publish,
    Reconciler,
    ServerTls,
)
from tutor.sandbox.controllers.podstatus import Crash
from tutor.sandbox.controllers.runtime import run_all
from tutor.sandbox.kinds import Object
from tutor.sandbox.node.mounts import Mounts
from tutor.sandbox.node.stream import SocketConnection, open_connection
from tutor.sandbox.pace import Pace
from tutor.sandbox.server.accepting import accepting
from tutor.sandbox.server.network import Network
from tutor.sandbox.server.wire import Now, serving

log = logging.getLogger(__name__)

_GATEWAY = "10.244.0.1"
"""What a pod takes for the other end of a connection that comes through its node."""
_LOG_LINES = 10_000
_LONGEST_RESTART_S = 300.0

MakeClient = Callable[[Object], Client]
"""A client with the identity of a pod's service account."""


class Surroundings:
    """What every program of a node shares."""

    def __init__(
        self,
        *,
        network: Network,
        backends: Backends,
        mounts: Mounts,
        pace: Pace,
        now: Now,
        client_for: MakeClient,
        api_server: Callable[[], tuple[str, int, str]],
        publish: Publish,
    ) -> None:
        self.network = network
        self.backends = backends
        self.mounts = mounts
        self.pace = pace
        self.now = now
        self.client_for = client_for
        self.api_server = api_server
        self.publish = publish


class Instance:
    """A program that runs in the oldest of its pods; the others lead to it. See `Workload`."""

    def __init__(
        self,
        program: Program,
        container: Object,
        surroundings: Surroundings,
        changed: Callable[[Iterable[Object]], None],
    ) -> None:
        self._program = program
        self._container = container
        self._around = surroundings
        self._changed = changed
        self._pods: dict[str, Object] = {}
        self._ports: dict[int, int] = {}
        self._releases: dict[tuple[str, int], list[Callable[[], None]]] = {}
        self._task: asyncio.Task[None] | None = None
        self._leader = ""
        self._client: Client | None = None
        self.is_ready = False
        self.finished = False
        self.crash: Crash | None = None
        self.lines: deque[tuple[str, str]] = deque(maxlen=_LOG_LINES)
        """Time (RFC 3339 with nanoseconds) and text of each log line."""
        self.previous: list[tuple[str, str]] | None = None
        """The lines before the last restart, None before there was one."""
        self.on_line: list[Callable[[], None]] = []
        self.executor: Callable[[Sequence[str]], str] | None = None

    @property
    def pod(self) -> Object:
        """The pod it runs in, as it is now."""
        return self._pods[self._leader]

    @property
    def container(self) -> Object:
        """Its own container."""
        return self._container

    @property
    def client(self) -> Client:
        """The API, as the pod's service account."""
        if self._client is None:
            self._client = self._around.client_for(self.pod)
        return self._client

    @property
    def backends(self) -> Backends:
        """Other servers."""
        return self._around.backends

    @property
    def pace(self) -> Pace:
        """How long things take."""
        return self._around.pace

    @property
    def empty(self) -> bool:
        """Whether no pod is left."""
        return not self._pods

    def join(self, pod: Object, group: asyncio.TaskGroup) -> None:
        """A pod runs the container now, or has changed."""
        uid = pod["metadata"]["uid"]
        is_new = uid not in self._pods
        self._pods[uid] = pod
        if is_new:
            for port, loopback in self._ports.items():
                self._bind(pod, port, loopback)
        if self._task is None and not self.finished:
            self._start(group)

    def leave(self, uid: str, group: asyncio.TaskGroup) -> None:
        """A pod is gone. When it was the leader, the program begins anew in the next one."""
        pod = self._pods.pop(uid, None)
        if pod is None:
            return
        for key in [key for key in self._releases if key[0] == uid]:
            for release in self._releases.pop(key):
                release()
        if uid == self._leader:
            self._stop()
            if self._pods:
                self._start(group)

    def ready(self) -> None:
        """The container passes its readiness probe."""
        self.is_ready = True
        self._changed(self._pods.values())

    def log(self, line: str) -> None:
        """Write a line to the container's log."""
        stamp = self._around.now().strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
        self.lines.append((stamp, line))
        for wake in self.on_line[:]:
            wake()

    def tell(self, kind: str, **fields: Any) -> None:
        """Publish a hop on the way of a request."""
        self._around.publish(kind, {"pod": self.pod["metadata"]["name"], **fields})

    async def serve(self, port: int, tls: ServerTls, handler: Handler) -> None:
        """Serve HTTPS on a port of the pod until cancelled."""

        def refused(peer: str, why: str) -> None:
            self.tell("handshake", port=port, refused=why)
            tls.refused(peer.replace("127.0.0.1", _GATEWAY), why)

        told = replace(tls, refused=refused)
        async with serving(handler, tls=told, now=self._around.now) as loopback:
            await self._open(port, loopback)

    async def listen(self, port: int, accept: Callable[[Connection], Awaitable[None]]) -> None:
        """Take raw connections on a port of the pod until cancelled."""

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = SocketConnection(reader, writer)
            try:
                await accept(connection)
            except (OSError, Unreachable) as error:
                log.debug("connection ended", extra={"why": str(error)})
            finally:
                await connection.close()

        async with accepting(take) as loopback:
            await self._open(port, loopback)

    async def _open(self, port: int, loopback: int) -> None:
        self._ports[port] = loopback
        for pod in self._pods.values():
            self._bind(pod, port, loopback)
        try:
            await asyncio.Event().wait()
        finally:
            self._ports.pop(port, None)
            for key in [key for key in self._releases if key[1] == port]:
                for release in self._releases.pop(key):
                    release()

    async def connect(self, ip: str, port: int) -> Connection:
        """Connect to a port of a pod; raises Unreachable."""
        return await open_connection(self._around.network.to_address(ip, port))

    async def reconcile(
        self, reconcilers: Sequence[Reconciler], backoff: Backoff | None = None
    ) -> None:
        """Run reconcilers until cancelled."""
        await run_all(reconcilers, self.client, backoff)

    def on_execute(self, run: Callable[[Sequence[str]], str]) -> None:
        """Answer commands that are executed in the container."""
        self.executor = run

    def read_mounted(self, path: str) -> bytes:
        """A file that a volume puts into the container."""
        return self._around.mounts.read(self.pod, self._container, path)

    def api_server(self) -> tuple[str, int, str]:
        """Host, port and CA of the API server."""
        return self._around.api_server()

    def _start(self, group: asyncio.TaskGroup) -> None:
        self._leader = next(iter(self._pods))
        self._container = self._container_of(self.pod)
        self._client = None
        self.is_ready = False
        self.crash = self.previous = None
        self.lines.clear()
        name = self.pod["metadata"]["name"]
        self._task = group.create_task(self._run(), name=f"program {name}")

    def _container_of(self, pod: Object) -> Object:
        """The container as this pod has it: a rollout may have changed it."""
        name = self._container["name"]
        return next(c for c in pod["spec"]["containers"] if c["name"] == name)

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self.executor = None
        self.is_ready = False

    async def _run(self) -> None:
        while True:
            since = self._around.now()
            try:
                await self._run_once()
            except Exited as error:
                await self._wait_to_restart(error.code, since)
                continue
            return

    async def _wait_to_restart(self, code: int, since: datetime) -> None:
        """Wait as kubelets do: not at all after the first failure, then longer each time."""
        self.executor = None
        self.is_ready = False
        restarts = self.crash.restarts if self.crash else 0
        delay_s = min(self._around.pace.restart * 2 ** (restarts - 1), _LONGEST_RESTART_S)
        self.crash = Crash(
            code=code,
            since=since,
            until=self._around.now(),
            restarts=restarts,
            again=None,
            delay_s=delay_s if restarts else 0.0,
        )
        self._changed(self._pods.values())
        await asyncio.sleep(self.crash.delay_s)
        self.previous = list(self.lines)
        self.lines.clear()
        self.crash = replace(self.crash, restarts=restarts + 1, again=self._around.now())
        self._changed(self._pods.values())

    async def _run_once(self) -> None:
        try:
            await self._program(self)
        except (asyncio.CancelledError, Exited):
            raise
        except Exception:  # a program's crash is a container's crash, not the cluster's
            log.exception("program failed", extra={"container": self._container.get("name")})
            self.log("the sandbox's program for this container failed; see the sandbox's log")
            return
        self.finished = True
        self._task = None
        self._changed(self._pods.values())

    def _bind(self, pod: Object, port: int, loopback: int) -> None:
        network, uid = self._around.network, pod["metadata"]["uid"]
        releases = self._releases.setdefault((uid, port), [])
        address = pod.get("status", {}).get("podIP", "")
        if address:
            releases.append(network.bind(address, port, loopback))
        node = pod.get("status", {}).get("hostIP", "")
        for declared in self._container.get("ports") or ():
            if declared.get("containerPort") == port and declared.get("hostPort") and node:
                releases.append(network.bind(node, declared["hostPort"], loopback))
