"""Endpoints and EndpointSlices: the ready pods behind each Service.

Source: pkg/controller/endpoint and endpointslice (names, labels, order of addresses).
"""

from collections.abc import Hashable, Sequence
from typing import Any

from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, Backoff, Result, Watches
from tutor.sandbox.controllers.events import Recorder
from tutor.sandbox.controllers.resources import (
    ENDPOINT_SLICES,
    ENDPOINTS,
    NODES,
    PODS,
    SERVICES,
    Place,
    as_place,
    condition,
    is_active,
    is_ready,
    owner_reference,
    place_of,
    selected,
)
from tutor.sandbox.kinds import Object, annotations_of, labels_of, name_of, namespace_of

_SERVICE_NAME = "kubernetes.io/service-name"
_HEADLESS = "service.kubernetes.io/headless"
_MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
_TRIGGER = "endpoints.kubernetes.io/last-change-trigger-time"
_MANAGER = "endpointslice-controller.k8s.io"
_BACKOFF = Backoff(first_s=1.0, most_s=1000.0)


class Endpoints:
    """Keeps both forms of a Service's endpoints."""

    name = "endpoints"

    def __init__(self, client: Client) -> None:
        self._client = client
        self._events = Recorder(client, "endpoint-slice-controller")
        self._failures: dict[Place, int] = {}
        self.watches: Sequence[Watches] = (
            Watches(SERVICES, lambda obj: [place_of(obj)]),
            Watches(PODS, self._services_of),
            Watches(ENDPOINTS, self._service_of),
        )

    def _service_of(self, endpoints: Object) -> list[Place]:
        """Endpoints that somebody made without a service stay as they are."""
        place = place_of(endpoints)
        return [place] if self._client.find(SERVICES, *place) is not None else []

    def _services_of(self, pod: Object) -> list[Place]:
        return [
            place_of(service)
            for service in self._client.list(SERVICES, namespace_of(pod))
            if selected(service["spec"].get("selector") or {}, pod)
        ]

    async def reconcile(self, key: Hashable) -> Result:
        """Write the endpoints of one Service."""
        namespace, name = as_place(key)
        service = self._client.find(SERVICES, namespace, name)
        if service is None:
            await self._remove(namespace, name)
            return DONE
        selector = service["spec"].get("selector")
        if not selector or service["spec"].get("type") == "ExternalName":
            return DONE
        pods = [
            pod
            for pod in self._client.list(PODS, namespace)
            if selected(selector, pod) and pod.get("status", {}).get("podIP") and is_active(pod)
        ]
        pods.sort(key=lambda pod: pod["status"]["podIP"])
        missing = self._on_missing_nodes(service, pods)
        await self._write_slice(service, [pod for pod in pods if pod not in missing])
        # A pod that has an address and no node is not valid there.
        await self._write_endpoints(service, [p for p in pods if p["spec"].get("nodeName")])
        return await self._tell(service, missing)

    def _on_missing_nodes(self, service: Object, pods: Sequence[Object]) -> list[Object]:
        if service["spec"].get("publishNotReadyAddresses"):
            return []
        nodes = ((pod, pod["spec"].get("nodeName", "")) for pod in pods)
        return [pod for pod, node in nodes if self._client.find(NODES, "", node) is None]

    async def _tell(self, service: Object, missing: Sequence[Object]) -> Result:
        place = place_of(service)
        if not missing:
            self._failures.pop(place, None)
            return DONE
        named = "/".join(place)
        skipped = [
            f"skipping Pod {name_of(pod)} for Service {named}: Node"
            f" {pod['spec'].get('nodeName', '')} Not Found"
            for pod in missing
        ]
        why = skipped[0] if len(skipped) == 1 else f"[{', '.join(skipped)}]"
        text = f"Error updating Endpoint Slices for Service {named}: {why}"
        await self._events.warning(service, "FailedToUpdateEndpointSlices", text)
        failures = self._failures[place] = self._failures.get(place, 0) + 1
        return Result(again_s=_BACKOFF.after(failures))

    async def _remove(self, namespace: str, name: str) -> None:
        if self._client.find(ENDPOINTS, namespace, name) is not None:
            try:
                await self._client.delete(ENDPOINTS, namespace, name)
            except ApiError as error:
                if error.reason != "NotFound":
                    raise

    async def _write_endpoints(self, service: Object, pods: Sequence[Object]) -> None:
        namespace, name = place_of(service)
        subsets = _subsets(service, pods)
        labels = dict(labels_of(service))
        labels["endpoints.kubernetes.io/managed-by"] = "endpoint-controller"
        if service["spec"].get("clusterIP") == "None":
            labels[_HEADLESS] = ""
        existing = self._client.find(ENDPOINTS, namespace, name)
        if existing is None:
            obj: Object = {
                "apiVersion": "v1",
                "kind": "Endpoints",
                "metadata": {"name": name, "namespace": namespace, "labels": labels},
            }
            _set_trigger(obj, pods, service)
            if subsets:
                obj["subsets"] = subsets
            await self._client.create(obj)
            return
        if (existing.get("subsets") or []) == subsets and labels_of(existing) == labels:
            return

        def write(obj: Object) -> Object:
            obj["metadata"]["labels"] = labels
            _set_trigger(obj, pods)
            if subsets:
                obj["subsets"] = subsets
            else:
                obj.pop("subsets", None)
            return obj

        await self._client.change(ENDPOINTS, namespace, name, write)

    async def _write_slice(self, service: Object, pods: Sequence[Object]) -> None:
        namespace, name = place_of(service)
        slices = [
            s
            for s in self._client.list(ENDPOINT_SLICES, namespace)
            if labels_of(s).get(_SERVICE_NAME) == name and labels_of(s).get(_MANAGED_BY) == _MANAGER
        ]
        ports = _slice_ports(service, pods)
        endpoints = [_slice_endpoint(pod) for pod in pods]
        labels = dict(labels_of(service)) | {_MANAGED_BY: _MANAGER, _SERVICE_NAME: name}
        if service["spec"].get("clusterIP") == "None":
            labels[_HEADLESS] = ""
        if not slices:
            obj: Object = {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {
                    "generateName": f"{name}-",
                    "namespace": namespace,
                    "labels": labels,
                    "ownerReferences": [owner_reference(service)],
                },
                "addressType": "IPv4",
                "endpoints": endpoints,
                "ports": ports,
            }
            _set_trigger(obj, pods, service)
            await self._client.create(obj)
            return

        if (slices[0]["endpoints"], slices[0].get("ports") or []) == (endpoints, ports):
            return

        def write(obj: Object) -> Object:
            _set_trigger(obj, pods)
            return obj | {"endpoints": endpoints, "ports": ports}

        await self._client.change(ENDPOINT_SLICES, namespace, name_of(slices[0]), write)


