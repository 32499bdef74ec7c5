"""Certificate requests that nobody needs any more.

Source: pkg/controller/certificates/cleaner.
"""

import base64
from collections.abc import Hashable, Iterator, Sequence
from datetime import datetime, timedelta

from tutor.sandbox import pki
from tutor.sandbox.api.builtin.admission.certificates import REQUESTS
from tutor.sandbox.api.builtin.reading import items, part, text
from tutor.sandbox.api.deletion import DeleteOptions
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import Result, Watches
from tutor.sandbox.kinds import Object, name_of

_PERIOD = timedelta(hours=1)
_DECIDED, _OPEN = timedelta(hours=1), timedelta(hours=24)
_PLAIN = DeleteOptions()


class RequestCleaning:
    """Looks at all requests once an hour."""

    name = "certificatesigningrequests-cleaning"

    def __init__(self, client: Client) -> None:
        self._client = client
        self.watches: Sequence[Watches] = (Watches(REQUESTS, lambda _request: (), always=("all",)),)

    async def reconcile(self, key: Hashable) -> Result:
        """Delete what is old."""
        del key
        for request in self._client.list(REQUESTS):
            if not is_over(request, self._client.now()):
                continue
            try:
                await self._client.delete(REQUESTS, "", name_of(request), _PLAIN)
            except ApiError as error:
                if error.reason != "NotFound":
                    raise
        return Result(again_s=_PERIOD.total_seconds())


def is_over(request: Object, now: datetime) -> bool:
    """Whether nothing will come of a request, or its certificate has been there for an hour."""
    made = datetime.fromisoformat(request["metadata"]["creationTimestamp"])
    conditions = items(request, "status", "conditions")
    if not conditions:
        return now - made > _OPEN
    return any(now > end for end in _ends(request, conditions))


def _ends(request: Object, conditions: Sequence[Object]) -> Iterator[datetime]:
    written = text(part(request, "status"), "certificate")
    for told in conditions:
        since = text(told, "lastUpdateTime")
        kept = _OPEN if told["type"] == "Approved" and not written else _DECIDED
        if since:
            yield datetime.fromisoformat(since) + kept
        if told["type"] == "Approved" and written:
            yield from _last_moment(written)


def _last_moment(written: str) -> Iterator[datetime]:
    try:
        found = pki.load_certificates(base64.b64decode(written))
    except ValueError:  # what a signer of somebody else wrote; the real controller reads on, too
        return
    yield from (one.not_valid_after_utc for one in found[:1])
