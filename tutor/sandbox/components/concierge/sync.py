"""The loop around a controller's sync: what failed is logged and tried again.

Source: pinniped.md 3.8 (back-off, resync) and 3.9 (the log line).
"""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import NamedTuple

from tutor.sandbox.api.status import ApiError
from tutor.sandbox.component import Backoff, Result, Watches
from tutor.sandbox.components.concierge.cache import Absent
from tutor.sandbox.components.concierge.log import HANDLE_KEY, Log

_BACKOFF = Backoff(first_s=0.005, most_s=1000.0)


class Key(NamedTuple):
    """What a sync is about; both parts are empty for a controller that looks at everything."""

    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        return f"{{{self.namespace} {self.name}}}"


EVERYTHING = Key()


class SyncError(Exception):
    """A sync that failed; the text is what people read, `reason` that of the API error in it."""

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


def wrapped(prefix: str, error: Exception) -> SyncError:
    """An error with words before it, as Go's `%w` puts them."""
    reason = error.reason if isinstance(error, (ApiError, SyncError)) else ""
    return SyncError(f"{prefix}: {error}", reason)


def joined(errors: Sequence[Exception]) -> SyncError | None:
    """Errors as one: itself if it is alone, in brackets if there are several."""
    if not errors:
        return None
    if len(errors) == 1:
        return wrapped_as_is(errors[0])
    return SyncError("[" + ", ".join(str(error) for error in errors) + "]")


def wrapped_as_is(error: Exception) -> SyncError:
    """An error with its own words."""
    reason = error.reason if isinstance(error, (ApiError, SyncError)) else ""
    return SyncError(str(error), reason)


class Controller:
    """Runs a sync when something changed, again after a failure, and now and then anyway."""

    def __init__(
        self,
        name: str,
        sync: Callable[[Key], Awaitable[None]],
        watches: Sequence[Watches],
        log: Log,
        resync_s: float,
    ) -> None:
        self.name = name
        self.watches = watches
        self._sync = sync
        self._log = log
        self._resync_s = resync_s
        self._failures: dict[Key, int] = {}

    async def reconcile(self, key: Hashable) -> Result:
        """Sync one key."""
        assert isinstance(key, Key)  # noqa: S101 - its own watches make the keys
        try:
            await self._sync(key)
        except (SyncError, ApiError, Absent) as error:
            failures = self._failures[key] = self._failures.get(key, 0) + 1
            self._log.failed(HANDLE_KEY, f"{self.name}: {key} failed with: {error}")
            return Result(again_s=min(_BACKOFF.after(failures), self._resync_s))
        self._failures.pop(key, None)
        return Result(again_s=self._resync_s)
