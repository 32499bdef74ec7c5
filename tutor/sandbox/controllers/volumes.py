"""Persistent volumes: which claim has which, and how long both must stay.

Source: pkg/controller/volume/persistentvolume (binding, phases, events and their messages),
pkg/controller/volume/pvcprotection pvprotection and vacprotection
(finalizers).
"""

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

from tutor.sandbox.api.builtin import quantity
from tutor.sandbox.api.builtin.reading import items, part
from tutor.sandbox.api.patch.merge import merge
from tutor.sandbox.api.selectors import label_selector
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.controllers.events import Recorder
from tutor.sandbox.controllers.resources import PERSISTENT_VOLUME_CLAIMS, PODS, is_deleted, place_of
from tutor.sandbox.kinds import GroupResource, Object, annotations_of, name_of, namespace_of

VOLUMES = GroupResource("", "persistentvolumes")
CLASSES = GroupResource("storage.k8s.io", "storageclasses")
ATTRIBUTES = GroupResource("storage.k8s.io", "volumeattributesclasses")
_COMPLETED = "pv.kubernetes.io/bind-completed"
_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
_PROVISIONERS = (
    "volume.beta.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/storage-provisioner",
)
_NO_PROVISIONER = "kubernetes.io/no-provisioner"
_FINALIZERS = {
    PERSISTENT_VOLUME_CLAIMS: "kubernetes.io/pvc-protection",
    VOLUMES: "kubernetes.io/pv-protection",
    ATTRIBUTES: "kubernetes.io/vac-protection",
}


class Bindable(NamedTuple):
    """A claim (with its namespace) or a volume (without), to look at."""

    namespace: str
    name: str


