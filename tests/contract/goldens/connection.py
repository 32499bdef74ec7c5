"""HTTPS as the recorded clients spoke it: their headers and no others, one certificate a user."""

import asyncio
import gzip
import ssl
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp
from yarl import URL

from tutor.sandbox import pki
from tutor.sandbox.cluster.assembly import Cluster
from tutor.sandbox.pki import Pair

_PINNY = ("pinny", ("group-for-mtls",))
_AUTO = ("Accept", "Accept-Encoding", "User-Agent", "Content-Type")
_LIMIT_S = 40.0
_EXTRA_S = 0.05
"""How long a stream is read on for what should not come."""

Meanwhile = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; a stream's body is what came before it ended."""

    status: int
    headers: Mapping[str, list[str]]
    body: bytes


class Connections:
    """One session for each user of the recordings."""

    def __init__(self, url: str, sessions: Mapping[str, aiohttp.ClientSession]) -> None:
        self._url = url
        self._sessions = sessions

    async def ask(
        self,
        user: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        follow: bool,
    ) -> Answer:
        """Send a request and read its whole answer."""
        async with (
            asyncio.timeout(_LIMIT_S),
            self._send(user, method, path, headers, body, follow=follow) as response,
        ):
            body = await response.read()
            if response.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            return Answer(response.status, _headers(response), body)

    async def stream(
        self,
        user: str,
        path: str,
        headers: Mapping[str, str],
        *,
        lines: int | None,
        meanwhile: Meanwhile,
    ) -> Answer:
        """Open a stream, do something, and read until it ends or has had so many lines."""
        async with self._send(user, "GET", path, headers, None, follow=False) as response:
            body = bytearray()
            async with asyncio.TaskGroup() as group:
                reading = group.create_task(_read(response, body, lines), name="reading")
                await meanwhile()
                await reading
            return Answer(response.status, _headers(response), bytes(body))

    @asynccontextmanager
    async def _send(
        self,
        user: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        follow: bool,
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        async with self._sessions[user].request(
            method,
            URL(self._url + path, encoded=True),
            headers=headers,
            data=body,
            allow_redirects=follow,
            skip_auto_headers=_AUTO,
        ) as response:
            yield response


async def _read(response: aiohttp.ClientResponse, body: bytearray, lines: int | None) -> None:
    """Read into `body`: to the end, or so many lines and what comes with or right after them."""
    try:
        async with asyncio.timeout(_LIMIT_S) as limit:
            loop = asyncio.get_running_loop()
            while True:
                if lines is not None and body.count(b"\n") >= lines:
                    limit.reschedule(loop.time() + _EXTRA_S)
                    lines = None
                chunk = await response.content.readany()
                if not chunk:
                    return
                body += chunk
    except TimeoutError:
        return


def _headers(response: aiohttp.ClientResponse) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in response.headers.items():
        found.setdefault(name.title(), []).append(value)
    return found


@asynccontextmanager
async def connected(cluster: Cluster) -> AsyncGenerator[Connections]:
    """Connections of the administrator, of pinny, of a stranger's certificate, and of nobody."""
    now = cluster.client.now()
    stranger = pki.new_authority("somebody", now=now, lifetime=timedelta(days=1))
    pairs: dict[str, Pair | None] = {
        "": None,
        "admin": cluster.keys.admin,
        "pinny": _client(cluster.keys.ca, _PINNY, cluster),
        "badcert": _client(stranger, ("kubernetes-admin", ("system:masters",)), cluster),
    }
    sessions: dict[str, aiohttp.ClientSession] = {}
    try:
        for name, pair in pairs.items():
            context = _context(cluster, pair)
            connector = aiohttp.TCPConnector(ssl=context, limit=0)
            sessions[name] = aiohttp.ClientSession(
                connector=connector,
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        yield Connections(cluster.url, sessions)
    finally:
        for session in sessions.values():
            await session.close()


def _client(authority: pki.Authority, who: tuple[str, tuple[str, ...]], cluster: Cluster) -> Pair:
    return pki.issue(
        authority,
        subject=pki.subject_of(*who),
        now=cluster.client.now(),
        lifetime=timedelta(days=1),
        extended=(pki.CLIENT_AUTH,),
    )


def _context(cluster: Cluster, pair: Pair | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=cluster.keys.ca.pem)
    if pair is not None:
        with tempfile.TemporaryDirectory() as folder:
            certificate, key = Path(folder) / "crt", Path(folder) / "key"
            certificate.write_text(pair.certificate)
            key.write_text(pair.key)
            context.load_cert_chain(certificate, key)
    return context
