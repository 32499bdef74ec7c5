"""The controller of the kube-cert-agent: it runs the agent and fetches the cluster's key from it.

Source: pinniped.md 3.10. The key stays in memory when the agent is gone.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from tutor.sandbox.api.deletion import DeleteOptions
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.component import Watches
from tutor.sandbox.components.concierge import strategy
from tutor.sandbox.components.concierge.cache import Absent, Cache
from tutor.sandbox.components.concierge.deps import DEPLOYMENTS, Surroundings
from tutor.sandbox.components.concierge.holder import InvalidPair
from tutor.sandbox.components.concierge.issuers import Issuers
from tutor.sandbox.components.concierge.log import ref
from tutor.sandbox.components.concierge.signing.template import (
    AGENT_LABELS,
    CONTAINER,
    MANAGER_LABELS,
    PRINT,
    agent_deployment,
    brought_up_to,
    candidates,
    cluster_info,
    newest_running,
    read_printed,
    selects_otherwise,
)
from tutor.sandbox.components.concierge.sync import EVERYTHING, Controller, Key, SyncError, wrapped
from tutor.sandbox.kinds import Object, labels_of, name_of, namespace_of

NAME = "kube-cert-agent-controller"
_CLUSTER_INFO = "cluster-info"
_AT = "kubecertagent/kubecertagent.go:{}$kubecertagent.(*agentController).{}"
_KEY_LASTS = timedelta(minutes=15)
_NO_KEY, _NO_INFO = ("CouldNotFetchKey", "CouldNotGetClusterInfo")


class _Failed(Exception):
    """A step that failed, with the reason that the strategy gives."""

    def __init__(self, reason: str, error: Exception) -> None:
        super().__init__(str(error))
        self.reason = reason


class AgentController:
    """Keeps the agent, the key and the strategy."""

    def __init__(self, around: Surroundings, issuers: Issuers) -> None:
        self._around = around
        self._client = around.workload.client
        self._issuers = issuers
        self._log = around.log.named(NAME)
        self._fetched: dict[str, datetime] = {}

    def controller(self) -> Controller:
        """The controller, with what wakes it."""
        config, caches = self._around.config, self._around.caches
        return Controller(
            NAME,
            self._sync,
            (
                _labelled(caches.managers, MANAGER_LABELS),
                _named(caches.deployments, config.agent_deployment),
                _labelled(caches.pods, AGENT_LABELS),
                _named(caches.cluster_info, _CLUSTER_INFO),
                _named(caches.issuers, config.names.credential_issuer),
            ),
            self._around.log,
            self._around.workload.pace.opaque_resync,
        )

    async def _sync(self, _key: Key) -> None:
        issuer = self._issuers.get()
        try:
            server, bundle = await self._fetch()
        except _Failed as error:
            failed = strategy.failed(strategy.SIGNING, error.reason, str(error))
            await self._issuers.report(issuer, failed, SyncError(str(error)))
            return
        await self._issuers.report(issuer, strategy.key_fetched(server, bundle))

    async def _fetch(self) -> tuple[str, str]:
        caches = self._around.caches
        managers = caches.managers.list(MANAGER_LABELS)
        manager = newest_running(managers)
        if manager is None:
            found = candidates(managers)
            message = f"could not find a healthy kube-controller-manager pod ({found})"
            raise _Failed(_NO_KEY, SyncError(message))
        unsure = await self._ensure_agent(manager)
        agents = caches.pods.list(AGENT_LABELS)
        agent = newest_running(agents)
        if agent is None:
            message = f"could not find a healthy agent pod ({candidates(agents)})"
            raise _Failed(_NO_KEY, unsure or SyncError(message))
        try:
            info = self._cluster_info()
        except SyncError as error:
            raise _Failed(_NO_INFO, unsure or error) from None
        try:
            await self._load_key(agent)
        except SyncError as error:
            raise _Failed(_NO_KEY, unsure or error) from None
        if unsure is not None:
            raise _Failed(_NO_KEY, unsure)
        return info

    def _cluster_info(self) -> tuple[str, str]:
        try:
            config_map = self._around.caches.cluster_info.get(_CLUSTER_INFO)
        except Absent as error:
            raise wrapped("failed to get kube-public/cluster-info configmap", error) from None
        try:
            return cluster_info(config_map, self._around.config.discovery_url)
        except SyncError as error:
            prefix = (
                "could not extract Kubernetes API endpoint info from kube-public/cluster-info"
                " configmap"
            )
            raise wrapped(prefix, error) from None

    async def _ensure_agent(self, manager: Object) -> SyncError | None:
        """Create or update the Deployment; a failure is told later, if nothing else fails."""
        around = self._around
        wanted = around.owned(agent_deployment(around.config, around.namespace, manager))
        fields = {
            "deployment": ref(name_of(wanted), around.namespace),
            "templatePod": ref(name_of(manager), namespace_of(manager)),
        }
        existing = around.caches.deployments.find(name_of(wanted))
        try:
            await self._write_agent(existing, wanted, fields)
        except ApiError as error:
            return wrapped("could not ensure agent deployment", error)
        return None

    async def _write_agent(
        self, existing: Object | None, wanted: Object, fields: Mapping[str, object]
    ) -> None:
        at = _AT.format(357, "createOrUpdateDeployment")
        if existing is None:
            self._log.always(at, "creating new deployment", **fields)
            await self._client.create(wanted)
        elif selects_otherwise(existing, wanted):
            suffix = "to update immutable Selector field"
            self._log.always(at, f"deleting deployment {suffix}", **fields)
            meta = existing["metadata"]
            exactly = DeleteOptions(uid=meta["uid"], resource_version=meta["resourceVersion"])
            await self._client.delete(DEPLOYMENTS, meta["namespace"], meta["name"], exactly)
            self._log.always(at, f"creating new deployment {suffix}", **fields)
            await self._client.create(wanted)
        else:
            new = brought_up_to(existing, wanted)
            if new is not None:
                self._log.always(at, "updating existing deployment", **fields)
                await self._client.update(new)

    async def _load_key(self, pod: Object) -> None:
        uid = pod["metadata"]["uid"]
        fetched = self._fetched.get(uid)
        if fetched is not None and self._client.now() < fetched + _KEY_LASTS:
            return
        await asyncio.sleep(self._around.workload.pace.agent_running)
        place = (namespace_of(pod), name_of(pod))
        try:
            output = self._client.execute(*place, CONTAINER, PRINT)
        except ApiError as error:
            prefix = f"could not exec into agent pod {place[0]}/{place[1]}"
            raise wrapped(prefix, error) from None
        certificate, key = read_printed(output, pod)
        try:
            self._around.holders.cluster.load(certificate, key)
        except InvalidPair as error:
            prefix = f"failed to set signing cert/key content from agent pod {place[0]}/{place[1]}"
            raise wrapped(prefix, error) from None
        message = "successfully loaded signing key from agent pod into cache"
        self._log.always(_AT.format(331, "loadSigningKey"), message)
        self._fetched = {uid: self._client.now()}


def _named(cache: Cache, name: str) -> Watches:
    def keys(obj: Object) -> Iterable[Key]:
        return [EVERYTHING] if name_of(obj) == name else []

    return Watches(cache.resource, keys, cache.namespace, (EVERYTHING,))


def _labelled(cache: Cache, labels: Mapping[str, str]) -> Watches:
    def keys(obj: Object) -> Sequence[Key]:
        return [EVERYTHING] if labels.items() <= labels_of(obj).items() else []

    return Watches(cache.resource, keys, cache.namespace)
