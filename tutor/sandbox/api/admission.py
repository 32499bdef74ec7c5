"""Admission: the built-in plugins and the webhooks, in the order of the real server."""

from collections.abc import Sequence
from typing import ClassVar, Protocol

from tutor.sandbox.api.registry import Served
from tutor.sandbox.api.request import Call
from tutor.sandbox.api.webhooks import Webhooks, Write
from tutor.sandbox.kinds import GroupResource, Object


class Plugin(Protocol):
    """A built-in admission plugin."""

    resources: ClassVar[frozenset[GroupResource] | None]
    """The collections whose writes it is asked about; None for all."""

    def admit(self, write: Write) -> None:
        """Change `write.new` in place, or raise ApiError."""
        ...

    def validate(self, write: Write) -> None:
        """Raise ApiError when the write is refused."""
        ...


class Guard(Protocol):
    """Judges an object when nobody will change it any more, before it is validated."""

    def check(self, write: Write) -> None:
        """Raise ApiError when the write is refused."""
        ...


class Pipeline:
    """Every plugin, then every webhook, then the plugins that count what all others let pass."""

    def __init__(
        self,
        plugins: Sequence[Plugin],
        webhooks: Webhooks,
        last: Sequence[Plugin],
        guard: Guard,
    ) -> None:
        self._plugins = plugins
        self._webhooks = webhooks
        self._last = last
        self._guard = guard
        self._asked: dict[GroupResource, Sequence[Plugin]] = {}

    async def mutate(
        self, call: Call, served: Served, operation: str, new: Object, old: Object | None
    ) -> Object:
        """The object as admission wants it."""
        write = Write(call=call, served=served, operation=operation, new=new, old=old)
        for plugin in self._concerned(served):
            plugin.admit(write)
        changed = await self._webhooks.mutate(write)
        if changed is not new:
            changed = served.strategy.normalise(changed)
            served.strategy.default(changed)
            write = Write(call=call, served=served, operation=operation, new=changed, old=old)
        self._guard.check(write)
        return changed

    async def validate(
        self, call: Call, served: Served, operation: str, new: Object | None, old: Object | None
    ) -> None:
        """Raise ApiError when the write is refused."""
        write = Write(call=call, served=served, operation=operation, new=new, old=old)
        for plugin in self._concerned(served):
            plugin.validate(write)
        await self._webhooks.validate(write)
        for plugin in self._last:
            plugin.validate(write)

    def _concerned(self, served: Served) -> Sequence[Plugin]:
        """The plugins that have a say in writes of this kind, in their order."""
        resource = served.kind.group_resource
        found = self._asked.get(resource)
        if found is None:
            found = self._asked[resource] = [
                plugin
                for plugin in self._plugins
                if plugin.resources is None or resource in plugin.resources
            ]
        return found
