"""A sandbox that makes clusters as scripted, and what the post asks of it."""

from collections.abc import Iterable
from typing import Any

EXPOSE = """\
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes:
- role: control-plane
  extraPortMappings:
  - containerPort: 80
    hostPort: 80
    listenAddress: "0.0.0.0"
  - containerPort: 443
    hostPort: 443
    listenAddress: "0.0.0.0"
"""
STEPS = (
    "Ensuring node image",
    "Preparing nodes",
    "Writing configuration",
    "Starting control-plane",
    "Installing CNI",
    "Installing StorageClass",
)
SHOWN = (
    "Ensuring node image (kindest/node:v1.27.3) 🖼",
    "Preparing nodes 📦 ",
    "Writing configuration 📜",
    "Starting control-plane 🕹️",
    "Installing CNI 🔌",
    "Installing StorageClass 💾",
)
FOUND = {
    "ca": "Q0E=",
    "server": "https://127.0.0.1:34135",
    "internal_server": "https://kind-with-contour-control-plane:6443",
    "client_certificate": "Q0VSVA==",
    "client_key": "S0VZ",
}
POST = (
    "create",
    "cluster",
    "--config=kind-expose-port.yaml",
    "--name=kind-with-contour",
    "--kubeconfig=kind-with-contour.kubeconfig.yaml",
)
KUBECONFIG = """\
apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: Q0E=
    server: https://127.0.0.1:34135
  name: kind-kind-with-contour
contexts:
- context:
    cluster: kind-kind-with-contour
    user: kind-kind-with-contour
  name: kind-kind-with-contour
current-context: kind-kind-with-contour
kind: Config
preferences: {}
users:
- name: kind-kind-with-contour
  user:
    client-certificate-data: Q0VSVA==
    client-key-data: S0VZ
"""
Replies = Iterable[dict[str, Any]]


def passed(*steps: str) -> list[dict[str, Any]]:
    """The replies of steps that go well."""
    return [{"step": step, "state": state} for step in steps for state in ("start", "done")]


class Sandbox:
    """What the sandbox answers, and what it was asked."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.existing: list[str] = []
        self.creation: list[dict[str, Any]] = [*passed(*STEPS), {"ok": True, "kubeconfig": FOUND}]

    def script(self, request: dict[str, Any]) -> Replies:
        """Answer one request."""
        self.requests.append(request)
        if request["do"] == "create-cluster":
            return self.creation
        return [{"ok": True, "nodes": self.existing}]
