"""The cache of cluster credentials, shared with a real pinniped: same file, lock and keys.

Every failure is silent, as in the real one: a login then goes to the cluster.
Source: pinniped v0.25.0, internal/execcredcache.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tutor.sandbox.shims import tree
from tutor.sandbox.shims.pinniped.execinfo import cluster_info, compact

_TYPE = {"apiVersion": "config.supervisor.pinniped.dev/v1alpha1", "kind": "CredentialCache"}
_LOCK_S = 10.0
_POLL_S = 0.01
_OLDEST = timedelta(hours=1)


def key(arguments: list[str], token: str) -> str:
    """The name under which a login's credential is kept: its command line, token and cluster."""
    cluster: dict[str, Any] | None = None
    try:
        told = json.loads(os.environ.get("KUBERNETES_EXEC_INFO", ""))
    except ValueError:
        told = None
    if described := tree.mapping(tree.at(told, "spec", "cluster")):
        cluster = {**cluster_info(described), "config": described.get("config")}
    named = compact({"args": arguments, "token": token, "cluster": cluster})
    return hashlib.sha256(f"{named}\n".encode()).hexdigest()


def get(path: str, name: str) -> dict[str, Any] | None:
    """The credential kept under this name while it is good, and note that it was used."""
    if not os.path.exists(path):
        return None
    found: list[dict[str, Any]] = []

    def look(entries: list[dict[str, Any]], now: datetime) -> None:
        for entry in entries:
            if entry.get("key") == name and not found:
                entry["lastUsedTimestamp"] = _written(now)
                found.append(tree.mapping(entry["credential"]))

    _with_entries(path, look)
    return found[0] if found else None


def put(path: str, name: str, credential: dict[str, Any]) -> None:
    """Keep a credential under this name."""

    def store(entries: list[dict[str, Any]], now: datetime) -> None:
        for entry in entries:
            if entry.get("key") == name:
                entry.update(credential=credential, lastUsedTimestamp=_written(now))
                return
        stamp = _written(now)
        entries.append(
            {
                "key": name,
                "creationTimestamp": stamp,
                "lastUsedTimestamp": stamp,
                "credential": credential,
            }
        )

    try:
        os.makedirs(os.path.dirname(path) or ".", mode=0o700, exist_ok=True)
    except OSError:
        return
    _with_entries(path, store)


def _with_entries(path: str, change: Callable[[list[dict[str, Any]], datetime], None]) -> None:
    """Let `change` edit the good entries, then write the file."""
    try:
        lock = os.open(f"{path}.lock", os.O_CREAT | os.O_RDONLY, 0o600)
    except OSError:
        return
    try:
        if not _locked(lock):
            return
        now = datetime.now(tz=UTC)
        entries = _good(_read(path), now)
        change(entries, now)
        from tutor.sandbox.shims import yamltext

        content = yamltext.dump({**_TYPE, "credentials": _good(entries, now)})
        with open(path, "w", encoding="utf-8", opener=_private) as file:
            file.write(content)
    except OSError:
        return
    finally:
        os.close(lock)


def _locked(lock: int) -> bool:
    deadline = time.monotonic() + _LOCK_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
        else:
            return True


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _read(path: str) -> list[dict[str, Any]]:
    from tutor.sandbox.shims import yamltext

    try:
        with open(path, encoding="utf-8") as file:
            content = yamltext.load(file.read())
    except (OSError, ValueError):
        return []
    if any(tree.at(content, name) != wanted for name, wanted in _TYPE.items()):
        return []
    return [tree.mapping(entry) for entry in tree.items(tree.at(content, "credentials"))]


def _good(entries: list[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """Entries that may still be used, the oldest first."""
    kept: list[tuple[datetime, dict[str, Any]]] = []
    for entry in entries:
        expires = _moment(tree.at(entry, "credential", "expirationTimestamp"))
        created = _moment(entry.get("creationTimestamp"))
        if expires and created and expires >= now and created >= now - _OLDEST:
            kept.append((created, entry))
    return [entry for _, entry in sorted(kept, key=lambda pair: pair[0])]


def _moment(stamp: object) -> datetime | None:
    try:
        return datetime.fromisoformat(tree.text(stamp)).astimezone(UTC)
    except ValueError:
        return None


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
