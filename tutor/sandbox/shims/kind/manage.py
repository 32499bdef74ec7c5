"""`kind get`, `kind delete` and `kind export`.

Source: kind v0.20.0, pkg/cmd/kind.
"""

from __future__ import annotations

import os
from typing import Any

from tutor.sandbox.shims import gotext, tree
from tutor.sandbox.shims.flags import UsageError, Values
from tutor.sandbox.shims.kind import names, sandbox
from tutor.sandbox.shims.kind.failure import SandboxError
from tutor.sandbox.shims.kind.terminal import Terminal
from tutor.sandbox.shims.kind.version import display


def clusters(_flags: Values, terminal: Terminal) -> int:
    """`kind get clusters`."""
    found = _clusters()
    if not found:
        terminal.say("No kind clusters found.")
    for name in found:
        print(name)
    return 0


def nodes(flags: Values, terminal: Terminal) -> int:
    """`kind get nodes`."""
    everywhere = flags.truth("all-clusters")
    name = names.chosen(flags)
    found = [node for each in (_clusters() if everywhere else [name]) for node in _nodes(each)]
    if not found and everywhere:
        terminal.say("No kind nodes for any cluster.")
    elif not found:
        terminal.say(f"No kind nodes found for cluster {gotext.quote(name)}.")
    for node in found:
        print(node)
    return 0


def get_kubeconfig(flags: Values, _terminal: Terminal) -> int:
    """`kind get kubeconfig`."""
    from tutor.sandbox.shims.kind import kubeconfig

    print(kubeconfig.encode(_kubeconfig(flags)))
    return 0


def export_kubeconfig(flags: Values, terminal: Terminal) -> int:
    """`kind export kubeconfig`."""
    from tutor.sandbox.shims.kind import kubeconfig

    content = _kubeconfig(flags)
    try:
        kubeconfig.merge(flags.text("kubeconfig"), content)
    except kubeconfig.KubeconfigError as error:
        raise UsageError(str(error)) from None
    terminal.say(f'Set kubectl context to "{kubeconfig.key(names.chosen(flags))}"')
    return 0


def export_logs(flags: Values, terminal: Terminal, folder: str) -> int:
    """`kind export logs`, of which the sandbox has only kind's own version."""
    name = names.chosen(flags)
    if not _nodes(name):
        raise UsageError(f"unknown cluster {gotext.quote(name)}")
    if not folder:
        import tempfile

        folder = tempfile.mkdtemp()
    terminal.say(f"Exporting logs for cluster {gotext.quote(name)} to:")
    print(folder)
    try:
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "kind-version.txt"), "w", encoding="utf-8") as file:
            file.write(f"{display()}\n")
    except OSError as error:
        raise UsageError(f"cannot write to {folder}: {error.strerror}") from None
    terminal.warn(
        "the sandbox has no containers and so no logs of them: only kind-version.txt was written"
    )
    return 0


def delete_cluster(flags: Values, terminal: Terminal) -> int:
    """`kind delete cluster`."""
    name = names.chosen(flags)
    quoted = gotext.quote(name)
    terminal.say(f"Deleting cluster {quoted} ...")
    try:
        _delete(name, flags.text("kubeconfig"), terminal)
    except (UsageError, SandboxError) as error:
        raise UsageError(f"failed to delete cluster {quoted}: {error}") from None
    return 0


def delete_clusters(flags: Values, terminal: Terminal, named: list[str]) -> int:
    """`kind delete clusters`."""
    if not flags.truth("all") and not named:
        raise UsageError("no cluster names provided")
    deleted: list[str] = []
    for name in _clusters() if flags.truth("all") else named:
        try:
            _delete(name, flags.text("kubeconfig"), terminal)
        except (UsageError, SandboxError) as error:
            terminal.say(f"failed to delete cluster {gotext.quote(name)}: {error}")
        else:
            deleted.append(name)
    terminal.say(f"Deleted clusters: {names.listed(deleted)}")
    return 0


def _delete(name: str, path: str, terminal: Terminal) -> None:
    from tutor.sandbox.shims.kind import kubeconfig

    problem: kubeconfig.KubeconfigError | None = None
    try:
        kubeconfig.remove(path, name)
    except kubeconfig.KubeconfigError as error:
        terminal.say(f"failed to update kubeconfig: {error}")
        problem = error
    reply = sandbox.ask({"do": "delete-cluster", "name": name})
    if gone := tree.items(reply.get("nodes")):
        terminal.say(f"Deleted nodes: {names.listed(gone)}")
    if problem:
        raise UsageError(str(problem))


def _clusters() -> list[str]:
    return [str(name) for name in tree.items(sandbox.ask({"do": "clusters"}).get("clusters"))]


def _nodes(name: str) -> list[str]:
    return [
        str(node) for node in tree.items(sandbox.ask({"do": "nodes", "name": name}).get("nodes"))
    ]


def _kubeconfig(flags: Values) -> dict[str, Any]:
    from tutor.sandbox.shims.kind import kubeconfig

    name, internal = names.chosen(flags), flags.truth("internal")
    try:
        reply = sandbox.ask({"do": "kubeconfig", "name": name, "internal": internal})
    except SandboxError as error:
        if error.reply.get("error") != "unknown-cluster":
            raise
        raise UsageError(
            f"could not locate any control plane nodes for cluster named '{name}'. "
            "Use the --name option to select a different cluster"
        ) from None
    return kubeconfig.made(name, tree.mapping(reply.get("kubeconfig")), internal=internal)
