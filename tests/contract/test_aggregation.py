"""APIServices whose server is not there: 503 while they are, 404 when they are not.

Source: kube-aggregator's proxy handler and its available controller.
"""

import ssl
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.concierge_clients import Reply, ask
from tests.contract.concierge_lab import new_client
from tests.fakes.cluster import obj
from tests.fakes.waiting import until
from tutor.sandbox.cluster.assembly import Cluster, running
from tutor.sandbox.cluster.settings import BARE_VERSION, ClusterSettings
from tutor.sandbox.kinds import GroupResource
from tutor.sandbox.pace import INSTANT

pytestmark = pytest.mark.contract

SERVICES = GroupResource("apiregistration.k8s.io", "apiservices")
NAME = "v1.gone.example.org"
PATH = "/apis/gone.example.org/v1"


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncGenerator[Cluster]:
    """A bare cluster."""
    settings = ClusterSettings(
        name="bare", folder=tmp_path / "cluster", version=BARE_VERSION, pace=INSTANT
    )
    async with running(settings) as made:
        yield made


def api_service() -> dict[str, Any]:
    spec = {
        "group": "gone.example.org",
        "version": "v1",
        "groupPriorityMinimum": 100,
        "versionPriority": 10,
        "insecureSkipTLSVerify": True,
        "service": {"namespace": "default", "name": "gone"},
    }
    return obj("APIService", NAME, version="apiregistration.k8s.io/v1", spec=spec)


async def get(cluster: Cluster, folder: Path, path: str) -> Reply:
    """What the administrator gets."""
    file = folder / "client.pem"
    pair = new_client(cluster.keys.ca, "admin", "system:masters")
    file.write_text(pair.certificate + pair.key)
    context = ssl.create_default_context(cadata=cluster.keys.ca.pem)
    context.load_cert_chain(file)
    return await ask(cluster.port, path, context, "127.0.0.1")


def reason(cluster: Cluster) -> str:
    """Why the service is not available."""
    found = cluster.client.find(SERVICES, "", NAME) or {}
    conditions: list[dict[str, str]] = found.get("status", {}).get("conditions", [])
    return next((c["reason"] for c in conditions if c["type"] == "Available"), "")


async def until_because(cluster: Cluster, why: str) -> None:
    await until(lambda: reason(cluster) == why)


async def test_api_service_without_a_server_is_503_and_says_why_until_it_is_deleted(
    cluster: Cluster, tmp_path: Path
) -> None:
    await cluster.client.create(api_service())
    await until_because(cluster, "ServiceNotFound")
    for path in (PATH, f"{PATH}/things", f"{PATH}/namespaces/default/things/a"):
        assert (await get(cluster, tmp_path, path)).status == 503
    groups = await get(cluster, tmp_path, "/apis")
    assert "gone.example.org" in {group["name"] for group in groups.body["groups"]}
    await cluster.client.delete(SERVICES, "", NAME)
    assert (await get(cluster, tmp_path, f"{PATH}/things")).status == 404
    groups = await get(cluster, tmp_path, "/apis")
    assert "gone.example.org" not in {group["name"] for group in groups.body["groups"]}


async def test_condition_follows_the_service_and_its_endpoints(cluster: Cluster) -> None:
    await cluster.client.create(api_service())
    await until_because(cluster, "ServiceNotFound")
    service = obj("Service", "gone", namespace="default", spec={"ports": [{"port": 80}]})
    await cluster.client.create(service)
    await until_because(cluster, "ServicePortError")
    ports = {"spec": {"ports": [{"port": 443}]}}
    await cluster.client.patch(GroupResource("", "services"), "default", "gone", ports)
    await until_because(cluster, "EndpointsNotFound")
    endpoints = obj("Endpoints", "gone", namespace="default", subsets=[])
    await cluster.client.create(endpoints)
    await until_because(cluster, "MissingEndpoints")


async def test_other_groups_answer_while_one_does_not(cluster: Cluster, tmp_path: Path) -> None:
    await cluster.client.create(api_service())
    await until_because(cluster, "ServiceNotFound")
    assert (await get(cluster, tmp_path, "/apis/apps/v1/deployments")).status == 200
