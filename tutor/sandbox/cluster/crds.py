"""CustomResourceDefinitions at work: names accepted, kinds served, instances removed at the end.

Source: apiextensions-apiserver (`pkg/controller/status`, `establish`, `finalizer`).
"""

from collections.abc import Awaitable, Callable, Hashable, Sequence

from tutor.sandbox.api.customresources.definition import (
    is_true,
    names_of,
    schema_of,
    spec_of,
    versions_of,
)
from tutor.sandbox.api.customs import served_by
from tutor.sandbox.api.deletion import CLEANUP, timestamp
from tutor.sandbox.api.registry import Registry
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.cluster.apis import custom_service
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.controllers.resources import CRDS, is_deleted, with_condition
from tutor.sandbox.kinds import GroupResource, GroupVersion, Object, name_of, namespace_of
from tutor.sandbox.schema.openapi_custom import CustomType
from tutor.sandbox.server.aggregation import API_SERVICES

_RETRY_S = 0.1


class Definitions:
    """Serves what definitions define."""

    name = "crds"

    def __init__(self, client: Client, registry: Registry, changed: Callable[[], None]) -> None:
        self._client = client
        self._registry = registry
        self._changed = changed
        self._served: dict[str, Object] = {}
        self.watches: Sequence[Watches] = (Watches(CRDS, lambda obj: [name_of(obj)]),)

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
        if is_deleted(crd):
            return await self._remove(crd)
        crd = await self._accept(crd)
        self._serve(crd)
        await self._register()
        return DONE

    async def _accept(self, crd: Object) -> Object:
        now = timestamp(self._client.now())
        conflict = self._conflict(crd)

        def write(obj: Object) -> Object:
            obj["status"] = self._status(obj, conflict, now)
            return obj

        return await self._client.change(CRDS, "", name_of(crd), write, "status")

    def _status(self, crd: Object, conflict: tuple[str, str] | None, now: str) -> Object:
        old = crd.get("status") or {}
        conditions: list[Object] = old.get("conditions") or []
        accepted = old.get("acceptedNames") or {}
        if conflict is None:
            accepted = names_of(crd)
            conditions = with_condition(
                conditions, "NamesAccepted", "True", "NoConflicts", "no conflicts found", now
            )
        else:
            conditions = with_condition(
                conditions, "NamesAccepted", "False", conflict[0], conflict[1], now
            )
        if conflict is None and not is_true(crd, "Established"):
            conditions = with_condition(
                conditions,
                "Established",
                "True",
                "InitialNamesAccepted",
                "the initial names have been accepted",
                now,
            )
        elif not any(c["type"] == "Established" for c in conditions):
            conditions = with_condition(
                conditions, "Established", "False", "NotAccepted", "not all names are accepted", now
            )
        stored = [v["name"] for v in versions_of(crd) if v.get("storage")]
        kept = [v for v in old.get("storedVersions") or () if v not in stored]
        return {
            "conditions": conditions,
            "acceptedNames": accepted,
            "storedVersions": [*kept, *stored],
        }

    def _conflict(self, crd: Object) -> tuple[str, str] | None:
        """Reason and message of the first name that another definition of the group has."""
        names, group = names_of(crd), spec_of(crd).get("group")
        others = [
            (other.get("status") or {}).get("acceptedNames") or {}
            for other in self._client.list(CRDS)
            if name_of(other) != name_of(crd) and spec_of(other).get("group") == group
        ]
        words = {word for accepted in others for word in _words(accepted)}
        kinds = {accepted.get(f) for accepted in others for f in ("kind", "listKind")}
        asked = (
            ("PluralConflict", [names.get("plural")], words),
            ("SingularConflict", [names.get("singular")], words),
            ("ShortNamesConflict", names.get("shortNames") or [], words),
            ("KindConflict", [names.get("kind")], kinds),
            ("ListKindConflict", [names.get("listKind")], kinds),
        )
        for reason, wanted, taken in asked:
            for word in wanted:
                if word and word in taken:
                    return reason, f'"{word}" is already in use'
        return None

    def _serve(self, crd: Object) -> None:
        name = name_of(crd)
        if not is_true(crd, "Established"):
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
            name_of(service): service
            for service in self._client.list(API_SERVICES)
            if (service["metadata"].get("labels") or {}).get(
                "kube-aggregator.kubernetes.io/automanaged"
            )
            == "true"
        }
        for version in sorted(wanted):
            service = custom_service(version)
            if existing.pop(name_of(service), None) is None:
                await self._ignoring("AlreadyExists", self._client.create(service))
        for name in existing:
            await self._ignoring("NotFound", self._client.delete(API_SERVICES, "", name))

    async def _remove(self, crd: Object) -> Result:
        resource = GroupResource(spec_of(crd)["group"], names_of(crd)["plural"])
        for obj in self._client.list(resource):
            if not is_deleted(obj):
                delete = self._client.delete(resource, namespace_of(obj), name_of(obj))
                await self._ignoring("NotFound", delete)
        left = self._client.list(resource)
        await self._report_removal(crd, len(left))
        if left:
            return Result(again_s=_RETRY_S)

        def release(obj: Object) -> Object:
            meta = obj["metadata"]
            kept = [f for f in meta.get("finalizers") or () if f != CLEANUP]
            meta["finalizers"] = kept
            return obj

        await self._client.change(CRDS, "", name_of(crd), release)
        return DONE

    async def _report_removal(self, crd: Object, left: int) -> None:
        now = timestamp(self._client.now())
        reason = "InstanceDeletionInProgress" if left else "InstanceDeletionCompleted"
        message = "CustomResource deletion is in progress"
        if not left:
            message = "removed all instances"

        def write(obj: Object) -> Object:
            status = obj.setdefault("status", {})
            status["conditions"] = with_condition(
                status.get("conditions") or [],
                "Terminating",
                "True" if left else "False",
                reason,
                message,
                now,
            )
            return obj

        await self._client.change(CRDS, "", name_of(crd), write, "status")

    async def _ignoring(self, reason: str, operation: Awaitable[object]) -> None:
        try:
            await operation
        except ApiError as error:
            if error.reason != reason:
                raise


def _by_kind(custom: CustomType) -> str:
    return custom.kind.kind


def _words(names: Object) -> list[str]:
    found = [names.get("plural"), names.get("singular"), *(names.get("shortNames") or ())]
    return [word for word in found if word]


def _shape(crd: Object) -> tuple[object, object]:
    return spec_of(crd), (crd.get("status") or {}).get("acceptedNames")
