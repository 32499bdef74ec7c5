"""One thread that keeps one collection: find its resource, list, watch, and begin again."""

import logging
import threading
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Protocol, cast

from tutor.probes.base import Absent, Blind, Changed, Collection, Object, Objects, Unfollow
from tutor.probes.failures import Refused, Unreachable
from tutor.probes.kubeconfig import NOT_LOOKED, Kubeconfig

log = logging.getLogger(__name__)

PAUSES_S = (0.1, 0.25, 0.5, 1.0, 2.0)
"""After failures in a row; the last one stays."""

WITHOUT_KINDS_S = 5.0
"""How long to wait for a kind on a cluster that does not show its kinds."""


class Kinds(Protocol):
    """The custom kinds of the cluster."""

    def follow(self, changed: Changed) -> Unfollow:
        """Have `changed` called when there are others."""
        ...

    def look(self) -> Objects | Absent | Blind:
        """The CustomResourceDefinitions."""
        ...


class Follower:
    """Keeps what is known of one collection; `state` may be read from any thread."""

    def __init__(self, collection: Collection, kubeconfig: Kubeconfig, kinds: Kinds) -> None:
        self.state: Objects | Absent | Blind = NOT_LOOKED
        self._collection = collection
        self._kubeconfig = kubeconfig
        self._kinds = kinds
        self._lock = threading.Lock()
        self._listeners: list[Changed] = []
        self._items: dict[tuple[str, str], Object] = {}
        self._nudge = threading.Event()
        self._is_closing = False
        self._events: Any = None
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name=str(collection), daemon=True)

    def start(self) -> None:
        """Begin."""
        self._kubeconfig.on_change(self.nudge)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._is_closing = True
        self.nudge()
        if self._thread.is_alive():
            self._thread.join(timeout=2)

    def nudge(self) -> None:
        """Begin again now: the connection is another."""
        self._nudge.set()
        if (events := self._events) is not None:
            events.stop()

    def listen(self, changed: Changed) -> Unfollow:
        """Call `changed` at each change."""
        with self._lock:
            self._listeners.append(changed)

        def unfollow() -> None:
            with self._lock, suppress(ValueError):
                self._listeners.remove(changed)

        return unfollow

    def _say(self, state: Objects | Absent | Blind) -> None:
        if state == self.state:
            return
        self.state = state
        # Under the lock, so that nobody is called who has unfollowed.
        with self._lock:
            for changed in self._listeners:
                changed()

    def _pause(self) -> None:
        """Wait longer after each failure, but for a nudge."""
        pause_s = PAUSES_S[min(self._failures, len(PAUSES_S) - 1)]
        self._failures += 1
        self._nudge.wait(pause_s)

    def _run(self) -> None:
        while not self._is_closing:
            self._nudge.clear()
            connection = self._kubeconfig.current
            if isinstance(connection.client, Absent):
                self._say(connection.client)
                self._nudge.wait()
                continue
            try:
                self._attempt(connection.client, connection.generation)
            except Exception:
                # A look that fails is an answer too: a thread that ends would leave an old one.
                log.exception("a collection could not be read", extra={"of": str(self._collection)})
                self._say(Blind(f"reading {self._collection.kind} failed: the log says how"))
                self._pause()

    def _attempt(self, client: Any, generation: int) -> None:
        """Follow the collection for as long as that goes well."""
        try:
            path = self._path(client)
            if path is None:
                self._await_kind(generation)
                return
            version = self._list(client, path)
            while not self._nudge.is_set():
                version = self._watch(client, path, version) or self._list(client, path)
        except Unreachable as error:
            if not self._nudge.is_set():
                self._say(Blind(f"the API server {client.server} does not answer: {error}"))
                self._pause()
        except Refused as error:
            self._say(self._refusal(error.status, str(error), client.server))
            if error.status == HTTPStatus.UNAUTHORIZED:
                self._kubeconfig.renew(generation)
            self._pause()

    def _refusal(self, status: int, message: str, server: str) -> Absent | Blind:
        match status:
            case HTTPStatus.NOT_FOUND:
                return self._unknown_kind
            case HTTPStatus.UNAUTHORIZED:
                return Blind(
                    f"the API server {server} does not accept the kubeconfig's credentials"
                )
            case HTTPStatus.FORBIDDEN:
                return Blind(f"the kubeconfig may not read {self._collection.kind}: {message}")
            case _:
                return Blind(f"the API server {server} answers {status}: {message}")

    @property
    def _unknown_kind(self) -> Absent:
        kind, version = self._collection.kind, self._collection.api_version
        return Absent(f"the cluster does not know the kind {kind} ({version}) yet")

    def _path(self, client: Any) -> str | None:
        """The path of the collection; None when the cluster does not serve the kind."""
        version = self._collection.api_version
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        try:
            served: dict[str, Any] = client.get(root)
        except Refused as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        for resource in served.get("resources", []):
            if resource["kind"] == self._collection.kind and "/" not in resource["name"]:
                namespace = self._collection.namespace
                within = f"/namespaces/{namespace}" if namespace and resource["namespaced"] else ""
                return f"{root}{within}/{resource['name']}"
        return None

    def _list(self, client: Any, path: str) -> str:
        """Read all objects; the version that a watch goes on from."""
        listed: dict[str, Any] = client.get(path)
        self._failures = 0
        items = cast("list[Object]", listed["items"] or [])
        self._items = {_key(item): self._typed(item) for item in items}
        self._say(Objects(tuple(self._items.values())))
        return str(listed["metadata"]["resourceVersion"])

    def _watch(self, client: Any, path: str, version: str) -> str | None:
        """Follow changes until the stream ends; the last version, or None to list again."""
        has_told = False
        try:
            self._events = client.watch(path, resourceVersion=version)
            if self._nudge.is_set():  # it came before there was a stream to stop
                self._events.stop()
            with suppress(Unreachable):  # a stream that breaks is resumed
                for event in self._events:
                    version = self._take(event)
                    has_told = True
        except Refused as error:
            if error.status != HTTPStatus.GONE:
                raise
            self._pause()
            return None
        finally:
            self._events = None
        if not has_told:
            self._pause()
        return version

    def _take(self, event: dict[str, Any]) -> str:
        """Take one event in; the version it brings."""
        item = cast("Object", event["object"])
        if event["type"] == "ERROR":
            raise Refused(int(item.get("code", 0)), str(item.get("message", "the watch failed")))
        self._failures = 0
        if event["type"] == "DELETED":
            self._items.pop(_key(item), None)
        elif event["type"] != "BOOKMARK":
            self._items[_key(item)] = self._typed(item)
        self._say(Objects(tuple(self._items.values())))
        return str(item["metadata"]["resourceVersion"])

    def _typed(self, item: Object) -> Object:
        """With the kind, which the items of a list do not carry."""
        return {
            "apiVersion": self._collection.api_version,
            "kind": self._collection.kind,
            **item,
        }

    def _await_kind(self, generation: int) -> None:
        """Wait until the cluster serves the kind, or is another cluster."""
        self._say(self._unknown_kind)
        unfollow = self._kinds.follow(self._nudge.set)
        try:
            while not self._is_closing and self._kubeconfig.current.generation == generation:
                known = self._kinds.look()
                if self._collection == KINDS or isinstance(known, Blind):
                    self._nudge.wait(WITHOUT_KINDS_S)
                    return
                items = known.items if isinstance(known, Objects) else ()
                if any(_defines(item, self._collection) for item in items):
                    self._pause()  # it is served a moment after it is established
                    return
                self._failures = 0
                self._nudge.wait()
                self._nudge.clear()
        finally:
            unfollow()


KINDS = Collection("apiextensions.k8s.io/v1", "CustomResourceDefinition", None)


def _key(item: Object) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def _defines(definition: Object, collection: Collection) -> bool:
    """Whether an established CustomResourceDefinition serves the kind in that version."""
    group, _, version = collection.api_version.rpartition("/")
    spec = definition["spec"]
    # Null, and not missing, when it is new.
    conditions = cast("list[dict[str, str]]", definition.get("status", {}).get("conditions") or [])
    return (
        spec["group"] == group
        and spec["names"]["kind"] == collection.kind
        and any(each["name"] == version and each["served"] for each in spec["versions"])
        and any(each["type"] == "Established" and each["status"] == "True" for each in conditions)
    )
