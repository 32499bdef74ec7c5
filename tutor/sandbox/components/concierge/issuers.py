"""Writes strategies into the status of the CredentialIssuer.

Source: pinniped.md 3.1 and 3.6.
"""

from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.components.concierge.cache import Absent, Cache
from tutor.sandbox.components.concierge.reading import part
from tutor.sandbox.components.concierge.strategy import merged
from tutor.sandbox.components.concierge.sync import SyncError, joined, wrapped
from tutor.sandbox.kinds import Object

_STATUS = "status"


class Issuers:
    """The one CredentialIssuer of a Concierge."""

    def __init__(self, client: Client, cache: Cache, name: str) -> None:
        self._client = client
        self._cache = cache
        self._name = name

    def get(self) -> Object:
        """The CredentialIssuer; raises SyncError when there is none."""
        try:
            return self._cache.get(self._name)
        except Absent as error:
            raise wrapped("could not get CredentialIssuer to update", error) from None

    async def report(
        self, issuer: Object, strategy: Object, failure: Exception | None = None
    ) -> None:
        """Write a strategy; raises SyncError for `failure`, for what the API says, or for both."""
        failures = [failure] if failure else []
        try:
            await self._write(issuer, strategy)
        except SyncError as error:
            failures.append(error)
        together = joined(failures)
        if together is not None:
            raise together

    async def _write(self, issuer: Object, strategy: Object) -> None:
        old = part(issuer, _STATUS)
        new = merged(old, strategy, self._client.now())
        if new == old:
            return
        try:
            await self._client.update({**issuer, _STATUS: new}, _STATUS)
        except ApiError as error:
            raise wrapped("failed to update CredentialIssuer status", error) from None
