"""Namespaces: what every one has, and how one goes.

Source: pkg/controller/namespace (conditions and their messages), root-ca-certificate-publisher,
serviceaccount controller.
"""

from collections.abc import Callable, Hashable, Sequence
from datetime import datetime, timedelta

from tutor.sandbox.api.builtin.reading import items
from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, ClusterFacts, Result, Watches
from tutor.sandbox.controllers.resources import (
    CONFIG_MAPS,
    EVENTS,
    NAMESPACES,
    SERVICE_ACCOUNTS,
    is_deleted,
    with_condition,
)
from tutor.sandbox.kinds import GroupResource, Object, name_of, namespace_of

ROOT_CA = "kube-root-ca.crt"
_DESCRIPTION = {
    "kubernetes.io/description": "Contains a CA bundle that can be used to verify the "
    "kube-apiserver when using internal endpoints such as the internal service IP or "
    "kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
}
_RETRY_S = 0.2

Namespaced = Callable[[], Sequence[GroupResource]]
"""Every namespaced collection that is served."""


class Accounts:
    """Gives every namespace its default service account and the cluster's CA."""

    name = "namespace-defaults"

    def __init__(self, client: Client, facts: ClusterFacts) -> None:
        self._client = client
        self._facts = facts
        self.watches: Sequence[Watches] = (
            Watches(NAMESPACES, lambda obj: [name_of(obj)]),
            Watches(SERVICE_ACCOUNTS, lambda obj: [namespace_of(obj)]),
            Watches(CONFIG_MAPS, self._root_ca),
        )

    def _root_ca(self, obj: Object) -> list[str]:
        return [namespace_of(obj)] if name_of(obj) == ROOT_CA else []

    async def reconcile(self, key: Hashable) -> Result:
        """Fill one namespace."""
        namespace = self._client.find(NAMESPACES, "", str(key))
        if namespace is None or is_deleted(namespace):
            return DONE
        name = str(key)
        if self._client.find(SERVICE_ACCOUNTS, name, "default") is None:
            await self._create(
                {
                    "apiVersion": "v1",
                    "kind": "ServiceAccount",
                    "metadata": {"name": "default", "namespace": name},
                }
            )
        data = {"ca.crt": self._facts.ca_bundle}
        existing = self._client.find(CONFIG_MAPS, name, ROOT_CA)
        if existing is None:
            await self._create(
                {
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "metadata": {
                        "name": ROOT_CA,
                        "namespace": name,
                        "annotations": _DESCRIPTION,
                    },
                    "data": data,
                }
            )
        elif existing.get("data") != data:
            await self._client.change(CONFIG_MAPS, name, ROOT_CA, lambda obj: obj | {"data": data})
        return DONE

    async def _create(self, obj: Object) -> None:
        try:
            await self._client.create(obj)
        except ApiError as error:
            if error.reason not in ("AlreadyExists", "Forbidden"):
                raise


class Namespaces:
    """Empties namespaces that are to go, and lets them go when they are empty."""

    name = "namespaces"

    def __init__(self, client: Client, collections: Namespaced, grace_s: float = 0) -> None:
        self._client = client
        self._collections = collections
        self._grace = timedelta(seconds=grace_s)
        self._since: dict[str, datetime] = {}
        self.watches: Sequence[Watches] = (Watches(NAMESPACES, lambda obj: [name_of(obj)]),)

    async def reconcile(self, key: Hashable) -> Result:
        """Take one terminating namespace a step on."""
        name = str(key)
        namespace = self._client.find(NAMESPACES, "", name)
        if namespace is None or not is_deleted(namespace):
            return DONE
        if "kubernetes" not in items(namespace, "spec", "finalizers"):
            return DONE
        now = self._client.now()
        due = self._since.setdefault(namespace["metadata"]["uid"], now) + self._grace
        if now < due:
            return Result(again_s=(due - now).total_seconds())
        left = await self._empty(name)
        await self._report(namespace, left)
        if left:
            self._since[namespace["metadata"]["uid"]] = now
            return Result(again_s=max(_RETRY_S, self._grace.total_seconds()))

        def release(obj: Object) -> Object:
            left = [f for f in items(obj, "spec", "finalizers") if f != "kubernetes"]
            obj["spec"]["finalizers"] = left
            return obj

        await self._client.change(NAMESPACES, "", name, release, "finalize")
        self._since.pop(namespace["metadata"]["uid"], None)
        return DONE

    async def _empty(self, name: str) -> dict[GroupResource, list[Object]]:
        left: dict[GroupResource, list[Object]] = {}
        for resource in self._collections():
            for obj in self._client.list(resource, name):
                if not is_deleted(obj):
                    await self._delete(resource, obj)
            remaining = list(self._client.list(resource, name))
            if remaining and resource != EVENTS:
                left[resource] = remaining
        return left

    async def _delete(self, resource: GroupResource, obj: Object) -> None:
        try:
            await self._client.delete(resource, namespace_of(obj), name_of(obj))
        except ApiError as error:
            if error.reason != "NotFound":
                raise

    async def _report(self, namespace: Object, left: dict[GroupResource, list[Object]]) -> None:
        now = timestamp(self._client.now())
        content = _content_message(left)
        finalizers = _finalizers_message(left)
        states = (
            ("NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered", _DISCOVERED),
            (
                "NamespaceDeletionGroupVersionParsingFailure",
                "False",
                "ParsedGroupVersions",
                _PARSED,
            ),
            ("NamespaceDeletionContentFailure", "False", "ContentDeleted", _DELETED),
            (
                "NamespaceContentRemaining",
                "True" if content else "False",
                "SomeResourcesRemain" if content else "ContentRemoved",
                content or _REMOVED,
            ),
            (
                "NamespaceFinalizersRemaining",
                "True" if finalizers else "False",
                "SomeFinalizersRemain" if finalizers else "ContentHasNoFinalizers",
                finalizers or _NO_FINALIZERS,
            ),
        )

        def write(obj: Object) -> Object:
            status = obj.setdefault("status", {})
            conditions: list[Object] = items(status, "conditions")
            for kind, state, reason, message in states:
                conditions = with_condition(conditions, kind, state, reason, message, now)
            status["conditions"] = conditions
            return obj

        try:
            await self._client.change(NAMESPACES, "", name_of(namespace), write, "status")
        except ApiError as error:
            if error.reason != "NotFound":
                raise


_DISCOVERED = "All resources successfully discovered"
_PARSED = "All legacy kube types successfully parsed"
_DELETED = "All content successfully deleted, may be waiting on finalization"
_REMOVED = "All content successfully removed"
_NO_FINALIZERS = "All content-preserving finalizers finished"


def _content_message(left: dict[GroupResource, list[Object]]) -> str:
    if not left:
        return ""
    listed = ", ".join(
        f"{resource if resource.group else resource.resource + '.'} has {len(objects)} resource"
        " instances"
        for resource, objects in sorted(left.items())
    )
    return f"Some resources are remaining: {listed}"


def _finalizers_message(left: dict[GroupResource, list[Object]]) -> str:
    counts: dict[str, int] = {}
    for objects in left.values():
        for obj in objects:
            for finalizer in obj["metadata"].get("finalizers") or ():
                counts[finalizer] = counts.get(finalizer, 0) + 1
    if not counts:
        return ""
    listed = ", ".join(
        f"{finalizer} in {count} resource instances" for finalizer, count in sorted(counts.items())
    )
    return f"Some content in the namespace has finalizers remaining: {listed}"
