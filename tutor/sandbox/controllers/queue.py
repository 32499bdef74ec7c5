"""Which keys to look at, and when: the work queue of a controller, without a clock.

Source: client-go's workqueue: a key is in the queue once, the earlier time wins.
"""

import heapq
from collections.abc import Hashable


class Queue:
    """Keys with due times (seconds on any monotonic scale)."""

    def __init__(self) -> None:
        self._due: dict[Hashable, float] = {}
        self._heap: list[tuple[float, int, Hashable]] = []
        self._count = 0

    def add(self, key: Hashable, at: float) -> None:
        """Look at a key at a time; an earlier time that is set already stands."""
        known = self._due.get(key)
        if known is not None and known <= at:
            return
        self._due[key] = at
        self._count += 1
        heapq.heappush(self._heap, (at, self._count, key))

    def pop_due(self, now: float) -> Hashable | None:
        """A key whose time has come, which leaves the queue; None when there is none."""
        while self._heap and self._heap[0][0] <= now:
            at, _, key = heapq.heappop(self._heap)
            if self._due.get(key) == at:
                del self._due[key]
                return key
        return None

    def next_due(self) -> float | None:
        """When the next key is due; None when the queue is empty."""
        while self._heap:
            at, _, key = self._heap[0]
            if self._due.get(key) == at:
                return at
            heapq.heappop(self._heap)
        return None

    def __len__(self) -> int:
        return len(self._due)
