"""Connections on a loopback port or a socket file, none of which outlives whoever takes them."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

Take = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]
_LIMIT = 64 * 1024


@asynccontextmanager
async def accepting(take: Take, port: int = 0, *, limit: int = _LIMIT) -> AsyncGenerator[int]:
    """Have `take` deal with each connection; the port, which is any free one for 0.

    With the block every connection ends, also one that came so late that nobody has begun with it.
    `limit` is that of the readers, in bytes.

    Raises:
        OSError: The port is taken.
    """
    taken = _Taken(take)
    server = await asyncio.start_server(taken.begin, "127.0.0.1", port, limit=limit)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        await taken.end(server)


@asynccontextmanager
async def accepting_at(path: Path, take: Take, *, limit: int = _LIMIT) -> AsyncGenerator[None]:
    """The same for a socket file."""
    taken = _Taken(take)
    server = await asyncio.start_unix_server(taken.begin, path, limit=limit)
    try:
        yield
    finally:
        await taken.end(server)


class _Taken:
    """The connections of a server, each with the task that deals with it."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._opened: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    def begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Called with each connection."""
        task = asyncio.get_running_loop().create_task(self._take(reader, writer))
        self._opened[task] = writer
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._opened.pop(task).close()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a connection was given up", exc_info=error)

    async def end(self, server: asyncio.Server) -> None:
        """Take no more, and end what there is: from Python 3.12 a server waits for it."""
        server.close()
        tasks = list(self._opened)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
