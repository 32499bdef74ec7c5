"""Claims that pods have made for themselves: of ephemeral volumes, and of devices.

Source: pkg/controller/volume/ephemeral and pkg/controller/resourceclaim.
"""

from collections.abc import Hashable, Sequence

from tutor.sandbox.api.builtin.admission.plugin import World
from tutor.sandbox.api.builtin.reading import items, part, text
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.controllers.events import Recorder
from tutor.sandbox.controllers.resources import (
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    Place,
    as_place,
    is_deleted,
    owner_of,
    owner_reference,
    place_of,
)
from tutor.sandbox.kinds import GroupResource, Object, annotations_of, name_of, namespace_of

DEVICE_CLAIMS = GroupResource("resource.k8s.io", "resourceclaims")
_TEMPLATES = GroupResource("resource.k8s.io", "resourceclaimtemplates")
_NAMED = "resource.kubernetes.io/pod-claim-name"
_STATUS_MANAGER = "ResourceClaimController"
_LONGEST_BASE = 57
"""Of a generated name, which has a hyphen and five characters more."""


class _Refused(Exception):
    """Why a pod does not get a claim; the text is the controller's own sentence."""


class EphemeralVolumes:
    """Makes the persistent volume claims of pods' ephemeral volumes."""

    name = "ephemeral-volumes"

    def __init__(self, client: Client) -> None:
        self._client = client
        self._events = Recorder(client, "ephemeral_volume")
        self.watches: Sequence[Watches] = (
            Watches(PODS, _with_ephemeral),
            Watches(PERSISTENT_VOLUME_CLAIMS, _owning_pod),
        )

    async def reconcile(self, key: Hashable) -> Result:
        """See to the volumes of one pod."""
        pod = self._client.find(PODS, *as_place(key))
        if pod is None or is_deleted(pod):
            return DONE
        for volume in _ephemeral(pod):
            try:
                await self._claim(pod, volume)
            except _Refused as why:
                told = f"ephemeral volume {volume['name']}: {why}"
                await self._events.warning(pod, "FailedBinding", told)
                return Result(failed=True)
        return DONE

    async def _claim(self, pod: Object, volume: Object) -> None:
        name = f"{name_of(pod)}-{volume['name']}"
        found = self._client.find(PERSISTENT_VOLUME_CLAIMS, namespace_of(pod), name)
        if found is None:
            await self._make(pod, name, part(volume, "ephemeral", "volumeClaimTemplate"))
        elif not _is_of(found, pod):
            claim, owner = ("/".join(place_of(obj)) for obj in (found, pod))
            raise _Refused(f"PVC {claim} was not created for pod {owner} (pod is not owner)")

    async def _make(self, pod: Object, name: str, template: Object) -> None:
        meta = {
            "name": name,
            "namespace": namespace_of(pod),
            "ownerReferences": [owner_reference(pod)],
        }
        meta |= _given(template)
        claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta}
        try:
            await self._client.create(claim | {"spec": part(template, "spec")})
        except ApiError as error:
            raise _Refused(f"create PVC {name}: {error.message}") from error


