"""Connections on a loopback port, none of which outlives whoever takes them."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
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
    opened: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    def ended(task: asyncio.Task[None]) -> None:
        opened.pop(task).close()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a connection was given up", exc_info=error)

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(take(reader, writer))
        opened[task] = writer
        task.add_done_callback(ended)

    server = await asyncio.start_server(begin, "127.0.0.1", port, limit=limit)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        tasks = list(opened)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
