"""What the Concierge's controllers share."""

from collections.abc import Sequence
from dataclasses import dataclass

from tutor.sandbox.component import Workload
from tutor.sandbox.components.concierge.cache import Cache
from tutor.sandbox.components.concierge.config import Config
from tutor.sandbox.components.concierge.holder import Holder
from tutor.sandbox.components.concierge.log import Log
from tutor.sandbox.kinds import GroupResource, Object, name_of, namespace_of

SECRETS = GroupResource("", "secrets")
SERVICES = GroupResource("", "services")
PODS = GroupResource("", "pods")
NODES = GroupResource("", "nodes")
CONFIG_MAPS = GroupResource("", "configmaps")
DEPLOYMENTS = GroupResource("apps", "deployments")
REPLICA_SETS = GroupResource("apps", "replicasets")
LEASES = GroupResource("coordination.k8s.io", "leases")
API_SERVICES = GroupResource("apiregistration.k8s.io", "apiservices")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caches:
    """What the controllers read."""

    issuers: Cache
    webhooks: Cache
    secrets: Cache
    services: Cache
    pods: Cache
    """Of the Concierge's namespace."""
    deployments: Cache
    managers: Cache
    """The pods of kube-system."""
    cluster_info: Cache
    """The ConfigMaps of kube-public."""

    def all(self) -> Sequence[Cache]:
        """Every cache."""
        return [getattr(self, name) for name in self.__slots__]


def make_caches(config: Config, namespace: str) -> Caches:
    """Caches for a Concierge in a namespace, still empty."""
    issuers = GroupResource(config.group("config.concierge"), "credentialissuers")
    webhooks = GroupResource(config.group("authentication.concierge"), "webhookauthenticators")
    return Caches(
        issuers=Cache(issuers, "credentialissuer"),
        webhooks=Cache(webhooks, "webhookauthenticator"),
        secrets=Cache(SECRETS, "secret", namespace),
        services=Cache(SERVICES, "service", namespace),
        pods=Cache(PODS, "pod", namespace),
        deployments=Cache(DEPLOYMENTS, "deployment", namespace),
        managers=Cache(PODS, "pod", "kube-system"),
        cluster_info=Cache(CONFIG_MAPS, "configmap", "kube-public"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Holders:
    """The certificates in memory."""

    api: Holder
    """Serves the aggregated API."""
    proxy: Holder
    """Serves the impersonation proxy."""
    signer: Holder
    """The proxy's own CA for clients."""
    cluster: Holder
    """The cluster's CA, once its key was fetched."""


def make_holders() -> Holders:
    """Holders under the names that messages give them."""
    return Holders(
        api=Holder("concierge-serving-cert", is_ca=False),
        proxy=Holder("impersonation-proxy-serving-cert", is_ca=False),
        signer=Holder("impersonation-proxy-signing-cert", is_ca=True),
        cluster=Holder("concierge-kube-signing-cert", is_ca=True),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """A running Concierge, for its parts."""

    workload: Workload
    config: Config
    namespace: str
    owner: Object
    """The owner reference on everything it makes."""
    caches: Caches
    holders: Holders
    log: Log

    def tell_refused(self, peer: str, why: str) -> None:
        """A client that did not get through the handshake."""
        self.log.always(
            "http/server.go:3215$http.(*Server).logf",
            f"http: TLS handshake error from {peer}: {why}",
        )

    def owned(self, obj: Object) -> Object:
        """An object that goes when the Concierge's Deployment does."""
        return {**obj, "metadata": {**obj["metadata"], "ownerReferences": [self.owner]}}

    def secret(self, name: str, data: dict[str, str], kind: str = "Opaque") -> Object:
        """A Secret of the Concierge's own. `data` is base64."""
        metadata = {"name": name, "namespace": self.namespace, "labels": dict(self.config.labels)}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
        return self.owned(secret | {"type": kind, "data": data})


def owner_of_pod(workload: Workload) -> Object:
    """The owner reference to the Deployment behind a pod; raises ApiError when it is not there.

    It has neither `controller` nor `blockOwnerDeletion`.
    """
    pod, client = workload.pod, workload.client
    namespace = namespace_of(pod)
    replica_set = client.get(REPLICA_SETS, namespace, _owner_name(pod))
    deployment = client.get(DEPLOYMENTS, namespace, _owner_name(replica_set))
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": name_of(deployment),
        "uid": deployment["metadata"]["uid"],
    }


def _owner_name(obj: Object) -> str:
    owners: Sequence[Object] = obj["metadata"].get("ownerReferences") or ()
    return owners[0]["name"] if owners else ""
