"""The process itself: one for each home folder, listening on its control socket.

It outlives the app, and ends when asked to, or after a long time without anybody attached and
without a request.
"""

import asyncio
import base64
import fcntl
import logging
import os
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tutor import __version__, paths
from tutor.errors import ClusterError
from tutor.sandbox.cluster.assembly import Cluster
from tutor.sandbox.component import Component
from tutor.sandbox.pace import PaceName
from tutor.sandbox.process.clusters import WHOLE, Clusters, Outside
from tutor.sandbox.process.front import Front
from tutor.sandbox.process.memory import trim_forever
from tutor.sandbox.process.protocol import (
    MAX_LINE,
    Refused,
    Replies,
    cluster_name_of,
    map_of,
    number_of,
    peers_of,
    ports_of,
    read_request,
    text_of,
    texts_of,
)
from tutor.sandbox.process.trace import Trace
from tutor.sandbox.server.accepting import accepting_at

log = logging.getLogger(__name__)

DEFAULT_CLUSTER = "sandbox"
NODE_IMAGE = "kindest/node:v1.27.3"
IDLE_S = 4 * 3600.0
_IDLE_CHECK_S = 60.0

Operation = Callable[[dict[str, Any], Replies], Awaitable[dict[str, Any]]]


class Daemon:
    """Answers on the control socket."""

    def __init__(self, clusters: Clusters, front: Front, trace: Trace, stop: asyncio.Event) -> None:
        self._clusters = clusters
        self._front = front
        self._trace = trace
        self._stop = stop
        self._attached = 0
        self._last_use = asyncio.get_running_loop().time()
        self._operations: dict[str, Operation] = {
            "attach": self._attach,
            "clusters": self._list,
            "create-cluster": self._create,
            "delete-cluster": self._delete,
            "environment": self._environment,
            "kubeconfig": self._kubeconfig,
            "nodes": self._nodes,
            "status": self._status,
            "stop": self._end,
            "trace": self._follow,
            "up": self._up,
        }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection."""
        replies = Replies(writer)
        self._last_use = asyncio.get_running_loop().time()
        try:
            request = await read_request(reader)
            if request is not None:
                await replies.send(await self._perform(request, replies))
        except Refused as refusal:
            log.info("not a request", extra={"why": str(refusal)})
            await replies.send(refusal.reply())
        except ConnectionError:
            log.debug("client went away")
        finally:
            writer.close()

    async def _perform(self, request: dict[str, Any], replies: Replies) -> dict[str, Any]:
        operation = self._operations.get(request["do"])
        try:
            if operation is None:
                known = ", ".join(sorted(self._operations))
                raise Refused("unknown-operation", f"The sandbox can do: {known}.")
            return {"ok": True} | await operation(request, replies)
        except Refused as refusal:
            return refusal.reply()
        except ConnectionError:
            raise
        except OSError as error:
            log.warning("an operation failed", extra={"do": request["do"], "why": str(error)})
            return Refused(
                "unwritable",
                f"{error.filename or self._front.places.home}: {error.strerror or error}.",
                next_action="Free space or mend the permissions there, and try again.",
            ).reply()

    async def watch_idle(self) -> None:
        """End the process when nobody has used it for a long time."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_IDLE_CHECK_S)
            if not self._attached and loop.time() - self._last_use > IDLE_S:
                log.info("idle")
                self._stop.set()

    async def _attach(self, _request: dict[str, Any], replies: Replies) -> dict[str, Any]:
        """Keep the process alive while the connection lasts."""
        self._attached += 1
        try:
            await replies.send({"attached": True, "pid": os.getpid()})
            await self._stop.wait()
        finally:
            self._attached -= 1
        return {}

    async def _create(self, request: dict[str, Any], replies: Replies) -> dict[str, Any]:
        """Make a cluster with one node, as kind would."""
        self._refuse_unsimulated(request)
        name, ports = cluster_name_of(request), ports_of(request)
        limit_s = number_of(request, "wait_s")
        cluster = await self._clusters.create(name, ports, replies.step)
        if limit_s:
            await self._wait_ready(cluster, limit_s, replies)
        return {"kubeconfig": self._credentials(cluster)}

    async def _wait_ready(self, cluster: Cluster, limit_s: float, replies: Replies) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await replies.step("Waiting", "start")
        try:
            async with asyncio.timeout(limit_s):
                await cluster.node_ready()
        except TimeoutError:
            await replies.step("Waiting", "failed")
            return
        seconds = loop.time() - began
        await replies.send({"step": "Waiting", "state": "done", "seconds": seconds})

    async def _up(self, request: dict[str, Any], replies: Replies) -> dict[str, Any]:
        """Make the cluster named `sandbox` unless it is there."""
        outside = Outside(without=texts_of(request, "without"), peers=peers_of(request))
        record = self._clusters.record(DEFAULT_CLUSTER)
        if record is None:
            await self._clusters.create(
                DEFAULT_CLUSTER,
                ((80, 80), (443, 443)),
                replies.step,
                watched=False,
                outside=outside,
            )
        elif outside not in (WHOLE, record.outside):
            raise Refused(
                "made-otherwise",
                f"The cluster {DEFAULT_CLUSTER} was made with other components or peers.",
                next_action="Delete it with `tutor sandbox reset`, and make it again.",
            )
        cluster = await self._clusters.ready(DEFAULT_CLUSTER)
        return {"name": DEFAULT_CLUSTER, "kubeconfig": self._credentials(cluster)}

    async def _delete(self, request: dict[str, Any], _replies: Replies) -> dict[str, Any]:
        record = await self._clusters.delete(text_of(request, "name"))
        return {"nodes": [record.node] if record else []}

    async def _list(self, _request: dict[str, Any], _replies: Replies) -> dict[str, Any]:
        await self._clusters.settled()
        return {"clusters": self._clusters.names}

    async def _nodes(self, request: dict[str, Any], _replies: Replies) -> dict[str, Any]:
        record = self._clusters.record(text_of(request, "name"))
        return {"nodes": [record.node] if record else []}

    async def _kubeconfig(self, request: dict[str, Any], _replies: Replies) -> dict[str, Any]:
        name = text_of(request, "name")
        if self._clusters.record(name) is None:
            raise Refused("unknown-cluster", f"There is no cluster named {name}.")
        cluster = await self._clusters.ready(name)
        return {"kubeconfig": self._credentials(cluster)}

    async def _status(self, _request: dict[str, Any], _replies: Replies) -> dict[str, Any]:
        clusters = [
            {
                "name": name,
                "running": self._clusters.cluster(name) is not None,
                "server": f"https://127.0.0.1:{record.port}",
                "without": record.outside.without,
                "peers": dict(record.outside.peers),
            }
            for name in self._clusters.names
            if (record := self._clusters.record(name)) is not None
        ]
        return {
            "version": __version__,
            "pid": os.getpid(),
            "clusters": clusters,
            "not_simulated": self._trace.not_simulated,
        }

    async def _environment(self, request: dict[str, Any], _replies: Replies) -> dict[str, Any]:
        """The variables of a shell: `hosts` is its hosts file, `environ` what it has now.

        `kubectl` is the path of the learner's own, where that is to be run.
        """
        # What the shell runs next is most likely a kubectl.
        await self._clusters.settled()
        own = {name: str(value) for name, value in map_of(request, "environ").items()}
        hosts = Path(text_of(request, "hosts"))
        kubectl = Path(str(request["kubectl"])) if request.get("kubectl") else None
        try:
            found = self._front.environment(hosts, own, kubectl)
        except ClusterError as error:
            raise Refused("unwritable", error.message, next_action=error.next_action) from None
        return {"environment": found}

    async def _follow(self, request: dict[str, Any], replies: Replies) -> dict[str, Any]:
        """The last hops, and with `follow` each new one."""
        for hop in self._trace.last():
            await replies.send({"hop": hop})
        if request.get("follow"):
            async for hop in self._trace.follow():
                await replies.send({"hop": hop})
        return {}

    async def _end(self, _request: dict[str, Any], _replies: Replies) -> dict[str, Any]:
        self._stop.set()
        return {}

    def _credentials(self, cluster: Cluster) -> dict[str, str]:
        def encoded(text: str) -> str:
            return base64.b64encode(text.encode()).decode()

        keys = cluster.keys
        return {
            "server": cluster.url,
            "internal_server": f"https://{cluster.settings.node}:6443",
            "ca": encoded(keys.ca.pem),
            "client_certificate": encoded(keys.admin.certificate),
            "client_key": encoded(keys.admin.key),
        }

    def _refuse_unsimulated(self, request: dict[str, Any]) -> None:
        """Refuse what a real kind could do, and this one cannot."""
        why = _unsimulated(request)
        if why:
            self._trace.publish("not-simulated", {"what": why})
            raise Refused("not-simulated", why)


