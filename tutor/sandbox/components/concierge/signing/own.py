"""The Concierge's own CAs: made when they are missing, deleted when they get old, then made again.

Source: pinniped.md 1.4 and 1.4.1; names and messages from `internal/controller/apicerts`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from tutor.sandbox import pki
from tutor.sandbox.api.deletion import DeleteOptions
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.component import Watches
from tutor.sandbox.components.concierge.certificates import (
    SIGNER_LIFETIME,
    CertificateNames,
    authority_texts,
    new_authority,
    new_serving,
)
from tutor.sandbox.components.concierge.deps import API_SERVICES, SECRETS, Surroundings
from tutor.sandbox.components.concierge.encoding import (
    encode_base64,
    secret_bytes,
    secret_data,
    secret_text,
)
from tutor.sandbox.components.concierge.holder import InvalidPair
from tutor.sandbox.components.concierge.sync import Controller, Key, SyncError, wrapped
from tutor.sandbox.kinds import Object, name_of, thaw

CA_KEY = "caCertificate"
CA_PRIVATE_KEY = "caCertificatePrivateKey"
CHAIN_KEY = "tlsCertificateChain"
PRIVATE_KEY = "tlsPrivateKey"
_MANAGER, _EXPIRER, _OBSERVER = (
    "certs-manager-controller",
    "certs-expirer-controller",
    "certs-observer-controller",
)
_MANAGER_AT = "apicerts/certs_manager.go:169$apicerts.(*certsManagerController).Sync"
_OBSERVER_AT = "apicerts/certs_observer.go:73$apicerts.(*certsObserverController).Sync"
_UPDATER_AT = "apicerts/apiservice_updater.go:73$apicerts.(*apiServiceUpdaterController).Sync"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A CA that is kept in a Secret."""

    secret: str
    common_name: str
    lifetime: timedelta
    renew_after: timedelta
    """The age at which it is replaced."""
    host: str = ""
    """The name of a serving certificate beside it; empty for none."""


class OwnCertificates:
    """The controllers of the CAs."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._client = around.workload.client
        self._secrets = around.caches.secrets
        self.serving = asyncio.Event()
        """Set once there is a certificate to serve with."""
        config = around.config
        self.api = Kept(
            secret=config.names.serving_secret,
            common_name="Pinniped Aggregation CA",
            lifetime=config.certificate_lifetime,
            renew_after=config.renew_before,
            host=f"{config.names.api_service}.{around.namespace}.svc",
        )
        self.signer = Kept(
            secret=config.names.signer_secret,
            common_name="Pinniped Impersonation Proxy Signer CA",
            lifetime=SIGNER_LIFETIME,
            renew_after=SIGNER_LIFETIME - timedelta(hours=1),
        )

    def controllers(self) -> Sequence[Controller]:
        """One each to make, to expire, to load, and to tell."""
        made: list[Controller] = []
        for kept in (self.api, self.signer):
            made.append(self._controller(_MANAGER, kept, self._make))
            made.append(self._controller(_EXPIRER, kept, self._expire))
        made.append(self._controller(_OBSERVER, self.api, self._observe))
        made.extend(self._updater(group) for group in ("login.concierge", "identity.concierge"))
        return made

    def _controller(
        self, name: str, kept: Kept, act: Callable[[Kept], Awaitable[None]]
    ) -> Controller:
        async def sync(_key: Key) -> None:
            await act(kept)

        return Controller(
            name,
            sync,
            (self._watch(kept),),
            self._around.log,
            self._around.workload.pace.opaque_resync,
        )

    def _watch(self, kept: Kept) -> Watches:
        key = Key(self._around.namespace, kept.secret)
        return Watches(
            SECRETS,
            lambda obj: [key] if name_of(obj) == kept.secret else [],
            self._around.namespace,
            (key,),
        )

    async def _make(self, kept: Kept) -> None:
        if self._secrets.find(kept.secret) is not None:
            return
        secret = self._around.secret(kept.secret, secret_data(self._content(kept)))
        try:
            await self._client.create(secret)
        except ApiError as error:
            raise wrapped("could not create secret", error) from None
        message = "certsManagerController Sync successfully created secret"
        self._around.log.info(_MANAGER_AT, message)

    def _content(self, kept: Kept) -> dict[str, str]:
        now = self._client.now()
        authority = new_authority(kept.common_name, now, kept.lifetime)
        certificate, key = authority_texts(authority)
        content = {CA_KEY: certificate, CA_PRIVATE_KEY: key}
        if kept.host:
            names = CertificateNames(host=kept.host)
            pair = new_serving(authority, names, now, kept.lifetime)
            content |= {CHAIN_KEY: pair.certificate, PRIVATE_KEY: pair.key}
        return content

    async def _expire(self, kept: Kept) -> None:
        secret = self._secrets.find(kept.secret)
        if secret is None:
            return
        key = CHAIN_KEY if kept.host else CA_KEY
        try:
            certificate = pki.load_certificates(secret_bytes(secret, key))[0]
        except ValueError:
            raise SyncError(
                f'failed to get cert bounds for secret "{kept.secret}" with key "{key}":'
                " failed to find certificate"
            ) from None
        if self._client.now() - certificate.not_valid_before_utc < kept.renew_after:
            return
        meta = secret["metadata"]
        exactly = DeleteOptions(uid=meta["uid"], resource_version=meta["resourceVersion"])
        try:
            await self._client.delete(SECRETS, self._around.namespace, kept.secret, exactly)
        except ApiError as error:
            # Logged by the real controller; the next look repeats it.
            raise wrapped("failed to delete cert secret", error) from None

    async def _observe(self, kept: Kept) -> None:
        secret = self._secrets.find(kept.secret)
        if secret is None:
            # The real one keeps nothing to serve with either.
            self._around.holders.api.clear()
            return
        old = self._around.holders.api.pair
        try:
            self._around.holders.api.load(
                secret_bytes(secret, CHAIN_KEY), secret_bytes(secret, PRIVATE_KEY)
            )
        except InvalidPair as error:
            where = f"{self._around.namespace}/{kept.secret}"
            prefix = f"failed to set serving cert/key content from secret {where}"
            raise wrapped(prefix, error) from None
        self.serving.set()
        if self._around.holders.api.pair != old:
            message = "certsObserverController Sync updated certs in the dynamic cert provider"
            self._around.log.info(_OBSERVER_AT, message)

    def _updater(self, group: str) -> Controller:
        name = f"v1alpha1.{self._around.config.group(group)}"

        async def sync(_key: Key) -> None:
            await self._tell(name)

        return Controller(
            _MANAGER,
            sync,
            (self._watch(self.api),),
            self._around.log,
            self._around.workload.pace.opaque_resync,
        )

    async def _tell(self, name: str) -> None:
        """Put the CA into an APIService."""
        secret = self._secrets.find(self.api.secret)
        if secret is None:
            return
        bundle = encode_base64(secret_text(secret, CA_KEY))
        prefix = "could not update the API service"
        try:
            service = self._client.get(API_SERVICES, "", name)
        except ApiError as error:
            why = f"{prefix}: could not get existing version of API service"
            raise wrapped(why, error) from None
        if service["spec"].get("caBundle") == bundle:
            return

        def write(obj: Object) -> Object:
            new: Object = thaw(obj)
            new["spec"]["caBundle"] = bundle
            return new

        try:
            await self._client.change(API_SERVICES, "", name, write)
        except ApiError as error:
            raise wrapped(f"{prefix}: could not update API service", error) from None
        message = "apiServiceUpdaterController Sync successfully updated API service"
        self._around.log.info(_UPDATER_AT, message)
