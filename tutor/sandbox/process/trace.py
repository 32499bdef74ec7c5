"""What happened on the way of a request: each hop publishes, whoever is interested listens."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

_KEPT = 500
_WAITING = 1_000

Hop = dict[str, Any]
"""`time`, `kind` and what is particular to the kind."""


class Trace:
    """The last hops, and those who listen for new ones."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._last: deque[Hop] = deque(maxlen=_KEPT)
        self._listeners: list[asyncio.Queue[Hop]] = []

    def publish(self, kind: str, fields: dict[str, Any]) -> None:
        """Note a hop. A listener that does not keep up misses some."""
        hop: Hop = {"time": self._now().isoformat(timespec="milliseconds"), "kind": kind, **fields}
        self._last.append(hop)
        for queue in self._listeners:
            if not queue.full():
                queue.put_nowait(hop)

    def last(self) -> list[Hop]:
        """The hops that are remembered, oldest first."""
        return list(self._last)

    async def follow(self) -> AsyncGenerator[Hop]:
        """New hops as they come."""
        with self._listening() as queue:
            while True:
                yield await queue.get()

    @contextmanager
    def _listening(self) -> Generator[asyncio.Queue[Hop]]:
        queue: asyncio.Queue[Hop] = asyncio.Queue(_WAITING)
        self._listeners.append(queue)
        try:
            yield queue
        finally:
            self._listeners.remove(queue)
