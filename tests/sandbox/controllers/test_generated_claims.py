"""Claims that pods have made for themselves.

Source: Kubernetes concepts, "Ephemeral Volumes" and "Dynamic Resource Allocation"; recorded
against kube-controller-manager v1.36.2.
"""

from typing import Any

from tests.fakes.cluster import Api, obj, pod
from tutor.sandbox.controllers.generated_claims import (
    DEVICE_CLAIMS,
    DeviceClaims,
    EphemeralVolumes,
)
from tutor.sandbox.controllers.resources import EVENTS, PERSISTENT_VOLUME_CLAIMS, PODS
from tutor.sandbox.kinds import Object

SPEC = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
PATH = "/api/v1/namespaces/here"
TEMPLATES = "/apis/resource.k8s.io/v1/namespaces/here/resourceclaimtemplates"


async def made_pod(api: Api, **spec: Any) -> Object:
    await api.make(f"{PATH}/serviceaccounts", obj("ServiceAccount", "default"))
    return await api.make(f"{PATH}/pods", pod("web", **spec))


async def with_volume(api: Api) -> Object:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": SPEC}
    volume = {"name": "scratch", "ephemeral": {"volumeClaimTemplate": template}}
    return await made_pod(api, volumes=[volume])


async def with_device(api: Api, name: str = "gpu") -> Object:
    claims = [{"name": name, "resourceClaimTemplateName": "one"}]
    return await made_pod(api, resourceClaims=claims)


async def make_template(api: Api) -> None:
    devices = {"requests": [{"name": "r", "exactly": {"deviceClassName": "gpu"}}]}
    spec = {"metadata": {"labels": {"a": "b"}}, "spec": {"devices": devices}}
    version = "resource.k8s.io/v1"
    await api.make(TEMPLATES, obj("ResourceClaimTemplate", "one", version=version, spec=spec))


def messages(api: Api) -> list[tuple[str, str]]:
    return [(event["reason"], event["message"]) for event in api.client.list(EVENTS, "here")]


async def test_ephemeral_volume_gets_a_claim_that_its_pod_owns(api: Api) -> None:
    owner = await with_volume(api)
    controller = EphemeralVolumes(api.client)
    await controller.reconcile(("here", "web"))
    claim = api.client.get(PERSISTENT_VOLUME_CLAIMS, "here", "web-scratch")
    (reference,) = claim["metadata"]["ownerReferences"]
    assert reference["uid"] == owner["metadata"]["uid"]
    assert claim["metadata"]["labels"] == {"a": "b"}
    assert claim["spec"]["resources"] == SPEC["resources"]
    await controller.reconcile(("here", "web"))
    assert messages(api) == []


async def test_ephemeral_volume_takes_no_claim_of_somebody_else(api: Api) -> None:
    await with_volume(api)
    taken = obj("PersistentVolumeClaim", "web-scratch", spec=SPEC)
    await api.make(f"{PATH}/persistentvolumeclaims", taken)
    assert (await EphemeralVolumes(api.client).reconcile(("here", "web"))).failed
    why = "PVC here/web-scratch was not created for pod here/web (pod is not owner)"
    assert messages(api) == [("FailedBinding", f"ephemeral volume scratch: {why}")]


async def test_pod_gets_a_claim_from_a_template_and_is_told_its_name(api: Api) -> None:
    await with_device(api)
    await make_template(api)
    controller = DeviceClaims(api.client, api.parts)
    await controller.reconcile(("here", "web"))
    (claim,) = api.client.list(DEVICE_CLAIMS, "here")
    meta = claim["metadata"]
    assert meta["generateName"] == "web-gpu-"
    assert meta["annotations"] == {"resource.kubernetes.io/pod-claim-name": "gpu"}
    assert meta["labels"] == {"a": "b"}
    status = api.client.get(PODS, "here", "web")["status"]["resourceClaimStatuses"]
    assert status == [{"name": "gpu", "resourceClaimName": meta["name"]}]
    await controller.reconcile(("here", "web"))
    assert len(api.client.list(DEVICE_CLAIMS, "here")) == 1


async def test_long_names_of_pod_and_claim_are_both_in_the_name(api: Api) -> None:
    await with_device(api, "n" * 60)
    await make_template(api)
    await DeviceClaims(api.client, api.parts).reconcile(("here", "web"))
    (claim,) = api.client.list(DEVICE_CLAIMS, "here")
    assert claim["metadata"]["generateName"] == f"we-{'n' * 52}"


async def test_pod_without_its_template_is_told(api: Api) -> None:
    await with_device(api)
    assert (await DeviceClaims(api.client, api.parts).reconcile(("here", "web"))).failed
    missing = 'resourceclaimtemplate.resource.k8s.io "one" not found'
    why = f'PodResourceClaim gpu: resource claim template "one": {missing}'
    assert messages(api) == [("FailedResourceClaimCreation", why)]


async def test_claim_goes_when_its_pod_is_over(api: Api) -> None:
    await with_device(api)
    await make_template(api)
    controller = DeviceClaims(api.client, api.parts)
    await controller.reconcile(("here", "web"))
    await api.client.patch(PODS, "here", "web", {"status": {"phase": "Succeeded"}}, "status")
    await controller.reconcile(("here", "web"))
    assert api.client.list(DEVICE_CLAIMS, "here") == []
