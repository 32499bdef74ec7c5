"""`contour serve`: reads HTTPProxies, writes their statuses, and tells Envoy what to serve.

Envoy asks for its configuration over TLS on port 8001, as it would over xDS: a long poll that
answers when there is a newer version than the one it has.
"""

import asyncio
import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tutor.sandbox.api.builtin.reading import items, part, text
from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.api.request import Request, Response
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.component import DONE, Result, ServerTls, Watches, Workload
from tutor.sandbox.components.contour.policy import (
    Backend,
    Place,
    Verdict,
    World,
    judge_all,
    status_of,
)
from tutor.sandbox.controllers.events import Recorder
from tutor.sandbox.kinds import GroupResource, Object, name_of, namespace_of
from tutor.sandbox.pki import Pair

XDS_PORT = 8001
_PROXIES = GroupResource("projectcontour.io", "httpproxies")
_DELEGATIONS = GroupResource("projectcontour.io", "tlscertificatedelegations")
_SERVICES = GroupResource("", "services")
_ENDPOINTS = GroupResource("", "endpoints")
_SECRETS = GroupResource("", "secrets")
_LEASES = GroupResource("coordination.k8s.io", "leases")
_ALL = "dag"
_POLL_S = 30.0


class Configuration:
    """What Envoy is to serve, with a version that grows."""

    def __init__(self) -> None:
        self.version = 0
        self.content: dict[str, Any] = {"hosts": []}
        self._changed = asyncio.Condition()

    async def set(self, content: dict[str, Any]) -> None:
        """Publish a new configuration if it differs."""
        if content == self.content and self.version:
            return
        async with self._changed:
            self.version += 1
            self.content = content
            self._changed.notify_all()

    async def newer_than(self, version: int) -> None:
        """Wait for a newer version, but not for ever."""
        try:
            async with asyncio.timeout(_POLL_S), self._changed:
                await self._changed.wait_for(lambda: self.version > version)
        except TimeoutError:
            return


class Builder:
    """Judges everything at once, as Contour's DAG does."""

    name = "contour"

    def __init__(self, workload: Workload, configuration: Configuration) -> None:
        self._workload = workload
        self._configuration = configuration
        self.watches: Sequence[Watches] = tuple(
            Watches(resource, lambda _obj: [_ALL], always=(_ALL,))
            for resource in (_PROXIES, _SERVICES, _ENDPOINTS, _SECRETS, _DELEGATIONS)
        )

    async def reconcile(self, key: Hashable) -> Result:
        """Build, write statuses, publish."""
        del key
        await asyncio.sleep(self._workload.pace.contour_batch)
        client = self._workload.client
        world = World(
            proxies=client.list(_PROXIES),
            services=_by_place(client.list(_SERVICES)),
            secrets=_by_place(client.list(_SECRETS)),
            delegations=client.list(_DELEGATIONS),
        )
        verdicts = judge_all(world)
        for proxy in world.proxies:
            verdict = verdicts.get((namespace_of(proxy), name_of(proxy)))
            if verdict is not None:
                await self._write(proxy, verdict)
        await self._configuration.set(self._serving(verdicts.values(), world))
        return DONE

    async def _write(self, proxy: Object, verdict: Verdict) -> None:
        client = self._workload.client
        now = timestamp(client.now())
        generation = proxy["metadata"].get("generation", 1)
        old = part(proxy, "status")
        if status_of(verdict, generation, old, now) == old:
            return

        def write(obj: Object) -> Object:
            obj["status"] = status_of(verdict, generation, part(obj, "status"), now)
            return obj

        try:
            place = (namespace_of(proxy), name_of(proxy))
            await client.change(_PROXIES, *place, write, "status")
        except ApiError as error:
            if error.reason != "NotFound":
                raise

    def _serving(self, verdicts: Any, world: World) -> dict[str, Any]:
        endpoints = _by_place(self._workload.client.list(_ENDPOINTS))
        hosts: list[dict[str, Any]] = []
        for verdict in verdicts:
            if verdict.host is None:
                continue
            host = asdict(verdict.host)
            host["passthrough"] = [
                _cluster(backend, world, endpoints) for backend in verdict.host.passthrough
            ]
            for route, source in zip(host["routes"], verdict.host.routes, strict=True):
                route["backends"] = [_cluster(b, world, endpoints) for b in source.backends]
            hosts.append(host)
        return {"hosts": sorted(hosts, key=lambda host: host["fqdn"])}


def _by_place(objects: Sequence[Object]) -> dict[Place, Object]:
    return {(namespace_of(obj), name_of(obj)): obj for obj in objects}


def _cluster(backend: Backend, world: World, endpoints: Mapping[Place, Object]) -> dict[str, Any]:
    """The ready addresses behind a Service port, as EDS gives them."""
    place = (backend.namespace, backend.name)
    ports = items(world.services.get(place) or {}, "spec", "ports")
    name = next((text(port, "name") for port in ports if port["port"] == backend.port), "")
    addresses = [
        [address["ip"], port["port"]]
        for subset in items(endpoints.get(place) or {}, "subsets")
        for port in items(subset, "ports")
        if text(port, "name") == name
        for address in items(subset, "addresses")
    ]
    return {"service": f"{backend.namespace}/{backend.name}/{backend.port}", "to": addresses}


async def run(workload: Workload) -> None:
    """Run Contour until its pod ends."""
    configuration = Configuration()

    def pair() -> Pair:
        return Pair(
            workload.read_mounted("/certs/tls.crt").decode(),
            workload.read_mounted("/certs/tls.key").decode(),
        )

    async def answer(request: Request) -> Response:
        have = request.query.get("version")
        await configuration.newer_than(int(have) if have.isdigit() else 0)
        body = {"version": configuration.version, **configuration.content}
        return Response(status=200, body=json.dumps(body).encode())

    await _lead(workload)
    tls = ServerTls(
        pair=pair,
        asks_client=True,
        acceptable=lambda: workload.read_mounted("/certs/ca.crt").decode(),
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(
            workload.reconcile([Builder(workload, configuration)]), name="contour dag"
        )
        group.create_task(workload.serve(XDS_PORT, tls, answer), name="contour xds")
        await asyncio.sleep(workload.pace.contour_ready)
        workload.ready()


async def _lead(workload: Workload) -> None:
    """Take the leader's Lease; there is one instance for all replicas."""
    client, namespace = workload.client, namespace_of(workload.pod)
    moment = client.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    identity = f"{name_of(workload.pod)}_{workload.pod['metadata']['uid']}"
    spec = {
        "holderIdentity": identity,
        "leaseDurationSeconds": 15,
        "acquireTime": moment,
        "renewTime": moment,
        "leaseTransitions": 0,
    }
    lease: Object = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "leader-elect", "namespace": namespace},
        "spec": spec,
    }

    def take(obj: Object) -> Object:
        turns = obj["spec"].get("leaseTransitions", 0)
        obj["spec"] = spec | {"leaseTransitions": turns + 1}
        return obj

    if client.find(_LEASES, namespace, "leader-elect") is None:
        taken = await client.create(lease)
    else:
        taken = await client.change(_LEASES, namespace, "leader-elect", take)
    recorder = Recorder(client, identity, reporting=False)
    await recorder.normal(taken, "LeaderElection", f"{identity} became leader")
