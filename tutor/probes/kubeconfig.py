"""The kubeconfig that the learner's commands use, followed as it appears, changes and goes.

Only the file and the context given are ever read; never the machine's own.
"""

import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutor.probes.base import Absent
from tutor.probes.failures import Unusable

STAMP_INTERVAL_S = 0.1
"""How often the file is compared with what it was: the file, never the server."""

_INVALID = "Invalid kube-config file. "
"""What the Kubernetes client puts before what is wrong with a file."""

_EMPTY = "Expected key current-context"
"""What it says of one from which the only cluster was deleted."""

NOT_LOOKED = Absent("the cluster has not answered yet")


@dataclass(frozen=True, slots=True)
class Connection:
    """A client for one state of the kubeconfig, or why there is none."""

    generation: int
    client: Any
    """A `tutor.probes.kubeapi.Client`, or `Absent`."""


class Kubeconfig:
    """Hands out the current client; tells when there is another."""

    def __init__(
        self, file: Path, context: str | None, *, keys: Path, environment: Mapping[str, str]
    ) -> None:
        self._file = file
        self._context = context
        self._keys = keys
        self._environment = environment
        self._closing = threading.Event()
        self._renewal = threading.Event()
        self._lock = threading.Lock()
        self._current = Connection(0, NOT_LOOKED)
        self._listeners: list[Callable[[], None]] = []
        self._thread = threading.Thread(target=self._follow, name="kubeconfig", daemon=True)

    def start(self) -> None:
        """Begin to follow the file."""
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._closing.set()
        self._renewal.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener`, from another thread, whenever there is another connection."""
        with self._lock:
            self._listeners.append(listener)

    @property
    def current(self) -> Connection:
        """The connection to use now."""
        return self._current

    def renew(self, generation: int) -> None:
        """Read the credentials again: those of that generation are not accepted."""
        if generation == self._current.generation:
            self._renewal.set()

    def _follow(self) -> None:
        stamp: Hashable = ()
        text: str | None = None
        while not self._closing.is_set():
            renewing = self._renewal.is_set()
            self._renewal.clear()
            if (now := self._stamp()) != stamp or renewing:
                stamp = now
                read = self._text()
                if read != text or renewing:
                    text = read
                    self._replace(text)
            self._renewal.wait(STAMP_INTERVAL_S)

    def _stamp(self) -> Hashable:
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _text(self) -> str:
        try:
            return self._file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def _replace(self, text: str) -> None:
        """Make a client for what the file says now, and tell."""
        missing = Absent(f"there is no kubeconfig {self._file.name} yet")
        client = self._client() if text.strip() else missing
        with self._lock:
            self._current = Connection(self._current.generation + 1, client)
            listeners = list(self._listeners)
        for listener in listeners:
            listener()

    def _client(self) -> Any:
        # 350 ms of imports that the first screen does not need, so here, in this thread.
        from tutor.probes.kubeapi import Client  # noqa: PLC0415

        try:
            return Client(self._file, self._context, keys=self._keys, environment=self._environment)
        except Unusable as error:
            why = str(error).removeprefix(_INVALID).replace(f" in {self._file}", "")
            named = f"the kubeconfig {self._file.name} names no cluster yet"
            return Absent(named if why == _EMPTY else f"{named}: {why}")
