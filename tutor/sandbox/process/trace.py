"""What happened on the way of a request: each hop publishes, whoever is interested listens."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

_KEPT = 500
_WAITING = 1_000
_COUNTED = 100

Hop = dict[str, Any]
"""`time`, `kind` and what is particular to the kind."""


class _Note(NamedTuple):
    """A hop as it is kept: written out only when somebody looks."""

    at: datetime
    kind: str
    fields: Mapping[str, Any]

    def hop(self) -> Hop:
        return {
            "time": self.at.isoformat(timespec="milliseconds"),
            "kind": self.kind,
            **self.fields,
        }


class Trace:
    """The last hops, and those who listen for new ones."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._last: deque[_Note] = deque(maxlen=_KEPT)
        self._listeners: list[asyncio.Queue[Hop]] = []
        self._not_simulated: Counter[str] = Counter()

    @property
    def not_simulated(self) -> dict[str, int]:
        """How often something was asked for that is not simulated, by what was answered."""
        return dict(self._not_simulated.most_common())

    def publish(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Note a hop. A listener that does not keep up misses some."""
        if kind == "not-simulated":
            self._count(str(fields["what"]))
        note = _Note(self._now(), kind, fields)
        self._last.append(note)
        for queue in self._listeners:
            if not queue.full():
                queue.put_nowait(note.hop())

    def _count(self, what: str) -> None:
        # What is asked for is in the answer, so that there may be any number of them.
        known = what in self._not_simulated or len(self._not_simulated) < _COUNTED
        self._not_simulated[what if known else "something else"] += 1

    def last(self) -> list[Hop]:
        """The hops that are remembered, oldest first."""
        return [note.hop() for note in self._last]

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
