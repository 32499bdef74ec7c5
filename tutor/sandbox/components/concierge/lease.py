"""The lease of the leader: the pod that may write.

One program stands for all replicas and runs in the oldest pod, so the lease is never contended: it
is taken when the program starts, and given back when it ends.

Source: pinniped.md 1.4 (name, durations), 3.8; client-go's leader election.
"""

import asyncio

from tutor.sandbox.api.status import ApiError
from tutor.sandbox.components.concierge.deps import LEASES, Surroundings
from tutor.sandbox.components.concierge.log import Log
from tutor.sandbox.components.concierge.reading import part
from tutor.sandbox.kinds import Object, name_of, thaw

NAME = "pinniped-concierge"
_DURATION_S, _RENEW_S, _RETRY_S = (137, 26.0, 1.0)
_GOODBYE_S = 1.0
_LOCK_AT = "leaderelection/leaderelection.go:330$leaderelection.(*LeaderElector).acquire"
_AT = "leaderelection/leaderelection.go:{}$leaderelection.newLeaderElectionConfig.func{}"


class Leader:
    """Holds the lease for as long as it runs."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._client = around.workload.client
        self._identity = name_of(around.workload.pod)
        self._log: Log = around.log

    async def run(self) -> None:
        """Take the lease and renew it until cancelled."""
        try:
            await self._hold()
        finally:
            await self._release()

    async def _hold(self) -> None:
        while True:
            delay_s = await self._try()
            await asyncio.sleep(delay_s)

    async def _try(self) -> float:
        """Take or renew the lease; returns when to do so again."""
        try:
            await self._renew()
        except ApiError as error:
            self._log.failed(_LOCK_AT, f"error retrieving resource lock: {error}")
            return _RETRY_S
        return _RENEW_S

    async def _renew(self) -> None:
        now = self._client.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        old = self._client.find(LEASES, self._around.namespace, NAME)
        if old is None:
            await self._client.create(
                self._around.owned(self._lease(held(None, self._identity, now)))
            )
            self._gained()
            return
        spec = held(part(old, "spec"), self._identity, now)
        await self._client.update({**old, "spec": spec})
        if part(old, "spec").get("holderIdentity") != self._identity:
            self._gained()

    def _gained(self) -> None:
        self._log.debug(_AT.format(153, "1"), "leader gained", identity=self._identity)

    def _lease(self, spec: Object) -> Object:
        metadata = {"name": NAME, "namespace": self._around.namespace}
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": metadata,
            "spec": spec,
        }

    async def _release(self) -> None:
        """Give the lease back; a cluster that is going down may not take it."""
        try:
            async with asyncio.timeout(_GOODBYE_S):
                lease = self._client.find(LEASES, self._around.namespace, NAME)
                if lease is None or lease["spec"].get("holderIdentity") != self._identity:
                    return
                new: Object = thaw(lease)
                new["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1}
                await self._client.update(new)
        except (ApiError, TimeoutError) as error:
            self._log.debug(_AT.format(160, "2"), "leader lost", error=str(error))


def held(old: Object | None, identity: str, now: str) -> Object:
    """The spec of a lease that `identity` holds from now on."""
    before = old or {}
    spec: Object = {
        "holderIdentity": identity,
        "leaseDurationSeconds": _DURATION_S,
        "acquireTime": before.get("acquireTime") or now,
        "renewTime": now,
        "leaseTransitions": before.get("leaseTransitions") or 0,
    }
    if old is not None and before.get("holderIdentity") != identity:
        spec["acquireTime"] = now
        spec["leaseTransitions"] += 1
    return spec
