"""What quotas count: their status, from scratch when what they limit is new or less is used.

What grows is booked by admission, in the write itself.

Source: pkg/controller/resourcequota, pkg/quota/v1/install/update_filter.go.
"""

from collections.abc import Hashable, Sequence

from tutor.sandbox.api.builtin.admission.plugin import CLAIMS, PODS, World
from tutor.sandbox.api.builtin.admission.quota.counts import evaluator_of
from tutor.sandbox.api.builtin.admission.quota.resource_quota import QUOTAS, recount
from tutor.sandbox.api.builtin.quantity import parse_all
from tutor.sandbox.api.builtin.reading import part
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client, Event
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.controllers.resources import SERVICES, Place, as_place, place_of
from tutor.sandbox.kinds import GroupResource, Object

_MAY_SHRINK = (PODS, SERVICES, CLAIMS)
"""What can use less without going away."""


class Quotas:
    """Keeps the status of quotas. It is told of every write in the cluster."""

    name = "resourcequotas"

    def __init__(self, client: Client, world: World) -> None:
        self._client = client
        self._world = world
        self.watches: Sequence[Watches] = (Watches(QUOTAS, _uncounted),)

    def all(self) -> list[Place]:
        """Every quota, to begin with."""
        return [place_of(quota) for quota in self._client.list(QUOTAS)]

    def see(self, event: Event) -> list[Place]:
        """The quotas of which a write may have set something free."""
        key = event.stored.key
        resource = GroupResource(key.group, key.resource)
        gone = event.change == "DELETED"
        if not key.namespace or not (gone or (event.previous and resource in _MAY_SHRINK)):
            return []
        quotas = self._world.objects_of(QUOTAS, key.namespace)
        if not quotas:
            return []
        evaluator = evaluator_of(resource)
        limited = (evaluator.matching(part(quota, "status", "hard")) for quota in quotas)
        return [place_of(quota) for quota, names in zip(quotas, limited, strict=True) if names]

    async def reconcile(self, key: Hashable) -> Result:
        """Count one quota."""
        namespace, name = as_place(key)
        quota = self._world.find(QUOTAS, namespace, name)
        if quota is None:
            return DONE
        hard = part(quota, "spec", "hard")
        counted = recount(quota, self._world, self._client.now())
        before = part(quota, "status", "used")
        used = {name: counted.get(name, before.get(name)) for name in hard}
        status: Object = {
            "hard": hard,
            "used": {name: value for name, value in used.items() if value is not None},
        }
        if "status" in quota and _same(status, quota["status"]):
            return DONE
        try:
            await self._client.update(quota | {"status": status}, "status")
        except ApiError as error:
            if error.reason == "NotFound":
                return DONE
            raise
        return DONE


def _uncounted(quota: Object) -> list[Place]:
    """The quota when its status does not tell of all that it limits."""
    hard, status = part(quota, "spec", "hard"), part(quota, "status")
    known = part(status, "used")
    counted = parse_all(hard) == parse_all(part(status, "hard")) and all(
        name in known for name in hard
    )
    return [] if counted and "status" in quota else [place_of(quota)]


def _same(one: Object, other: Object) -> bool:
    return all(
        parse_all(part(one, name)) == parse_all(part(other, name)) for name in ("hard", "used")
    )
