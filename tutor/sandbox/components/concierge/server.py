"""The Concierge's program: its caches, controllers and servers, together.

Source: pinniped.md section 3 and 3.9 (lines at the start).
"""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

from tutor.sandbox.api.status import ApiError
from tutor.sandbox.component import Exited, Workload
from tutor.sandbox.components.concierge import config as configuration
from tutor.sandbox.components.concierge.authenticators import Webhooks
from tutor.sandbox.components.concierge.cache import Cache
from tutor.sandbox.components.concierge.config import Config, ConfigError
from tutor.sandbox.components.concierge.deps import (
    CONFIG_MAPS,
    Surroundings,
    make_caches,
    make_holders,
    owner_of_pod,
)
from tutor.sandbox.components.concierge.impersonator.controller import ImpersonatorConfig
from tutor.sandbox.components.concierge.issuers import Issuers
from tutor.sandbox.components.concierge.lease import Leader
from tutor.sandbox.components.concierge.log import Log
from tutor.sandbox.components.concierge.serving.aggregated import AggregatedApi
from tutor.sandbox.components.concierge.serving.credentials import Trust, trust_of
from tutor.sandbox.components.concierge.serving.proxy import ProxyServer
from tutor.sandbox.components.concierge.signing.agent import AgentController
from tutor.sandbox.components.concierge.signing.own import OwnCertificates
from tutor.sandbox.kinds import Object, namespace_of
from tutor.sandbox.shims.gotext import format_duration

CONFIG = "/etc/config/pinniped.yaml"
_MAIN = "server/server.go:337$server.Main"
_AUTHENTICATION = "extension-apiserver-authentication"
_LOOKS, _LOOK_AGAIN_S = (50, 0.1)
_BUILT = datetime(2023, 8, 9, 20, tzinfo=UTC)
_AGENT = "pinniped-concierge/v0.25.0 (linux/amd64) pinniped/c7b49d9b93"


def read_config(workload: Workload, log: Log) -> Config:
    """The configuration of the pod; raises Exited when it cannot be used."""
    try:
        return configuration.load(workload.read_mounted(CONFIG).decode())
    except FileNotFoundError:
        why = f"read file: open {CONFIG}: no such file or directory"
    except ConfigError as error:
        why = str(error)
    raise _fatal(log, f"could not load config: {why}")


def _fatal(log: Log, why: str) -> Exited:
    log.failed(_MAIN, "unrecoverable error encountered", error=why)
    return Exited(1)


async def find_owner(workload: Workload, log: Log) -> Object:
    """The reference to the Deployment; raises Exited when it stays out of reach.

    A manifest's rights are made after its Deployment. Where images have to be pulled they are there
    in time; here a pod starts at once, so it looks again for a while.
    """
    for _ in range(_LOOKS):
        try:
            return owner_of_pod(workload)
        except ApiError:
            await asyncio.sleep(_LOOK_AGAIN_S)
    try:
        return owner_of_pod(workload)
    except ApiError as error:
        raise _fatal(log, f"could not create deployment ref: {error}") from error


async def run(workload: Workload) -> None:
    """Run until the pod ends; raises Exited when the configuration cannot be used."""
    now = workload.client.now
    config = read_config(workload, Log(workload.log, now))
    log = Log(workload.log, now, config.level)
    log.always(_MAIN, "Running concierge", **_about(now()))
    namespace = namespace_of(workload.pod)
    around = Surroundings(
        workload=workload,
        config=config,
        namespace=namespace,
        owner=await find_owner(workload, log),
        caches=make_caches(config, namespace),
        holders=make_holders(),
        log=log,
    )
    await _serve(around)


def _about(now: datetime) -> dict[str, str]:
    age = (now - _BUILT) // timedelta(microseconds=1) * 1000
    return {
        "user-agent": _AGENT,
        "version": "v0.25.0",
        "time-since-build": format_duration(age),
    }


async def _serve(around: Surroundings) -> None:
    client, log = around.workload.client, around.log
    authentication = Cache(CONFIG_MAPS, "configmap", "kube-system", _AUTHENTICATION)
    with ExitStack() as stack:
        for cache in (authentication, *around.caches.all()):
            stack.callback(await cache.start(client, log))
        await _run(around, _Trusting(authentication).now)


async def _run(around: Surroundings, trust: Callable[[], Trust]) -> None:
    workload, config = around.workload, around.config
    issuers = Issuers(workload.client, around.caches.issuers, config.names.credential_issuer)
    webhooks = Webhooks(around)
    certificates = OwnCertificates(around)
    api = AggregatedApi(around, webhooks, trust)
    async with asyncio.TaskGroup() as group:
        proxy = ProxyServer(around, trust, group)
        controllers = [
            *certificates.controllers(),
            webhooks.controller(),
            ImpersonatorConfig(around, issuers, proxy).controller(),
            AgentController(around, issuers).controller(),
        ]
        group.create_task(Leader(around).run(), name="leader")
        group.create_task(workload.reconcile(controllers), name="controllers")
        group.create_task(workload.serve(config.api_port, api.tls(), api.handle), name="api")
        await asyncio.sleep(workload.pace.concierge_ready)
        await certificates.serving.wait()
        workload.ready()


class _Trusting:
    """Reads whom to trust, once for each version of the ConfigMap."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._read: tuple[Object | None, Trust] = (None, Trust())

    def now(self) -> Trust:
        """Whom to trust now."""
        config_map = self._cache.find(_AUTHENTICATION)
        if config_map is not self._read[0]:
            self._read = (config_map, trust_of(config_map))
        return self._read[1]
