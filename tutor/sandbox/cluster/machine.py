"""The world outside, for the API: time, names and durability."""

import random
from datetime import UTC, datetime

from tutor.sandbox.api.status import internal_error
from tutor.sandbox.kinds import random_uuid
from tutor.sandbox.log import Log, Unwritable
from tutor.sandbox.store import Past

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


class Machine:
    """Implements the API's ports with the real clock, real randomness and the cluster's log."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def now(self) -> datetime:
        """The time, aware, UTC."""
        return datetime.now(UTC)  # noqa: TID251 - the sandbox's one clock

    def uid(self) -> str:
        """A new UID."""
        return random_uuid(random.getrandbits(128))

    def suffix(self, length: int) -> str:
        """A random suffix from Kubernetes' alphabet of generated names."""
        return "".join(random.choices(_ALPHABET, k=length))  # noqa: S311 - a name, no secret

    def below(self, size: int) -> int:
        """A random number below `size`."""
        return random.randrange(size)  # noqa: S311 - an address, no secret

    def append(self, past: Past) -> None:
        """Queue a write for the log."""
        self._log.append(past)

    async def durable(self, revision: int) -> None:
        """Wait until a write is durable; raises ApiError when the log cannot take it."""
        try:
            await self._log.durable(revision)
        except Unwritable as error:
            raise internal_error(f"the cluster's log cannot be written: {error}") from error
