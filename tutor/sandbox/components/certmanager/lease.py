"""Leader election: who holds the lease works, everybody else waits.

Source: client-go's leader election with ReleaseOnCancel; cert-manager.md 1.4 for the durations.
"""

import asyncio
from datetime import datetime, timedelta

from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import Exited
from tutor.sandbox.components.certmanager.klog import Klog
from tutor.sandbox.controllers.events import Recorder
from tutor.sandbox.controllers.resources import micro
from tutor.sandbox.kinds import GroupResource, Object, thaw

LEASES = GroupResource("coordination.k8s.io", "leases")
LEASE_S, RENEW_S, RETRY_S = 60, 40.0, 15.0
_RELEASE_S = 1.0
_STAMP = "%Y-%m-%dT%H:%M:%S.%fZ"


def is_free(lease: Object, identity: str, now: datetime) -> bool:
    """Whether somebody may take a lease: its holder, or anybody when nobody holds it any more."""
    spec: Object = lease.get("spec") or {}
    holder = spec.get("holderIdentity")
    if not holder or holder == identity or not spec.get("renewTime"):
        return True
    renewed = datetime.strptime(spec["renewTime"], _STAMP).replace(tzinfo=now.tzinfo)
    return renewed + timedelta(seconds=spec.get("leaseDurationSeconds", LEASE_S)) < now


def taken(lease: Object, identity: str, now: datetime) -> Object:
    """The lease in the hand of `identity`."""
    new = thaw(lease)
    spec: Object = new.setdefault("spec", {})
    if spec.get("holderIdentity") != identity:
        spec["leaseTransitions"] = spec.get("leaseTransitions", -1) + 1
        spec["acquireTime"] = micro(now)
    spec |= {
        "holderIdentity": identity,
        "leaseDurationSeconds": LEASE_S,
        "renewTime": micro(now),
    }
    return new


class Leader:
    """Takes a lease as `identity`, and keeps it.

    An identity that is the same after a restart of the sandbox spares waiting for a dead process.
    """

    def __init__(
        self, client: Client, klog: Klog, place: tuple[str, str], identity: str, component: str
    ) -> None:
        self._client = client
        self._klog = klog
        self._namespace, self._name = place
        self._identity = identity
        self._recorder = Recorder(client, component, reporting=False)

    async def acquire(self) -> None:
        """Wait until the lease is ours."""
        place = f"{self._namespace}/{self._name}"
        self._klog.plain("leaderelection.go:245", f"attempting to acquire leader lease {place}...")
        while not await self._try():  # noqa: ASYNC110 - other processes hold it, not tasks
            await asyncio.sleep(RETRY_S)
        self._klog.plain("leaderelection.go:255", f"successfully acquired lease {place}")
        lease = self._client.find(LEASES, self._namespace, self._name)
        if lease is not None:
            await self._recorder.normal(lease, "LeaderElection", f"{self._identity} became leader")

    async def keep(self) -> None:
        """Renew the lease until cancelled, then give it back.

        Raises:
            Exited: It is lost.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + RENEW_S
        try:
            while loop.time() < deadline:
                await asyncio.sleep(RETRY_S)
                if await self._try():
                    deadline = loop.time() + RENEW_S
        except asyncio.CancelledError:
            await self._release()
            raise
        self._klog.error("controller.go:225", "leader election lost", None)
        raise Exited(1)

    async def _try(self) -> bool:
        now = self._client.now()
        try:
            lease = self._client.find(LEASES, self._namespace, self._name)
            if lease is None:
                await self._client.create(taken(self._new(), self._identity, now))
                return True
            if not is_free(lease, self._identity, now):
                return False
            await self._client.update(taken(lease, self._identity, now))
        except ApiError as error:
            self._klog.error("leaderelection.go:330", "error retrieving resource lock", str(error))
            return False
        return True

    async def _release(self) -> None:
        try:
            async with asyncio.timeout(_RELEASE_S):
                lease = self._client.find(LEASES, self._namespace, self._name)
                if lease and lease["spec"].get("holderIdentity") == self._identity:
                    new = thaw(lease)
                    new["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1}
                    await self._client.update(new)
        except (ApiError, TimeoutError) as error:
            self._klog.error("leaderelection.go:308", "Failed to release lock", str(error))

    def _new(self) -> Object:
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self._name, "namespace": self._namespace},
        }
