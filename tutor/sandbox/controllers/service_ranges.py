"""The ranges that services get their addresses from: ready, and kept while they are in use.

Source: pkg/controller/servicecidrs.
"""

from collections.abc import Awaitable, Hashable, Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any, cast

from tutor.sandbox.api.allocation import ADDRESSES, RANGES, is_allocated
from tutor.sandbox.api.builtin.addresses import Network
from tutor.sandbox.api.builtin.reading import items
from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.api.patch.merge import merge
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.controllers.resources import condition, is_deleted
from tutor.sandbox.kinds import Object, name_of

_FINALIZER = "networking.k8s.io/service-cidr-finalizer"
_STATUS_MANAGER = "service-cidr-controller"
_GRACE = timedelta(seconds=10)
"""Until all allocators know that a range goes."""
_READY = ("True", "", "Kubernetes Service CIDR is ready")
_REFERENCED = "There are still IPAddresses referencing the ServiceCIDR"
_IN_USE = ("False", "Terminating", f"{_REFERENCED}, please remove them or create a new ServiceCIDR")


class ServiceRanges:
    """Keeps finalizer and condition of every range."""

    name = "service-ranges"

    def __init__(self, client: Client) -> None:
        self._client = client
        self._statuses = client.managed_by(_STATUS_MANAGER)
        self.watches: Sequence[Watches] = (
            Watches(RANGES, lambda _range: self._all()),
            Watches(ADDRESSES, lambda _address: self._going()),
        )

    def _all(self) -> list[str]:
        return [name_of(one) for one in self._client.list(RANGES)]

    def _going(self) -> list[str]:
        return [name_of(one) for one in self._client.list(RANGES) if is_deleted(one)]

    async def reconcile(self, key: Hashable) -> Result:
        """See to one range."""
        found = self._client.find(RANGES, "", str(key))
        if found is None:
            return DONE
        if not is_deleted(found):
            await self._finalize(found, held=True)
            await self._say(found, _READY)
            return DONE
        if self._holds(found):
            await self._say(found, _IN_USE)
            return DONE
        since = datetime.fromisoformat(found["metadata"]["deletionTimestamp"])
        left = since + _GRACE - self._client.now()
        if left > timedelta(0):
            return Result(again_s=left.total_seconds())
        await self._finalize(found, held=False)
        return DONE

    def _holds(self, gone: Object) -> bool:
        """Whether there is an address that no other range has."""
        others = [
            network
            for one in self._client.list(RANGES)
            if name_of(one) != name_of(gone)
            for network in _networks(one)
        ]
        alone = [mine for mine in _networks(gone) if not any(_within(mine, o) for o in others)]
        for address in self._client.list(ADDRESSES) if alone else ():
            ip = ip_address(name_of(address))
            mine, theirs = (any(ip in one for one in listed) for listed in (alone, others))
            if is_allocated(address) and mine and not theirs:
                return True
        return False

    async def _finalize(self, found: Object, *, held: bool) -> None:
        before: list[str] = items(found, "metadata", "finalizers")
        if (_FINALIZER in before) == held:
            return
        others = [one for one in before if one != _FINALIZER]
        change: Object = {"metadata": {"finalizers": [*others, *([_FINALIZER] if held else [])]}}
        await self._unless_gone(
            self._client.change(RANGES, "", name_of(found), lambda obj: merge(obj, change))
        )

    async def _say(self, found: Object, told: tuple[str, str, str]) -> None:
        status, reason, message = told
        known = condition(found, "Ready") or {}
        if tuple(known.get(field) for field in ("status", "reason", "message")) == told:
            return
        entry = {
            "type": "Ready",
            "status": status,
            "reason": reason,
            "message": message,
            "lastTransitionTime": timestamp(self._client.now()),
        }
        config: Object = {"apiVersion": found["apiVersion"], "kind": found["kind"]}
        config |= {"metadata": {"name": name_of(found)}, "status": {"conditions": [entry]}}
        await self._unless_gone(self._statuses.apply(config, "status"))

    async def _unless_gone(self, write: Awaitable[Object]) -> None:
        try:
            await write
        except ApiError as error:
            if error.reason != "NotFound":
                raise


def _networks(found: Object) -> list[Network]:
    return [ip_network(written) for written in items(found, "spec", "cidrs")]


def _within(one: Network, other: Network) -> bool:
    return one.version == other.version and other.supernet_of(cast("Any", one))
