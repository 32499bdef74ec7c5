"""Bytes both ways between two connections."""

import asyncio
import contextlib

_CHUNK = 65_536


class Stream:
    """One end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter | None) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    def closed(cls) -> "Stream":
        """A connection that the other side has closed already."""
        reader = asyncio.StreamReader()
        reader.feed_eof()
        return cls(reader, None)

    async def send(self, data: bytes) -> None:
        """Send bytes; to a closed connection, nothing."""
        if self.writer is not None:
            self.writer.write(data)
            await self.writer.drain()

    async def finish(self) -> None:
        """Say that nothing more will be sent."""
        if self.writer is not None and self.writer.can_write_eof():
            with contextlib.suppress(OSError, RuntimeError):
                self.writer.write_eof()

    async def close(self) -> None:
        """End the connection."""
        if self.writer is not None:
            self.writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1):
                    await self.writer.wait_closed()


async def pump(client: Stream, server: Stream) -> None:
    """Hand bytes on in both directions until the server has no more, then close both."""
    try:
        async with asyncio.TaskGroup() as group:
            upward = group.create_task(_copy(client, server), name="up")
            await _copy(server, client)
            upward.cancel()
    finally:
        await server.close()


async def _copy(source: Stream, target: Stream) -> None:
    with contextlib.suppress(OSError):
        while data := await source.reader.read(_CHUNK):
            await target.send(data)
        await target.finish()
