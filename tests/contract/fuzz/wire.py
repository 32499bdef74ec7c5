"""A client that sends any bytes, and reads what HTTP/1.1 answers there are."""

import asyncio
import ssl
from dataclasses import dataclass

LIMIT_S = 30.0
STREAM_S = 0.15
_MAX_BODY = 64_000_000


class Gone(Exception):
    """The server has closed the connection without an answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; of a stream, as much of it as came at once."""

    status: int
    headers: dict[str, str]
    body: bytes
    ended: bool
    """Whether it was read to its end, so that the connection can be used again."""


class Connection:
    """One TLS connection."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        self._port = port
        self._context = context
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    @property
    def is_open(self) -> bool:
        """Whether it was used before, and is as far as is known still there."""
        return self._writer is not None

    async def ask(self, message: bytes, *, head_only: bool = False) -> Answer:
        """Send a message and read one answer.

        Raises:
            Gone: There is none.
            TimeoutError: There is none after a long time, and the connection is still open.
        """
        try:
            async with asyncio.timeout(LIMIT_S):
                reader, writer = await self._open()
                writer.write(message)
                await writer.drain()
                answer = await _read(reader, head_only)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as e:
            self.close()
            if isinstance(e, TimeoutError):
                raise
            raise Gone(str(e)) from e
        if not answer.ended or answer.headers.get("connection", "").lower() == "close":
            self.close()
        return answer

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._reader is None or self._writer is None or self._writer.is_closing():
            self._reader, self._writer = await asyncio.open_connection(
                "127.0.0.1", self._port, ssl=self._context, server_hostname="localhost"
            )
        return self._reader, self._writer

    def close(self) -> None:
        """End it without a goodbye."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None


async def _read(reader: asyncio.StreamReader, head_only: bool) -> Answer:
    status = 100
    headers: dict[str, str] = {}
    while status // 100 == 1 and status != 101:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split(" ")[1])
        pairs = (line.partition(":") for line in head[1:] if line)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
    if head_only or status in (101, 204, 304):
        return Answer(status, headers, b"", status != 101)
    if headers.get("transfer-encoding") == "chunked":
        body, ended = await _chunks(reader)
        return Answer(status, headers, body, ended)
    if "content-length" in headers:
        body = await reader.readexactly(int(headers["content-length"]))
        return Answer(status, headers, body, ended=True)
    return Answer(status, headers, await reader.read(_MAX_BODY), ended=False)


async def _chunks(reader: asyncio.StreamReader) -> tuple[bytes, bool]:
    """What comes of a stream, until it ends or pauses."""
    whole: list[bytes] = []
    try:
        async with asyncio.timeout(STREAM_S):
            while size := int(await reader.readuntil(b"\r\n"), 16):
                whole.append((await reader.readexactly(size + 2))[:-2])
            await reader.readuntil(b"\r\n")
    except TimeoutError:
        return b"".join(whole), False
    return b"".join(whole), True