def _unsimulated(request: dict[str, Any]) -> str:
    if number_of(request, "nodes") > 1:
        return (
            "the sandbox simulates clusters of one node only: take the other nodes out of the "
            "configuration, or do this with a real kind"
        )
    image = str(request.get("image") or NODE_IMAGE).partition("@")[0]
    if image != NODE_IMAGE:
        return (
            f"the sandbox simulates the node image {NODE_IMAGE} only, not {image}: leave --image "
            "away, or do this with a real kind"
        )
    return ""


class AlreadyRuns(ClusterError):
    """Another process holds the lock of the home folder."""


@contextmanager
def only_one(folder: Path) -> Generator[None]:
    """Hold the lock of the home folder. Raises `AlreadyRuns`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise AlreadyRuns(
                f"Another sandbox process already runs for {folder}.",
                next_action="Use it: `tutor sandbox status`, or end it: `tutor sandbox down`.",
            ) from error
        pid = folder / "pid"
        pid.unlink(missing_ok=True)  # it may be a link, to what is none of ours
        pid.write_text(str(os.getpid()))
        yield


@asynccontextmanager
async def listening(path: Path, daemon: Daemon) -> AsyncGenerator[None]:
    """Listen on the control socket, which only this user may use."""
    _clear(path)
    before = os.umask(0o177)
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(accepting_at(path, daemon.serve, limit=MAX_LINE))
        finally:
            os.umask(before)
        try:
            yield
        finally:
            _clear(path)


def _clear(path: Path) -> None:
    """Make room for the socket: a stale one may be left from a process that was killed."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.parent.lstat().st_uid != os.geteuid():
        # It may be in the system's temporary folder, where anybody can be first.
        raise ClusterError(
            f"The folder of the sandbox's socket, {path.parent}, belongs to somebody else.",
            next_action="Set TUTOR_HOME to a folder of yours with a shorter name.",
        )
    path.unlink(missing_ok=True)


async def run(root: Path, components: dict[str, Component], pace: PaceName) -> None:
    """Run the sandbox of a home folder until it is asked to stop."""
    folder = paths.sandbox_dir(root)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with asyncio.TaskGroup() as group:
            trace = Trace(_now)
            clusters = Clusters(folder / "clusters", components, pace, group, trace.publish)
            front = Front(root, clusters, trace, _now)
            daemon = Daemon(clusters, front, trace, stop)
            async with front.open(), listening(paths.socket_path(root), daemon):
                clusters.restore()
                group.create_task(daemon.watch_idle(), name="idle")
                group.create_task(trim_forever(), name="memory")
                await stop.wait()
            raise _Stopped
    except* _Stopped:
        log.info("stopped")


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the process's one clock


class _Stopped(Exception):
    """The process was asked to end; unwinds the task group."""
