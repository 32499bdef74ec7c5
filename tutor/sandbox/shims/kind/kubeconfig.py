"""How kind writes its clusters into kubeconfig files, and takes them out again.

Source: kind v0.20.0, pkg/cluster/internal/kubeconfig.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from tutor.sandbox.shims import tree, yamltext

_LISTS = ("clusters", "users", "contexts")


class KubeconfigError(Exception):
    """A kubeconfig cannot be read or written; the text is kind's."""


def key(cluster: str) -> str:
    """What a cluster, its user and its context are called."""
    return f"kind-{cluster}"


def made(cluster: str, found: dict[str, Any], *, internal: bool = False) -> dict[str, Any]:
    """The kubeconfig of a cluster from what the sandbox says of it."""
    name = key(cluster)
    server = found["internal_server" if internal else "server"]
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "preferences": {},
        "current-context": name,
        "clusters": [
            {"name": name, "cluster": {"certificate-authority-data": found["ca"], "server": server}}
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "users": [
            {
                "name": name,
                "user": {
                    "client-certificate-data": found["client_certificate"],
                    "client-key-data": found["client_key"],
                },
            }
        ],
    }


def merge(explicit: str, added: dict[str, Any]) -> None:
    """Put a cluster into the file that kubectl would write to, and make it the current one.

    Raises:
        KubeconfigError: the file cannot be locked, read or written.
    """
    paths = _paths(explicit)
    existing_path = next((path for path in paths if os.path.isfile(path)), paths[-1])
    path = paths[0] if len(paths) == 1 else existing_path
    with _locked(path):
        content = _read(path, "failed to get kubeconfig to merge")
        others = set(content) - {*_LISTS, "current-context"}
        for field in _LISTS:
            content[field] = _with_entry(tree.items(content.get(field)), added[field][0])
        content["current-context"] = added["current-context"]
        if not others:
            content |= {name: added[name] for name in ("apiVersion", "kind", "preferences")}
        _write(path, content)


def remove(explicit: str, cluster: str) -> None:
    """Take a cluster out of every kubeconfig file in use.

    Raises:
        KubeconfigError: a file cannot be locked, read or written.
    """
    name = key(cluster)
    for path in _paths(explicit):
        with _locked(path):
            content = _read(path, "failed to read kubeconfig to remove KIND entry")
            kept: dict[str, Any] = {}
            for field, value in content.items():
                if field in _LISTS:
                    kept[field] = [
                        entry for entry in tree.items(value) if tree.at(entry, "name") != name
                    ]
                elif field != "current-context" or value != name:
                    kept[field] = value
            if kept != content:
                empty = [field for field in _LISTS if not kept.get(field)]
                _write(path, {field: kept[field] for field in kept if field not in empty})


def encode(content: dict[str, Any]) -> str:
    """A kubeconfig as kind writes it."""
    return yamltext.dump(content) if content else ""


def _with_entry(entries: list[Any], added: dict[str, Any]) -> list[Any]:
    replaced = [added if tree.at(entry, "name") == added["name"] else entry for entry in entries]
    return replaced if added in replaced else [*replaced, added]


def _paths(explicit: str) -> list[str]:
    if explicit:
        return [explicit]
    listed = os.environ.get("KUBECONFIG", "").split(os.pathsep)
    found = list(dict.fromkeys(path for path in listed if path))
    return found or [os.path.join(os.environ.get("HOME", ""), ".kube", "config")]


@contextmanager
def _locked(path: str) -> Generator[None]:
    """Hold client-go's lock on a kubeconfig: a file beside it that must not be there yet."""
    lock = f"{path}.lock"
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL, 0))
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise KubeconfigError(f"failed to lock config file: open {lock}: {reason}") from None
    try:
        yield
    finally:
        os.unlink(lock)


def _read(path: str, failed: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            content = yamltext.load(file.read(), v3=True)
    except FileNotFoundError:
        return {}
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise KubeconfigError(f"{failed}: open {path}: {reason}") from None
    except yamltext.YamlError as error:
        raise KubeconfigError(f"{failed}: {error}") from None
    if content is not None and tree.json_type(content) != "object":
        kind = {"array": "!!seq", "string": f"!!str `{content}`"}.get(
            tree.json_type(content), "!!int"
        )
        raise KubeconfigError(
            f"{failed}: yaml: unmarshal errors:\n  line 1: cannot unmarshal {kind} "
            "into kubeconfig.Config"
        )
    return tree.mapping(content)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _write(path: str, content: dict[str, Any]) -> None:
    try:
        with open(path, "w", encoding="utf-8", opener=_private) as file:
            file.write(encode(content))
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise KubeconfigError(f"failed to write KUBECONFIG: open {path}: {reason}") from None
