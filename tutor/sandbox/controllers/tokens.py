"""Token Secrets: the old form of a service account's token, for Secrets that ask for one.

Source: pkg/controller/serviceaccount/tokens_controller.go.
"""

import base64
from collections.abc import Callable, Hashable, Sequence

from tutor.sandbox.api.builtin.reading import part
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, ClusterFacts, Result, Watches
from tutor.sandbox.controllers.resources import (
    SECRETS,
    SERVICE_ACCOUNTS,
    Place,
    as_place,
    is_deleted,
    place_of,
)
from tutor.sandbox.kinds import Object, annotations_of, name_of, namespace_of

TOKEN_TYPE = "kubernetes.io/service-account-token"  # noqa: S105 - the name of a type
ACCOUNT = "kubernetes.io/service-account.name"
ACCOUNT_UID = "kubernetes.io/service-account.uid"

IssueLegacy = Callable[[Object, str], str]
"""(service account, name of the Secret) -> token."""


class TokenSecrets:
    """Fills token Secrets, and removes those whose account is gone."""

    name = "token-secrets"

    def __init__(self, client: Client, facts: ClusterFacts, issue: IssueLegacy) -> None:
        self._client = client
        self._facts = facts
        self._issue = issue
        self.watches: Sequence[Watches] = (
            Watches(SECRETS, self._token_secret),
            Watches(SERVICE_ACCOUNTS, self._secrets_of),
        )

    def _token_secret(self, secret: Object) -> list[Place]:
        return [place_of(secret)] if secret.get("type") == TOKEN_TYPE else []

    def _secrets_of(self, account: Object) -> list[Place]:
        return [
            place_of(secret)
            for secret in self._client.list(SECRETS, namespace_of(account))
            if secret.get("type") == TOKEN_TYPE
            and annotations_of(secret).get(ACCOUNT) == name_of(account)
        ]

    async def reconcile(self, key: Hashable) -> Result:
        """Fill or remove one Secret."""
        namespace, name = as_place(key)
        secret = self._client.find(SECRETS, namespace, name)
        if secret is None or secret.get("type") != TOKEN_TYPE or is_deleted(secret):
            return DONE
        account = self._client.find(
            SERVICE_ACCOUNTS, namespace, annotations_of(secret).get(ACCOUNT, "")
        )
        uid = annotations_of(secret).get(ACCOUNT_UID, "")
        if account is None or (uid and uid != account["metadata"]["uid"]):
            await self._remove(namespace, name)
            return DONE
        data = {
            "ca.crt": self._facts.ca_bundle,
            "namespace": namespace,
            "token": self._issue(account, name),
        }
        have = part(secret, "data")
        if all(have.get(field) for field in data) and uid:
            return DONE
        encoded = {k: base64.b64encode(v.encode()).decode() for k, v in data.items()}

        def fill(obj: Object) -> Object:
            obj["data"] = encoded | (obj.get("data") or {})
            annotations = obj["metadata"].setdefault("annotations", {})
            annotations[ACCOUNT_UID] = account["metadata"]["uid"]
            return obj

        await self._client.change(SECRETS, namespace, name, fill)
        return DONE

    async def _remove(self, namespace: str, name: str) -> None:
        try:
            await self._client.delete(SECRETS, namespace, name)
        except ApiError as error:
            if error.reason != "NotFound":
                raise
