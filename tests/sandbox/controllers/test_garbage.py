"""Which owners count as gone. Source: Kubernetes concepts, "Owners and Dependents"."""

import pytest

from tests.fakes.cluster import Api, config_map, obj
from tutor.sandbox.controllers.garbage import GarbageCollector, key_of
from tutor.sandbox.controllers.owners import Owners
from tutor.sandbox.controllers.resources import CONFIG_MAPS, EVENTS, NAMESPACES
from tutor.sandbox.kinds import GroupResource, Object

PATH = "/api/v1/namespaces/here/configmaps"
NOBODY = "11111111-2222-3333-4444-555555555555"


class Garbage:
    """A collector that is told of what is made by hand."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.collector = GarbageCollector(api.client, api.parts.collections, api.parts.kind_of)

    async def stays(self, resource: GroupResource, made: Object) -> bool:
        """Whether an object is there, and not on its way out, after it was looked at."""
        key = key_of(resource, made)
        self.collector.see(key, made)
        await self.collector.reconcile(key)
        found = self.api.parts.find(resource, key.namespace, key.name)
        return found is not None and "deletionTimestamp" not in found["metadata"]


def owned(api_version: str, kind: str, name: str, uid: str) -> Object:
    owner = {"apiVersion": api_version, "kind": kind, "name": name, "uid": uid}
    return {"ownerReferences": [owner]}


@pytest.mark.parametrize(
    ("api_version", "kind", "name", "stays"),
    [
        ("v1", "ConfigMap", "nobody", False),
        ("v1", "ConfigMap", "owner", False),
        ("v1", "Node", "nobody", False),
        ("example.com/v1", "Nothing", "nobody", True),
        ("v9", "ConfigMap", "nobody", True),
    ],
)
async def test_an_owner_that_is_nowhere_is_gone_unless_its_kind_cannot_be_looked_up(
    api: Api, api_version: str, kind: str, name: str, stays: bool
) -> None:
    await api.make(PATH, config_map("owner"))
    meta = owned(api_version, kind, name, NOBODY)
    made = await api.make(PATH, config_map("dependent", metadata=meta))
    assert await Garbage(api).stays(CONFIG_MAPS, made) is stays


async def test_an_owner_in_another_namespace_is_gone(api: Api) -> None:
    await api.make("/api/v1/namespaces", obj("Namespace", "there"))
    there = obj("ConfigMap", "owner", namespace="there")
    owner = await api.make("/api/v1/namespaces/there/configmaps", there)
    meta = owned("v1", "ConfigMap", "owner", owner["metadata"]["uid"])
    made = await api.make(PATH, config_map("dependent", metadata=meta))
    assert not await Garbage(api).stays(CONFIG_MAPS, made)
    (event,) = api.client.list(EVENTS)
    assert (event["reason"], event["type"]) == ("OwnerRefInvalidNamespace", "Warning")
    uid = owner["metadata"]["uid"]
    assert event["message"] == (
        f"ownerRef [v1/ConfigMap, namespace: here, name: owner, uid: {uid}]"
        ' does not exist in namespace "here"'
    )


async def test_an_object_of_the_cluster_stays_whatever_namespaced_owner_it_names(api: Api) -> None:
    meta = owned("v1", "ConfigMap", "nobody", NOBODY)
    made = await api.make("/api/v1/namespaces", obj("Namespace", "n", metadata=meta))
    assert await Garbage(api).stays(NAMESPACES, made)


@pytest.mark.parametrize("blocking", [True, False])
async def test_only_dependents_that_block_keep_an_owner_that_goes_after_them(
    api: Api, blocking: bool
) -> None:
    owner = await api.make(PATH, config_map("owner"))
    meta = owned("v1", "ConfigMap", "owner", owner["metadata"]["uid"])
    meta["ownerReferences"][0]["blockOwnerDeletion"] = blocking
    meta["finalizers"] = ["example.com/hold"]
    dependent = await api.make(PATH, config_map("dependent", metadata=meta))
    garbage = Garbage(api)
    garbage.collector.see(key_of(CONFIG_MAPS, dependent), dependent)
    body = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Foreground"}
    await api.ask("DELETE", f"{PATH}/owner", body)
    key = key_of(CONFIG_MAPS, owner)
    await garbage.collector.reconcile(key)
    assert (api.stored(CONFIG_MAPS, "owner") is not None) is blocking
    if blocking:
        woken = garbage.collector.see(key_of(CONFIG_MAPS, dependent), None)
        assert key in woken


async def test_an_owner_that_was_seen_to_go_is_gone_even_when_its_kind_went_with_it(
    api: Api,
) -> None:
    meta = owned("example.com/v1", "Nothing", "was", NOBODY)
    made = await api.make(PATH, config_map("dependent", metadata=meta))
    garbage = Garbage(api)
    assert await garbage.stays(CONFIG_MAPS, made)
    assert garbage.collector.orphaned(NOBODY) == [key_of(CONFIG_MAPS, made)]
    assert not await garbage.stays(CONFIG_MAPS, made)


async def test_of_objects_that_are_gone_nothing_is_kept(api: Api) -> None:
    collector = GarbageCollector(api.client, api.parts.collections, api.parts.kind_of)
    await api.make("/api/v1/namespaces", obj("Namespace", "there"))
    owner = await api.make(PATH, config_map("owner"))
    elsewhere = await api.make(
        "/api/v1/namespaces/there/configmaps", obj("ConfigMap", "far", namespace="there")
    )
    meta = owned("v1", "ConfigMap", "owner", owner["metadata"]["uid"])
    meta["ownerReferences"][0]["blockOwnerDeletion"] = True
    meta["ownerReferences"] += owned("v1", "ConfigMap", "far", elsewhere["metadata"]["uid"])[
        "ownerReferences"
    ]
    dependent = await api.make(
        PATH, config_map("dependent", metadata=meta | {"finalizers": ["example.com/hold"]})
    )
    keys = [key_of(CONFIG_MAPS, each) for each in (owner, dependent)]
    collector.see(keys[1], dependent)
    await collector.reconcile(keys[1])
    body = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Foreground"}
    await api.ask("DELETE", f"{PATH}/owner", body)
    await collector.reconcile(keys[0])
    assert collector.owners != Owners()
    for key, gone in zip(keys, (owner, dependent), strict=True):
        collector.see(key, None)
        collector.orphaned(gone["metadata"]["uid"])
    assert collector.owners == Owners()


async def test_owners_of_one_that_names_others_now_are_forgotten(api: Api) -> None:
    collector = GarbageCollector(api.client, api.parts.collections, api.parts.kind_of)
    made = await api.make(
        PATH, config_map("dependent", metadata=owned("v1", "ConfigMap", "a", NOBODY))
    )
    key = key_of(CONFIG_MAPS, made)
    collector.see(key, made)
    assert collector.orphaned(NOBODY) == [key]
    collector.see(key, await api.make(PATH, config_map("free")))
    assert collector.owners == Owners()
