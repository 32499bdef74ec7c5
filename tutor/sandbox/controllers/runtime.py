"""The loop around a reconciler: what changed, what is due, what to do after a failure.

What changes is looked at at once; a key that waits for its time goes on waiting meanwhile.
Source: client-go's workqueue and its delaying queue.
"""

import asyncio
import logging
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import ExitStack

from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client, Event
from tutor.sandbox.component import Backoff, Reconciler, Watches
from tutor.sandbox.controllers.queue import Queue

log = logging.getLogger(__name__)

_DEFAULT_BACKOFF = Backoff()
_WATCH_AGAIN_S = 1.0
"""After a watch that was refused: the first delay of client-go's reflectors."""


class Runtime:
    """Runs one reconciler."""

    def __init__(
        self, reconciler: Reconciler, client: Client, backoff: Backoff = _DEFAULT_BACKOFF
    ) -> None:
        self._reconciler = reconciler
        self._client = client
        self._backoff = backoff
        self._queue = Queue()
        self._waiting = Queue()
        self._changed = asyncio.Event()
        self._failures: dict[Hashable, int] = {}

    async def run(self) -> None:
        """Reconcile until cancelled."""
        with ExitStack() as releases:
            while not self._follow(releases):  # noqa: ASYNC110 - rights come back in silence
                await asyncio.sleep(_WATCH_AGAIN_S)
            while True:
                await self._step()

    def _follow(self, releases: ExitStack) -> bool:
        """Watch what the reconciler watches, or say that it is not allowed to (yet)."""
        try:
            for watch in self._reconciler.watches:
                release = self._client.subscribe(
                    watch.resource, self._listener(watch), watch.namespace, watch.name
                )
                releases.callback(release)
            self._fill()
        except ApiError as error:
            log.info(
                "watch refused",
                extra={"reconciler": self._reconciler.name, "why": str(error)},
            )
            releases.close()
            return False
        return True

    def wake(self, keys: Iterable[Hashable]) -> None:
        """Look at these keys now, whatever the watches say."""
        # Most writes concern most reconcilers not at all, and each of them is told of each write.
        wanted = list(keys)
        if not wanted:
            return
        now = asyncio.get_running_loop().time()
        for key in wanted:
            self._queue.add(key, now)
        self._changed.set()

    def _fill(self) -> None:
        now = asyncio.get_running_loop().time()
        for watch in self._reconciler.watches:
            for key in watch.always:
                self._queue.add(key, now)
            for obj in self._client.list(watch.resource, watch.namespace, name=watch.name):
                for key in watch.keys(obj):
                    self._queue.add(key, now)

    def _listener(self, watch: Watches) -> Callable[[Event], None]:
        def listen(event: Event) -> None:
            try:
                keys = set(watch.keys(event.stored.object))
                if event.previous is not None:
                    keys |= set(watch.keys(event.previous.object))
            except ApiError as error:  # to find the keys it may have to list what it may not
                log.info(
                    "change not followed",
                    extra={"reconciler": self._reconciler.name, "why": str(error)},
                )
                return
            if watch.rate_limited:
                self._postpone(keys)
            else:
                self.wake(keys)

        return listen

    async def _step(self) -> None:
        loop = asyncio.get_running_loop()
        while (due := self._waiting.pop_due(loop.time())) is not None:
            self._queue.add(due, loop.time())
        key = self._queue.pop_due(loop.time())
        if key is None:
            await self._wait(loop.time())
            return
        try:
            result = await self._reconciler.reconcile(key)
        except ApiError as error:
            log.info(
                "reconcile refused",
                extra={"reconciler": self._reconciler.name, "key": str(key), "why": str(error)},
            )
            self._retry(key, loop.time())
            return
        except Exception:  # a reconciler's bug costs its key, not the cluster; the log has it
            log.exception(
                "reconcile failed", extra={"reconciler": self._reconciler.name, "key": str(key)}
            )
            self._retry(key, loop.time())
            return
        if result.failed:
            self._retry(key, loop.time())
            return
        self._failures.pop(key, None)
        if result.again_s is not None:
            self._waiting.add(key, loop.time() + result.again_s)

    def _postpone(self, keys: Iterable[Hashable]) -> None:
        now = asyncio.get_running_loop().time()
        for key in keys:
            self._retry(key, now)
        self._changed.set()

    def _retry(self, key: Hashable, now: float) -> None:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        self._waiting.add(key, now + self._backoff.after(failures))

    async def _wait(self, now: float) -> None:
        due = self._waiting.next_due()
        try:
            async with asyncio.timeout(None if due is None else max(due - now, 0)):
                await self._changed.wait()
        except TimeoutError:
            return
        self._changed.clear()


async def run_all(
    reconcilers: Sequence[Reconciler], client: Client, backoff: Backoff | None = None
) -> None:
    """Run reconcilers side by side until cancelled."""
    async with asyncio.TaskGroup() as group:
        for reconciler in reconcilers:
            runtime = Runtime(reconciler, client, backoff or _DEFAULT_BACKOFF)
            group.create_task(runtime.run(), name=reconciler.name)
