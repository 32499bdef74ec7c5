"""The download hosts, served over TLS: our files, and everything else from the real hosts."""

import logging
import ssl

import aiohttp

from tutor.sandbox.process import downloads
from tutor.sandbox.process.certificates import Downloads
from tutor.sandbox.process.downloads import File, Redirect
from tutor.sandbox.process.head import read_head
from tutor.sandbox.process.relay import Stream

log = logging.getLogger(__name__)

_HOP = ("connection", "transfer-encoding", "content-length", "content-encoding", "keep-alive")
_CHUNK = 65_536
_CLOSE = ("Connection", "close")


class Origin:
    """Answers as a download host."""

    def __init__(self, certificates: Downloads) -> None:
        self._certificates = certificates

    async def serve(self, host: str, client: Stream, upstream: str) -> None:
        """Start TLS on a tunnel and answer the requests in it."""
        if client.writer is None:
            return
        try:
            await client.writer.start_tls(self._certificates.context(host))
        except (ssl.SSLError, OSError) as error:
            log.debug("client refused our certificate", extra={"host": host, "why": str(error)})
            return
        while True:
            head = await _head(client)
            if head is None:
                return
            method, path, keep = head
            if not await self._one(host, method, path, client, upstream) or not keep:
                return

    async def _one(self, host: str, method: str, path: str, client: Stream, upstream: str) -> bool:
        """Answer one request; False when the connection cannot be used again."""
        found = downloads.find(host, path) if method in ("GET", "HEAD") else None
        if isinstance(found, Redirect):
            await client.send(_head_lines(302, "Found", [("Location", found.location)], 0))
            return True
        if isinstance(found, File):
            body = found.read()
            headers = [("Content-Type", found.content_type), ("Accept-Ranges", "none")]
            await client.send(_head_lines(200, "OK", headers, len(body)))
            if method == "GET":
                await client.send(body)
            return True
        return await self._from_the_world(f"https://{host}{path}", method, client, upstream)

    async def _from_the_world(self, url: str, method: str, client: Stream, upstream: str) -> bool:
        if method not in ("GET", "HEAD"):
            await client.send(_head_lines(405, "Method Not Allowed", [], 0))
            return False
        try:
            async with (
                aiohttp.ClientSession(auto_decompress=False) as session,
                session.request(
                    method, url, allow_redirects=False, proxy=upstream or None
                ) as answer,
            ):
                kept = [(n, v) for n, v in answer.headers.items() if n.lower() not in _HOP]
                await client.send(
                    _head_lines(answer.status, answer.reason or "", [*kept, _CLOSE], None)
                )
                async for chunk in answer.content.iter_chunked(_CHUNK):
                    await client.send(chunk)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            text = f"the sandbox does not have this file, and cannot reach {url}: {error}\n"
            body = text.encode()
            headers = [("Content-Type", "text/plain; charset=utf-8"), _CLOSE]
            await client.send(_head_lines(502, "Bad Gateway", headers, len(body)) + body)
        return False


async def _head(client: Stream) -> tuple[str, str, bool] | None:
    head = await read_head(client.reader)
    if head is None:
        return None
    keep = head.header("connection").lower() != "close" and head.version == "HTTP/1.1"
    return head.method, head.target, keep


def _head_lines(
    status: int, reason: str, headers: list[tuple[str, str]], length: int | None
) -> bytes:
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers)]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
