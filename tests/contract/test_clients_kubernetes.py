"""The official Python client: objects made, read, changed, watched, and a restart between."""

# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false, reportCallIssue=false
# pyright: reportIndexIssue=false, reportOptionalMemberAccess=false
# The client is without types, or has such as do not hold.

import asyncio
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, dynamic, watch
from kubernetes.client.exceptions import ApiException
from kubernetes.config import new_client_from_config
from urllib3.exceptions import HTTPError

from tests.contract.sandbox_lab import GROUP, SandboxLab, boat, boats, config_map, sandbox
from tests.fakes.waiting import until

pytestmark = pytest.mark.contract

HERE = "default"


@contextmanager
def api_client(lab: SandboxLab) -> Iterator[client.ApiClient]:
    made = new_client_from_config(config_file=str(lab.kubeconfig))
    try:
        yield made
    finally:
        made.close()
        made.rest_client.pool_manager.clear()


async def test_objects_are_made_read_changed_and_deleted(tmp_path: Path) -> None:
    async with sandbox(tmp_path) as lab:
        with api_client(lab) as api:
            await asyncio.to_thread(_life_of_a_config_map, client.CoreV1Api(api))
            await asyncio.to_thread(_life_of_a_deployment, client.AppsV1Api(api))


def _life_of_a_config_map(core: client.CoreV1Api) -> None:
    made = core.create_namespaced_config_map(HERE, config_map("a", x="1"))
    assert made.data == {"x": "1"}
    with pytest.raises(ApiException) as twice:
        core.create_namespaced_config_map(HERE, config_map("a"))
    assert twice.value.status == 409
    made.data = {"x": "2"}
    replaced = core.replace_namespaced_config_map("a", HERE, made)
    with pytest.raises(ApiException) as stale:
        core.replace_namespaced_config_map("a", HERE, made)
    assert stale.value.status == 409
    patched = core.patch_namespaced_config_map("a", HERE, {"data": {"y": "3"}})
    assert patched.data == {"x": "2", "y": "3"}
    assert int(patched.metadata.resource_version) > int(replaced.metadata.resource_version)
    labelled = core.list_namespaced_config_map(HERE, field_selector="metadata.name=a")
    assert [one.metadata.name for one in labelled.items] == ["a"]
    gone = core.delete_namespaced_config_map("a", HERE)
    assert gone["status"] == "Success"
    with pytest.raises(ApiException) as missing:
        core.read_namespaced_config_map("a", HERE)
    assert missing.value.status == 404


def _life_of_a_deployment(apps: client.AppsV1Api) -> None:
    labels = {"app": "web"}
    template = client.V1PodTemplateSpec(
        metadata=client.V1ObjectMeta(labels=labels),
        spec=client.V1PodSpec(containers=[client.V1Container(name="c", image="example.org/c:1")]),
    )
    spec = client.V1DeploymentSpec(
        replicas=1, selector=client.V1LabelSelector(match_labels=labels), template=template
    )
    wanted = client.V1Deployment(metadata=client.V1ObjectMeta(name="web"), spec=spec)
    made = apps.create_namespaced_deployment(HERE, wanted)
    assert made.spec.strategy.type == "RollingUpdate"
    apps.patch_namespaced_deployment_scale("web", HERE, {"spec": {"replicas": 2}})
    for event in watch.Watch().stream(apps.list_namespaced_deployment, HERE, timeout_seconds=20):
        if event["object"].status.available_replicas == 2:
            break
    else:
        pytest.fail("the replicas never became available")
    apps.delete_namespaced_deployment("web", HERE, propagation_policy="Foreground")


async def test_custom_objects_are_applied_and_owned(tmp_path: Path) -> None:
    async with sandbox(tmp_path) as lab:
        with api_client(lab) as api:
            await asyncio.to_thread(_applied, api)


def _applied(api: client.ApiClient) -> None:
    extensions = client.ApiextensionsV1Api(api)
    extensions.create_custom_resource_definition(boats())
    for event in watch.Watch().stream(
        extensions.list_custom_resource_definition,
        field_selector=f"metadata.name=boats.{GROUP}",
        timeout_seconds=20,
    ):
        conditions = event["object"].status.conditions or []
        if any(one.type == "Established" and one.status == "True" for one in conditions):
            break
    kinds = dynamic.DynamicClient(api).resources.get(api_version=f"{GROUP}/v1", kind="Boat")
    made = kinds.server_side_apply(boat("a", sails=2), namespace=HERE, field_manager="one")
    assert made.spec.sails == 2
    with pytest.raises(dynamic.exceptions.ConflictError):
        kinds.server_side_apply(boat("a", sails=3), namespace=HERE, field_manager="two")
    taken = kinds.server_side_apply(
        boat("a", sails=3), namespace=HERE, field_manager="two", force_conflicts=True
    )
    managers = [entry.manager for entry in taken.metadata.managedFields]
    assert managers == ["two"]
    status = client.CustomObjectsApi(api).patch_namespaced_custom_object_status(
        GROUP, "v1", HERE, "boats", "a", {"status": {"afloat": True}, "spec": {"sails": 9}}
    )
    assert (status["status"], status["spec"]) == ({"afloat": True}, {"sails": 3})


async def test_watch_goes_on_from_its_version_after_a_restart(tmp_path: Path) -> None:
    seen: queue.Queue[tuple[str, str, str]] = queue.Queue()
    told: list[tuple[str, str, str]] = []

    def heard(*names: str) -> bool:
        while not seen.empty():
            told.append(seen.get())
        return all(any(name == one[1] for one in told) for name in names)

    async with sandbox(tmp_path) as lab:
        with api_client(lab) as api:
            core = client.CoreV1Api(api)
            before = core.list_namespaced_config_map(HERE).metadata.resource_version
            stop = threading.Event()
            async with asyncio.TaskGroup() as group:
                group.create_task(asyncio.to_thread(_follow, lab, before, seen, stop))
                await asyncio.to_thread(core.create_namespaced_config_map, HERE, config_map("a"))
                await until(lambda: heard("a"))
                await lab.restart()
                await asyncio.to_thread(core.create_namespaced_config_map, HERE, config_map("b"))
                await until(lambda: heard("a", "b"))
                stop.set()
                await asyncio.to_thread(core.create_namespaced_config_map, HERE, config_map("z"))
            heard()
    assert [(kind, name) for kind, name, _ in told if name in ("a", "b")] == [
        ("ADDED", "a"),
        ("ADDED", "b"),
    ]
    versions = [int(version) for _, _, version in told]
    assert versions == sorted(set(versions))


def _follow(
    lab: SandboxLab,
    version: str,
    seen: "queue.Queue[tuple[str, str, str]]",
    stop: threading.Event,
) -> None:
    """Watch as a client does that comes back with the last version it has seen."""
    with api_client(lab) as api:
        core: Any = client.CoreV1Api(api)
        while not stop.is_set():
            try:
                for event in watch.Watch().stream(
                    core.list_namespaced_config_map,
                    HERE,
                    resource_version=version,
                    timeout_seconds=20,
                ):
                    meta = event["object"].metadata
                    version = meta.resource_version
                    seen.put((event["type"], meta.name, version))
                    if stop.is_set():
                        return
            except (HTTPError, OSError):  # the server is gone for a moment
                stop.wait(0.05)
