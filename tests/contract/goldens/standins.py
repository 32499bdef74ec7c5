"""Writes what the recording's stand-ins wrote: a node, running pods, statuses of the products.

`writes.yaml` says what each of them is; they are sent as nobody in particular,
without a User-Agent.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.contract.goldens.connection import Connections
from tests.contract.goldens.recordings import LAST_APPLIED
from tutor.sandbox.cluster.assembly import Cluster
from tutor.sandbox.controllers.resources import PODS
from tutor.sandbox.kinds import Object

_FILE = Path(__file__).parent / "writes.yaml"
_QUIET_LOOKS = 4
_LOOK_S = 0.01
_MERGE = "application/merge-patch+json"
_NODE = "kind-with-contour-control-plane"
_NODE_IP = "172.18.0.2"


@cache
def writes() -> Mapping[str, Sequence[dict[str, Any]]]:
    """The steps of each write, by its name."""
    return yaml.safe_load(_FILE.read_text())


class StandIns:
    """Makes the writes of `writes.yaml` in a cluster."""

    def __init__(
        self,
        cluster: Cluster,
        connections: Connections,
        send_again: Callable[[str], Awaitable[None]],
    ) -> None:
        self._cluster = cluster
        self._connections = connections
        self._send_again = send_again

    async def settled(self) -> None:
        """Wait until the controllers have nothing more to write."""
        store = self._cluster.client._store
        quiet, seen = 0, store.revision
        while quiet < _QUIET_LOOKS:
            await asyncio.sleep(_LOOK_S)
            quiet = quiet + 1 if store.revision == seen else 0
            seen = store.revision

    async def write(self, name: str) -> None:
        """Make one write, step by step."""
        for step in writes()[name]:
            if "run" in step:
                await self._run(step["run"], step["address"])
            elif "send" in step:
                await self._send_again(step["send"])
            elif "compact" in step:
                store = self._cluster.client._store
                store.compact(store.revision)
            else:
                await self._send(step)
            await self.settled()

    async def _send(self, step: Mapping[str, Any]) -> None:
        method, path = next((m, step[m]) for m in ("POST", "PUT", "PATCH", "DELETE") if m in step)
        body: Any = step.get("body", {})
        if step.get("applied"):
            text = json.dumps(body, separators=(",", ":"), sort_keys=True) + "\n"
            body = json.loads(text)
            body["metadata"]["annotations"] = {LAST_APPLIED: text}
        media = _MERGE if method == "PATCH" else "application/json"
        answer = await self._connections.ask(
            "admin",
            method,
            path,
            {"Content-Type": media, "Accept": "application/json"},
            json.dumps(body).encode(),
            follow=False,
        )
        assert answer.status in (200, 201), (path, answer.body)

    async def _run(self, prefix: str, address: int) -> None:
        """Bind the pending pods of a namespace, or those that are named so, and let them run."""
        namespace, _, start = prefix.partition("/")
        pods = self._cluster.client.list(PODS, namespace)
        waiting = [
            pod
            for pod in pods
            if not pod["status"].get("podIP") and pod["metadata"]["name"].startswith(start)
        ]
        for number, pod in enumerate(sorted(waiting, key=lambda pod: pod["metadata"]["name"])):
            await self._bind(pod)
            await self._start(pod, f"10.244.0.{address + number}")
            await self.settled()

    async def _bind(self, pod: Object) -> None:
        if pod["spec"].get("nodeName"):
            return
        meta = pod["metadata"]
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": meta["name"]},
            "target": {"apiVersion": "v1", "kind": "Node", "name": _NODE},
        }
        await self._send({"POST": f"{_path(pod)}/binding", "body": binding})

    async def _start(self, pod: Object, address: str) -> None:
        now = self._cluster.client.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        ends = any(o["kind"] == "Job" for o in pod["metadata"].get("ownerReferences", ()))
        kinds = ("PodScheduled", "Initialized", "ContainersReady", "Ready")
        known = self._cluster.client.get(
            PODS, pod["metadata"]["namespace"], pod["metadata"]["name"]
        )
        since = {c["type"]: c["lastTransitionTime"] for c in known["status"].get("conditions", ())}
        status: Object = {
            "phase": "Succeeded" if ends else "Running",
            "conditions": [
                {
                    "type": kind,
                    "status": "False" if ends and kind.endswith("Ready") else "True",
                    "lastProbeTime": None,
                    "lastTransitionTime": since.get(kind, now),
                }
                for kind in kinds
            ],
            "hostIP": _NODE_IP,
            "podIP": address,
            "podIPs": [{"ip": address}],
            "startTime": now,
            "containerStatuses": [
                _container(container, now, ends=ends) for container in pod["spec"]["containers"]
            ],
        }
        if pod["spec"].get("initContainers"):
            status["initContainerStatuses"] = [
                _initial(container, now) for container in pod["spec"]["initContainers"]
            ]
        for condition in status["conditions"]:
            if ends and condition["type"] in ("ContainersReady", "Ready"):
                condition["status"] = "False"
        await self._send({"PATCH": f"{_path(pod)}/status", "body": {"status": status}})


def _path(pod: Object) -> str:
    meta = pod["metadata"]
    return f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"


def _initial(container: Mapping[str, Any], now: str) -> Object:
    status = _container(container, now, ends=True) | {"ready": True}
    return {name: value for name, value in status.items() if name != "containerID"}


def _container(container: Mapping[str, Any], now: str, *, ends: bool) -> Object:
    running = {"running": {"startedAt": now}}
    ended = {
        "terminated": {
            "exitCode": 0,
            "reason": "Completed",
            "startedAt": now,
            "finishedAt": now,
        }
    }
    return {
        "name": container["name"],
        "state": ended if ends else running,
        "lastState": {},
        "ready": not ends,
        "restartCount": 0,
        "image": container["image"],
        "imageID": "sha256:0",
        "containerID": f"containerd://{container['name']}",
        "started": not ends,
    }
