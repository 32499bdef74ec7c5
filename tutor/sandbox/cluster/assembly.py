"""Puts a cluster together, starts it, and takes it down."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tutor.sandbox.api.admission import Pipeline
from tutor.sandbox.api.allocation import Allocation
from tutor.sandbox.api.discovery import Discovery
from tutor.sandbox.api.documents import Announced, Documents
from tutor.sandbox.api.front import Front
from tutor.sandbox.api.identity import Authenticator, TokenAuthority
from tutor.sandbox.api.objects import Objects
from tutor.sandbox.api.rbac import Authorizer, Reader
from tutor.sandbox.api.registry import Registry, Served
from tutor.sandbox.api.request import Answer, Call, Request, User
from tutor.sandbox.api.resources import Resources
from tutor.sandbox.api.reviews import Reviews
from tutor.sandbox.api.routes import Target
from tutor.sandbox.api.status import not_found
from tutor.sandbox.api.strategies import builtin_served
from tutor.sandbox.api.subresources import Subresources
from tutor.sandbox.api.webhooks import Webhooks
from tutor.sandbox.client import Client
from tutor.sandbox.cluster.apis import builtin_services, group_order
from tutor.sandbox.cluster.keys import ClusterKeys, load_or_make
from tutor.sandbox.cluster.machine import Machine
from tutor.sandbox.cluster.settings import (
    NODE_ADDRESS,
    NODE_PORT,
    SERVICE_ADDRESS,
    SERVICE_NETWORK,
    ClusterSettings,
)
from tutor.sandbox.component import ServerTls
from tutor.sandbox.controllers import bootstrap
from tutor.sandbox.kinds import GroupResource, Key, Object
from tutor.sandbox.log import Log
from tutor.sandbox.server.aggregation import API_SERVICES, Aggregation
from tutor.sandbox.server.network import Network
from tutor.sandbox.server.outbound import Outbound
from tutor.sandbox.server.wire import serving
from tutor.sandbox.store import Store

ISSUER = "https://kubernetes.default.svc.cluster.local"
APISERVER = User(name="system:apiserver", groups=("system:masters", "system:authenticated"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A running cluster, as the process around it sees it."""

    settings: ClusterSettings
    keys: ClusterKeys
    port: int
    client: Client
    """The API as the server's own loopback user, who may do everything."""

    @property
    def url(self) -> str:
        """Where kubectl finds it."""
        return f"https://127.0.0.1:{self.port}"


class Assembly:
    """The parts of one cluster, wired."""

    def __init__(
        self, settings: ClusterSettings, keys: ClusterKeys, store: Store, log: Log
    ) -> None:
        self.settings = settings
        self.keys = keys
        self.store = store
        self.machine = Machine(log)
        self.network = Network(self.find)
        self.outbound = Outbound(self.network, keys.front_proxy)
        self.registry = Registry(builtin_served())
        self.discovery = Discovery(self.registry)
        self.authorizer = Authorizer(Reader(self.objects_of, store.changed))
        tokens = TokenAuthority(keys.tokens, ISSUER, self._core)
        self.authenticator = Authenticator(lambda: [keys.ca.certificate], tokens)
        webhooks = Webhooks(self.objects_of, self.outbound, self.machine.uid)
        self.objects = Objects(
            store,
            self.machine,
            Pipeline((), webhooks),
            Untracked(),
            Allocation(self.objects_of, SERVICE_NETWORK, self.machine.below),
        )
        reviews = Reviews(
            self.authenticator,
            self.authorizer,
            self.authorizer.decide,
            self._core,
            self.machine.uid,
        )
        self.front = Front(
            authenticator=self.authenticator,
            authorizer=self.authorizer,
            registry=self.registry,
            resources=Resources(
                self.registry,
                self.objects,
                Subresources(self.registry, self.objects, reviews, NoNodes()),
            ),
            documents=Documents(self.discovery, NoOpenApi(), self._announced(), self._token_keys),
            aggregator=Aggregation(self.find, self.outbound),
            trace=lambda *_: None,
        )

    def client(self, user: User, manager: str) -> Client:
        """The API as a user."""
        return Client(
            user=user,
            manager=manager,
            registry=self.registry,
            objects=self.objects,
            decide=self.front.decide,
            now=self.machine.now,
            execute=_no_pods,
        )

    def find(self, resource: GroupResource, namespace: str, name: str) -> Object | None:
        """A stored object, or None."""
        served = self.registry.of_resource(resource)
        namespaced = served is not None and served.kind.namespaced
        from_key = namespace if namespaced else ""
        stored = self.store.get(Key(resource.group, resource.resource, from_key, name))
        return stored.object if stored else None

    def objects_of(self, resource: GroupResource, namespace: str = "") -> Sequence[Object]:
        """The stored objects of a collection."""
        return [stored.object for stored in self.store.objects(resource, namespace)]

    def announce(self) -> None:
        """Let discovery show what the APIServices in the store say."""
        self.discovery.changed(group_order(self.objects_of(API_SERVICES)), {})

    def _core(self, plural: str, namespace: str, name: str) -> Object | None:
        return self.find(GroupResource("", plural), namespace, name)

    def _announced(self) -> Announced:
        address = NODE_ADDRESS if self.settings.node else "127.0.0.1"
        return Announced(self.settings.version, f"{address}:{NODE_PORT}")

    def _token_keys(self) -> tuple[Object, Object]:
        return ({}, {})


