"""The loop around a reconciler: what changed, what is due, what to do after a failure."""

import asyncio
import logging
from collections.abc import Hashable, Iterable, Sequence

from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import Backoff, Reconciler, Watches
from tutor.sandbox.controllers.queue import Queue
from tutor.sandbox.store import Event

log = logging.getLogger(__name__)

_DEFAULT_BACKOFF = Backoff()


class Runtime:
    """Runs one reconciler."""

    def __init__(
        self, reconciler: Reconciler, client: Client, backoff: Backoff = _DEFAULT_BACKOFF
    ) -> None:
        self._reconciler = reconciler
        self._client = client
        self._backoff = backoff
        self._queue = Queue()
        self._changed = asyncio.Event()
        self._failures: dict[Hashable, int] = {}

    async def run(self) -> None:
        """Reconcile until cancelled."""
        releases = [
            self._client.subscribe(watch.resource, self._listener(watch), watch.namespace)
            for watch in self._reconciler.watches
        ]
        try:
            self._fill()
            while True:
                await self._step()
        finally:
            for release in releases:
                release()

    def wake(self, keys: Iterable[Hashable]) -> None:
        """Look at these keys now, whatever the watches say."""
        now = asyncio.get_running_loop().time()
        for key in keys:
            self._queue.add(key, now)
        self._changed.set()

    def _fill(self) -> None:
        now = asyncio.get_running_loop().time()
        for watch in self._reconciler.watches:
            for key in watch.always:
                self._queue.add(key, now)
            for obj in self._client.list(watch.resource, watch.namespace):
                for key in watch.keys(obj):
                    self._queue.add(key, now)

    def _listener(self, watch: Watches):
        def listen(event: Event) -> None:
            keys = set(watch.keys(event.stored.object))
            if event.previous is not None:
                keys |= set(watch.keys(event.previous.object))
            self.wake(keys)

        return listen

    async def _step(self) -> None:
        loop = asyncio.get_running_loop()
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
        self._failures.pop(key, None)
        if result.again_s is not None:
            self._queue.add(key, loop.time() + result.again_s)

    def _retry(self, key: Hashable, now: float) -> None:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        self._queue.add(key, now + self._backoff.after(failures))

    async def _wait(self, now: float) -> None:
        due = self._queue.next_due()
        try:
            async with asyncio.timeout(None if due is None else max(due - now, 0)):
                await self._changed.wait()
        except TimeoutError:
            return
        self._changed.clear()


async def run_all(reconcilers: Sequence[Reconciler], client: Client) -> None:
    """Run reconcilers side by side until cancelled."""
    async with asyncio.TaskGroup() as group:
        for reconciler in reconcilers:
            group.create_task(Runtime(reconciler, client).run(), name=reconciler.name)