class VolumeBinder:
    """Binds claims to volumes."""

    name = "volume-binder"

    def __init__(self, client: Client) -> None:
        self._client = client
        self._events = Recorder(client, "persistentvolume-controller", once_per_version=True)
        self.watches: Sequence[Watches] = (
            Watches(PERSISTENT_VOLUME_CLAIMS, self._around_claim),
            Watches(VOLUMES, self._around_volume),
            Watches(CLASSES, lambda _class: self._waiting()),
        )

    def _around_claim(self, claim: Object) -> list[Bindable]:
        volumes = self._client.list(VOLUMES)
        mine = [volume for volume in volumes if _refers(volume, claim)]
        return [Bindable(*place_of(claim)), *(Bindable("", name_of(volume)) for volume in mine)]

    def _around_volume(self, volume: Object) -> list[Bindable]:
        return [Bindable("", name_of(volume)), *self._waiting()]

    def _waiting(self) -> list[Bindable]:
        claims = self._client.list(PERSISTENT_VOLUME_CLAIMS)
        phases = ((claim, part(claim, "status").get("phase")) for claim in claims)
        return [Bindable(*place_of(claim)) for claim, phase in phases if phase != "Lost"]

    async def reconcile(self, key: Hashable) -> Result:
        """Bring one claim or volume to where it belongs."""
        assert isinstance(key, Bindable)  # noqa: S101 - the watches make only such keys
        try:
            if key.namespace:
                await self._claim(key)
            else:
                await self._volume(key.name)
        except ApiError as error:
            if error.reason != "NotFound":
                raise
        return DONE

    async def _volume(self, name: str) -> None:
        volume = self._client.find(VOLUMES, "", name)
        if volume is None:
            return
        ref = part(volume, "spec", "claimRef")
        if not ref.get("uid"):
            await self._phase(volume, "Available")
            return
        claim = self._client.find(PERSISTENT_VOLUME_CLAIMS, ref["namespace"], ref["name"])
        if claim is None or claim["metadata"]["uid"] != ref["uid"]:
            if part(volume, "status").get("phase") != "Failed":
                await self._phase(volume, "Released")
        elif claim["spec"].get("volumeName") == name:
            await self._phase(volume, "Bound")

    async def _claim(self, key: Bindable) -> None:
        claim = self._client.find(PERSISTENT_VOLUME_CLAIMS, *key)
        if claim is None:
            return
        wanted = claim["spec"].get("volumeName", "")
        volume = self._client.find(VOLUMES, "", wanted) if wanted else None
        if _COMPLETED in annotations_of(claim):
            await self._bound(claim, volume, wanted)
        elif wanted:
            await self._asked(claim, volume)
        else:
            await self._unbound(claim)

    async def _bound(self, claim: Object, volume: Object | None, wanted: str) -> None:
        if volume is not None and (not _is_claimed(volume) or _is_for(volume, claim)):
            await self._bind(claim, volume)
            return
        lost = "its" if wanted else "reference to"
        if part(claim, "status").get("phase") != "Lost":
            await self._claim_phase(claim, {"phase": "Lost"})
            text = f"Bound claim has lost {lost} PersistentVolume. Data on the volume is lost!"
            await self._events.warning(claim, "ClaimLost", text)

    async def _asked(self, claim: Object, volume: Object | None) -> None:
        """A claim that names its volume."""
        if volume is None:
            return
        if _is_for(volume, claim):
            await self._bind(claim, volume)
        elif _is_claimed(volume):
            text = f'volume "{name_of(volume)}" already bound to a different claim.'
            await self._events.warning(claim, "FailedBinding", text)
        elif why := _mismatch(claim, volume):
            text = f'Cannot bind to requested volume "{name_of(volume)}": {why}'
            await self._events.warning(claim, "VolumeMismatch", text)
        else:
            await self._bind(claim, volume)

    async def _unbound(self, claim: Object) -> None:
        kind = self._class_of(claim)
        found = self._client.find(CLASSES, "", kind) if kind else None
        delayed = (found or {}).get("volumeBindingMode") == "WaitForFirstConsumer"
        volume = _best(claim, self._client.list(VOLUMES), kind, delayed=delayed)
        if volume is not None:
            await self._bind(claim, volume)
        elif delayed:
            await self._wait(claim)
        elif not kind:
            text = "no persistent volumes available for this claim and no storage class is set"
            await self._events.normal(claim, "FailedBinding", text)
        elif found is None:
            text = f'storageclass.storage.k8s.io "{kind}" not found'
            await self._events.warning(claim, "ProvisioningFailed", text)
        else:
            await self._provision(claim, found["provisioner"])

    def _class_of(self, claim: Object) -> str:
        old = annotations_of(claim).get("volume.beta.kubernetes.io/storage-class")
        return old if old is not None else claim["spec"].get("storageClassName") or ""

    async def _wait(self, claim: Object) -> None:
        pods = [
            name_of(pod)
            for pod in self._client.list(PODS, namespace_of(claim))
            if not pod["spec"].get("nodeName") and name_of(claim) in claims_of(pod)
        ]
        if pods:
            many = "pods" if len(pods) > 1 else "pod"
            text = f"waiting for {many} {','.join(pods)} to be scheduled"
            await self._events.normal(claim, "WaitForPodScheduled", text)
            return
        text = "waiting for first consumer to be created before binding"
        await self._events.normal(claim, "WaitForFirstConsumer", text)

    async def _provision(self, claim: Object, provisioner: str) -> None:
        if provisioner == _NO_PROVISIONER:
            text = f"no volume plugin matched name: {provisioner}"
            await self._events.warning(claim, "ProvisioningFailed", text)
            return
        wanted = dict.fromkeys(_PROVISIONERS, provisioner)
        if not wanted.items() <= annotations_of(claim).items():
            change = {"metadata": {"annotations": wanted}}
            claim = await self._client.change(
                PERSISTENT_VOLUME_CLAIMS, *place_of(claim), lambda obj: merge(obj, change)
            )
        text = (
            f"Waiting for a volume to be created either by the external provisioner '{provisioner}'"
            " or manually by the system administrator. If volume creation is delayed, please verify"
            " that the provisioner is running and correctly registered."
        )
        await self._events.normal(claim, "ExternalProvisioning", text)

    async def _bind(self, claim: Object, volume: Object) -> None:
        volume = await self._give(volume, claim)
        await self._phase(volume, "Bound")
        spec, notes = {"volumeName": name_of(volume)}, {_COMPLETED: "yes"}
        if claim["spec"].get("volumeName") != name_of(volume):
            notes[_BY_CONTROLLER] = "yes"
        if not notes.items() <= annotations_of(claim).items():
            change = {"metadata": {"annotations": notes}, "spec": spec}
            claim = await self._client.change(
                PERSISTENT_VOLUME_CLAIMS, *place_of(claim), lambda obj: merge(obj, change)
            )
        status = {
            "phase": "Bound",
            "accessModes": volume["spec"]["accessModes"],
            "capacity": volume["spec"]["capacity"],
        }
        await self._claim_phase(claim, status)

    async def _give(self, volume: Object, claim: Object) -> Object:
        ref = part(volume, "spec", "claimRef")
        if ref.get("uid") == claim["metadata"]["uid"]:
            return volume
        meta = claim["metadata"]
        wanted: Object = {
            "claimRef": {
                "kind": "PersistentVolumeClaim",
                "namespace": meta["namespace"],
                "name": meta["name"],
                "uid": meta["uid"],
                "apiVersion": "v1",
                "resourceVersion": meta["resourceVersion"],
            }
        }
        change: Object = {"spec": wanted}
        if not ref:
            change["metadata"] = {"annotations": {_BY_CONTROLLER: "yes"}}
        return await self._client.change(
            VOLUMES, "", name_of(volume), lambda obj: merge(obj, change)
        )

    async def _phase(self, volume: Object, phase: str) -> None:
        if part(volume, "status").get("phase") == phase:
            return
        await self._client.change(
            VOLUMES, "", name_of(volume), lambda obj: obj | {"status": {"phase": phase}}, "status"
        )

    async def _claim_phase(self, claim: Object, status: Object) -> None:
        old = part(claim, "status")
        if status.items() <= old.items():
            return
        await self._client.change(
            PERSISTENT_VOLUME_CLAIMS,
            *place_of(claim),
            lambda obj: obj | {"status": part(obj, "status") | status},
            "status",
        )


