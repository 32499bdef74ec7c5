"""What kind and kubeadm put into a new cluster, and the node's way to Ready."""

import asyncio
import base64
import os
import platform
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from string import Template

import yaml

from tutor.sandbox.api.builtin.reading import items
from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.cluster.keys import ClusterKeys
from tutor.sandbox.cluster.settings import NODE_ADDRESS
from tutor.sandbox.components import kindnode
from tutor.sandbox.controllers.resources import NODES
from tutor.sandbox.kinds import Object

_FOLDER = Path(kindnode.__file__).parent / "manifests"
_KUBELET = "kubelet"
_APPLIERS = {
    "node": _KUBELET,
    "staticpods": _KUBELET,
    "kubeadm": "kubeadm",
    "coredns": "kubeadm",
    "kube-proxy": "kubeadm",
    "kindnet": "kubectl-create",
    "local-path": "kubectl-create",
}
"""Which program puts the objects of a manifest into a cluster."""
_AFTER_STATIC_PODS = ("kubeadm", "coredns", "kube-proxy", "kindnet", "local-path")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_GIB_KI = 1024 * 1024


class KindNode:
    """Fills a cluster the way `kind create cluster` does."""

    def __init__(self, client: Client, keys: ClusterKeys, cluster: str, node: str) -> None:
        self._client = client
        self._node = node
        self._registered = client.now()
        self._values = _values(keys, cluster, node, self._registered)

    async def install(self) -> None:
        """Create everything but the node's readiness."""
        await self._create("node")
        node = self._client.get(NODES, "", self._node)
        self._values["NODE_UID"] = node["metadata"]["uid"]
        await self._create("staticpods")
        for name in _AFTER_STATIC_PODS:
            await self._create(name)

    async def make_ready(self, after_s: float) -> None:
        """Let the node become Ready after a while."""
        await asyncio.sleep(after_s)
        node = self._client.get(NODES, "", self._node)
        if not items(node, "spec", "taints"):
            return
        self._values |= {
            "NOW": timestamp(self._client.now()),
            "REGISTERED": timestamp(self._registered),
        }
        (change,) = self._documents("node-ready")
        manager = self._client.managed_by("kube-controller-manager")
        await manager.patch(NODES, "", self._node, {"spec": change["spec"]})
        kubelet = self._client.managed_by(_KUBELET)
        await kubelet.patch(NODES, "", self._node, {"status": change["status"]}, "status")

    def static_pods(self) -> list[Object]:
        """The mirror pods of the control plane; none while the node is not registered."""
        node = self._client.find(NODES, "", self._node)
        if node is None:
            return []
        self._values["NODE_UID"] = node["metadata"]["uid"]
        return list(self._documents("staticpods"))

    async def _create(self, name: str) -> None:
        client = self._client.managed_by(_APPLIERS[name])
        for obj in self._documents(name):
            try:
                await client.create(obj)
            except ApiError as error:
                if error.reason != "AlreadyExists":
                    raise

    def _documents(self, name: str) -> Iterator[Object]:
        text = Template((_FOLDER / f"{name}.yaml").read_text()).substitute(self._values)
        yield from (doc for doc in yaml.load_all(text, Loader=_LOADER) if doc)


def _values(keys: ClusterKeys, cluster: str, node: str, now: datetime) -> dict[str, str]:
    seed = uuid.uuid5(uuid.NAMESPACE_DNS, node)
    hashes = ("ETCD", "APISERVER", "CONTROLLER_MANAGER", "SCHEDULER")
    page = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    statvfs = os.statvfs("/")
    return {
        "CLUSTER": cluster,
        "NODE": node,
        "NODE_IP": NODE_ADDRESS,
        "NODE_UID": "",
        "CA_DATA": base64.b64encode(keys.ca.pem.encode()).decode(),
        "NOW": timestamp(now),
        "REGISTERED": timestamp(now),
        "TOKEN_EXPIRATION": timestamp(now + timedelta(days=1)),
        "ARCH": "arm64" if platform.machine() in ("arm64", "aarch64") else "amd64",
        "CPUS": str(os.cpu_count() or 1),
        "MEMORY_KI": str(page // 1024),
        "STORAGE_KI": str(statvfs.f_blocks * statvfs.f_frsize // 1024 or 100 * _GIB_KI),
        "KERNEL_VERSION": platform.release(),
        "MACHINE_ID": seed.hex,
        "SYSTEM_UUID": str(uuid.uuid5(seed, "system")),
        "BOOT_ID": str(uuid.uuid5(seed, "boot")),
    } | {f"{name}_HASH": uuid.uuid5(seed, name).hex for name in hashes}
