"""Caches of collections, as client-go's informers keep them: filled once, then fed by a watch.

What has been read once stays known when the right to read it is taken away; writing is what fails.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from tutor.sandbox.api.status import ApiError, go_quote
from tutor.sandbox.client import Client
from tutor.sandbox.components.concierge.log import Log
from tutor.sandbox.kinds import GroupResource, Object, labels_of, name_of

_FIRST_RETRY_S, _MOST_RETRY_S = (0.8, 30.0)
_REFLECTOR = "k8s.io/client-go@v0.27.4/tools/cache/reflector.go:231$cache.(*Reflector).Run.func1"


class Absent(Exception):
    """The cache has no such object; the text is that of a lister."""


class Cache:
    """The objects of one collection in one namespace, or everywhere, or the one of a name."""

    def __init__(
        self, resource: GroupResource, kind: str, namespace: str = "", name: str = ""
    ) -> None:
        self.resource = resource
        self.namespace = namespace
        self._name = name
        self._kind = kind
        self._objects: dict[str, Object] = {}

    def get(self, name: str) -> Object:
        """One object; raises Absent."""
        found = self._objects.get(name)
        if found is None:
            kind = GroupResource(self.resource.group, self._kind)
            raise Absent(f"{kind} {go_quote(name)} not found")
        return found

    def find(self, name: str) -> Object | None:
        """One object, or None."""
        return self._objects.get(name)

    def list(self, labels: Mapping[str, str]) -> Sequence[Object]:
        """The objects whose labels include these."""
        return [obj for obj in self._objects.values() if labels.items() <= labels_of(obj).items()]

    def snapshot(self) -> "Cache":
        """The cache as it is now; it will not change."""
        copy = Cache(self.resource, self._kind, self.namespace)
        copy._objects = dict(self._objects)
        return copy

    async def start(self, client: Client, log: Log) -> Callable[[], None]:
        """Fill the cache and keep it up to date; returns what ends that.

        Tries again for as long as it is not allowed to.
        """
        retry_s = _FIRST_RETRY_S
        while True:
            try:
                return self._follow(client)
            except ApiError as error:
                what = f"*v1.{self._kind}"
                log.failed(_REFLECTOR, f"Failed to watch {what}: failed to list {what}: {error}")
            await asyncio.sleep(retry_s)
            retry_s = min(retry_s * 2, _MOST_RETRY_S)

    def _follow(self, client: Client) -> Callable[[], None]:
        listed = self._listed(client)
        release = client.subscribe(
            self.resource,
            lambda event: self._see(event.change == "DELETED", event.stored.object),
            self.namespace,
            self._name,
        )
        self._objects = {name_of(obj): obj for obj in listed}
        return release

    def _listed(self, client: Client) -> Sequence[Object]:
        if not self._name:
            return client.list(self.resource, self.namespace)
        found = client.find(self.resource, self.namespace, self._name)
        return [found] if found else []

    def _see(self, gone: bool, obj: Object) -> None:
        if gone:
            self._objects.pop(name_of(obj), None)
        else:
            self._objects[name_of(obj)] = obj
