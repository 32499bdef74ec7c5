"""A world of objects for admission plugins, and writes to it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from tutor.sandbox.api.builtin.admission.plugin import Plugin
from tutor.sandbox.api.registry import Registry
from tutor.sandbox.api.request import Call, User
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.api.strategies import builtin_served
from tutor.sandbox.api.webhooks import Write
from tutor.sandbox.kinds import GroupResource, Object, name_of, namespace_of

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
REGISTRY = Registry(builtin_served())
NOTHING: Object = {}


@dataclass
class Objects:
    """Stored objects; what plugins store goes to `booked`."""

    stored: list[Object]
    booked: list[Object] = field(default_factory=list[Object])

    def find(self, resource: GroupResource, namespace: str, name: str) -> Object | None:
        found = (one for one in self.objects_of(resource, namespace) if name_of(one) == name)
        return next(found, None)

    def objects_of(self, resource: GroupResource, namespace: str = "") -> Sequence[Object]:
        return [
            one
            for one in self.stored
            if _resource_of(one) == resource and namespace in ("", namespace_of(one))
        ]

    def book(self, obj: Object) -> None:
        self.booked.append(obj)


def _resource_of(obj: Object) -> GroupResource:
    served = REGISTRY.of_object(obj["apiVersion"], obj["kind"])
    assert served is not None
    return served.kind.group_resource


def write_of(
    new: Object | None = None,
    old: Object | None = None,
    *,
    operation: str = "",
    subresource: str = "",
    user: str = "jane",
    dry_run: bool = False,
) -> Write:
    """A write: a create without an old object, a delete without a new one."""
    obj = new or old or {}
    served = REGISTRY.of_object(obj["apiVersion"], obj["kind"])
    assert served is not None
    if not operation:
        operation = "CREATE" if old is None else "UPDATE" if new is not None else "DELETE"
    call = Call(
        user=User(name=user),
        verb=operation.lower(),
        now=NOW,
        subresource=subresource,
        dry_run=dry_run,
    )
    return Write(call=call, served=served, operation=operation, new=new, old=old)


def attempt(plugin: Plugin, write: Write) -> None:
    """Both turns of a plugin."""
    plugin.admit(write)
    plugin.validate(write)


def refusal(plugin: Plugin, write: Write) -> ApiError:
    """The error of a write that a plugin does not let through."""
    with pytest.raises(ApiError) as caught:
        attempt(plugin, write)
    return caught.value


def obj(kind: str, name: str, *, namespace: str = "", version: str = "v1", **more: Any) -> Object:
    """An object with a name and these fields."""
    meta: Object = {"name": name} | ({"namespace": namespace} if namespace else {})
    given: Object = more.pop("metadata", {})
    return {"apiVersion": version, "kind": kind, "metadata": meta | given, **more}


def pod(name: str = "p", *, namespace: str = "here", **spec: Any) -> Object:
    """A pod of one container."""
    return obj("Pod", name, namespace=namespace, spec={"containers": [{"name": "c"}]} | spec)
