"""Reads a cluster for the probes: for each collection a list, then a watch, on one thread.

Nothing is asked twice: a kind that is not served yet waits for a CustomResourceDefinition, a
kubeconfig that is not there yet for the file; a server that does not answer is asked with growing
pauses.
"""

import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tutor.probes.base import Absent, Blind, Changed, Collection, Objects, Unfollow
from tutor.probes.follower import KINDS, Follower
from tutor.probes.kubeconfig import NOT_LOOKED, Kubeconfig


class Cluster:
    """A `ClusterReader` over the official client. Close it, or leave its `with`."""

    def __init__(
        self,
        kubeconfig: Path,
        *,
        context: str | None = None,
        keys: Path,
        environment: Mapping[str, str],
    ) -> None:
        """`context` is None for the file's current one; `keys` is a folder for key files alone."""
        shutil.rmtree(keys, ignore_errors=True)  # what a killed process has left
        keys.mkdir(mode=0o700, parents=True)
        self._keys = keys
        self._kubeconfig = Kubeconfig(kubeconfig, context, keys=keys, environment=environment)
        self._lock = threading.Lock()
        self._followers: dict[Collection, Follower] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def follow(self, collection: Collection, changed: Changed) -> Unfollow:
        """Begin to follow a collection; it stays followed when nobody listens any more."""
        with self._lock:
            if not self._followers:
                self._kubeconfig.start()
            follower = self._followers.get(collection)
            if follower is None:
                follower = Follower(collection, self._kubeconfig, _Kinds(self))
                self._followers[collection] = follower
                follower.start()
        return follower.listen(changed)

    def look(self, collection: Collection) -> Objects | Absent | Blind:
        """What is known now."""
        with self._lock:
            follower = self._followers.get(collection)
        return follower.state if follower else NOT_LOOKED

    def close(self) -> None:
        """End every thread, and delete the key files."""
        with self._lock:
            followers = list(self._followers.values())
        self._kubeconfig.close()
        for follower in followers:
            follower.close()
        shutil.rmtree(self._keys, ignore_errors=True)


class _Kinds:
    """The custom kinds of the cluster, shared by all who wait for one."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def follow(self, changed: Changed) -> Unfollow:
        return self._cluster.follow(KINDS, changed)

    def look(self) -> Objects | Absent | Blind:
        return self._cluster.look(KINDS)
