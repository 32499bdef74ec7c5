"""Raw connections between programs, over loopback."""

import asyncio

from tutor.sandbox.api.ports import Unreachable
from tutor.sandbox.server.network import Route

_CHUNK = 65_536


class SocketConnection:
    """A connection in the shape that programs know."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self) -> bytes:
        """The next bytes, empty at the end."""
        return await self._reader.read(_CHUNK)

    async def write(self, data: bytes) -> None:
        """Send bytes; without any, say that no more will come."""
        if data:
            self._writer.write(data)
            await self._writer.drain()
        elif self._writer.can_write_eof():
            self._writer.write_eof()

    async def close(self) -> None:
        """End it."""
        self._writer.close()


async def open_connection(route: Route) -> SocketConnection:
    """Connect along a route.

    Raises:
        Unreachable: Nobody listens there.
    """
    try:
        return SocketConnection(*await asyncio.open_connection("127.0.0.1", route.loopback))
    except OSError:
        raise Unreachable(route.refused) from None
