"""The certificates that the Concierge makes for the proxy when nobody provides one.

Source: pinniped.md 1.4 and 1.4.1.
"""

from tutor.sandbox.api.builtin.tls_pair import mismatch
from tutor.sandbox.components.concierge.certificates import (
    HUNDRED_YEARS,
    CertificateNames,
    authority_texts,
    new_authority,
    new_serving,
    serves,
)
from tutor.sandbox.components.concierge.deps import Surroundings
from tutor.sandbox.components.concierge.encoding import secret_bytes, secret_data
from tutor.sandbox.components.concierge.impersonator.external import load_serving
from tutor.sandbox.components.concierge.impersonator.service import Place
from tutor.sandbox.components.concierge.impersonator.writes import Writes
from tutor.sandbox.components.concierge.log import Log
from tutor.sandbox.components.concierge.sync import SyncError
from tutor.sandbox.kinds import Object
from tutor.sandbox.pki import Authority, Pair, load_authority

_CA_NAME = "Pinniped Impersonation Proxy Serving CA"
_TLS = "kubernetes.io/tls"


class Generated:
    """Keeps the two Secrets."""

    def __init__(self, around: Surroundings, writes: Writes, log: Log) -> None:
        self._around = around
        self._writes = writes
        self._log = log
        self._names = around.config.names

    async def ensure(self, place: Place | None) -> bytes:
        """Serve a certificate for a place, and return the CA to advertise; raises SyncError.

        Without a place there is no certificate yet, and one for an old place goes.
        """
        authority, bundle = await self._authority()
        secret = self._around.caches.secrets.find(self._names.tls_secret)
        names = place.names if place else None
        if secret is not None and not self._will_do(secret, authority, names):
            await self._writes.delete_tls_secret(secret)
            secret = None
        if secret is None and names is not None:
            secret = await self._create(authority, names)
        if secret is not None:
            load_serving(secret, self._around.holders.proxy, self._log)
        return bundle

    async def remove(self) -> None:
        """Delete the TLS Secret, if it is there; the CA stays. Raises ApiError."""
        secret = self._around.caches.secrets.find(self._names.tls_secret)
        if secret is not None:
            await self._writes.delete_tls_secret(secret)

    async def _authority(self) -> tuple[Authority, bytes]:
        secret = self._around.caches.secrets.find(self._names.ca_secret)
        if secret is None:
            secret = await self._create_authority()
        certificate, key = secret_bytes(secret, "ca.crt"), secret_bytes(secret, "ca.key")
        fault = mismatch(certificate, key)
        if fault:
            raise SyncError(f"could not load CA: {fault}")
        return load_authority(Pair(certificate.decode(), key.decode())), certificate

    async def _create_authority(self) -> Object:
        now = self._around.workload.client.now()
        certificate, key = authority_texts(new_authority(_CA_NAME, now, HUNDRED_YEARS))
        data = secret_data({"ca.crt": certificate, "ca.key": key})
        return await self._writes.create_secret(
            self._around.secret(self._names.ca_secret, data),
            "creating CA certificates for impersonation proxy",
            "createCASecret",
        )

    def _will_do(
        self, secret: Object, authority: Authority, names: CertificateNames | None
    ) -> bool:
        if names is None:
            return False
        pair = (secret_bytes(secret, "tls.crt"), secret_bytes(secret, "tls.key"))
        return serves(*pair, authority, names, self._around.workload.client.now())

    async def _create(self, authority: Authority, names: CertificateNames) -> Object:
        now = self._around.workload.client.now()
        pair = new_serving(authority, names, now, HUNDRED_YEARS)
        data = secret_data({"tls.crt": pair.certificate, "tls.key": pair.key})
        return await self._writes.create_secret(
            self._around.secret(self._names.tls_secret, data, _TLS),
            "creating TLS certificates for impersonation proxy",
            "createNewTLSSecret",
        )
