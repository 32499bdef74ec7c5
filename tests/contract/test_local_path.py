"""Storage of a kind cluster: claims of its class get folders of the node as volumes.

Source: rancher/local-path-provisioner v0.0.24.
"""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.fakes.cluster import obj
from tests.fakes.waiting import until
from tutor.sandbox.catalogue import components
from tutor.sandbox.cluster.assembly import Cluster, running
from tutor.sandbox.cluster.settings import ClusterSettings
from tutor.sandbox.controllers.resources import EVENTS, PERSISTENT_VOLUME_CLAIMS, PODS
from tutor.sandbox.controllers.volumes import VOLUMES
from tutor.sandbox.kinds import Object
from tutor.sandbox.pace import INSTANT

pytestmark = pytest.mark.contract

SPEC = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncGenerator[Cluster]:
    """A cluster with a node and its storage."""
    settings = ClusterSettings(
        name="lab",
        folder=tmp_path / "cluster",
        node="lab-node",
        pace=INSTANT,
        components=components(),
    )
    async with running(settings) as made:
        yield made


async def make_pod(cluster: Cluster, name: str, volume: Object) -> None:
    container = {"name": "c", "image": "example.org/app:1"}
    spec = {"containers": [container], "volumes": [{"name": "data"} | volume]}
    await cluster.client.create(obj("Pod", name, namespace="default", spec=spec))


def phase(cluster: Cluster, claim: str) -> str:
    found = cluster.client.find(PERSISTENT_VOLUME_CLAIMS, "default", claim) or {}
    return found.get("status", {}).get("phase", "")


async def test_claim_gets_a_volume_when_a_pod_uses_it_and_takes_it_along(cluster: Cluster) -> None:
    client = cluster.client
    await client.create(obj("PersistentVolumeClaim", "mine", namespace="default", spec=SPEC))
    await make_pod(cluster, "one", {"persistentVolumeClaim": {"claimName": "mine"}})
    await until(lambda: phase(cluster, "mine") == "Bound")
    claim = client.get(PERSISTENT_VOLUME_CLAIMS, "default", "mine")
    name = f"pvc-{claim['metadata']['uid']}"
    assert claim["spec"]["volumeName"] == name
    spec = client.get(VOLUMES, "", name)["spec"]
    assert spec["hostPath"]["path"] == f"/var/local-path-provisioner/{name}_default_mine"
    assert (spec["storageClassName"], spec["capacity"]) == ("standard", {"storage": "1Gi"})
    await until(
        lambda: (
            "ProvisioningSucceeded" in [event["reason"] for event in client.list(EVENTS, "default")]
        )
    )
    await client.delete(PODS, "default", "one")
    await client.delete(PERSISTENT_VOLUME_CLAIMS, "default", "mine")
    await until(lambda: client.find(VOLUMES, "", name) is None)


async def test_ephemeral_volume_is_bound_and_goes_with_its_pod(cluster: Cluster) -> None:
    await make_pod(cluster, "two", {"ephemeral": {"volumeClaimTemplate": {"spec": SPEC}}})
    await until(lambda: phase(cluster, "two-data") == "Bound")
    await cluster.client.delete(PODS, "default", "two")
    await until(lambda: not cluster.client.list(VOLUMES))
    assert phase(cluster, "two-data") == ""
