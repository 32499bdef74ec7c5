"""Starts a cluster, and takes it down."""

import asyncio
import errno
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tutor.errors import ClusterError
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.cluster.apis import builtin_services
from tutor.sandbox.cluster.keys import ClusterKeys, load_or_make
from tutor.sandbox.cluster.kindnode import KindNode
from tutor.sandbox.cluster.life import Life
from tutor.sandbox.cluster.machine import Machine
from tutor.sandbox.cluster.parts import APISERVER, Parts
from tutor.sandbox.cluster.settings import (
    NODE_ADDRESS,
    NODE_PORT,
    SERVICE_ADDRESS,
    ClusterSettings,
)
from tutor.sandbox.cluster.standard import standard_objects
from tutor.sandbox.component import ServerTls
from tutor.sandbox.controllers import bootstrap
from tutor.sandbox.controllers.resources import LEASES, NODES, is_true
from tutor.sandbox.kinds import Object
from tutor.sandbox.log import Log
from tutor.sandbox.server.network import Network
from tutor.sandbox.server.wire import serving
from tutor.sandbox.store import Store

STATE = "log.db"
"""The file in a cluster's folder that holds its objects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A running cluster, as the process around it sees it."""

    settings: ClusterSettings
    keys: ClusterKeys
    port: int
    client: Client
    """The API as the server's own loopback user, who may do everything."""
    network: Network

    @property
    def url(self) -> str:
        """Where kubectl finds it."""
        return f"https://127.0.0.1:{self.port}"

    async def node_ready(self) -> None:
        """Wait until the node is Ready."""
        changed = asyncio.Event()
        unsubscribe = self.client.subscribe(NODES, lambda _: changed.set())
        try:
            while not any(is_true(node, "Ready") for node in self.client.list(NODES)):
                changed.clear()
                await changed.wait()
        finally:
            unsubscribe()


@asynccontextmanager
async def running(settings: ClusterSettings) -> AsyncGenerator[Cluster]:
    """Start a cluster, and take it down at the end of the context.

    Raises:
        ClusterError: Its state cannot be opened, or its port is taken.
    """
    settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = Store()
    log = Log(settings.folder / STATE, store)
    machine = Machine(log)
    keys = await asyncio.to_thread(
        load_or_make, settings.folder / "pki", hosts=_server_names(settings), now=machine.now()
    )
    async with log.opened():
        parts = Parts(settings, keys, store, log)
        client = parts.client(APISERVER, "kube-apiserver")
        if store.revision == 0:
            await _begin(client, settings, keys)
        await _announce(client, settings, machine)
        parts.announce()
        async with _serving(parts) as port, _living(parts):
            yield Cluster(
                settings=settings, keys=keys, port=port, client=client, network=parts.network
            )


@asynccontextmanager
async def _serving(parts: Parts) -> AsyncGenerator[int]:
    wanted = parts.settings.port
    tls = _server_tls(parts.keys)
    try:
        async with serving(parts.front.handle, tls=tls, now=parts.machine.now, port=wanted) as port:
            parts.network.bind(NODE_ADDRESS, NODE_PORT, port)
            yield port
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise ClusterError(
            f"Port {wanted} of this machine, which the cluster {parts.settings.name} needs for its"
            " API server, is taken by another program.",
            next_action=f"End the program that uses port {wanted}, or delete the cluster and make"
            " it again.",
        ) from error
    finally:
        parts.network.close()


@asynccontextmanager
async def _living(parts: Parts) -> AsyncGenerator[None]:
    """Controllers and node, as long as the context lasts."""
    failure: BaseException | None = None
    async with asyncio.TaskGroup() as group:
        started = asyncio.Event()
        life = group.create_task(Life(parts).run(started), name="life")
        await started.wait()
        try:
            yield
        except BaseException as error:  # noqa: BLE001 - raised again outside the group
            failure = error
        finally:
            life.cancel()
    if failure is not None:
        raise failure


async def _announce(client: Client, settings: ClusterSettings, machine: Machine) -> None:
    lease = bootstrap.server_lease(
        settings.node or socket.gethostname(),
        f"{NODE_ADDRESS}:{NODE_PORT}",
        machine.uid(),
        machine.now(),
    )
    meta = lease["metadata"]
    known = client.find(LEASES, meta["namespace"], meta["name"])
    if known is None:
        await client.create(lease)
    else:
        await client.update(known | {"spec": lease["spec"]})


async def _begin(client: Client, settings: ClusterSettings, keys: ClusterKeys) -> None:
    try:
        await _fill(client, settings, keys)
    except ExceptionGroup as group:
        refused, others = group.split(ApiError)
        if others is not None or refused is None:
            raise
        first = next(each for each in refused.exceptions if isinstance(each, ApiError))
        raise ClusterError(
            f"The cluster {settings.name} cannot be made: {first.message}.",
            next_action="Free space in the home folder, or set TUTOR_HOME to another one.",
        ) from group


async def _fill(client: Client, settings: ClusterSettings, keys: ClusterKeys) -> None:
    async with asyncio.TaskGroup() as group:
        standard = standard_objects(settings, keys, client.now())
        for obj in (*standard, *builtin_services()):
            group.create_task(_make(client, obj), name="bootstrap")
    if settings.node:
        await KindNode(client, keys, settings.name, settings.node).install()


async def _make(client: Client, obj: Object) -> None:
    """Create an object, and give it the status that its controller would."""
    made = await client.create(obj)
    if "status" in obj and made.get("status") != obj["status"]:
        await client.update(made | {"status": obj["status"]}, "status")


def _server_names(settings: ClusterSettings) -> list[str]:
    names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"]
    names += ["kubernetes.default.svc.cluster.local", "localhost"]
    names += [SERVICE_ADDRESS, NODE_ADDRESS, "127.0.0.1"]
    return [settings.node, *names] if settings.node else names


def _server_tls(keys: ClusterKeys) -> ServerTls:
    return ServerTls(
        pair=lambda: keys.server, asks_client=True, http2=True, acceptable=lambda: keys.ca.pem
    )