class Protections:
    """Lets deleted claims and volumes go when nothing uses them any more."""

    def __init__(self, client: Client, resource: GroupResource) -> None:
        self._client = client
        self._resource = resource
        self.name = f"{resource.resource}-protection"
        users: dict[GroupResource, tuple[Watches, ...]] = {
            PERSISTENT_VOLUME_CLAIMS: (Watches(PODS, _used_by),),
            ATTRIBUTES: (
                Watches(PERSISTENT_VOLUME_CLAIMS, _attributed_by),
                Watches(VOLUMES, _attributed_by),
            ),
        }
        self.watches: Sequence[Watches] = (
            Watches(resource, lambda obj: [Bindable(*place_of(obj))]),
            *users.get(resource, ()),
        )

    async def reconcile(self, key: Hashable) -> Result:
        """Take the finalizer off what is deleted and not in use."""
        assert isinstance(key, Bindable)  # noqa: S101 - the watches make only such keys
        found = self._client.find(self._resource, *key)
        finalizer = _FINALIZERS[self._resource]
        if found is None or not is_deleted(found):
            return DONE
        if finalizer not in items(found, "metadata", "finalizers") or self._in_use(found):
            return DONE
        try:
            await self._client.change(self._resource, *key, _without(finalizer))
        except ApiError as error:
            if error.reason != "NotFound":
                raise
        return DONE

    def _in_use(self, found: Object) -> bool:
        if self._resource == VOLUMES:
            return part(found, "status").get("phase") == "Bound"
        if self._resource == ATTRIBUTES:
            wanted = Bindable("", name_of(found))
            users = (*self._client.list(PERSISTENT_VOLUME_CLAIMS), *self._client.list(VOLUMES))
            return any(wanted in _attributed_by(user) for user in users)
        pods = self._client.list(PODS, namespace_of(found))
        # A pod that no node has cannot use what it mounts.
        return any(
            pod["spec"].get("nodeName")
            and part(pod, "status").get("phase") not in ("Succeeded", "Failed")
            and name_of(found) in claims_of(pod)
            for pod in pods
        )


