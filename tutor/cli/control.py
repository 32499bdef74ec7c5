"""The client's side of the sandbox's control socket."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tutor import paths
from tutor.cli.kubectl import find_own
from tutor.errors import ClusterError

Reply = dict[str, Any]


def ensure_running(root: Path, pace: str = "watchable") -> None:
    """Start the sandbox of a home folder unless it runs.

    Raises:
        ClusterError: It does not start.
    """
    if is_running(root):
        return
    command = [sys.executable, "-m", "tutor.sandbox.process", "--home", str(root)]
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(  # noqa: S603 - our own interpreter and module
        [*command, "--pace", pace, "--detach"],
        capture_output=True,
        text=True,
        check=False,
        env=environ,
    )
    if done.returncode:
        raise ClusterError(
            done.stderr.strip() or "The sandbox did not start.",
            next_action=(
                "Free space or mend permissions there, or set TUTOR_HOME to another folder;"
                f" {paths.logs_dir(root)} has the log."
            ),
        )


def is_running(root: Path) -> bool:
    """Whether a sandbox answers for a home folder."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(paths.socket_path(root)))
        except OSError:
            return False
    return True


@contextmanager
def _asked(root: Path, request: Mapping[str, Any]) -> Generator[Generator[Reply]]:
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(paths.socket_path(root)))
        except OSError as error:
            raise ClusterError(
                "The sandbox does not run.", next_action="Start it with `tutor sandbox up`."
            ) from error
        connection.sendall(json.dumps(request).encode() + b"\n")
        with connection.makefile("rb") as lines:
            yield (json.loads(line) for line in lines)


def ask(
    root: Path, do: str, *, on_reply: Callable[[Reply], None] | None = None, **more: Any
) -> Reply:
    """Ask for an operation and return its last reply; the others go to `on_reply`.

    Raises:
        ClusterError: The sandbox does not run, or refuses.
    """
    with _asked(root, {"do": do, **more}) as replies:
        for reply in replies:
            if "ok" not in reply:
                if on_reply is not None:
                    on_reply(reply)
                continue
            if reply["ok"]:
                return reply
            raise ClusterError(
                reply["message"], next_action=reply.get("next_action", "`tutor sandbox status`.")
            )
    raise ClusterError(
        "The sandbox ended while it was asked.", next_action="Start it with `tutor sandbox up`."
    )


def environment(root: Path, hosts_file: Path, kubectl: str = "bundled") -> dict[str, str | None]:
    """What a shell of the sandbox needs; None for variables to be unset.

    `kubectl` is the setting of that name.
    """
    ensure_running(root)
    own = find_own(os.environ, root / "bin") if kubectl == "own" else None
    answer = ask(
        root,
        "environment",
        hosts=str(hosts_file),
        environ=dict(os.environ),
        kubectl=str(own or ""),
    )
    return answer["environment"]
