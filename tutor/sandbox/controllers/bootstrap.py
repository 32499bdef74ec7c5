"""What an API server puts into an empty cluster: namespaces, default roles, priority classes."""

import base64
import hashlib
import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.controllers import bootstrap_flow
from tutor.sandbox.kinds import Object

_DATA = Path(__file__).parent / "data"
SYSTEM_NAMESPACES = ("kube-system", "kube-public", "kube-node-lease", "default")
_DISCOVERY = ("ClusterRole", "system:discovery")
_LEASE_S = 3600
_MAX_USER_PRIORITY = 1_000_000_000


def objects(
    service_network: str,
    service_address: str,
    endpoint: tuple[str, int],
    authentication: Mapping[str, str],
    now: datetime,
    open_paths: Sequence[str] = (),
) -> Iterator[Object]:
    """The objects in the order of their creation.

    `service_network` is the range of cluster IPs, `service_address` that of `default/kubernetes`,
    `endpoint` where the server is, `authentication` what servers behind it need to know of it,
    `open_paths` what everybody may read besides the usual.
    """
    yield from (_namespace(name) for name in SYSTEM_NAMESPACES)
    for obj in json.loads((_DATA / "rbac.json").read_text()):
        if open_paths and (obj["kind"], obj["metadata"]["name"]) == _DISCOVERY:
            obj["rules"].append({"verbs": ["get"], "nonResourceURLs": list(open_paths)})
        yield obj
    for name, value in (("system-cluster-critical", 0), ("system-node-critical", 1_000)):
        yield _priority_class(name, 2 * _MAX_USER_PRIORITY + value)
    yield from bootstrap_flow.objects(timestamp(now))
    yield _config_map("extension-apiserver-authentication", authentication)
    yield _config_map(
        "kube-apiserver-legacy-service-account-token-tracking", {"since": f"{now:%Y-%m-%d}"}
    )
    yield _service_range(service_network, timestamp(now))
    yield _service(service_address, endpoint[1])
    yield _endpoints(*endpoint)
    yield _endpoint_slice(*endpoint)


def server_lease(host: str, address: str, holder: str, now: datetime) -> Object:
    """What a server tells of itself when it starts, so that others could find it.

    `host` is the name of its machine, `address` where its peers would reach it, `holder` this run.
    """
    parts = (host.encode(), b"kube-apiserver")
    hashed = b"".join(struct.pack(">H", len(part)) + part for part in parts)
    digest = hashlib.sha256(hashed).digest()[:16]
    name = f"apiserver-{base64.b32encode(digest).decode().rstrip('=').lower()}"
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": name,
            "namespace": "kube-system",
            "labels": {
                "apiserver.kubernetes.io/identity": "kube-apiserver",
                "kubernetes.io/hostname": host,
            },
            "annotations": {"kubernetes.io/peer-advertise-address": address},
        },
        "spec": {
            "holderIdentity": f"{name}_{holder}",
            "leaseDurationSeconds": _LEASE_S,
            "renewTime": f"{now:%Y-%m-%dT%H:%M:%S.%fZ}",
        },
    }


def _namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _config_map(name: str, data: Mapping[str, str]) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "kube-system"},
        "data": dict(data),
    }


def _priority_class(name: str, value: int) -> Object:
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": name},
        "value": value,
        "description": "Keeps the pods that the cluster cannot do without.",
    }


def _service_range(network: str, since: str) -> Object:
    ready = {
        "type": "Ready",
        "status": "True",
        "lastTransitionTime": since,
        "reason": "",
        "message": "Kubernetes Service CIDR is ready",
    }
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "ServiceCIDR",
        "metadata": {
            "name": "kubernetes",
            "finalizers": ["networking.k8s.io/service-cidr-finalizer"],
        },
        "spec": {"cidrs": [network]},
        "status": {"conditions": [ready]},
    }


def _service(address: str, target: int) -> Object:
    labels = {"component": "apiserver", "provider": "kubernetes"}
    port = {"name": "https", "port": 443, "protocol": "TCP", "targetPort": target}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "kubernetes", "namespace": "default", "labels": labels},
        "spec": {
            "clusterIP": address,
            "ipFamilyPolicy": "SingleStack",
            "ports": [port],
            "sessionAffinity": "None",
        },
    }


def _endpoints(address: str, port: int) -> Object:
    subset = {
        "addresses": [{"ip": address}],
        "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
    }
    labels = {"endpointslice.kubernetes.io/skip-mirror": "true"}
    return {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {"name": "kubernetes", "namespace": "default", "labels": labels},
        "subsets": [subset],
    }


def _endpoint_slice(address: str, port: int) -> Object:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": "kubernetes"},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
        "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
    }
