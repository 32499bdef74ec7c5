"""The listeners around the clusters: the proxy, the ingress, and the names of shells.

Their ports and the token are kept over restarts, so that shells that are open stay connected.
"""

import asyncio
import contextlib
import json
import logging
import secrets
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from tutor import paths
from tutor.sandbox.process.certificates import Downloads, write_private
from tutor.sandbox.process.clusters import Clusters
from tutor.sandbox.process.environment import (
    Addresses,
    Places,
    upstream_of,
    variables,
    write_files,
)
from tutor.sandbox.process.fetch import Origin
from tutor.sandbox.process.head import MAX_HEAD
from tutor.sandbox.process.proxy import Proxy, Shell
from tutor.sandbox.process.relay import Stream, pump
from tutor.sandbox.process.trace import Trace
from tutor.sandbox.server.accepting import Take, accepting

log = logging.getLogger(__name__)

_HTTPS = 443
_FILE = "front.json"


class Front:
    """Proxy, ingress and environments of one home folder."""

    def __init__(
        self, root: Path, clusters: Clusters, trace: Trace, now: Callable[[], datetime]
    ) -> None:
        self._root = root
        self._folder = paths.sandbox_dir(root)
        self._clusters = clusters
        self._trace = trace
        self._certificates = Downloads(self._folder / "pki", now)
        self._state = self._load()
        self.places = Places(
            home=root,
            bin=root / "bin",
            bundle=self._folder / "bundle.pem",
            wgetrc=self._folder / "wgetrc",
            socket=paths.socket_path(root),
        )

    @property
    def addresses(self) -> Addresses:
        """Where the listeners are."""
        return Addresses(
            proxy=self._state["proxy"],
            token=self._state["token"],
            ingress=self._state["ingress"],
        )

    def environment(
        self, hosts_file: Path, own: Mapping[str, str], kubectl: Path | None
    ) -> dict[str, str | None]:
        """The variables of a shell with a hosts file; writes the files that they name.

        `kubectl` is the learner's own, None for the one that came with the program.
        """
        write_files(self.places, self._certificates, own, kubectl)
        if not hosts_file.exists():
            hosts_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            hosts_file.write_text("127.0.0.1 localhost\n")
        name = self._shell_name(hosts_file, upstream_of(own))
        return variables(self.places, self.addresses, name, hosts_file, own)

    def _shell_name(self, hosts_file: Path, upstream: str) -> str:
        digest = sha256(f"{hosts_file}\n{upstream}".encode()).hexdigest()[:12]
        if digest not in self._state["shells"]:
            self._state["shells"][digest] = {"hosts": str(hosts_file), "upstream": upstream}
            self._save()
        return digest

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Listen as long as the context lasts."""
        proxy = Proxy(
            token=self._state["token"],
            shell_of=self._shell,
            host_port=self._host_port,
            origin=Origin(self._certificates),
            publish=self._trace.publish,
        )
        wanted = (self._state["proxy"], self._state["ingress"])
        async with _near(proxy.serve, wanted[0]) as port, _near(self._pass, wanted[1]) as at:
            if (port, at) != wanted:
                self._state |= {"proxy": port, "ingress": at}
                self._save()
            yield

    def _shell(self, name: str) -> Shell | None:
        found = self._state["shells"].get(name)
        if found is None:
            return None
        return Shell(hosts_file=Path(found["hosts"]), upstream=found["upstream"])

    def _host_port(self, port: int) -> int | None:
        return self._clusters.behind_host_port(port)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hand a connection to the node's port 443; without anything behind it, close."""
        client = Stream(reader, writer)
        loopback = self._host_port(_HTTPS)
        self._trace.publish("ingress", {"to": "the node's port 443" if loopback else "nothing"})
        try:
            if loopback:
                server = Stream(*await asyncio.open_connection("127.0.0.1", loopback))
                await pump(client, server)
        except OSError as error:
            log.debug("ingress connection ended", extra={"why": str(error)})
        finally:
            await client.close()

    def _load(self) -> dict[str, Any]:
        fresh: dict[str, Any] = {
            "token": secrets.token_urlsafe(18),
            "proxy": 0,
            "ingress": 0,
            "shells": {},
        }
        with contextlib.suppress(OSError, ValueError, TypeError, RecursionError):
            return fresh | json.loads((self._folder / _FILE).read_text())
        return fresh

    def _save(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self._folder / _FILE, json.dumps(self._state))


@asynccontextmanager
async def _near(take: Take, wanted: int) -> AsyncGenerator[int]:
    """Listen on the port that is wanted, or on another when it is taken; the port."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            port = await stack.enter_async_context(accepting(take, wanted, limit=MAX_HEAD))
        except OSError as error:
            if not wanted:
                raise
            log.warning("port is taken; using another", extra={"port": wanted, "why": str(error)})
            port = await stack.enter_async_context(accepting(take, limit=MAX_HEAD))
        yield port
