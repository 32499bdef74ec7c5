"""Nodes: how long kubelets may keep Secrets and ConfigMaps that they have read.

Source: pkg/controller/ttl. Up to a hundred nodes it is no time at all.
"""

from collections.abc import Hashable, Sequence

from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.controllers.resources import NODES, is_deleted
from tutor.sandbox.kinds import annotations_of, name_of

_TTL = "node.alpha.kubernetes.io/ttl"


class NodeLifetimes:
    """Annotates every node."""

    name = "ttl"

    def __init__(self, client: Client) -> None:
        self._client = client
        self.watches: Sequence[Watches] = (Watches(NODES, lambda obj: [name_of(obj)]),)

    async def reconcile(self, key: Hashable) -> Result:
        """Annotate one node."""
        node = self._client.find(NODES, "", str(key))
        if node is not None and not is_deleted(node) and annotations_of(node).get(_TTL) != "0":
            change = {"metadata": {"annotations": {_TTL: "0"}}}
            await self._client.patch(NODES, "", str(key), change)
        return DONE
