"""A sandbox process with a cluster, for clients that we did not write: killed and begun at will."""

import base64
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.fakes.sandbox_process import SandboxProcess, order, sandbox_process

Object = dict[str, Any]
GROUP, PLURAL = "sea.example.org", "boats"


@dataclass(frozen=True, slots=True)
class SandboxLab:
    """A cluster in a process of its own."""

    process: SandboxProcess
    kubeconfig: Path
    """What finds the cluster, before and after a restart."""
    server: str
    ca: Path
    certificate: Path
    key: Path

    async def restart(self) -> None:
        """Kill it with -9, and start it again."""
        self.process.kill()
        await self.process.start()
        made = await order(self.process.root, "up")
        assert made["ok"], made
        assert made["kubeconfig"]["server"] == self.server


@asynccontextmanager
async def sandbox(folder: Path) -> AsyncGenerator[SandboxLab]:
    """A running sandbox."""
    with sandbox_process(folder / "home") as process:
        await process.start()
        made = await order(process.root, "up")
        assert made["ok"], made
        found = made["kubeconfig"]
        paths = {name: folder / f"{name}.pem" for name in ("ca", "certificate", "key")}
        for name, field in (("certificate", "client_certificate"), ("key", "client_key")):
            paths[name].write_bytes(base64.b64decode(found[field]))
        paths["ca"].write_bytes(base64.b64decode(found["ca"]))
        file = folder / "kubeconfig"
        file.write_text(yaml.safe_dump(_kubeconfig(found)))
        yield SandboxLab(process, file, found["server"], **paths)


def _kubeconfig(found: dict[str, str]) -> Object:
    cluster = {"server": found["server"], "certificate-authority-data": found["ca"]}
    user = {
        "client-certificate-data": found["client_certificate"],
        "client-key-data": found["client_key"],
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "sandbox", "cluster": cluster}],
        "users": [{"name": "admin", "user": user}],
        "contexts": [{"name": "sandbox", "context": {"cluster": "sandbox", "user": "admin"}}],
        "current-context": "sandbox",
    }


def config_map(name: str, **data: str) -> Object:
    """A ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def boats() -> Object:
    """The definition of a custom kind with a status."""
    open_object = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "properties": {"spec": open_object, "status": open_object}}
    version: Object = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
    }
    names = {"plural": PLURAL, "singular": "boat", "kind": "Boat", "listKind": "BoatList"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    }


def boat(name: str, **spec: Any) -> Object:
    """A custom object."""
    kind = {"apiVersion": f"{GROUP}/v1", "kind": "Boat"}
    return kind | {"metadata": {"name": name}, "spec": spec}
