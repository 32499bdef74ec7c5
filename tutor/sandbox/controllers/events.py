"""Events: what controllers and components tell about objects, counted when it repeats.

Source: client-go's tools/record (names, aggregation by involved object, reason and message).
"""

from datetime import datetime, timedelta
from typing import Generic, NamedTuple, TypeVar

from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.controllers.resources import EVENTS
from tutor.sandbox.kinds import Object, name_of, namespace_of

_NAMESPACE_OF_CLUSTER_OBJECTS = "default"


_SIMILAR = 10
"""So many messages with one reason are told one by one within the time below."""
_FORGOTTEN_AFTER = timedelta(minutes=10)
_COMBINED = "(combined from similar events): "
_REMEMBERED = 4096
_V = TypeVar("_V")


class _Similar(NamedTuple):
    """What was told about one object with one reason, and when last."""

    messages: frozenset[str]
    last: datetime


class _Known(NamedTuple):
    """An event that was recorded: where it is, and how often it happened."""

    namespace: str
    name: str
    times: int


class _Latest(Generic[_V]):
    """A mapping that holds so many values, those that were set last."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[tuple[str, ...], _V] = {}

    def get(self, key: tuple[str, ...]) -> _V | None:
        """What was set; None when there is nothing, or nothing any more."""
        return self._values.get(key)

    def set(self, key: tuple[str, ...], value: _V) -> None:
        """Set a value as the last one."""
        self._values.pop(key, None)
        self._values[key] = value
        if len(self._values) > self._most:
            del self._values[next(iter(self._values))]


class Recorder:
    """Records events as one component.

    `reporting` is whether the events name it as their reporting controller, too: programs that were
    built with client-go before 0.28 leave that empty. With `once_per_version` nothing is told again
    of an object that did not change, for those who look at it oftener than the real ones. Of all
    that was told the last `remembered` are remembered: what was told before is told as new.
    """

    def __init__(
        self,
        client: Client,
        component: str,
        host: str = "",
        *,
        reporting: bool = True,
        once_per_version: bool = False,
        remembered: int = _REMEMBERED,
    ) -> None:
        self._client = client
        self._reporting: Object = {
            "reportingComponent": component if reporting else "",
            "reportingInstance": host if reporting else "",
        }
        self._source: Object = {"component": component} | ({"host": host} if host else {})
        self._once_per_version = once_per_version
        self._told = _Latest[str](remembered)
        self._known = _Latest[_Known](remembered)
        self._similar = _Latest[_Similar](remembered)

    async def normal(self, obj: Object, reason: str, message: str, *, path: str = "") -> None:
        """Something that is as it should be."""
        await self._record(obj, "Normal", reason, message, path)

    async def warning(self, obj: Object, reason: str, message: str, *, path: str = "") -> None:
        """Something that is not."""
        await self._record(obj, "Warning", reason, message, path)

    async def _record(self, obj: Object, kind: str, reason: str, message: str, path: str) -> None:
        group = (obj["metadata"]["uid"], kind, reason)
        if self._once_per_version:
            version = obj["metadata"]["resourceVersion"]
            if self._told.get((*group, message)) == version:
                return
            self._told.set((*group, message), version)
        combined = self._combines(group, message)
        message = _COMBINED + message if combined else message
        key = (*group, "" if combined else message, path)
        known = self._known.get(key)
        try:
            if known is not None and await self._again(known, message):
                self._known.set(key, known._replace(times=known.times + 1))
                return
            created = await self._client.create(self._event(obj, kind, reason, message, path))
        except ApiError as error:
            if error.code in (403, 404):
                return
            raise
        self._known.set(key, _Known(namespace_of(created), name_of(created), 1))

    def _combines(self, group: tuple[str, ...], message: str) -> bool:
        """Whether an object has had so many different messages that they are told as one."""
        now = self._client.now()
        before = self._similar.get(group)
        if before is None or now - before.last > _FORGOTTEN_AFTER:
            before = _Similar(frozenset(), now)
        messages = before.messages | {message}
        combines = len(messages) >= _SIMILAR
        self._similar.set(group, _Similar(before.messages if combines else messages, now))
        return combines

    async def _again(self, known: _Known, message: str) -> bool:
        change: Object = {
            "message": message,
            "count": known.times + 1,
            "lastTimestamp": timestamp(self._client.now()),
        }
        try:
            await self._client.patch(EVENTS, known.namespace, known.name, change)
        except ApiError as error:
            if error.reason == "NotFound":
                return False
            raise
        return True

    def _event(self, obj: Object, kind: str, reason: str, message: str, path: str) -> Object:
        moment = self._client.now()
        namespace = namespace_of(obj)
        involved: Object = {"kind": obj["kind"]}
        if namespace:
            involved["namespace"] = namespace
        involved |= {
            "name": name_of(obj),
            "uid": obj["metadata"]["uid"],
            "apiVersion": obj["apiVersion"],
        }
        if "resourceVersion" in obj["metadata"]:
            involved["resourceVersion"] = obj["metadata"]["resourceVersion"]
        if path:
            involved["fieldPath"] = path
        suffix = f"{int(moment.timestamp() * 1_000_000_000):x}"
        stamp = timestamp(moment)
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": f"{name_of(obj)}.{suffix}",
                "namespace": namespace or _NAMESPACE_OF_CLUSTER_OBJECTS,
            },
            "involvedObject": involved,
            "reason": reason,
            "message": message,
            "source": self._source,
            "firstTimestamp": stamp,
            "lastTimestamp": stamp,
            "count": 1,
            "type": kind,
            **self._reporting,
        }
