"""An operator written with kopf: it reconciles custom objects, and goes on after a restart."""

# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false, reportCallIssue=false
# pyright: reportIndexIssue=false, reportOptionalMemberAccess=false
# The client is without types, or has such as do not hold.

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import kopf
import pytest

from tests.contract.sandbox_lab import GROUP, SandboxLab, boat, boats, sandbox
from tests.fakes.sandbox_process import Client, context_of, order

pytestmark = pytest.mark.contract

PATH = f"/apis/{GROUP}/v1/namespaces/default/boats"
MERGE = "application/merge-patch+json"


def operator_of(lab: SandboxLab) -> kopf.OperatorRegistry:
    """An operator that tells in the status of a boat how many sails it hoisted."""
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    def login(**_: Any) -> kopf.ConnectionInfo:
        return kopf.ConnectionInfo(
            server=lab.server,
            ca_path=str(lab.ca),
            certificate_path=str(lab.certificate),
            private_key_path=str(lab.key),
        )

    @kopf.on.create(GROUP, "v1", "boats", registry=registry)
    @kopf.on.update(GROUP, "v1", "boats", registry=registry)
    def reconcile(spec: kopf.Spec, patch: kopf.Patch, **_: Any) -> None:
        patch.status["hoisted"] = spec.get("sails", 0)

    @kopf.on.delete(GROUP, "v1", "boats", registry=registry)
    def sink(**_: Any) -> None:
        """Being asked is enough: kopf holds the object by a finalizer until then."""

    # The decorators have handed all of them to the registry.
    del login, reconcile, sink
    return registry


@asynccontextmanager
async def operating(lab: SandboxLab) -> AsyncGenerator[None]:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.watching.reconnect_backoff = 0.05
    settings.networking.error_backoffs = [0.05] * 100
    settings.persistence.finalizer = f"{GROUP}/kopf"
    ready, stop = asyncio.Event(), asyncio.Event()
    running = kopf.operator(
        registry=operator_of(lab),
        settings=settings,
        standalone=True,
        clusterwide=True,
        ready_flag=ready,
        stop_flag=stop,
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(running)
        await ready.wait()
        try:
            yield
        finally:
            stop.set()


async def _hoisted(client: Client, name: str) -> Any:
    _, found = await client.ask("GET", f"{PATH}/{name}")
    return found.get("status", {}).get("hoisted")


async def until_hoisted(client: Client, name: str, sails: int) -> None:
    async with asyncio.timeout(40):
        while await _hoisted(client, name) != sails:  # noqa: ASYNC110 - the object tells nobody
            await asyncio.sleep(0.02)


async def test_operator_reconciles_changes_and_deletions_across_a_restart(tmp_path: Path) -> None:
    async with sandbox(tmp_path) as lab:
        made = await order(lab.process.root, "up")
        context = context_of(made["kubeconfig"], tmp_path)
        connector = aiohttp.TCPConnector(ssl=context, force_close=True)
        async with aiohttp.ClientSession(connector=connector) as session:
            client = Client(session, lab.server)
            status, _ = await client.ask(
                "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", boats()
            )
            assert status == 201
            async with asyncio.timeout(40):
                while (await client.ask("GET", PATH))[0] != 200:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            async with operating(lab):
                await client.ask("POST", PATH, boat("a", sails=2))
                await until_hoisted(client, "a", 2)
                await client.ask("PATCH", f"{PATH}/a", {"spec": {"sails": 3}}, MERGE)
                await until_hoisted(client, "a", 3)
                await lab.restart()
                await client.ask("PATCH", f"{PATH}/a", {"spec": {"sails": 4}}, MERGE)
                await until_hoisted(client, "a", 4)
                await client.ask("POST", PATH, boat("b", sails=1))
                await until_hoisted(client, "b", 1)
                _, held = await client.ask("GET", f"{PATH}/a")
                assert held["metadata"]["finalizers"] == [f"{GROUP}/kopf"]
                await client.ask("DELETE", f"{PATH}/a")
                async with asyncio.timeout(40):
                    while (await client.ask("GET", f"{PATH}/a"))[0] != 404:  # noqa: ASYNC110
                        await asyncio.sleep(0.02)
