"""The API for those who live in the cluster's process: controllers and components.

It takes the same road as HTTPS (authorization, decoding, admission, durability), as a user of its
own. What it returns are stored objects: to change one, `thaw` it first.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from tutor.sandbox.api.deletion import DeleteOptions
from tutor.sandbox.api.objects import Objects
from tutor.sandbox.api.patch.merge import merge
from tutor.sandbox.api.rbac import Attributes, Decision
from tutor.sandbox.api.registry import Registry, Served
from tutor.sandbox.api.request import Call, User
from tutor.sandbox.api.status import ApiError, forbidden, no_such_resource, not_found
from tutor.sandbox.kinds import (
    GroupResource,
    Kind,
    Object,
    labels_of,
    name_of,
    namespace_of,
    thaw,
)
from tutor.sandbox.store import Event, Store

Decide = Callable[[User, Attributes], Decision]
Execute = Callable[[str, str, str, Sequence[str]], str]
"""(namespace, pod, container, command) -> standard output."""
Review = Callable[[Call, Served, str, Object], Object | None]
"""A question about identities or rights to its answer; None for what is stored instead."""


class Client:
    """Reads and writes objects as one user."""

    def __init__(
        self,
        *,
        user: User,
        manager: str,
        registry: Registry,
        objects: Objects,
        decide: Decide,
        now: Callable[[], datetime],
        execute: Execute,
        review: Review,
    ) -> None:
        self.user = user
        self._manager = manager
        self._registry = registry
        self._objects = objects
        self._store: Store = objects.store
        self._decide = decide
        self._now = now
        self._execute = execute
        self._review = review

    def now(self) -> datetime:
        """The cluster's time."""
        return self._now()

    def managed_by(self, manager: str) -> "Client":
        """The same user, whose writes another field manager owns."""
        other = copy.copy(self)
        other._manager = manager  # noqa: SLF001 - a copy of its own
        return other

    def kind(self, group: str, kind: str) -> Kind | None:
        """A kind by its name, as discovery would find it; None when it is not served."""
        served = (s.kind for s in self._registry.all() if s.kind.group == group)
        return next((found for found in served if found.kind == kind), None)

    def get(self, resource: GroupResource, namespace: str, name: str) -> Object:
        """One object; raises ApiError (404, 403)."""
        self._allowed("get", resource, namespace, name)
        served = self._served(resource)
        return self._objects.get(served, namespace, name).object

    def find(self, resource: GroupResource, namespace: str, name: str) -> Object | None:
        """One object, or None when it is not there (or its kind is not served)."""
        try:
            return self.get(resource, namespace, name)
        except ApiError as error:
            if error.reason == "NotFound":
                return None
            raise

    def list(
        self,
        resource: GroupResource,
        namespace: str = "",
        labels: Mapping[str, str] | None = None,
        name: str = "",
    ) -> Sequence[Object]:
        """The objects of a collection whose labels include `labels`; none for an unserved kind.

        With a name it is at most that one, and takes rights on no other.
        """
        self._allowed("list", resource, namespace, name)
        served = self._registry.of_resource(resource)
        if served is None:
            return []
        read = served.strategy.from_storage
        found = [
            read(stored.object)
            for stored in self._store.objects(resource, namespace)
            if name in ("", stored.key.name)
        ]
        if labels:
            wanted = labels.items()
            found = [obj for obj in found if wanted <= labels_of(obj).items()]
        return found

    async def create(self, obj: Object) -> Object:
        """Create an object from its own apiVersion, kind and namespace; raises ApiError.

        Reviews (of tokens, of access) come back answered, as over HTTPS.
        """
        served = self._served_object(obj)
        namespace = namespace_of(obj)
        self._allowed("create", served.kind.group_resource, namespace, name_of(obj))
        call = self._call("create")
        answered = self._review(call, served, namespace, obj)
        if answered is not None:
            return answered
        outcome = await self._objects.create(call, served, namespace, thaw(obj))
        return outcome.object

    async def update(self, obj: Object, subresource: str = "") -> Object:
        """Replace an object, or the part of it that a subresource writes; raises ApiError."""
        served = self._served_object(obj)
        namespace, name = namespace_of(obj), name_of(obj)
        self._allowed("update", served.kind.group_resource, namespace, name, subresource)
        call = self._call("update", subresource)
        value = thaw(obj)
        outcome = await self._objects.update(
            call,
            served,
            namespace,
            name,
            lambda _old: self._objects.decode(call, served, value),
        )
        return outcome.object

    async def patch(
        self,
        resource: GroupResource,
        namespace: str,
        name: str,
        change: Object,
        subresource: str = "",
    ) -> Object:
        """Merge a JSON merge patch into an object; raises ApiError."""
        place = (resource, namespace, name)
        return await self._write("patch", place, lambda old: merge(old, change), subresource)

    async def change(
        self,
        resource: GroupResource,
        namespace: str,
        name: str,
        change: Callable[[Object], Object],
        subresource: str = "",
    ) -> Object:
        """Update an object by a function of what it is now, again when somebody was faster."""
        return await self._write("update", (resource, namespace, name), change, subresource)

    async def _write(
        self,
        verb: str,
        place: tuple[GroupResource, str, str],
        change: Callable[[Object], Object],
        subresource: str,
    ) -> Object:
        resource, namespace, name = place
        served = self._served(resource)
        self._allowed(verb, resource, namespace, name, subresource)
        call = self._call(verb, subresource)
        outcome = await self._objects.update(
            call,
            served,
            namespace,
            name,
            lambda old: self._objects.decode(call, served, change(old)),
            retry=True,
        )
        return outcome.object

    async def apply(self, config: Object, subresource: str = "") -> Object:
        """Apply a configuration and take its fields from whoever owns them; raises ApiError.

        It makes the object where there is none. What this field manager applied before and does
        not apply now goes.
        """
        served = self._served_object(config)
        resource, namespace, name = (
            served.kind.group_resource,
            namespace_of(config),
            name_of(config),
        )
        self._allowed("patch", resource, namespace, name, subresource)
        call = self._call("patch", subresource)
        call.force = True
        outcome = await self._objects.apply(
            call,
            served,
            namespace,
            name,
            config,
            before_create=lambda: self._allowed("create", resource, namespace, name),
        )
        return outcome.object

    async def delete(
        self,
        resource: GroupResource,
        namespace: str,
        name: str,
        options: DeleteOptions = DeleteOptions(policy="Background"),  # noqa: B008 - frozen
    ) -> None:
        """Delete an object; raises ApiError, also when it is not there."""
        served = self._served(resource)
        self._allowed("delete", resource, namespace, name)
        await self._objects.delete(self._call("delete"), served, namespace, name, options)

    def subscribe(
        self,
        resource: GroupResource,
        listener: Callable[[Event], None],
        namespace: str = "",
        name: str = "",
    ) -> Callable[[], None]:
        """Hear of every published change to a collection; returns what ends it.

        Raises:
            ApiError: 403 without the right to watch (in the namespace, or everywhere).
        """
        self._allowed("watch", resource, namespace, name)
        if not namespace and not name:
            return self._store.subscribe(resource, listener)

        def listen(event: Event) -> None:
            key = event.stored.key
            if namespace in ("", key.namespace) and name in ("", key.name):
                listener(event)

        return self._store.subscribe(resource, listen)

    def may(self, access: Attributes, user: User | None = None) -> Decision:
        """Whether a user (this one by default) may do something."""
        return self._decide(user or self.user, access)

    def execute(self, namespace: str, pod: str, container: str, command: Sequence[str]) -> str:
        """Run a command in a container and return what it printed; raises ApiError."""
        self._allowed("create", GroupResource("", "pods"), namespace, pod, "exec")
        return self._execute(namespace, pod, container, command)

    def _call(self, verb: str, subresource: str = "") -> Call:
        return Call(
            user=self.user,
            verb=verb,
            now=self._now(),
            manager=self._manager,
            validation="Ignore",
            subresource=subresource,
        )

    def _served(self, resource: GroupResource) -> Served:
        served = self._registry.of_resource(resource)
        if served is None:
            raise no_such_resource()
        return served

    def _served_object(self, obj: Object) -> Served:
        served = self._registry.of_object(obj["apiVersion"], obj["kind"])
        if served is None:
            raise not_found(GroupResource("", obj["kind"]), obj["apiVersion"])
        return served

    def _allowed(
        self,
        verb: str,
        resource: GroupResource,
        namespace: str = "",
        name: str = "",
        subresource: str = "",
    ) -> None:
        access = Attributes(
            verb=verb,
            group=resource.group,
            resource=resource.resource,
            subresource=subresource,
            namespace=namespace,
            name=name,
        )
        decision = self._decide(self.user, access)
        if not decision.allowed:
            why = access.denial(self.user, decision.reason)
            raise forbidden(GroupResource(resource.group, resource.resource), name, why)
