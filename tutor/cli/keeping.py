"""A sandbox that stays while a lesson is played."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tutor import paths
from tutor.cli.control import ensure_running
from tutor.errors import ClusterError

log = logging.getLogger(__name__)

_AGAIN_S = 1.0
_END_S = 3.0


@asynccontextmanager
async def keeping_sandbox(root: Path, pace: str, *, wanted: bool) -> AsyncGenerator[None]:
    """Start the sandbox, keep it from idling, and start it again when it is killed.

    Raises:
        ClusterError: It does not start.
    """
    if not wanted:
        yield
        return
    await asyncio.to_thread(ensure_running, root, pace)
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(_keep(root, pace), name="sandbox")
        try:
            yield
        finally:
            keeping.cancel()


async def _keep(root: Path, pace: str) -> None:
    while True:
        with suppress(OSError):
            await _attached(root)
            log.warning("the sandbox has ended")
        try:
            await asyncio.to_thread(ensure_running, root, pace)
        except ClusterError as error:
            log.warning("the sandbox does not start", extra={"why": error.message})
            await asyncio.sleep(_AGAIN_S)


async def _attached(root: Path) -> None:
    """Stay connected until the sandbox ends."""
    reader, writer = await asyncio.open_unix_connection(paths.socket_path(root))
    try:
        writer.write(b'{"do": "attach"}\n')
        while await reader.readline():
            pass
    finally:
        writer.close()
        with suppress(OSError):
            async with asyncio.timeout(_END_S):
                await writer.wait_closed()
