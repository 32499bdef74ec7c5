"""Keeps the private key of an issuance in a temporary Secret.

Source: cert-manager v1.12.3, pkg/controller/certificates/keymanager.
"""

import asyncio
import base64

from tutor.sandbox import pki
from tutor.sandbox.api.status import go_quote
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.components.certmanager.controllers.base import (
    Around,
    Controller,
    changed,
    is_owned,
    own,
    owner_certificate,
    status_of,
    stored_in,
)
from tutor.sandbox.components.certmanager.matching import (
    algorithm_of,
    go_list,
    key_mismatches,
    size_of,
)
from tutor.sandbox.components.certmanager.pem import InvalidData, decode_key
from tutor.sandbox.components.certmanager.policies import PART_OF, secret_value
from tutor.sandbox.components.certmanager.resources import CERTIFICATES
from tutor.sandbox.controllers.resources import SECRETS, is_true, owner_reference
from tutor.sandbox.kinds import Object, labels_of, name_of, namespace_of
from tutor.sandbox.pki import PrivateKey

_NEXT_KEY = "cert-manager.io/next-private-key"
_STUCK = (
    "User intervention required: existing private key in Secret {} does not match requirements "
    "on Certificate resource, mismatching fields: {}, but cert-manager cannot create new private "
    "key as the Certificate's .spec.privateKey.rotationPolicy is unset or set to Never. To allow "
    "cert-manager to create a new private key you can set .spec.privateKey.rotationPolicy to "
    "'Always' (this will result in the private key being regenerated every time a cert is renewed) "
)


class KeyManager(Controller):
    """Makes the key while a certificate is issued, and removes it afterwards."""

    def __init__(self, around: Around) -> None:
        super().__init__(around, "certificates-key-manager")
        self.watches = (
            Watches(CERTIFICATES, own),
            Watches(SECRETS, owner_certificate),
            Watches(SECRETS, stored_in(self.client)),
        )

    async def sync(self, namespace: str, name: str) -> Result:
        """Bring the key of one Certificate a step further."""
        certificate = self.client.find(CERTIFICATES, namespace, name)
        if certificate is None:
            return DONE
        secrets = [
            secret
            for secret in self.client.list(SECRETS, namespace, {_NEXT_KEY: "true"})
            if is_owned(secret, certificate)
        ]
        if not is_true(certificate, "Issuing"):
            await self._delete(secrets)
            await self._name(certificate, None)
        elif not secrets:
            await self._create(certificate)
        elif len(secrets) > 1:
            await self._delete(secrets)
        else:
            await self._check(certificate, secrets[0])
        return DONE

    async def _check(self, certificate: Object, secret: Object) -> None:
        known = status_of(certificate).get("nextPrivateKeySecretName")
        if known is None:
            await self._name(certificate, name_of(secret))
            return
        try:
            key = decode_key(secret_value(secret, "tls.key"))
        except InvalidData:
            await self._delete([secret])
            return
        mismatches = key_mismatches(key, certificate["spec"])
        if known != name_of(secret):
            await self._delete([secret])
        elif mismatches:
            text = f"Regenerating private key due to change in fields: {go_list(mismatches)}"
            await self.recorder.normal(certificate, "Deleted", text)
            await self._delete([secret])

    async def _create(self, certificate: Object) -> None:
        private: Object = certificate["spec"].get("privateKey") or {}
        if private.get("rotationPolicy") == "Always":
            await self._generate(certificate)
            return
        target = certificate["spec"]["secretName"]
        secret = self.client.find(SECRETS, namespace_of(certificate), target)
        data = secret_value(secret, "tls.key")
        if not data:
            await self._generate(certificate)
            return
        try:
            key = decode_key(data)
        except InvalidData:
            text = (
                f"Failed to decode private key stored in Secret {go_quote(target)}"
                " - generating new key"
            )
            await self.recorder.warning(certificate, "DecodeFailed", text)
            await self._generate(certificate)
            return
        mismatches = key_mismatches(key, certificate["spec"])
        if mismatches:
            text = _STUCK.format(go_quote(target), go_list(mismatches))
            await self.recorder.warning(certificate, "CannotRegenerateKey", text)
            return
        stored = await self._store(certificate, key)
        text = f"Reusing private key stored in existing Secret resource {go_quote(target)}"
        await self.recorder.normal(certificate, "Reused", text)
        await self._name(certificate, name_of(stored))

    async def _generate(self, certificate: Object) -> None:
        spec = certificate["spec"]
        key = await asyncio.to_thread(pki.new_key, algorithm_of(spec), size_of(spec))
        stored = await self._store(certificate, key)
        quoted = go_quote(name_of(stored))
        text = f"Stored new private key in temporary Secret resource {quoted}"
        await self.recorder.normal(certificate, "Generated", text)
        await self._name(certificate, name_of(stored))

    async def _store(self, certificate: Object, key: PrivateKey) -> Object:
        meta: Object = {
            "namespace": namespace_of(certificate),
            "labels": {_NEXT_KEY: "true", PART_OF: "true"},
            "ownerReferences": [owner_reference(certificate)],
        }
        name = status_of(certificate).get("nextPrivateKeySecretName")
        meta |= {"name": name} if name else {"generateName": f"{name_of(certificate)}-"}
        encoded = base64.b64encode(pki.key_pem(key).encode()).decode()
        return await self.client.create(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": meta,
                "data": {"tls.key": encoded},
                "type": "Opaque",
            }
        )

    async def _delete(self, secrets: list[Object]) -> None:
        for secret in secrets:
            if labels_of(secret).get(_NEXT_KEY):
                await self.client.delete(SECRETS, namespace_of(secret), name_of(secret))

    async def _name(self, certificate: Object, secret: str | None) -> None:
        new = changed(certificate)
        if secret is None:
            new["status"].pop("nextPrivateKeySecretName", None)
        else:
            new["status"]["nextPrivateKeySecretName"] = secret
        if new["status"] != status_of(certificate):
            await self.write_status(new, certificate)
