"""`kind create cluster`.

Source: kind v0.20.0, pkg/cluster/internal/create and pkg/cluster/internal/providers/docker.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from tutor.sandbox.shims import gotext, tree
from tutor.sandbox.shims.flags import UsageError, Values
from tutor.sandbox.shims.kind import config, docker, kubeconfig, names, sandbox
from tutor.sandbox.shims.kind.failure import CommandError, SandboxError
from tutor.sandbox.shims.kind.terminal import Terminal

_FAILED = "failed to create cluster"
_LONGEST_NAME = 50
_IMAGE_IS_THERE = {"step": "Ensuring node image", "state": "done"}
_STEPS = {
    "Preparing nodes": "Preparing nodes {boxes}",
    "Configuring the external load balancer": "Configuring the external load balancer ⚖️",
    "Writing configuration": "Writing configuration 📜",
    "Starting control-plane": "Starting control-plane 🕹️",
    "Installing CNI": "Installing CNI 🔌",
    "Installing StorageClass": "Installing StorageClass 💾",
    "Joining more control-plane nodes": "Joining more control-plane nodes 🎮",
    "Joining worker nodes": "Joining worker nodes 🚜",
    "Ensuring node image": "Ensuring node image ({image}) 🖼",
    "Waiting": "Waiting ≤ {wait} for control-plane = Ready ⏳",
}
_SALUTATIONS = (
    "Have a nice day! 👋",
    "Thanks for using kind! 😊",
    "Not sure what to do next? 😅  Check out https://kind.sigs.k8s.io/docs/user/quick-start/",
    "Have a question, bug, or feature request? Let us know! https://kind.sigs.k8s.io/#community 🙂",
)


def run(flags: Values, terminal: Terminal) -> int:
    """Make a cluster and its kubeconfig; the result is the exit code.

    Raises:
        UsageError: with kind's sentence.
        CommandError: with docker's.
    """
    try:
        cluster = _wanted(flags)
        _refuse_existing(cluster.name)
        if len(cluster.name) > _LONGEST_NAME:
            terminal.say(
                f"cluster name {gotext.quote(cluster.name)} is probably too long, "
                "this might not work properly on some systems"
            )
        config.check(cluster)
    except config.ConfigError as error:
        raise UsageError(f"{_FAILED}: {error}") from None
    if cluster.ignored:
        listed = ", ".join(cluster.ignored)
        terminal.warn(f"the sandbox has no containers, so it does nothing about: {listed}")
    path = flags.text("kubeconfig")
    terminal.say(f"Creating cluster {gotext.quote(cluster.name)} ...")
    found = _made(cluster, flags, terminal)
    try:
        kubeconfig.merge(path, kubeconfig.made(cluster.name, found))
    except kubeconfig.KubeconfigError as error:
        raise UsageError(f"{_FAILED}: {error}") from None
    _explain(cluster.name, path, terminal)
    return 0


def _wanted(flags: Values) -> config.Cluster:
    cluster = _configured(flags.text("config"))
    name = names.chosen(flags) or cluster.name or names.DEFAULT
    image = flags.text("image")
    nodes = tuple(node._replace(image=image or node.image) for node in cluster.nodes)
    return cluster._replace(name=name, nodes=nodes)


def _configured(path: str) -> config.Cluster:
    if not path:
        return config.default()
    if path == "-":
        return config.parse(sys.stdin.read())
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return config.parse(file.read())
    except OSError as error:
        verb = "read" if os.path.isdir(path) else "open"
        reason = (error.strerror or "").lower()
        raise config.ConfigError(f"error reading file: {verb} {path}: {reason}") from None


def _refuse_existing(name: str) -> None:
    """Find a cluster of that name before anything is said, as kind does."""
    if tree.items(sandbox.ask({"do": "nodes", "name": name}).get("nodes")):
        raise _exists(name)


def _exists(name: str) -> config.ConfigError:
    quoted = gotext.quote(name)
    return config.ConfigError(f"node(s) already exist for a cluster with the name {quoted}")


def _made(cluster: config.Cluster, flags: Values, terminal: Terminal) -> dict[str, Any]:
    """What the sandbox says of the new cluster, after showing every step."""
    request = _request(cluster, flags)
    labels = {
        "boxes": "📦 " * len(cluster.nodes),
        "image": cluster.nodes[0].image.partition("@")[0],
        "wait": gotext.format_duration(flags.number("wait")),
    }
    reply: dict[str, Any] = {}
    try:
        for reply in sandbox.converse(request, terminal.tick):
            if reply == _IMAGE_IS_THERE and terminal.verbosity > 0:
                image = cluster.nodes[0].image
                terminal.say(f"DEBUG: docker/images.go:58] Image: {image} present locally")
            if step := tree.text(reply.get("step")):
                _show(step, reply, labels, terminal)
    except SandboxError as error:
        terminal.end(good=False)
        raise _failure(cluster, error, terminal) from None
    terminal.end(good=True)
    return tree.mapping(reply.get("kubeconfig"))


def _request(cluster: config.Cluster, flags: Values) -> dict[str, Any]:
    ports = [
        {
            "container": port.container,
            "host": port.host,
            "listen": port.listen or docker.EVERYWHERE,
            "protocol": port.protocol or "TCP",
        }
        for node in cluster.nodes
        for port in node.ports
    ]
    return {
        "do": "create-cluster",
        "name": cluster.name,
        "nodes": len(cluster.nodes),
        "roles": [node.role for node in cluster.nodes],
        "image": cluster.nodes[0].image,
        "wait_s": flags.number("wait") / 1e9,
        "retain": flags.truth("retain"),
        "ports": ports,
        "networking": dict(cluster.networking),
    }


def _show(step: str, reply: dict[str, Any], labels: dict[str, str], terminal: Terminal) -> None:
    state = reply.get("state")
    if state == "start":
        terminal.start(_STEPS.get(step, step).format(**labels))
        return
    terminal.end(good=state == "done")
    if step == "Waiting" and state == "done":
        seconds = round(float(reply.get("seconds") or 0))
        took = gotext.format_duration(seconds * 1_000_000_000)
        terminal.say(f" • Ready after {took} 💚")
    elif step == "Waiting":
        terminal.say(" • WARNING: Timed out waiting for Ready ⚠️")


def _failure(
    cluster: config.Cluster, error: SandboxError, terminal: Terminal
) -> UsageError | CommandError:
    reply = error.reply
    if nodes := tree.items(reply.get("deleted")):
        terminal.say(f"Deleted nodes: {names.listed(nodes)}")
    if reply.get("error") == "exists":
        return UsageError(f"{_FAILED}: {_exists(cluster.name)}")
    if reply.get("error") != "port-in-use":
        return UsageError(f"{_FAILED}: {error}")
    command = gotext.quote(docker.run_command(cluster, reply))
    message = f"{_FAILED}: command {command} failed with error: exit status 125"
    return CommandError(message, docker.output(cluster.name, reply))


def _explain(name: str, path: str, terminal: Terminal) -> None:
    import random
    import shlex

    context = kubeconfig.key(name)
    command = f"kubectl cluster-info --context {context}"
    if path:
        command += f" --kubeconfig {shlex.quote(path)}"
    terminal.say(f'Set kubectl context to "{context}"')
    terminal.say(f"You can now use your cluster with:\n\n{command}")
    terminal.say("")
    terminal.say(random.choice(_SALUTATIONS))  # noqa: S311  (a greeting)
