"""A watch: from published writes to the lines that one reader gets.

Source: Kubernetes API concepts, "Efficient detection of changes" and "Streaming lists"; the watch
cache for what a selector makes of a change.
"""

import json
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Protocol

from tutor.sandbox.api.status import ApiError
from tutor.sandbox.kinds import Kind, Object
from tutor.sandbox.store import Change, Event, Past

BOOKMARK_EVERY = timedelta(minutes=1)
BOOKMARK_BEFORE_END = timedelta(seconds=2)
_MAX_WAITING_BYTES = 2_000_000
"""Of news: what there was when the watch began does not count."""
_INITIAL_END = {"k8s.io/initial-events-end": "true"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which objects a reader asked for. `namespace` is empty for all."""

    namespace: str
    matches: Callable[[Object], bool]


class Render(Protocol):
    """How one reader wants events: plain, as tables, as partial metadata."""

    def event(self, change: str, obj: Object, data: bytes) -> bytes:
        """One line for an object."""
        ...

    def bookmark(self, kind: Kind, revision: int, annotations: dict[str, str]) -> bytes:
        """One line that only says how far the reader is."""
        ...

    def error(self, status: Object) -> bytes:
        """One line for a Status that ends the watch."""
        ...


@lru_cache(maxsize=64)
def line(change: str, data: bytes) -> bytes:
    """A watch event on the wire: the same bytes for all who watch."""
    return b'{"type":"%s","object":%s}\n' % (change.encode(), data)


class Watch:
    """The lines for one reader. It ends at its deadline, after an error, or when too slow."""

    def __init__(
        self,
        *,
        kind: Kind,
        only: Filter,
        render: Render,
        deadline: datetime,
        bookmarks: bool,
        started: datetime,
    ) -> None:
        self._kind = kind
        self._filter = only
        self._render = render
        self._deadline = deadline
        self._bookmarks = bookmarks
        self._next_bookmark = self._bookmark_after(started)
        self._lines: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._begun_at = self._revision = 0
        self._over = False
        self._wake: Callable[[], None] = _nobody
        self._release: Callable[[], None] = _nobody

    @property
    def ended(self) -> bool:
        """Whether nothing follows."""
        return self._over and not self._lines

    def begin(self, objects: Iterable[tuple[Object, bytes]], revision: int, *, mark: bool) -> None:
        """Send what exists as ADDED; with `mark`, a bookmark that says that this was all."""
        for obj, data in objects:
            self._put(self._render.event("ADDED", obj, data))
        self._begun_at = self._revision = revision
        if mark:
            self._put(self._render.bookmark(self._kind, revision, _INITIAL_END))

    def replay(self, history: Iterable[Past], revision: int) -> None:
        """Send the writes after the revision that the reader has seen."""
        self._begun_at = self._revision = revision
        for past in history:
            namespace = self._filter.namespace
            if namespace and past.key.namespace != namespace:
                self._revision = max(self._revision, past.revision)
                continue
            obj = json.loads(past.data)
            before = json.loads(past.previous) if past.previous else None
            self._change(past.change, past.revision, (obj, past.data), before)

    def follow(self, release: Callable[[], None]) -> None:
        """Keep what ends the subscription."""
        self._release = release

    def see(self, event: Event) -> None:
        """Take a published write."""
        stored = event.stored
        if self._over or stored.revision <= self._revision:
            return
        if self._filter.namespace and stored.key.namespace != self._filter.namespace:
            self._revision = stored.revision
            return
        before = event.previous.object if event.previous else None
        self._change(event.change, stored.revision, (stored.object, stored.data), before)

    def fail(self, error: ApiError) -> None:
        """Send an ERROR and end."""
        self._put(self._render.error(error.status()))
        self._end()

    def take(self, now: datetime) -> list[bytes]:
        """The lines that are ready; also notices bookmarks and the deadline."""
        if not self._over and now >= self._deadline:
            self._end()
        elif not self._over and self._bookmarks and now >= self._next_bookmark:
            self._next_bookmark = self._bookmark_after(now)
            # As the watch cache does: nothing new of this kind, nothing to tell.
            if self._revision > self._begun_at:
                self._put(self._render.bookmark(self._kind, self._revision, {}))
        lines, self._lines = list(self._lines), deque()
        self._waiting_bytes = 0
        return lines

    def _bookmark_after(self, now: datetime) -> datetime:
        """A minute later, or shortly before the end where that is still to come."""
        before_end = self._deadline - BOOKMARK_BEFORE_END
        return min(now + BOOKMARK_EVERY, before_end) if before_end > now else now + BOOKMARK_EVERY

    def due(self) -> datetime | None:
        """When the next bookmark or the end is due."""
        return min(self._deadline, self._next_bookmark) if self._bookmarks else self._deadline

    def on_ready(self, wake: Callable[[], None]) -> None:
        """Call `wake` when lines are there."""
        self._wake = wake

    def close(self) -> None:
        """The reader has gone."""
        self._end()
        self._lines.clear()

    def _change(
        self, change: Change, revision: int, new: tuple[Object, bytes], before: Object | None
    ) -> None:
        obj, data = new
        matches = self._filter.matches
        is_in = change != "DELETED" and matches(obj)
        was_in = before is not None and matches(before)
        if change == "MODIFIED" and before is None:
            was_in = is_in
        if change == "DELETED":
            if was_in or (before is None and matches(obj)):
                self._put(self._render.event("DELETED", obj, data))
        elif is_in:
            self._put(self._render.event("MODIFIED" if was_in else "ADDED", obj, data))
        elif was_in and before is not None:
            meta = before["metadata"] | {"resourceVersion": str(revision)}
            last = before | {"metadata": meta}
            self._put(self._render.event("DELETED", last, b""))
        self._revision = max(self._revision, revision)

    def _put(self, data: bytes) -> None:
        self._lines.append(data)
        if self._release is not _nobody:
            self._waiting_bytes += len(data)
            if self._waiting_bytes > _MAX_WAITING_BYTES:
                self._end()
        self._wake()

    def _end(self) -> None:
        self._over = True
        self._release()
        self._release = _nobody
        self._wake()


def _nobody() -> None:
    """Nobody waits."""
