"""Pods of nodes that are gone: nobody else ends them.

Source: pkg/controller/podgc.
"""

from collections.abc import Hashable, Sequence
from datetime import datetime, timedelta

from tutor.sandbox.api.builtin.reading import items, part, text
from tutor.sandbox.api.deletion import DeleteOptions, timestamp
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.controllers.resources import NODES, PODS, place_of, with_condition
from tutor.sandbox.kinds import Object, name_of

_QUARANTINE = timedelta(seconds=40)
"""A node may be made again, or be heard of later than its pods."""
_AT_ONCE = DeleteOptions(grace_s=0)
_MESSAGE = "PodGC: node no longer exists"


class PodGarbage:
    """Deletes the pods of every node that has not been there for a while."""

    name = "pod-garbage"

    def __init__(self, client: Client) -> None:
        self._client = client
        self._missing: dict[str, datetime] = {}
        self.watches: Sequence[Watches] = (
            Watches(PODS, _node_of),
            Watches(NODES, lambda node: [name_of(node)]),
        )

    async def reconcile(self, key: Hashable) -> Result:
        """Look after the pods of one node."""
        name = str(key)
        if self._client.find(NODES, "", name) is not None:
            self._missing.pop(name, None)
            return DONE
        now = self._client.now()
        left = self._missing.setdefault(name, now) + _QUARANTINE - now
        if left > timedelta(0):
            return Result(again_s=left.total_seconds())
        for pod in [pod for pod in self._client.list(PODS) if name in _node_of(pod)]:
            await self._end(pod)
        del self._missing[name]
        return DONE

    async def _end(self, pod: Object) -> None:
        try:
            if text(part(pod, "status"), "phase") not in ("Succeeded", "Failed"):
                await self._client.patch(PODS, *place_of(pod), self._failed(pod), "status")
            await self._client.delete(PODS, *place_of(pod), _AT_ONCE)
        except ApiError as error:
            if error.reason != "NotFound":
                raise

    def _failed(self, pod: Object) -> Object:
        now, before = timestamp(self._client.now()), items(pod, "status", "conditions")
        told = with_condition(before, "DisruptionTarget", "True", "DeletionByPodGC", _MESSAGE, now)
        return {"status": {"phase": "Failed", "conditions": told}}


def _node_of(pod: Object) -> list[str]:
    name = text(part(pod, "spec"), "nodeName")
    return [name] if name else []
