"""The clusters of a sandbox: made, kept over restarts, deleted."""

import asyncio
import contextlib
import errno
import json
import logging
import shutil
import socket
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tutor.errors import ClusterError
from tutor.sandbox.cluster.assembly import STATE, Cluster, running
from tutor.sandbox.cluster.settings import NODE_ADDRESS, ClusterSettings, HostPort
from tutor.sandbox.component import Component, Publish
from tutor.sandbox.pace import PACES, Pace, PaceName
from tutor.sandbox.process.protocol import Refused

log = logging.getLogger(__name__)

STEPS = (
    "Ensuring node image",
    "Preparing nodes",
    "Writing configuration",
    "Starting control-plane",
    "Installing CNI",
    "Installing StorageClass",
)
EVERYWHERE = "0.0.0.0"  # noqa: S104 - what kind says; nothing listens there
_UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError)
_MAX_PORT = 65_535
_RECORD = "cluster.json"
_PAGE = 512
"""Bytes that a database has at least; SQLite takes less for none."""
SETTLED_S = 10.0
"""How long clusters that were there before are waited for."""

Report = Callable[[str, str], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What is left to programs outside the sandbox."""

    without: tuple[str, ...] = ()
    """Components that are off."""
    peers: tuple[tuple[str, int], ...] = ()
    """Services, as `NAMESPACE/NAME`, and the loopback port that each leads to."""


WHOLE = Outside()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterRecord:
    """What must be known to start a cluster again."""

    name: str
    port: int
    """The API server's loopback port, the same for life: kubeconfigs name it."""
    host_ports: tuple[tuple[int, int], ...] = ()
    """Pairs of container port and host port."""
    outside: Outside = WHOLE

    @property
    def node(self) -> str:
        """The name of the node."""
        return f"{self.name}-control-plane"


class Clusters:
    """Runs clusters in `group` and remembers them in files below `folder`."""

    def __init__(
        self,
        folder: Path,
        components: dict[str, Component],
        pace: PaceName,
        group: asyncio.TaskGroup,
        publish: Publish,
    ) -> None:
        self._folder = folder
        self._components = components
        self._pace: Pace = PACES[pace]
        self._group = group
        self._publish = publish
        self._records: dict[str, ClusterRecord] = {}
        self._running: dict[str, Cluster] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._failures: dict[str, Refused] = {}
        self._changed = asyncio.Condition()
        self._removing = asyncio.Lock()

    @property
    def names(self) -> list[str]:
        """Every cluster there is, in order of name."""
        return sorted(self._records)

    def record(self, name: str) -> ClusterRecord | None:
        """What is remembered of a cluster."""
        return self._records.get(name)

    def cluster(self, name: str) -> Cluster | None:
        """A cluster that runs."""
        return self._running.get(name)

    def running(self) -> list[Cluster]:
        """Every cluster that runs."""
        return list(self._running.values())

    def restore(self) -> None:
        """Start what was there before; what was left half-made is removed."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in sorted(self._folder.iterdir()):
            if folder.is_symlink() or not folder.is_dir():
                log.warning("not a cluster", extra={"path": str(folder)})
                continue
            file = folder / _RECORD
            if not file.exists():
                shutil.rmtree(folder)
                continue
            try:
                record = _recalled(folder.name, file.read_text())
                _check_there(folder / STATE)
            except _UNREADABLE as error:
                # Its name and its folder are taken: whoever asks for it hears of it.
                self._records[folder.name] = ClusterRecord(name=folder.name, port=0)
                self._failures[folder.name] = _damaged(folder, error)
                continue
            self._records[record.name] = record
            self._launch(record)

    async def create(
        self,
        name: str,
        host_ports: tuple[tuple[int, int], ...],
        report: Report,
        *,
        watched: bool = True,
        outside: Outside = WHOLE,
    ) -> Cluster:
        """Make a cluster; returns when its API server answers.

        `watched` takes the time that a person needs to read each step.

        Raises:
            Refused: `exists`; `port-in-use` with the port, when another cluster's node has it;
                `unknown-component`.
        """
        async with self._removing:
            pass  # one of that name may be on its way out, and its folder with it
        if name in self._records:
            raise Refused("exists", f"There is a cluster named {name} already.")
        self._refuse_unknown(outside.without)
        record = ClusterRecord(name=name, port=_free_port(), host_ports=host_ports, outside=outside)
        await self._refuse_taken_ports(record, report)
        self._records[name] = record
        try:
            cluster = await self._make(record, report, self._pace.cluster_step if watched else 0)
        except BaseException:
            await self._discard(record)
            raise
        self._remember(record)
        return cluster

    def _refuse_unknown(self, names: Iterable[str]) -> None:
        unknown = next((name for name in names if name not in self._components), None)
        if unknown is not None:
            raise Refused(
                "unknown-component",
                f"There is no component named {unknown}.",
                next_action=f"Name one of these: {', '.join(sorted(self._components))}.",
            )

    async def _refuse_taken_ports(self, record: ClusterRecord, report: Report) -> None:
        """Fail where kind does: when the node's container is to get its ports."""
        taken = (host for _, host in record.host_ports if self.owner_of_host_port(host))
        port = next(taken, None)
        if port is None:
            return
        await report(STEPS[0], "start")
        await report(STEPS[0], "done")
        await report(STEPS[1], "start")
        await report(STEPS[1], "failed")
        raise Refused(
            "port-in-use",
            f"Port {port} belongs to another cluster.",
            port=port,
            listen=EVERYWHERE,
            api_port=record.port,
            holder="kind",
            deleted=[record.node],
        )

    async def _make(self, record: ClusterRecord, report: Report, least_s: float) -> Cluster:
        cluster: Cluster | None = None
        loop = asyncio.get_running_loop()
        for step in STEPS:
            await report(step, "start")
            until = loop.time() + least_s
            if step == "Starting control-plane":
                cluster = await self.ready(record.name)
            await asyncio.sleep(until - loop.time())
            await report(step, "done")
        if cluster is None:
            raise Refused("failed", "The control plane did not start.")
        return cluster

    async def ready(self, name: str) -> Cluster:
        """Wait until a cluster runs; one that is new, or has failed, is started.

        Raises:
            Refused: It does not start, with the reason.
        """
        record = self._records.get(name)
        if record is not None and record.port and self._has_ended(name):
            self._launch(record)
        async with self._changed:
            while name not in self._running:
                if self._has_ended(name):
                    unknown = Refused("failed", "The cluster did not start; the log says why.")
                    raise self._failures.get(name, unknown)
                await self._changed.wait()
        return self._running[name]

    async def settled(self) -> None:
        """Wait until none is on its way: for a moment after a start their servers do not listen."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLED_S), self._changed:
                await self._changed.wait_for(lambda: not any(map(self._starts, self._records)))

    def _starts(self, name: str) -> bool:
        return name not in self._running and not self._has_ended(name)

    def _has_ended(self, name: str) -> bool:
        task = self._tasks.get(name)
        return task is None or task.done() or name in self._failures

    async def delete(self, name: str) -> ClusterRecord | None:
        """Stop and forget a cluster; None when there is none of that name."""
        record = self._records.get(name)
        if record is None:
            return None
        await self._discard(record)
        return record

    def owner_of_host_port(self, port: int) -> ClusterRecord | None:
        """The cluster whose node has this port of the host."""
        found = (r for r in self._records.values() if any(h == port for _, h in r.host_ports))
        return next(found, None)

    def behind_host_port(self, port: int) -> int | None:
        """The loopback port behind a port of the host.

        0 when a node has the port and nothing listens behind it; None when no node has it.
        """
        record = self.owner_of_host_port(port)
        if record is None:
            return None
        cluster = self._running.get(record.name)
        if cluster is None:
            return 0
        inside = next(c for c, h in record.host_ports if h == port)
        return cluster.network.bound(NODE_ADDRESS, inside) or 0

    def _remember(self, record: ClusterRecord) -> None:
        file = self._folder / record.name / _RECORD
        draft = file.with_suffix(".new")
        draft.write_text(json.dumps(asdict(record)))
        draft.replace(file)

    async def _discard(self, record: ClusterRecord) -> None:
        name = record.name
        async with self._removing:
            if self._records.get(name) is not record:
                return  # somebody else has, and there may be a new one of that name
            del self._records[name]
            task = self._tasks.pop(name, None)
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            shutil.rmtree(self._folder / name, ignore_errors=True)

    def _launch(self, record: ClusterRecord) -> None:
        self._failures.pop(record.name, None)
        task = self._group.create_task(self._run(record), name=f"cluster {record.name}")
        self._tasks[record.name] = task

    async def _run(self, record: ClusterRecord) -> None:
        settings = ClusterSettings(
            name=record.name,
            folder=self._folder / record.name,
            node=record.node,
            node_port_mappings=tuple(HostPort(container=c, host=h) for c, h in record.host_ports),
            pace=self._pace,
            components={
                name: component
                for name, component in self._components.items()
                if name not in record.outside.without
            },
            peers=dict(record.outside.peers),
            port=record.port,
            publish=lambda kind, hop: self._publish(kind, {"cluster": record.name, **hop}),
        )
        try:
            async with running(settings) as cluster:
                await self._tell(lambda: self._running.__setitem__(record.name, cluster))
                await asyncio.Event().wait()
        except* (ClusterError, OSError) as errors:
            error = _first(errors)
            log.error("cluster did not start", extra={"cluster": record.name, "why": str(error)})  # noqa: TRY400 - no bug
            self._failures[record.name] = _refusal(error)
        finally:
            self._running.pop(record.name, None)
            with contextlib.suppress(asyncio.CancelledError):
                await self._tell(lambda: None)

    async def _tell(self, change: Callable[[], Any]) -> None:
        async with self._changed:
            change()
            self._changed.notify_all()


def _recalled(name: str, text: str) -> ClusterRecord:
    """A record from its file, which may be of an older version, or anything at all."""
    content = json.loads(text)
    port = int(content["port"])
    if content["name"] != name or not 0 < port <= _MAX_PORT:
        raise ValueError("not the record of this cluster")
    outside = content.get("outside") or {"without": (), "peers": ()}
    return ClusterRecord(
        name=name,
        port=port,
        host_ports=tuple((int(c), int(h)) for c, h in content["host_ports"]),
        outside=Outside(
            without=tuple(outside["without"]),
            peers=tuple((str(service), int(port)) for service, port in outside["peers"]),
        ),
    )


def _check_there(state: Path) -> None:
    """Raise OSError where the state of a cluster is gone: an empty one would be made in silence."""
    written = state.with_name(f"{state.name}-wal")
    if state.stat().st_size < _PAGE and not (written.exists() and written.stat().st_size):
        raise OSError(errno.ENODATA, "it is empty or cut off", str(state))


def _damaged(folder: Path, error: Exception) -> Refused:
    file, why = folder / _RECORD, "it is no record of this cluster"
    if isinstance(error, OSError):
        file, why = Path(error.filename or file), error.strerror or str(error)
    return Refused(
        "failed",
        f"The cluster {folder.name} cannot be started from {file}: {why}.",
        next_action=f"Put the file back, or remove the folder {folder} to make the cluster anew.",
    )


def _first(errors: ExceptionGroup[ClusterError | OSError]) -> ClusterError | OSError:
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first


def _refusal(error: ClusterError | OSError) -> Refused:
    if isinstance(error, ClusterError):
        return Refused("failed", error.message, next_action=error.next_action)
    return Refused(
        "failed",
        f"The cluster did not start: {_named(error)}{error.strerror or error}.",
        next_action="Free space or mend the permissions of the home folder, and try again.",
    )


def _named(error: OSError) -> str:
    return f"{error.filename}: " if error.filename else ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