def _set_trigger(obj: Object, pods: Sequence[Object], service: Object | None = None) -> None:
    """Note when the first of the pods became ready, or ceased to be, whose change is written now.

    The service is given where it is new, and counts too.

    Source: pkg/controller/util/endpoint (TriggerTimeTracker).
    """
    meta = obj["metadata"]
    annotations = dict(annotations_of(obj))
    before = annotations.pop(_TRIGGER, "")
    ready = (condition(pod, "Ready") for pod in pods)
    times = [found.get("lastTransitionTime") or "" for found in ready if found]
    if service is not None:
        times.append(service["metadata"].get("creationTimestamp") or "")
    changed = [time for time in times if time and time >= before]
    if changed:
        annotations[_TRIGGER] = min(changed)
    meta.pop("annotations", None)
    if annotations:
        meta["annotations"] = annotations


def target_port(port: Object, pod: Object) -> int | None:
    """The number of a Service port on a pod; named ports are looked up in its containers."""
    target: Any = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target or port["port"]
    for container in pod["spec"]["containers"]:
        for declared in container.get("ports") or ():
            if declared.get("name") == target:
                return declared["containerPort"]
    return None


def _address(pod: Object) -> Object:
    return {
        "ip": pod["status"]["podIP"],
        "nodeName": pod["spec"].get("nodeName", ""),
        "targetRef": _target(pod),
    }


def _target(pod: Object) -> Object:
    return {
        "kind": "Pod",
        "namespace": namespace_of(pod),
        "name": name_of(pod),
        "uid": pod["metadata"]["uid"],
    }


def _port(port: Object, number: int) -> Object:
    out: Object = {"name": port["name"]} if port.get("name") else {}
    return out | {"port": number, "protocol": port.get("protocol", "TCP")}


def _subsets(service: Object, pods: Sequence[Object]) -> list[Object]:
    publish = service["spec"].get("publishNotReadyAddresses", False)
    groups: dict[tuple[int | None, ...], list[Object]] = {}
    declared: Sequence[Object] = service["spec"].get("ports") or ()
    for pod in pods:
        groups.setdefault(tuple(target_port(p, pod) for p in declared), []).append(pod)
    subsets: list[Object] = []
    for numbers, members in groups.items():
        ports = [_port(p, n) for p, n in zip(declared, numbers, strict=True) if n is not None]
        ready = [_address(pod) for pod in members if publish or is_ready(pod)]
        waiting = [_address(pod) for pod in members if not (publish or is_ready(pod))]
        subset: Object = {}
        if ready:
            subset["addresses"] = ready
        if waiting:
            subset["notReadyAddresses"] = waiting
        if ports:
            subset["ports"] = ports
        if ready or waiting:
            subsets.append(subset)
    return subsets


def _slice_ports(service: Object, pods: Sequence[Object]) -> list[Object]:
    found: list[Object] = []
    for port in service["spec"].get("ports") or ():
        number = target_port(port, pods[0]) if pods else None
        if number is not None:
            entry = {"name": port.get("name", ""), "protocol": port.get("protocol", "TCP")}
            found.append(entry | {"port": number})
    return found


def _slice_endpoint(pod: Object) -> Object:
    ready = is_ready(pod)
    return {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": ready, "serving": ready, "terminating": False},
        "targetRef": _target(pod),
        "nodeName": pod["spec"].get("nodeName", ""),
    }
