"""Claims and volumes: who is bound to whom, what is said, and what lets them go."""

from typing import Any

import pytest

from tests.fakes.cluster import Api, obj
from tutor.sandbox.controllers.resources import EVENTS, PERSISTENT_VOLUME_CLAIMS
from tutor.sandbox.controllers.volumes import (
    ATTRIBUTES,
    VOLUMES,
    Bindable,
    Protections,
    VolumeBinder,
)
from tutor.sandbox.kinds import Object

CLAIMS_PATH = "/api/v1/namespaces/here/persistentvolumeclaims"
VOLUMES_PATH = "/api/v1/persistentvolumes"
CLAIM, VOLUME = Bindable("here", "c"), Bindable("", "v")


def volume(name: str = "v", size: str = "1Gi", **spec: Any) -> Object:
    whole = {
        "capacity": {"storage": size},
        "accessModes": ["ReadWriteOnce"],
        "hostPath": {"path": "/x"},
    }
    return obj("PersistentVolume", name, spec=whole | spec)


def claim(size: str = "500Mi", **spec: Any) -> Object:
    whole = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": size}},
        "storageClassName": "",
    }
    return obj("PersistentVolumeClaim", "c", spec=whole | spec)


async def settle(api: Api) -> None:
    binder = VolumeBinder(api.client)
    for _ in range(2):
        for name in (await api.get(VOLUMES_PATH)).names:
            await binder.reconcile(Bindable("", name))
        await binder.reconcile(CLAIM)


async def phases(api: Api) -> tuple[str, dict[str, str]]:
    """Of the claim, and of the volumes by name."""
    found = (await api.get(VOLUMES_PATH)).body["items"]
    volumes = {v["metadata"]["name"]: v["status"]["phase"] for v in found}
    return (await api.get(f"{CLAIMS_PATH}/c")).body["status"]["phase"], volumes


def said(api: Api) -> list[tuple[str, str]]:
    return [(event["reason"], event["message"]) for event in api.client.list(EVENTS)]


async def test_claim_gets_the_smallest_volume_that_will_do(api: Api) -> None:
    for name, size in (("small", "100Mi"), ("large", "2Gi"), ("v", "1Gi")):
        await api.make(VOLUMES_PATH, volume(name, size))
    await api.make(CLAIMS_PATH, claim())
    await settle(api)
    assert await phases(api) == (
        "Bound",
        {"small": "Available", "large": "Available", "v": "Bound"},
    )
    bound = (await api.get(f"{CLAIMS_PATH}/c")).body
    assert bound["spec"]["volumeName"] == "v"
    assert bound["status"]["capacity"] == {"storage": "1Gi"}
    assert set(bound["metadata"]["annotations"].values()) == {"yes"}
    ref = (await api.get(f"{VOLUMES_PATH}/v")).body["spec"]["claimRef"]
    assert (ref["name"], ref["uid"]) == ("c", bound["metadata"]["uid"])


async def test_second_look_at_what_is_bound_changes_nothing(api: Api) -> None:
    await api.make(VOLUMES_PATH, volume())
    await api.make(CLAIMS_PATH, claim())
    await settle(api)
    before = api.store.revision
    await settle(api)
    assert api.store.revision == before


@pytest.mark.parametrize(
    ("spec", "reason", "start"),
    [
        ({}, "FailedBinding", "no persistent volumes available for this claim and no storage"),
        ({"storageClassName": "x"}, "ProvisioningFailed", 'storageclass.storage.k8s.io "x" not'),
        ({"storageClassName": "late"}, "WaitForFirstConsumer", "waiting for first consumer to be"),
        ({"storageClassName": "now"}, "ExternalProvisioning", "Waiting for a volume to be created"),
        (
            {"volumeName": "v"},
            "VolumeMismatch",
            'Cannot bind to requested volume "v": requested PV',
        ),
    ],
)
async def test_claim_that_waits_is_told_why(
    api: Api, spec: Object, reason: str, start: str
) -> None:
    await api.make(VOLUMES_PATH, volume(size="1Mi"))
    for name, mode in (("late", "WaitForFirstConsumer"), ("now", "Immediate")):
        made = obj("StorageClass", name, version="storage.k8s.io/v1", provisioner="example.com/p")
        await api.make("/apis/storage.k8s.io/v1/storageclasses", made | {"volumeBindingMode": mode})
    await api.make(CLAIMS_PATH, claim(**spec))
    await settle(api)
    assert (await phases(api))[0] == "Pending"
    assert [(r, m.startswith(start)) for r, m in said(api)] == [(reason, True)]


