"""The client's side of the sandbox's socket, which makes and unmakes clusters.

A request is one line of JSON on a connection of its own to the Unix socket that `TUTOR_SOCKET`
names. The answer is one or more lines of JSON; the line with `ok` is the last one.

`{"do": "clusters"}`
    `{"ok": true, "clusters": ["NAME", ...]}`
`{"do": "nodes", "name": "NAME"}`
    `{"ok": true, "nodes": ["NAME-control-plane", ...]}`; no such cluster has no nodes
`{"do": "kubeconfig", "name": "NAME", "internal": false}`
    `{"ok": true, "kubeconfig": KUBECONFIG}` or `{"ok": false, "error": "unknown-cluster"}`
`{"do": "delete-cluster", "name": "NAME"}`
    `{"ok": true, "nodes": ["NAME-control-plane", ...]}`; no such cluster has no nodes
`{"do": "create-cluster", "name": "NAME", "nodes": 1, "roles": ["control-plane"], "image": "IMAGE",
"wait_s": 0.0, "retain": false, "ports": [{"container": 80, "host": 80, "listen": "0.0.0.0",
"protocol": "TCP"}, ...], "networking": {...}}`
    any number of `{"step": STEP, "state": "start"}`, each followed by `"done"` or `"failed"` for
    the same step, then `{"ok": true, "kubeconfig": KUBECONFIG}` or a failure.
    `roles` has one entry a node. `networking` is the mapping of the configuration file as it is.
    `wait_s` is how long the step `Waiting` may take, 0 for not at all; it is done with
    `{"step": "Waiting", "state": "done", "seconds": 15.2}`, and when it fails the cluster is
    there all the same.
    `STEP` is `Ensuring node image`, `Preparing nodes`, `Configuring the external load balancer`,
    `Writing configuration`, `Starting control-plane`, `Installing CNI`,
    `Installing StorageClass`, `Joining more control-plane nodes`, `Joining worker nodes` or
    `Waiting`.

`KUBECONFIG` is `{"server": URL, "internal_server": URL, "ca": B64, "client_certificate": B64,
"client_key": B64}`, each `B64` being base64 of PEM as kubeconfigs hold it.

A failure is `{"ok": false, "error": CODE, "message": TEXT}`. For `create-cluster` the codes
`exists` and `port-in-use` have kind's own text; the latter comes with `"port": 443`,
`"listen": "0.0.0.0"`, `"api_port": 34135` and `"holder": "kind"` (another cluster) or `"process"`.
Either kind of failure may carry `"deleted": ["NAME-control-plane"]`, the nodes that were cleaned
up. Any other code is told by its `message`, a sentence that says what happened and what to do.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

from tutor.sandbox.shims import tree
from tutor.sandbox.shims.kind.failure import SandboxError

_POLL_S = 0.1
_START_S = 20.0
_GONE = (
    "the sandbox went away in the middle of an answer: "
    "`tutor sandbox status` tells whether it runs; then try again"
)
_HOW = (
    "run kind in the tutorial's shell, or first run: "
    'eval "$(tutor sandbox env)"'  # what a second terminal needs
)


def ask(request: dict[str, Any]) -> dict[str, Any]:
    """The sandbox's last answer to a request.

    Raises:
        SandboxError: there is no sandbox, or it refused.
    """
    *_, last = converse(request, lambda: None)
    return last


def converse(request: dict[str, Any], idle: Callable[[], None]) -> Iterator[dict[str, Any]]:
    """Each answer to a request; `idle` is called ten times a second while there is none.

    Raises:
        SandboxError: there is no sandbox, it went away, or it refused.
    """
    with _connected() as connection:
        connection.settimeout(_POLL_S)
        _send(connection, request)
        waiting = b""
        while True:
            line, newline, rest = waiting.partition(b"\n")
            if newline:
                waiting = rest
                reply = _checked(line)
                yield reply
                if "ok" in reply:
                    return
                continue
            try:
                received = connection.recv(65536)
            except TimeoutError:
                idle()
                continue
            except OSError:
                received = b""
            if not received:
                raise SandboxError(_GONE)
            waiting += received
            idle()


def _send(connection: socket.socket, request: dict[str, Any]) -> None:
    try:
        connection.sendall(json.dumps(request).encode("utf-8") + b"\n")
    except OSError:
        raise SandboxError(_GONE) from None


def _checked(line: bytes) -> dict[str, Any]:
    try:
        reply = tree.mapping(json.loads(line))
    except ValueError:
        raise SandboxError("the sandbox's answer is not JSON: is it of this version?") from None
    if reply.get("ok") is False:
        message = tree.text(reply.get("message")) or tree.text(reply.get("error"))
        # The real one has no cure to tell, and no such failure.
        cure = tree.text(reply.get("next_action"))
        raise SandboxError(f"{message} {cure}".strip(), reply)
    return reply


def _connected() -> socket.socket:
    """A connection to the sandbox, which is started when it does not run."""
    path = os.environ.get("TUTOR_SOCKET", "")
    if not path:
        raise SandboxError(f"no sandbox to make clusters in (TUTOR_SOCKET is not set): {_HOW}")
    try:
        return _connect(path)
    except OSError:
        _start(path)
    try:
        return _connect(path)
    except OSError as error:
        raise SandboxError(
            f"cannot reach the sandbox at {path} ({error.strerror}): "
            "`tutor sandbox status` tells more"
        ) from None


def _connect(path: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection


def _start(path: str) -> None:
    """Run the command that starts the sandbox, until the socket answers."""
    command = os.environ.get("TUTOR_START", "")
    if not command:
        raise SandboxError(f"the sandbox does not run: {_HOW}")
    import shlex

    silent = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_RDWR, 0) for stream in range(3)]
    try:
        words = shlex.split(command)
        starter = os.posix_spawnp(words[0], words, os.environ, file_actions=silent, setsid=True)
    except (OSError, ValueError, IndexError) as error:
        raise SandboxError(f"cannot start the sandbox with `{command}`: {error}") from None
    deadline = time.monotonic() + _START_S
    gone = 0
    while time.monotonic() < deadline:
        try:
            _connect(path).close()
        except OSError:
            gone, status = (gone, 0) if gone else os.waitpid(starter, os.WNOHANG)
            if status:
                break
            time.sleep(_POLL_S)
        else:
            return
    raise SandboxError(
        f"the sandbox did not start: run `{command}` in a terminal to see why, then try again"
    )
