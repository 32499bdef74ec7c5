"""What kind would say to docker for a node, and what docker would answer.

Source: kind v0.20.0, pkg/cluster/internal/providers/docker.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from tutor.sandbox.shims.kind.config import Cluster, PortMapping

EVERYWHERE = "0.0.0.0"  # noqa: S104  (docker's default, nothing listens there)


def run_command(cluster: Cluster, reply: Mapping[str, object]) -> str:
    """The command line that runs the first node; the sandbox's reply has the API server's port."""
    name, node = cluster.name, cluster.nodes[0]
    return " ".join(
        [
            f"docker run --name {name}-{node.role} --hostname {name}-{node.role}",
            f"--label io.x-k8s.kind.role={node.role} --privileged",
            "--security-opt seccomp=unconfined --security-opt apparmor=unconfined",
            "--tmpfs /tmp --tmpfs /run --volume /var --volume /lib/modules:/lib/modules:ro",
            "-e KIND_EXPERIMENTAL_CONTAINERD_SNAPSHOTTER --detach --tty",
            f"--label io.x-k8s.kind.cluster={name} --net kind --restart=on-failure:1",
            "--init=false --cgroupns=private",
            *(_publish(port) for port in node.ports),
            f"--publish=127.0.0.1:{reply.get('api_port', 0)}:6443/TCP",
            f"-e KUBECONFIG=/etc/kubernetes/admin.conf {node.image}",
        ]
    )


def _publish(port: PortMapping) -> str:
    listen, protocol = port.listen or EVERYWHERE, port.protocol or "TCP"
    return f"--publish={listen}:{port.host}:{port.container}/{protocol}"


def output(cluster: str, reply: Mapping[str, object]) -> str:
    """What docker prints when the reply's port is taken."""
    listen, port = reply.get("listen", EVERYWHERE), reply.get("port", 0)
    if reply.get("holder") == "process":
        refused = f"listen tcp4 {listen}:{port}: bind: address already in use."
        cause = f"Error starting userland proxy: {refused}"
    else:
        cause = f"Bind for {listen}:{port} failed: port is already allocated."
    endpoint = f"{cluster}-control-plane ({os.urandom(32).hex()})"
    return (
        f"{os.urandom(32).hex()}\ndocker: Error response from daemon: driver failed programming "
        f"external connectivity on endpoint {endpoint}: {cause}"
    )
