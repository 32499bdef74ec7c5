"""The program: a volume for every claim of its classes that a pod uses.

Source: rancher/local-path-provisioner v0.0.24 and sig-storage-lib-external-provisioner, for the
objects, the events and their words. No folder is made: pods run nothing that could write to it.
"""

from collections.abc import Hashable, Sequence

from tutor.sandbox.api.builtin.reading import items, part, text
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.component import DONE, Component, Result, Watches, Workload
from tutor.sandbox.controllers.events import Recorder
from tutor.sandbox.controllers.resources import (
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    Place,
    as_place,
    is_deleted,
    place_of,
)
from tutor.sandbox.controllers.volumes import CLASSES, VOLUMES, claims_of
from tutor.sandbox.kinds import Object, annotations_of, name_of, namespace_of

NAME = "local-path-provisioner"
PROVISIONER = "rancher.io/local-path"
_FOLDER = "/var/local-path-provisioner"
_BY = "pv.kubernetes.io/provisioned-by"
_NODE = "local.path.provisioner/selected-node"


class Provisioner:
    """Makes volumes for claims, and deletes those that are released."""

    name = "local-path"

    def __init__(self, workload: Workload) -> None:
        self._client = workload.client
        pod = workload.pod
        source = f"{PROVISIONER}_{name_of(pod)}_{pod['metadata']['uid']}"
        self._events = Recorder(self._client, source, reporting=False)
        self.watches: Sequence[Watches] = (
            Watches(PERSISTENT_VOLUME_CLAIMS, lambda claim: [place_of(claim)]),
            Watches(PODS, _used),
            Watches(VOLUMES, lambda volume: [("", name_of(volume))]),
        )

    async def reconcile(self, key: Hashable) -> Result:
        """See to one claim, or to one volume, which has no namespace."""
        namespace, name = as_place(key)
        try:
            if namespace:
                await self._claim(namespace, name)
            else:
                await self._volume(name)
        except ApiError as error:
            if error.reason not in ("AlreadyExists", "NotFound"):
                raise
        return DONE

    async def _claim(self, namespace: str, name: str) -> None:
        claim = self._client.find(PERSISTENT_VOLUME_CLAIMS, namespace, name)
        if claim is None or is_deleted(claim) or claim["spec"].get("volumeName"):
            return
        kind = text(claim["spec"], "storageClassName")
        found = self._client.find(CLASSES, "", kind) if kind else None
        node = self._node_for(claim) if found and found["provisioner"] == PROVISIONER else ""
        if not found or not node:
            return
        told = f'External provisioner is provisioning volume for claim "{namespace}/{name}"'
        await self._events.normal(claim, "Provisioning", told)
        made = await self._client.create(volume_for(claim, found, node))
        told = f"Successfully provisioned volume {name_of(made)}"
        await self._events.normal(claim, "ProvisioningSucceeded", told)

    def _node_for(self, claim: Object) -> str:
        """Where the first pod that uses a claim is; empty while there is none."""
        pods = self._client.list(PODS, namespace_of(claim))
        using = (pod for pod in pods if name_of(claim) in claims_of(pod) and not is_deleted(pod))
        return next((node for pod in using if (node := text(pod["spec"], "nodeName"))), "")

    async def _volume(self, name: str) -> None:
        volume = self._client.find(VOLUMES, "", name)
        if volume is None or is_deleted(volume):
            return
        mine = annotations_of(volume).get(_BY) == PROVISIONER
        goes = text(volume["spec"], "persistentVolumeReclaimPolicy") == "Delete"
        if mine and goes and text(part(volume, "status"), "phase") == "Released":
            await self._client.delete(VOLUMES, "", name)


def volume_for(claim: Object, kind: Object, node: str) -> Object:
    """The volume of a claim on a node."""
    namespace, name = place_of(claim)
    uid = claim["metadata"]["uid"]
    volume = f"pvc-{uid}"
    reference = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "namespace": namespace,
        "name": name,
        "uid": uid,
        "resourceVersion": claim["metadata"]["resourceVersion"],
    }
    there = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
    spec: Object = {
        "accessModes": items(claim, "spec", "accessModes"),
        "capacity": {"storage": part(claim, "spec", "resources", "requests")["storage"]},
        "claimRef": reference,
        "hostPath": {
            "path": f"{_FOLDER}/{volume}_{namespace}_{name}",
            "type": "DirectoryOrCreate",
        },
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [there]}]}},
        "persistentVolumeReclaimPolicy": kind.get("reclaimPolicy") or "Delete",
        "storageClassName": name_of(kind),
        "volumeMode": "Filesystem",
    }
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": volume, "annotations": {_NODE: node, _BY: PROVISIONER}},
        "spec": spec,
    }


def _used(pod: Object) -> list[Place]:
    return [(namespace_of(pod), name) for name in claims_of(pod)] if _node_of(pod) else []


def _node_of(pod: Object) -> str:
    return text(part(pod, "spec"), "nodeName")


async def provision(workload: Workload) -> None:
    """Provision until cancelled."""
    workload.ready()
    await workload.reconcile([Provisioner(workload)])


COMPONENT = Component(name=NAME, programs={NAME: provision})
