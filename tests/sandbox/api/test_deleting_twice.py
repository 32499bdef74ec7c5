"""Deletions of one object side by side: one of them finds it, the others do not."""

import asyncio

from tests.fakes.cluster import Api, config_map, obj, pod

PODS = "/api/v1/namespaces/here/pods"
MAPS = "/api/v1/namespaces/here/configmaps"


async def statuses(api: Api, target: str) -> list[int]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(api.ask("DELETE", target)) for _ in range(5)]
    return sorted(task.result().status for task in tasks)


async def test_object_deleted_five_times_at_once_is_found_once(api: Api) -> None:
    await api.make(MAPS, config_map("a"))
    assert await statuses(api, f"{MAPS}/a") == [200, 404, 404, 404, 404]


async def test_pod_deleted_five_times_at_once_is_found_once(api: Api) -> None:
    await api.make("/api/v1/namespaces/here/serviceaccounts", obj("ServiceAccount", "default"))
    await api.make(PODS, pod("a", terminationGracePeriodSeconds=0))
    watching = await api.watch(f"{PODS}?watch=1&resourceVersion=1")
    assert await statuses(api, f"{PODS}/a") == [200, 404, 404, 404, 404]
    changes = [change for change, _ in watching.changes()]
    assert changes[0] == "ADDED"
    assert changes.count("DELETED") == 1
    assert changes[-1] == "DELETED"
