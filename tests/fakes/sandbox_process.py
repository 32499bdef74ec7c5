"""A sandbox process of a home folder, and what reaches it: its socket, and HTTPS."""

import asyncio
import base64
import json
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.fakes.waiting import until
from tutor import paths
from tutor.sandbox.process.__main__ import answers

ROOT = Path(__file__).resolve().parents[2]


class SandboxProcess:
    """Starts and kills the sandbox of a home folder, as often as wanted."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.pid = 0
        self._forks = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.sandbox_forks", str(root)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def begin(self, file_size: int | None = None) -> None:
        """Start it, and do not wait until it answers; `file_size` as if the disk were full then."""
        assert self._forks.stdin is not None
        self._forks.stdin.write(f"{file_size or ''}\n")
        self._forks.stdin.flush()
        self.pid = int(self._said("pid"))

    async def start(self, file_size: int | None = None) -> None:
        """Start it; returns when its socket answers."""
        self.begin(file_size)
        await until(lambda: answers(paths.socket_path(self.root)))

    def kill(self) -> None:
        """Kill it with -9; returns when it has gone."""
        self.end(signal.SIGKILL)

    def end(self, number: int) -> int:
        """Send it a signal; the exit code."""
        os.kill(self.pid, number)
        return self.ended()

    def ended(self) -> int:
        """Wait until it has gone; the exit code."""
        self.pid = 0
        return int(self._said("dead"))

    def log(self) -> str:
        """What it has logged."""
        file = paths.logs_dir(self.root) / "sandbox.log"
        return file.read_text() if file.exists() else ""

    def _said(self, word: str) -> str:
        assert self._forks.stdout is not None
        first, _, rest = self._forks.stdout.readline().strip().partition(" ")
        assert first == word, f"{first} {rest}"
        return rest

    def close(self) -> None:
        """End it, if it runs, and the process that starts it."""
        assert self._forks.stdin is not None
        assert self._forks.stdout is not None
        if self.pid:
            self.kill()
        self._forks.stdin.close()
        self._forks.wait()
        self._forks.stdout.close()


@contextmanager
def sandbox_process(root: Path) -> Generator[SandboxProcess]:
    """A process that does not run yet; it is gone at the end."""
    made = SandboxProcess(root)
    try:
        yield made
    finally:
        made.close()


async def say(root: Path, line: bytes) -> list[dict[str, Any]]:
    """Everything that the socket replies to some bytes."""
    reader, writer = await asyncio.open_unix_connection(paths.socket_path(root))
    try:
        writer.write(line)
        writer.write_eof()
        return [json.loads(reply) async for reply in reader]
    finally:
        writer.close()


async def order(root: Path, operation: str, **more: Any) -> dict[str, Any]:
    """The last reply to an operation."""
    replies = await say(root, json.dumps({"do": operation, **more}).encode() + b"\n")
    return replies[-1]


@dataclass(frozen=True, slots=True)
class Client:
    """HTTPS to a cluster as its administrator."""

    session: aiohttp.ClientSession
    url: str

    async def ask(
        self, method: str, path: str, body: Any = None, media: str = "application/json"
    ) -> tuple[int, Any]:
        """Status and JSON of an answer; the text of one that is none, as for paths not served."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": media} if data is not None else None
        asked = self.session.request(method, self.url + path, data=data, headers=headers)
        async with asked as answer:
            is_json = answer.content_type == "application/json"
            return answer.status, await (answer.json() if is_json else answer.text())


def context_of(kubeconfig: Mapping[str, str], folder: Path) -> ssl.SSLContext:
    """TLS with the certificate of what the socket calls a kubeconfig."""
    context = ssl.create_default_context(cadata=_decoded(kubeconfig["ca"]))
    file = folder / "client.pem"
    names = ("client_certificate", "client_key")
    file.write_text("".join(_decoded(kubeconfig[name]) for name in names))
    context.load_cert_chain(file)
    return context


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()


@asynccontextmanager
async def client_of(kubeconfig: Mapping[str, str], folder: Path) -> AsyncGenerator[Client]:
    """A client of a cluster."""
    connector = aiohttp.TCPConnector(ssl=context_of(kubeconfig, folder), limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield Client(session, kubeconfig["server"])