def _without(finalizer: str) -> Callable[[Object], Object]:
    def change(obj: Object) -> Object:
        meta = obj["metadata"]
        left = [name for name in meta.pop("finalizers", None) or () if name != finalizer]
        if left:
            meta["finalizers"] = left
        return obj

    return change


def _used_by(pod: Object) -> list[Bindable]:
    return [Bindable(namespace_of(pod), name) for name in claims_of(pod)]


def _attributed_by(user: Object) -> list[Bindable]:
    """The attributes classes of a claim or volume."""
    named = (
        part(user, "spec").get("volumeAttributesClassName"),
        part(user, "status").get("currentVolumeAttributesClassName"),
    )
    return [Bindable("", name) for name in named if name]


def claims_of(pod: Object) -> list[str]:
    """The names of the claims that a pod's volumes use."""
    volumes = items(pod, "spec", "volumes")
    named = [part(volume, "persistentVolumeClaim").get("claimName", "") for volume in volumes]
    own = [f"{name_of(pod)}-{volume['name']}" for volume in volumes if "ephemeral" in volume]
    return [*filter(None, named), *own]


def _refers(volume: Object, claim: Object) -> bool:
    ref = part(volume, "spec", "claimRef")
    return (ref.get("namespace"), ref.get("name")) == place_of(claim)


def _is_claimed(volume: Object) -> bool:
    return bool(part(volume, "spec", "claimRef"))


def _is_for(volume: Object, claim: Object) -> bool:
    uid = part(volume, "spec", "claimRef").get("uid")
    return _refers(volume, claim) and uid in (None, "", claim["metadata"]["uid"])


def _best(claim: Object, volumes: Sequence[Object], kind: str, *, delayed: bool) -> Object | None:
    """The smallest volume that will do, or the one that is reserved for the claim."""
    fitting: list[Object] = []
    selector = claim["spec"].get("selector")
    for volume in volumes:
        if _too_small(claim, volume) or _other_mode(claim, volume) or is_deleted(volume):
            continue
        if _is_for(volume, claim):
            return volume
        if delayed or _is_claimed(volume) or not _has_modes(claim, volume):
            continue
        same = (volume["spec"].get("storageClassName") or "") == kind
        free = part(volume, "status").get("phase") == "Available"
        if same and free and (selector is None or label_selector(selector)(volume)):
            fitting.append(volume)
    return min(fitting, key=_capacity, default=None)


def _mismatch(claim: Object, volume: Object) -> str:
    if is_deleted(volume):
        return f'the volume is marked for deletion "{name_of(volume)}"'
    if _too_small(claim, volume):
        return "requested PV is too small"
    classes = (part(obj, "spec").get("storageClassName") or "" for obj in (claim, volume))
    if len(set(classes)) > 1:
        return "storageClassName does not match"
    if _other_mode(claim, volume):
        return "incompatible volumeMode"
    return "" if _has_modes(claim, volume) else "incompatible accessMode"


def _capacity(volume: Object) -> quantity.Quantity:
    return quantity.parse(part(volume, "spec", "capacity").get("storage") or "0")


def _too_small(claim: Object, volume: Object) -> bool:
    wanted = part(claim, "spec", "resources", "requests").get("storage") or "0"
    return _capacity(volume) < quantity.parse(wanted)


def _other_mode(claim: Object, volume: Object) -> bool:
    modes = {obj["spec"].get("volumeMode") or "Filesystem" for obj in (claim, volume)}
    return len(modes) > 1


def _has_modes(claim: Object, volume: Object) -> bool:
    return set(items(claim, "spec", "accessModes")) <= set(items(volume, "spec", "accessModes"))