async def test_volume_is_released_with_its_claim_and_claim_lost_with_its_volume(api: Api) -> None:
    await api.make(VOLUMES_PATH, volume())
    made = await api.make(CLAIMS_PATH, claim())
    await settle(api)
    await api.ask("DELETE", f"{CLAIMS_PATH}/c")
    await Protections(api.client, PERSISTENT_VOLUME_CLAIMS).reconcile(CLAIM)
    assert (await api.get(f"{CLAIMS_PATH}/c")).status == 404
    await VolumeBinder(api.client).reconcile(VOLUME)
    found = (await api.get(f"{VOLUMES_PATH}/v")).body
    assert found["status"]["phase"] == "Released"
    assert found["spec"]["claimRef"]["uid"] == made["metadata"]["uid"]


async def test_bound_volume_stays_until_its_claim_goes(api: Api) -> None:
    protections = Protections(api.client, VOLUMES)
    await api.make(VOLUMES_PATH, volume())
    await api.make(CLAIMS_PATH, claim())
    await settle(api)
    await api.ask("DELETE", f"{VOLUMES_PATH}/v")
    await protections.reconcile(VOLUME)
    assert (await api.get(f"{VOLUMES_PATH}/v")).status == 200
    await api.ask("DELETE", f"{CLAIMS_PATH}/c")
    await Protections(api.client, PERSISTENT_VOLUME_CLAIMS).reconcile(CLAIM)
    await VolumeBinder(api.client).reconcile(VOLUME)
    await protections.reconcile(VOLUME)
    assert (await api.get(f"{VOLUMES_PATH}/v")).status == 404


async def test_claim_of_a_pod_that_a_node_has_stays(api: Api) -> None:
    account = obj("ServiceAccount", "default")
    await api.make("/api/v1/namespaces/here/serviceaccounts", account)
    await api.make(CLAIMS_PATH, claim())
    mounted = {"name": "d", "persistentVolumeClaim": {"claimName": "c"}}
    spec = {
        "nodeName": "n",
        "containers": [{"name": "c", "image": "i"}],
        "volumes": [mounted],
        "terminationGracePeriodSeconds": 0,
    }
    await api.make("/api/v1/namespaces/here/pods", obj("Pod", "p", spec=spec))
    await api.ask("DELETE", f"{CLAIMS_PATH}/c")
    protections = Protections(api.client, PERSISTENT_VOLUME_CLAIMS)
    await protections.reconcile(CLAIM)
    assert (await api.get(f"{CLAIMS_PATH}/c")).status == 200
    await api.ask("DELETE", "/api/v1/namespaces/here/pods/p?gracePeriodSeconds=0")
    await protections.reconcile(CLAIM)
    assert (await api.get(f"{CLAIMS_PATH}/c")).status == 404


async def test_attributes_class_stays_while_a_claim_names_it(api: Api) -> None:
    path = "/apis/storage.k8s.io/v1/volumeattributesclasses"
    more = {"driverName": "example.com/d", "parameters": {"a": "b"}}
    await api.make(path, obj("VolumeAttributesClass", "gold", version="storage.k8s.io/v1") | more)
    await api.make(CLAIMS_PATH, claim(volumeAttributesClassName="gold"))
    await api.ask("DELETE", f"{path}/gold")
    protections = Protections(api.client, ATTRIBUTES)
    await protections.reconcile(Bindable("", "gold"))
    assert (await api.get(f"{path}/gold")).status == 200
    await api.ask("DELETE", f"{CLAIMS_PATH}/c")
    await Protections(api.client, PERSISTENT_VOLUME_CLAIMS).reconcile(CLAIM)
    await protections.reconcile(Bindable("", "gold"))
    assert (await api.get(f"{path}/gold")).status == 404
