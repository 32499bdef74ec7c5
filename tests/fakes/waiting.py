"""Waiting for something to become so, with a deadline."""

import asyncio
from collections.abc import Callable

DEADLINE_S = 30.0


async def until(condition: Callable[[], object], *, within_s: float = DEADLINE_S) -> None:
    """Wait until a condition holds. Raises `TimeoutError`."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - any condition, so there is no event to await
            await asyncio.sleep(0.005)