def _no_pods(namespace: str, pod: str, container: str, command: Sequence[str]) -> str:
    del namespace, container, command
    raise not_found(GroupResource("", "pods"), pod)


class Untracked:
    """No managed fields."""

    def track(self, call: Call, served: Served, new: Object, old: Object | None) -> None:
        """Nothing to record."""


class NoNodes:
    """Nothing runs pods."""

    async def reach(self, request: Request, target: Target, obj: Object) -> Answer:
        """Nobody is there."""
        raise not_found(GroupResource("", "nodes"), "")


class NoOpenApi:
    def index(self) -> Mapping[str, str]:
        return {}

    def v3(self, path: str) -> tuple[bytes, str] | None:
        return None

    def v2(self) -> bytes:
        return bytes.fromhex("0a03322e30")


@asynccontextmanager
async def running(settings: ClusterSettings) -> AsyncGenerator[Cluster]:
    """Start a cluster, and take it down at the end of the context.

    Raises:
        ClusterError: Its state cannot be opened, or its port is taken.
    """
    settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = Store()
    log = Log(settings.folder / "log.db", store)
    machine = Machine(log)
    keys = await load_or_make(
        settings.folder / "pki", hosts=_server_names(settings), now=machine.now()
    )
    with log.opened():
        assembly = Assembly(settings, keys, store, log)
        if store.revision == 0:
            await _fill(assembly)
        assembly.announce()
        async with serving(
            assembly.front.handle, tls=_server_tls(keys), now=machine.now, port=settings.port
        ) as port:
            yield Cluster(
                settings=settings,
                keys=keys,
                port=port,
                client=assembly.client(APISERVER, "kube-apiserver"),
            )


async def _fill(assembly: Assembly) -> None:
    client = assembly.client(APISERVER, "kube-apiserver")
    async with asyncio.TaskGroup() as group:
        standard = bootstrap.objects(SERVICE_ADDRESS, (NODE_ADDRESS, NODE_PORT))
        for obj in (*standard, *builtin_services()):
            group.create_task(client.create(obj), name="bootstrap")


def _server_names(settings: ClusterSettings) -> list[str]:
    names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"]
    names += ["kubernetes.default.svc.cluster.local", "localhost"]
    names += [SERVICE_ADDRESS, NODE_ADDRESS, "127.0.0.1"]
    return [settings.node, *names] if settings.node else names


def _server_tls(keys: ClusterKeys) -> ServerTls:
    return ServerTls(pair=lambda: keys.server, asks_client=True, acceptable=lambda: keys.ca.pem)
