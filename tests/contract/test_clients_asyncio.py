"""The asynchronous Python client: objects, and a watch that survives the server."""

# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false, reportCallIssue=false
# pyright: reportIndexIssue=false, reportOptionalMemberAccess=false
# The client is without types, or has such as do not hold.

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from kubernetes_asyncio import client, config, watch

from tests.contract.sandbox_lab import SandboxLab, config_map, sandbox
from tests.fakes.waiting import until

pytestmark = pytest.mark.contract

HERE = "default"
LOST = (aiohttp.ClientError, OSError, TimeoutError)


async def api_client(lab: SandboxLab) -> client.ApiClient:
    return await config.new_client_from_config(config_file=str(lab.kubeconfig))


async def test_objects_are_made_changed_listed_and_deleted(tmp_path: Path) -> None:
    async with sandbox(tmp_path) as lab, await api_client(lab) as api:
        core = client.CoreV1Api(api)
        for name in "abc":
            await core.create_namespaced_config_map(HERE, config_map(name, x="1"))
        await core.patch_namespaced_config_map("b", HERE, {"metadata": {"labels": {"l": "1"}}})
        chosen = await core.list_namespaced_config_map(HERE, label_selector="l=1")
        assert [one.metadata.name for one in chosen.items] == ["b"]
        first = await core.list_namespaced_config_map(HERE, limit=2)
        rest = await core.list_namespaced_config_map(HERE, _continue=first.metadata._continue)
        names = [one.metadata.name for one in (*first.items, *rest.items)]
        assert [name for name in names if len(name) == 1] == ["a", "b", "c"]
        await core.delete_collection_namespaced_config_map(HERE, label_selector="l=1")
        with pytest.raises(client.ApiException) as missing:
            await core.read_namespaced_config_map("b", HERE)
        assert missing.value.status == 404


async def test_watch_goes_on_after_the_server_was_killed(tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []
    async with sandbox(tmp_path) as lab, await api_client(lab) as api:
        core = client.CoreV1Api(api)
        listed = await core.list_namespaced_config_map(HERE)
        following = _follow(core, listed.metadata.resource_version, told)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(following)
            await core.create_namespaced_config_map(HERE, config_map("a"))
            await until(lambda: ("ADDED", "a") in told)
            await lab.restart()
            await _again(lambda: core.create_namespaced_config_map(HERE, config_map("b")))
            await core.delete_namespaced_config_map("a", HERE)
            await until(lambda: ("DELETED", "a") in told)
            task.cancel()
    assert [one for one in told if one[1] in ("a", "b")] == [
        ("ADDED", "a"),
        ("ADDED", "b"),
        ("DELETED", "a"),
    ]


async def _follow(core: client.CoreV1Api, version: str, told: list[tuple[str, str]]) -> None:
    while True:
        try:
            async with watch.Watch() as watching:
                asked = watching.stream(
                    core.list_namespaced_config_map, HERE, resource_version=version
                )
                async for event in asked:
                    meta = event["object"].metadata
                    version = meta.resource_version
                    told.append((event["type"], meta.name))
        except LOST:
            await asyncio.sleep(0.05)


async def _again(create: Callable[[], Awaitable[object]]) -> None:
    """A connection from before the restart may be the first to be tried."""
    try:
        await create()
    except LOST:
        await create()
