"""CustomResourceDefinitions at work: names accepted, kinds served, instances removed at the end.

Source: apiextensions-apiserver (`pkg/controller/status`, `establish`, `finalizer`).
"""

from collections.abc import Awaitable, Callable, Hashable, Sequence

from tutor.sandbox.api.customresources import conditions
from tutor.sandbox.api.customresources.definition import (
    is_true,
    names_of,
    schema_of,
    spec_of,
    versions_of,
)
from tutor.sandbox.api.customresources.strategy import served_by
from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.api.registry import Registry
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.cluster.apis import custom_service
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.controllers.resources import CRDS, is_deleted
from tutor.sandbox.kinds import (
    GroupResource,
    GroupVersion,
    Object,
    labels_of,
    name_of,
    namespace_of,
)
from tutor.sandbox.schema.openapi_custom import CustomType
from tutor.sandbox.server.aggregation import API_SERVICES

_RETRY_S = 0.5
"""Between two looks at objects that do not go; the real controller takes five seconds."""

Decide = Callable[[Object, str], Object | None]
"""(definition, now) -> the status it should have, None for the one it has."""


class Definitions:
    """Serves what definitions define."""

    name = "crds"

    def __init__(self, client: Client, registry: Registry, changed: Callable[[], None]) -> None:
        self._client = client
        self._registry = registry
        self._changed = changed
        self._served: dict[str, Object] = {}
        self.watches: Sequence[Watches] = (Watches(CRDS, self._waiting),)

    def types(self) -> dict[GroupVersion, list[CustomType]]:
        """What is served, as the OpenAPI documents describe it."""
        found: dict[GroupVersion, list[CustomType]] = {}
        for crd in self._served.values():
            group, plural = spec_of(crd)["group"], names_of(crd)["plural"]
            for version in versions_of(crd):
                served = self._registry.find(group, version["name"], plural)
                if served is not None:
                    custom = CustomType(served.kind, schema_of(version) or {})
                    found.setdefault(served.kind.group_version, []).append(custom)
        return {version: sorted(found[version], key=_by_kind) for version in sorted(found)}

    def restore(self) -> None:
        """Serve what was established before, without waiting for the loop."""
        for crd in self._client.list(CRDS):
            self._serve(crd)

    async def reconcile(self, key: Hashable) -> Result:
        """Bring one definition on."""
        crd = self._client.find(CRDS, "", str(key))
        if crd is None:
            self._withdraw(str(key))
            await self._register()
            return DONE
        if conditions.is_leaving(crd):
            return await self._remove(crd)
        crd = await self._settle(crd, self._accept_names)
        # Before anybody can be told that it is established.
        self._serve(crd)
        crd = await self._settle(crd, conditions.establish)
        await self._settle(crd, conditions.approve)
        await self._register()
        return DONE

    def _waiting(self, crd: Object) -> list[str]:
        """The definition itself, and those of its group that may want the names it gives back."""
        others = (
            name_of(other)
            for other in self._client.list(CRDS)
            if spec_of(other).get("group") == spec_of(crd).get("group")
            and names_of(other) != conditions.accepted_names(other)
        )
        return [name_of(crd), *others]

    def _accept_names(self, crd: Object, now: str) -> Object | None:
        return conditions.accept_names(crd, self._client.list(CRDS), now)

    async def _settle(self, crd: Object, decide: Decide) -> Object:
        now = timestamp(self._client.now())
        if decide(crd, now) is None:
            return crd

        def write(obj: Object) -> Object:
            status = decide(obj, now)
            return obj if status is None else obj | {"status": status}

        return await self._client.change(CRDS, "", name_of(crd), write, "status")

    def _serve(self, crd: Object) -> None:
        name = name_of(crd)
        if not is_true(crd, "NamesAccepted") and not is_true(crd, "Established"):
            return
        known = self._served.get(name)
        if known is not None and _shape(known) == _shape(crd):
            return
        self._served[name] = crd
        self._registry.replace(name, served_by(crd))
        self._changed()

    def _withdraw(self, name: str) -> None:
        if self._served.pop(name, None) is not None:
            self._registry.remove(name)
            self._changed()

    async def _register(self) -> None:
        """Keep an APIService for each group version that is served."""
        wanted = {
            GroupVersion(spec_of(crd)["group"], version["name"])
            for crd in self._served.values()
            for version in versions_of(crd)
            if version.get("served")
        }
        existing = {
            name_of(service)
            for service in self._client.list(API_SERVICES)
            if labels_of(service).get("kube-aggregator.kubernetes.io/automanaged") == "true"
        }
        services = {name_of(service): service for service in map(custom_service, sorted(wanted))}
        for name, service in services.items():
            if name not in existing:
                await self._ignoring("AlreadyExists", self._client.create(service))
        for name in sorted(existing - services.keys()):
            await self._ignoring("NotFound", self._client.delete(API_SERVICES, "", name))

    async def _remove(self, crd: Object) -> Result:
        self._serve(crd)
        crd = await self._settle(crd, conditions.report_removal)
        if is_true(crd, "Established"):
            if not await self._remove_objects(crd):
                return Result(again_s=_RETRY_S)
            reason = conditions.DELETION_COMPLETED
        else:
            reason = conditions.NEVER_ESTABLISHED
        now = timestamp(self._client.now())
        await self._ignoring(
            "NotFound",
            self._client.change(
                CRDS,
                "",
                name_of(crd),
                lambda obj: conditions.released(obj, reason, now),
                "status",
            ),
        )
        return DONE

    async def _remove_objects(self, crd: Object) -> bool:
        """Delete the objects of a kind; whether none is left."""
        resource = GroupResource(spec_of(crd)["group"], names_of(crd)["plural"])
        for obj in self._client.list(resource):
            if not is_deleted(obj):
                delete = self._client.delete(resource, namespace_of(obj), name_of(obj))
                await self._ignoring("NotFound", delete)
        return not self._client.list(resource)

    async def _ignoring(self, reason: str, operation: Awaitable[object]) -> None:
        try:
            await operation
        except ApiError as error:
            if error.reason != reason:
                raise


def _by_kind(custom: CustomType) -> str:
    return custom.kind.kind


def _shape(crd: Object) -> tuple[object, ...]:
    """What decides how a definition is served."""
    return spec_of(crd), conditions.accepted_names(crd), is_true(crd, "Terminating")
