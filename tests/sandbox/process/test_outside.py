"""What a cluster leaves to programs outside the sandbox, and how their Services lead there."""

import asyncio
import base64
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.contract.concierge_clients import eventually
from tests.fakes.sandbox_process import Client, SandboxProcess, client_of, order, sandbox_process
from tests.fakes.waiting import until
from tutor.sandbox.server.accepting import accepting

PODS = "/api/v1/namespaces/default/pods"
HOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"


@pytest.fixture
async def process(tmp_path: Path) -> AsyncGenerator[SandboxProcess]:
    """A running sandbox without clusters."""
    with sandbox_process(tmp_path / "home") as made:
        await made.start()
        yield made


@asynccontextmanager
async def peer(called: list[bytes]) -> AsyncGenerator[int]:
    """A program that writes down the first bytes of each caller, and hangs up; its port."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.append(await reader.read(1))
        writer.close()

    async with accepting(take) as port:
        yield port


def pod(program: str) -> dict[str, Any]:
    """A pod of an image."""
    container = {"name": "main", "image": f"example.org/{program}:v1"}
    metadata = {"name": program}
    spec = {"containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def hook() -> dict[str, Any]:
    """A webhook for ConfigMaps behind the Service `hook`, which is let go by when it fails."""
    rule = {
        "operations": ["CREATE"],
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "resources": ["configmaps"],
    }
    webhook = {
        "name": "hook.example.org",
        "rules": [rule],
        "clientConfig": {
            "service": {"namespace": "default", "name": "hook"},
            "caBundle": base64.b64encode(b"").decode(),
        },
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
    }
    return {"metadata": {"name": "hook"}, "webhooks": [webhook]}


async def call_hook(client: Client) -> str:
    """Create a ConfigMap, and what the server says that the webhook did."""
    where = "/api/v1/namespaces/default/configmaps"
    status, answer = await client.ask("POST", where, {"metadata": {"generateName": "map-"}})
    assert status == 500
    return answer["message"]


async def test_service_leads_to_its_peer_and_does_so_after_a_restart(
    process: SandboxProcess, tmp_path: Path
) -> None:
    called: list[bytes] = []
    async with peer(called) as port:
        made = await order(process.root, "up", peers={"default/hook": port})
        async with client_of(made["kubeconfig"], tmp_path) as client:
            ports = {"spec": {"ports": [{"port": 443}]}, "metadata": {"name": "hook"}}
            where = "/api/v1/namespaces/default/services"
            assert (await client.ask("POST", where, ports))[0] == 201
            assert (await client.ask("POST", HOOKS, hook()))[0] == 201
            assert 'failed calling webhook "hook.example.org"' in await call_hook(client)
            await until(lambda: called)
        process.kill()
        await process.start()
        called.clear()
        again = await order(process.root, "up")
        assert again["kubeconfig"] == made["kubeconfig"]
        async with client_of(made["kubeconfig"], tmp_path) as client:
            await call_hook(client)
            await until(lambda: called)


async def test_component_that_is_off_runs_nothing_in_its_pods(
    process: SandboxProcess, tmp_path: Path
) -> None:
    """The pods themselves are Ready, as every pod is that runs nothing."""
    made = await order(process.root, "up", without=["contour", "cert-manager"])
    async with client_of(made["kubeconfig"], tmp_path) as client:
        program = "cert-manager-controller"
        assert (await client.ask("POST", PODS, pod(program)))[0] == 201

        async def is_ready() -> bool:
            _, found = await client.ask("GET", f"{PODS}/{program}")
            states = found["status"].get("conditions", ())
            return any(c["type"] == "Ready" and c["status"] == "True" for c in states)

        await eventually(is_ready)
        _, answer = await client.ask("GET", f"{PODS}/{program}/log")
        assert "this container writes no log" in answer["message"]


async def test_status_tells_what_is_outside(process: SandboxProcess) -> None:
    outside = {"without": ["contour"], "peers": {"default/hook": 4444}}
    await order(process.root, "up", **outside)
    (cluster,) = (await order(process.root, "status"))["clusters"]
    assert {name: cluster[name] for name in outside} == outside


async def test_cluster_that_was_made_otherwise_is_not_taken_for_what_is_asked(
    process: SandboxProcess,
) -> None:
    assert (await order(process.root, "up", without=["contour"]))["ok"]
    assert (await order(process.root, "up", without=["contour"]))["ok"]
    assert (await order(process.root, "up"))["ok"]
    refused = await order(process.root, "up", without=["concierge"])
    assert refused["error"] == "made-otherwise"
    assert "tutor sandbox reset" in refused["next_action"]


async def test_component_that_there_is_not_is_refused_with_those_there_are(
    process: SandboxProcess,
) -> None:
    refused = await order(process.root, "up", without=["certmanager"])
    assert refused["message"] == "There is no component named certmanager."
    assert "cert-manager, concierge, contour" in refused["next_action"]
    assert (await order(process.root, "clusters"))["clusters"] == []


@pytest.mark.parametrize(
    "asked", [{"without": "contour"}, {"peers": {"hook": 1}}, {"peers": {"default/hook": "1"}}]
)
async def test_what_does_not_fit_is_refused(process: SandboxProcess, asked: dict[str, Any]) -> None:
    assert (await order(process.root, "up", **asked))["error"] == "bad-request"
