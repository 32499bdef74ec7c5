"""The parts of a cluster, wired together."""

from collections.abc import Sequence

from tutor.sandbox.api.admission import Pipeline
from tutor.sandbox.api.allocation import Allocation
from tutor.sandbox.api.builtin.admission.catalogue import default_plugins
from tutor.sandbox.api.builtin.admission.quota.resource_quota import QUOTAS, ResourceQuota
from tutor.sandbox.api.component_statuses import ComponentStatuses
from tutor.sandbox.api.discovery import Discovery
from tutor.sandbox.api.documents import Announced, Documents
from tutor.sandbox.api.escalation import EscalationGuard
from tutor.sandbox.api.flowcontrol import FlowControl
from tutor.sandbox.api.front import Front, Hop
from tutor.sandbox.api.identity import Authenticator, TokenAuthority
from tutor.sandbox.api.managed.tracking import Tracking
from tutor.sandbox.api.objects import Objects
from tutor.sandbox.api.rbac import Authorizer, Reader
from tutor.sandbox.api.registry import Registry
from tutor.sandbox.api.request import User
from tutor.sandbox.api.resources import Resources
from tutor.sandbox.api.reviews import Reviews
from tutor.sandbox.api.status import not_found
from tutor.sandbox.api.strategies import builtin_served
from tutor.sandbox.api.subresources import Subresources
from tutor.sandbox.api.webhooks import Webhooks
from tutor.sandbox.client import Client
from tutor.sandbox.cluster.apis import group_order
from tutor.sandbox.cluster.crds import Definitions
from tutor.sandbox.cluster.keys import ClusterKeys
from tutor.sandbox.cluster.machine import Machine
from tutor.sandbox.cluster.settings import (
    NODE_ADDRESS,
    NODE_PORT,
    SERVICE_NETWORK,
    ClusterSettings,
)
from tutor.sandbox.kinds import GroupResource, GroupVersion, Key, Kind, Object
from tutor.sandbox.log import Log
from tutor.sandbox.node.programs import Programs
from tutor.sandbox.node.reach import PodAccess
from tutor.sandbox.schema.openapi import Published
from tutor.sandbox.schema.openapi_custom import CustomType
from tutor.sandbox.server.aggregation import API_SERVICES, Aggregation
from tutor.sandbox.server.network import Network
from tutor.sandbox.server.outbound import Outbound
from tutor.sandbox.store import Store

APISERVER = User(name="system:apiserver", groups=("system:masters", "system:authenticated"))
ISSUER = "https://kubernetes.default.svc.cluster.local"


class Parts:
    """Everything of a cluster that does not run by itself."""

    def __init__(
        self, settings: ClusterSettings, keys: ClusterKeys, store: Store, log: Log
    ) -> None:
        self.settings = settings
        self.keys = keys
        self.store = store
        self.machine = Machine(log)
        self.network = Network(self.find, settings.peers)
        self.outbound = Outbound(self.network, keys.front_proxy, settings.publish)
        self.programs: Programs | None = None
        self.pods = PodAccess(lambda: self.programs)
        self.registry = Registry(builtin_served(allow_privileged=bool(settings.node)))
        self.discovery = Discovery(self.registry)
        self.authorizer = Authorizer(Reader(self.objects_of, store.changes))
        self.tokens = TokenAuthority(keys.tokens, ISSUER, self._core)
        self.authenticator = Authenticator(lambda: [keys.ca.certificate], self.tokens)
        webhooks = Webhooks(self.objects_of, self.outbound, self.machine.uid)
        self.objects = Objects(
            store,
            self.machine,
            Pipeline(
                default_plugins(
                    self, self.machine.suffix, self.authorizer.decide, self._collection_of
                ),
                webhooks,
                (ResourceQuota(self, self._book),),
                EscalationGuard(self.authorizer),
            ),
            Tracking(self.registry.find),
            Allocation(self.objects_of, SERVICE_NETWORK, self.machine.below),
        )
        self.reviews = Reviews(
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
                Subresources(self.registry, self.objects, self.reviews, self.pods),
                self.authorizer.decide,
                ComponentStatuses(whole=bool(settings.node)),
            ),
            documents=Documents(
                self.discovery,
                Published(self.custom_types),
                self._announced(),
                self.tokens.published,
            ),
            aggregator=Aggregation(self.find, self.outbound),
            flow=FlowControl(Reader(self.objects_of, store.changes)),
            trace=self._tell,
        )
        self.definitions = Definitions(
            self.client(APISERVER, "kube-apiserver"), self.registry, self.discovery.forget
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
            execute=self._execute,
            review=self.reviews.review_of,
        )

    def find(self, resource: GroupResource, namespace: str, name: str) -> Object | None:
        """A stored object, or None."""
        served = self.registry.of_resource(resource)
        namespaced = served is not None and served.kind.namespaced
        from_key = namespace if namespaced else ""
        stored = self.store.get(Key(resource.group, resource.resource, from_key, name))
        return stored.object if stored else None

    def collections(self) -> list[GroupResource]:
        """Every collection that is stored."""
        return [
            served.kind.group_resource
            for served in self.registry.resources()
            if "list" in served.kind.verbs
        ]

    def namespaced(self) -> list[GroupResource]:
        """Every collection whose objects are in namespaces and can be deleted."""
        return [
            served.kind.group_resource
            for served in self.registry.resources()
            if served.kind.namespaced and "delete" in served.kind.verbs
        ]

    def kind_of(self, api_version: str, kind: str) -> Kind | None:
        """The served kind that an object's apiVersion and kind name."""
        served = self.registry.of_object(api_version, kind)
        return served.kind if served else None

    def _collection_of(self, api_version: str, kind: str) -> tuple[GroupResource, bool] | None:
        served = self.registry.of_object(api_version, kind)
        return (served.kind.group_resource, served.kind.namespaced) if served else None

    def _execute(self, namespace: str, pod: str, container: str, command: Sequence[str]) -> str:
        found = self.find(GroupResource("", "pods"), namespace, pod)
        if found is None:
            raise not_found(GroupResource("", "pods"), pod)
        return self.pods.execute(found, container, command)

    def objects_of(self, resource: GroupResource, namespace: str = "") -> Sequence[Object]:
        """The stored objects of a collection."""
        return [stored.object for stored in self.store.objects(resource, namespace)]

    def announce(self) -> None:
        """Let discovery show what the APIServices in the store say."""
        self.definitions.restore()
        self.discovery.changed(group_order(self.objects_of(API_SERVICES)), {})

    def _core(self, plural: str, namespace: str, name: str) -> Object | None:
        return self.find(GroupResource("", plural), namespace, name)

    def _announced(self) -> Announced:
        return Announced(self.settings.version, f"{NODE_ADDRESS}:{NODE_PORT}")

    def _book(self, quota: Object) -> None:
        served = self.registry.of_resource(QUOTAS)
        if served is None:
            raise LookupError(QUOTAS)
        self.objects.book(served, quota)

    def custom_types(self) -> dict[GroupVersion, list[CustomType]]:
        """The custom kinds that are served, as OpenAPI describes them."""
        return self.definitions.types()

    def _tell(self, hop: Hop) -> None:
        """Publish what the API server did with a request."""
        self.settings.publish("api", hop.fields())
        if not hop.simulated:
            self.settings.publish("not-simulated", {"what": hop.why})
