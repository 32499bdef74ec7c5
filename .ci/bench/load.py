"""The client that both sides get: aiohttp with a client certificate, in one process."""

import asyncio
import json
import os
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from bench.home import Broken, Home
from tutor.sandbox import pki

NAMESPACE = "bench"
CONFIG_MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
USER = "bench"
_MERGE = "application/merge-patch+json"
_BLOCK = b"x" * 4096
_FOLDER = str(Path(__file__).resolve().parents[1])

Call = Callable[[], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Server:
    """One of the two sides."""

    session: aiohttp.ClientSession
    url: str

    async def send(
        self, method: str, path: str, body: Any = None, media: str = "application/json"
    ) -> bytes:
        """One request and the whole answer; raises `Broken` for a failure."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = {"Content-Type": media} if data is not None else None
        url = self.url + path
        async with self.session.request(method, url, data=data, headers=headers) as answer:
            read = await answer.read()
            if answer.status >= 300:
                raise Broken(f"{method} {path}: {answer.status} {read.decode()}")
            return read

    async def patch(self, path: str, body: Any) -> bytes:
        """A merge patch."""
        return await self.send("PATCH", path, body, _MERGE)


def config_map(name: str, namespace: str = NAMESPACE) -> dict[str, Any]:
    """What is created: one value of 100 bytes."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": {"key": "v" * 100},
    }


def client_context(place: Home) -> ssl.SSLContext:
    """TLS with the certificate of a user who may work with ConfigMaps, by RBAC."""
    now = datetime.now(UTC)  # noqa: TID251 - a certificate begins with the real time
    keys = place.keys
    pair = pki.Pair((keys / "ca.crt").read_text(), (keys / "ca.key").read_text())
    issued = pki.issue(
        pki.load_authority(pair),
        subject=pki.subject_of(USER),
        now=now,
        lifetime=timedelta(hours=2),
        extended=(pki.CLIENT_AUTH,),
    )
    file = place.root / "bench.pem"
    file.write_text(issued.certificate + issued.key)
    return _context(keys, file)


def _context(keys: Path, certificate: Path, key: Path | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=keys / "ca.crt")
    context.load_cert_chain(certificate, key)
    return context


@asynccontextmanager
async def session(context: ssl.SSLContext) -> AsyncGenerator[aiohttp.ClientSession]:
    """A client that keeps its connections; as many as are used at once."""
    connector = aiohttp.TCPConnector(ssl=context, limit=0)
    async with aiohttp.ClientSession(connector=connector) as made:
        yield made


@asynccontextmanager
async def sandbox(place: Home) -> AsyncGenerator[Server]:
    """The sandbox's API server, as the user of the bench, with its namespace."""
    url = _server_of(place)
    keys = place.keys
    async with session(_context(keys, keys / "admin.crt", keys / "admin.key")) as admin:
        await _prepare(Server(admin, url))
    async with session(client_context(place)) as made:
        yield Server(made, url)


def _server_of(place: Home) -> str:
    for line in (place.root / "kubeconfig").read_text().splitlines():
        if "server:" in line:
            return line.split()[-1]
    raise Broken(f"{place.root / 'kubeconfig'} names no server")


async def _prepare(admin: Server) -> None:
    namespaces = json.loads(await admin.send("GET", "/api/v1/namespaces"))
    if any(each["metadata"]["name"] == NAMESPACE for each in namespaces["items"]):
        return
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"]}
    subject = {"kind": "User", "name": USER, "apiGroup": "rbac.authorization.k8s.io"}
    role = {"kind": "ClusterRole", "name": USER, "apiGroup": "rbac.authorization.k8s.io"}
    meta = {"metadata": {"name": USER}}
    await admin.send("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    await admin.send("POST", f"{rbac}/clusterroles", meta | {"rules": [rule]})
    binding = meta | {"roleRef": role, "subjects": [subject]}
    await admin.send("POST", f"{rbac}/clusterrolebindings", binding)


@contextmanager
def bare_process(place: Home) -> Generator[str]:
    """The bare server in a process of its own; yields its URL."""
    environment = {**place.environment, "PYTHONPATH": _FOLDER}
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.bare", str(place.keys)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        port = process.stdout.readline().strip() if process.stdout else ""
        if not port:
            raise Broken("the bare server did not start")
        yield f"https://127.0.0.1:{port}"
    finally:
        if process.stdin:
            process.stdin.close()
        process.wait(10)


async def one_by_one(call: Call, count: int) -> list[float]:
    """Milliseconds of each of `count` calls, one after the other."""
    took: list[float] = []
    for _ in range(count):
        began = time.perf_counter()
        await call()
        took.append((time.perf_counter() - began) * 1e3)
    return took


async def at_once(call: Call, count: int, connections: int = 16) -> float:
    """Calls a second, with so many under way at any time."""
    left = iter(range(count))

    async def work() -> None:
        for _ in left:
            await call()

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(work())
    return count / (time.perf_counter() - began)


def synced(folder: Path, count: int) -> list[float]:
    """The second yardstick: milliseconds of writing 4 KiB with fdatasync, `count` times."""
    took: list[float] = []
    file = folder / "fsync"
    with file.open("wb", buffering=0) as written:
        for _ in range(count):
            began = time.perf_counter()
            written.write(_BLOCK)
            os.fdatasync(written.fileno())
            took.append((time.perf_counter() - began) * 1e3)
    file.unlink()
    return took
