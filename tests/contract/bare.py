"""Runs bare clusters in a process of its own, one at a time, as a player asks for them.

Started as a module; reads folders from standard input, and for each prints one JSON line with what
a kubeconfig needs, until the next line arrives.
"""

import asyncio
import base64
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tutor.sandbox.cluster.assembly import Cluster, running
from tutor.sandbox.cluster.settings import BARE_VERSION, ClusterSettings
from tutor.sandbox.pace import INSTANT, REAL

_PACE = replace(INSTANT, namespace=REAL.namespace, autoscaling=REAL.autoscaling)
"""Commands see a namespace that terminates; nothing else of the pace is seen without a node."""
ROOT = Path(__file__).resolve().parents[2]


async def serve() -> None:
    """Serve clusters until standard input ends."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    line = await reader.readline()
    while line:
        folder = Path(line.decode().strip())
        settings = ClusterSettings(name="bare", folder=folder, version=BARE_VERSION, pace=_PACE)
        async with running(settings) as cluster:
            print(json.dumps(_facts(cluster)), flush=True)
            line = await reader.readline()


def _facts(cluster: Cluster) -> Mapping[str, str]:
    keys = cluster.keys
    return {
        "server": cluster.url,
        "ca": keys.ca.pem,
        "certificate": keys.admin.certificate,
        "key": keys.admin.key,
    }


def kubeconfig(facts: Mapping[str, str]) -> dict[str, Any]:
    """The administrator's kubeconfig for a cluster."""

    def encoded(name: str) -> str:
        return base64.b64encode(facts[name].encode()).decode()

    user, cluster = "kubernetes-admin", "kubernetes"
    context = f"{user}@{cluster}"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": cluster,
                "cluster": {
                    "server": facts["server"],
                    "certificate-authority-data": encoded("ca"),
                },
            }
        ],
        "contexts": [{"name": context, "context": {"cluster": cluster, "user": user}}],
        "current-context": context,
        "users": [
            {
                "name": user,
                "user": {
                    "client-certificate-data": encoded("certificate"),
                    "client-key-data": encoded("key"),
                },
            }
        ],
    }


class BareClusters:
    """A process that serves one bare cluster after the other."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.contract.bare"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        )

    def next(self, folder: Path) -> dict[str, str]:
        """Stop the cluster before, start one in a folder, and say how to reach it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{folder}\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


if __name__ == "__main__":
    asyncio.run(serve())
