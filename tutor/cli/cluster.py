"""`tutor sandbox`: the embedded cluster without the tutorial."""

import argparse
import json
import os
import shlex
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tutor import paths
from tutor.cli.control import ask, ensure_running, environment, is_running
from tutor.errors import ClusterError

_DOWN_S = 10.0


def operate(chosen: argparse.Namespace) -> int:
    """Run one operation."""
    root = paths.home(os.environ)
    return _OPERATIONS[chosen.operation](root, chosen)


def _up(root: Path, chosen: argparse.Namespace) -> int:
    ensure_running(root, chosen.pace)
    peers = dict[str, int](chosen.peer)
    answer = ask(root, "up", without=chosen.without, peers=peers)
    file = root / "kubeconfig"
    _write(file, kubeconfig_text(answer["name"], answer["kubeconfig"]))
    print(f"The cluster `{answer['name']}` answers at {answer['kubeconfig']['server']}.")
    print('In this shell:  eval "$(tutor sandbox env)"  then  kubectl get nodes')
    return 0


def _down(root: Path, _chosen: argparse.Namespace) -> int:
    ran = stop(root)
    kept = "The sandbox has stopped; its clusters are kept."
    print(kept if ran else "The sandbox does not run.")
    return 0


def stop(root: Path) -> bool:
    """End the sandbox and wait for its end; False when it did not run."""
    if not is_running(root):
        return False
    ask(root, "stop")
    deadline = time.monotonic() + _DOWN_S
    while is_running(root) and time.monotonic() < deadline:
        time.sleep(0.02)
    return True


def _status(root: Path, chosen: argparse.Namespace) -> int:
    if not is_running(root):
        print(json.dumps({"running": False}) if chosen.json else "The sandbox does not run.")
        return 0
    answer = ask(root, "status")
    if chosen.json:
        print(json.dumps({"running": True} | answer))
        return 0
    print(f"The sandbox runs (pid {answer['pid']}) in {root}.")
    for cluster in answer["clusters"]:
        state = "running" if cluster["running"] else "starting"
        print(f"  {cluster['name']:24} {state:10} {cluster['server']}")
        for component in cluster["without"]:
            print(f"    without {component}")
        for service, port in cluster["peers"].items():
            print(f"    the Service {service} leads to 127.0.0.1:{port}")
    if not answer["clusters"]:
        print("  no clusters; `tutor sandbox up` makes one")
    for what, count in answer.get("not_simulated", {}).items():
        print(f"  not simulated, asked {count} times: {what}")
    return 0


def _env(root: Path, _chosen: argparse.Namespace) -> int:
    from tutor.cli.progress import lesson_at_hand
    from tutor.settings import load

    file, hosts = root / "kubeconfig", root / "hosts"
    lesson = lesson_at_hand(root)
    more: dict[str, str] = {}
    if lesson is not None:
        work = paths.work_dir(root, lesson.id, "sandbox")
        hosts = work / "hosts"
        more["TUTOR_WORK"] = str(work)
        if Path.cwd().is_relative_to(work) or not file.exists():
            file = work / lesson.kubeconfig
    if lesson is not None or file.exists():
        more["KUBECONFIG"] = str(file)
    found = environment(root, hosts, load(os.environ, root).kubectl) | more
    is_fish = Path(os.environ.get("SHELL", "")).name == "fish"
    for name, value in found.items():
        print(_fish(name, value) if is_fish else _posix(name, value))
    return 0


def _posix(name: str, value: str | None) -> str:
    return f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}"


def _fish(name: str, value: str | None) -> str:
    if value is None:
        return f"set -e {name}"
    if name == "PATH":
        return f"set -gx PATH {' '.join(shlex.quote(part) for part in value.split(':'))}"
    return f"set -gx {name} {shlex.quote(value)}"


def _kubeconfig(root: Path, chosen: argparse.Namespace) -> int:
    ensure_running(root)
    answer = ask(root, "kubeconfig", name=chosen.name)
    sys.stdout.write(kubeconfig_text(chosen.name, answer["kubeconfig"]))
    return 0


def kubeconfig_text(name: str, credentials: Mapping[str, str]) -> str:
    """A kubeconfig in the form that kind writes."""
    context = f"kind-{name}"
    return (
        "apiVersion: v1\nclusters:\n- cluster:\n"
        f"    certificate-authority-data: {credentials['ca']}\n"
        f"    server: {credentials['server']}\n"
        f"  name: {context}\ncontexts:\n- context:\n    cluster: {context}\n"
        f"    user: {context}\n  name: {context}\ncurrent-context: {context}\n"
        "kind: Config\npreferences: {}\nusers:\n"
        f"- name: {context}\n  user:\n"
        f"    client-certificate-data: {credentials['client_certificate']}\n"
        f"    client-key-data: {credentials['client_key']}\n"
    )


def _trace(root: Path, chosen: argparse.Namespace) -> int:
    def show(reply: dict[str, Any]) -> None:
        hop = reply["hop"]
        if chosen.json:
            print(json.dumps(hop), flush=True)
            return
        rest = "  ".join(f"{k}={v}" for k, v in hop.items() if k not in ("time", "kind"))
        print(f"{hop['time'][11:23]}  {hop['kind']:10} {rest}", flush=True)

    ask(root, "trace", follow=chosen.follow, on_reply=show)
    return 0


def _reset(root: Path, _chosen: argparse.Namespace) -> int:
    ensure_running(root)
    for name in ask(root, "clusters")["clusters"]:
        ask(root, "delete-cluster", name=name)
        print(f"Deleted the cluster {name}.")
    (root / "kubeconfig").unlink(missing_ok=True)
    return 0


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        draft.touch(mode=0o600)
        draft.write_text(text)
        draft.replace(path)
    except OSError as error:
        raise ClusterError(
            f"{path} cannot be written: {error.strerror or error}.",
            next_action="Free space, or set TUTOR_HOME to another folder.",
        ) from error


_OPERATIONS: dict[str, Callable[[Path, argparse.Namespace], int]] = {
    "up": _up,
    "down": _down,
    "status": _status,
    "env": _env,
    "kubeconfig": _kubeconfig,
    "trace": _trace,
    "reset": _reset,
}