class DeviceClaims:
    """Makes the resource claims that pods name templates for, and deletes them after the pods."""

    name = "resource-claims"

    def __init__(self, client: Client, world: World) -> None:
        self._client = client
        self._world = world
        self._statuses = client.managed_by(_STATUS_MANAGER)
        self._events = Recorder(client, "resource_claim")
        self.watches: Sequence[Watches] = (
            Watches(PODS, _with_devices),
            Watches(DEVICE_CLAIMS, _owning_pod),
            Watches(_TEMPLATES, self._waiting),
        )

    def _waiting(self, template: Object) -> list[Place]:
        pods = self._client.list(PODS, namespace_of(template))
        return [place for pod in pods for place in _with_devices(pod)]

    async def reconcile(self, key: Hashable) -> Result:
        """See to the claims of one pod."""
        pod = self._client.find(PODS, *as_place(key))
        if pod is None or is_deleted(pod):
            return DONE
        if text(part(pod, "status"), "phase") in ("Succeeded", "Failed"):
            await self._release(pod)
            return DONE
        made: dict[str, str] = {}
        for wanted in items(pod, "spec", "resourceClaims"):
            try:
                made |= await self._claim(pod, wanted)
            except _Refused as why:
                told = f"PodResourceClaim {wanted['name']}: {why}"
                await self._events.warning(pod, "FailedResourceClaimCreation", told)
                return Result(failed=True)
        if made:
            await self._note(pod, made)
        return DONE

    async def _claim(self, pod: Object, wanted: Object) -> dict[str, str]:
        """The claim that is new for a name of the pod, if any."""
        template, known = text(wanted, "resourceClaimTemplateName"), _noted(pod, wanted["name"])
        if not template or (known is not None and not known):
            return {}
        found = known and self._client.find(DEVICE_CLAIMS, namespace_of(pod), known)
        if found and _is_of(found, pod):
            return {}
        for claim in self._own(pod):
            if annotations_of(claim).get(_NAMED) == wanted["name"]:
                return {wanted["name"]: name_of(claim)}
        return {wanted["name"]: await self._make(pod, wanted["name"], template)}

    async def _make(self, pod: Object, name: str, template: str) -> str:
        found = self._world.find(_TEMPLATES, namespace_of(pod), template)
        if found is None:
            missing = f'resourceclaimtemplate.resource.k8s.io "{template}" not found'
            raise _Refused(f'resource claim template "{template}": {missing}')
        given = _given(part(found, "spec"))
        reference = owner_reference(pod)
        del reference["blockOwnerDeletion"]
        meta: Object = given | {
            "generateName": _base(name_of(pod), name),
            "namespace": namespace_of(pod),
            "annotations": given.get("annotations", {}) | {_NAMED: name},
            "ownerReferences": [reference],
        }
        claim = {"apiVersion": found["apiVersion"], "kind": "ResourceClaim", "metadata": meta}
        try:
            made = await self._client.create(claim | {"spec": part(found, "spec", "spec")})
        except ApiError as error:
            raise _Refused(f"create ResourceClaim : {error.message}") from error
        return name_of(made)

    async def _note(self, pod: Object, made: dict[str, str]) -> None:
        """Tell the pod the names of its claims."""
        statuses = [{"name": name, "resourceClaimName": claim} for name, claim in made.items()]
        meta = {"name": name_of(pod), "namespace": namespace_of(pod)}
        config: Object = {"apiVersion": "v1", "kind": "Pod", "metadata": meta}
        try:
            await self._statuses.apply(
                config | {"status": {"resourceClaimStatuses": statuses}}, "status"
            )
        except ApiError as error:
            if error.reason != "NotFound":
                raise

    async def _release(self, pod: Object) -> None:
        """Delete what a pod that is over does not need any more."""
        for claim in self._own(pod):
            if not is_deleted(claim) and not items(claim, "status", "reservedFor"):
                await self._client.delete(DEVICE_CLAIMS, *place_of(claim))

    def _own(self, pod: Object) -> list[Object]:
        listed = self._client.list(DEVICE_CLAIMS, namespace_of(pod))
        return [claim for claim in listed if _is_of(claim, pod)]


def _ephemeral(pod: Object) -> list[Object]:
    return [one for one in items(pod, "spec", "volumes") if one.get("ephemeral") is not None]


def _with_ephemeral(pod: Object) -> list[Place]:
    return [place_of(pod)] if _ephemeral(pod) else []


def _with_devices(pod: Object) -> list[Place]:
    wanted = items(pod, "spec", "resourceClaims")
    return [place_of(pod)] if any(text(w, "resourceClaimTemplateName") for w in wanted) else []


def _owning_pod(claim: Object) -> list[Place]:
    ref = owner_of(claim)
    return [(namespace_of(claim), ref["name"])] if ref and ref["kind"] == "Pod" else []


def _is_of(claim: Object, pod: Object) -> bool:
    return (owner_of(claim) or {}).get("uid") == pod["metadata"]["uid"]


def _given(template: Object) -> Object:
    """Labels and annotations of a template."""
    meta = part(template, "metadata")
    return {field: meta[field] for field in ("labels", "annotations") if meta.get(field)}


def _noted(pod: Object, name: str) -> str | None:
    """The claim that the pod's status has for a name; empty where none is needed."""
    statuses = items(pod, "status", "resourceClaimStatuses")
    found = next((one for one in statuses if one["name"] == name), None)
    return None if found is None else text(found, "resourceClaimName")


def _base(pod: str, claim: str) -> str:
    """The start of a generated name, with something of both in it."""
    whole = f"{pod}-{claim}-"
    if len(whole) <= _LONGEST_BASE:
        return whole
    parts = (name[: len(name) * _LONGEST_BASE // len(whole)] for name in (pod, claim))
    return "-".join(parts)
