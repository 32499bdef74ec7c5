"""The mirror pods of what a node runs by itself: they come back whenever they are gone.

Source: pkg/kubelet/pod/mirror_client.go, pkg/kubelet/kubelet.go (tryReconcileMirrorPods).
"""

from collections.abc import Callable, Hashable, Iterable, Sequence

from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.controllers.resources import PODS
from tutor.sandbox.kinds import Object, name_of

_NAMESPACE = "kube-system"


class StaticPods:
    """Mirrors the static pods of a node."""

    name = "static pods"

    def __init__(self, client: Client, pods: Callable[[], Iterable[Object]]) -> None:
        self._client = client
        self._pods = pods
        self.watches: Sequence[Watches] = (Watches(PODS, lambda pod: [name_of(pod)], _NAMESPACE),)

    async def reconcile(self, key: Hashable) -> Result:
        """Mirror the static pod of this name, if there is one and it has no mirror."""
        if self._client.find(PODS, _NAMESPACE, str(key)) is None:
            for pod in self._pods():
                if name_of(pod) == key:
                    await self._client.create(pod)
        return DONE
