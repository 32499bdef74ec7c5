"""Stores what was issued, tells what failed, and mends what was changed in the Secret afterwards.

Source: cert-manager v1.12.3, pkg/controller/certificates/issuing.
"""

import asyncio
import base64

from tutor.sandbox import pki
from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.components.certmanager.conditions import Condition
from tutor.sandbox.components.certmanager.controllers.base import (
    Around,
    Controller,
    certificate_watches,
    changed,
    next_revision,
    owner_certificate,
    requests_of,
    revision_of,
    status_of,
)
from tutor.sandbox.components.certmanager.controllers.requests import failed_before
from tutor.sandbox.components.certmanager.csr import request_of
from tutor.sandbox.components.certmanager.matching import key_mismatches, request_mismatches
from tutor.sandbox.components.certmanager.pem import InvalidData, decode_certificate, decode_key
from tutor.sandbox.components.certmanager.policies import (
    POST_ISSUANCE,
    TEMPORARY,
    Gathered,
    first_verdict,
    secret_value,
)
from tutor.sandbox.components.certmanager.resources import (
    CERTIFICATES,
)
from tutor.sandbox.components.certmanager.signing import temporary_certificate
from tutor.sandbox.components.certmanager.target import Issued, target_secret
from tutor.sandbox.controllers.resources import SECRETS, condition, is_true
from tutor.sandbox.kinds import Object, annotations_of, name_of, namespace_of
from tutor.sandbox.pki import PrivateKey

_WANTS_TEMPORARY = "cert-manager.io/issue-temporary-certificate"
_NO_KEYSTORES = (
    "This is the tutor's sandbox, and it makes no keystores: the Secret has the PEM files only"
)


class Issuing(Controller):
    """Completes issuances."""

    def __init__(self, around: Around) -> None:
        super().__init__(around, "certificates-issuing")
        self.watches = (*certificate_watches(self.client), Watches(SECRETS, owner_certificate))

    async def sync(self, namespace: str, name: str) -> Result:
        """Bring the issuance of one Certificate to its end."""
        certificate = self.client.find(CERTIFICATES, namespace, name)
        if certificate is None:
            return DONE
        if not is_true(certificate, "Issuing"):
            await self._mend(certificate)
            return DONE
        key = self._next_key(certificate)
        if key is None:
            return DONE
        revision = next_revision(certificate)
        owned = requests_of(self.client, certificate)
        found = [request for request in owned if revision_of(request) == revision]
        if len(found) == 1 and not failed_before(found[0], certificate):
            await self._complete(certificate, found[0], key)
        return DONE

    def _next_key(self, certificate: Object) -> PrivateKey | None:
        """The key of this issuance, None while it is not there or not as the spec wants it."""
        name = status_of(certificate).get("nextPrivateKeySecretName")
        if not name:
            return None
        secret = self.client.find(SECRETS, namespace_of(certificate), name)
        try:
            key = decode_key(secret_value(secret, "tls.key"))
        except InvalidData:
            return None
        return None if key_mismatches(key, certificate["spec"]) else key

    async def _complete(self, certificate: Object, request: Object, key: PrivateKey) -> None:
        try:
            if request_mismatches(request, certificate["spec"]):
                return
            belongs = request_of(request).public_key == key.public_key()
        except InvalidData:
            return
        refusal = final_refusal(request)
        ready = condition(request, "Ready")
        if refusal is not None:
            await self._fail(certificate, refusal)
        elif ready is None or not belongs:
            return
        elif ready.get("reason") == "Issued":
            await asyncio.sleep(self.pace.issue)
            await self._issue(certificate, request, key)
        else:
            await self._start_temporarily(certificate, key)

    async def _fail(self, certificate: Object, why: Object) -> None:
        now = self.client.now()
        reason = why.get("reason", "")
        text = (
            "The certificate request has failed to complete and will be retried: "
            f"{why.get('message', '')}"
        )
        new = changed(certificate)
        status = new["status"]
        status["lastFailureTime"] = timestamp(now)
        status["failedIssuanceAttempts"] = status.get("failedIssuanceAttempts", 0) + 1
        self.set_condition(new, Condition("Issuing", "False", reason, text))
        await self.write_status(new, certificate)
        await self.recorder.warning(certificate, reason, text)

    async def _issue(self, certificate: Object, request: Object, key: PrivateKey) -> None:
        status = status_of(request)
        issued = Issued(
            key=encoded_key(certificate, key),
            certificate=base64.b64decode(status.get("certificate", "")),
            ca=base64.b64decode(status.get("ca", "")),
        )
        await self._store(certificate, issued)
        if certificate["spec"].get("keystores"):
            self.not_simulated(_NO_KEYSTORES)
            await self.recorder.warning(certificate, "NotSimulated", _NO_KEYSTORES)
        await self.client.change(
            CERTIFICATES, namespace_of(certificate), name_of(certificate), completed, "status"
        )
        text = "The certificate has been successfully issued"
        await self.recorder.normal(certificate, "Issuing", text)

    async def _start_temporarily(self, certificate: Object, key: PrivateKey) -> None:
        if annotations_of(certificate).get(_WANTS_TEMPORARY) != "true":
            return
        now = self.client.now()
        given = Gathered(certificate=certificate, secret=self._secret(certificate))
        if first_verdict(TEMPORARY, given, now) is None:
            return
        made = temporary_certificate(certificate["spec"], key, now)
        issued = Issued(key=encoded_key(certificate, key), certificate=made.encode(), ca=b"")
        await self._store(certificate, issued)
        await self.recorder.normal(certificate, "Issuing", "Issued temporary certificate")

    async def _mend(self, certificate: Object) -> None:
        secret = self._secret(certificate)
        given = Gathered(certificate=certificate, secret=secret)
        if secret is None or not given.data("tls.crt") or not given.data("tls.key"):
            return
        try:
            decode_certificate(given.data("tls.crt"))
        except InvalidData:
            return
        verdict = first_verdict(POST_ISSUANCE, given, self.client.now())
        if verdict is None:
            return
        pairs = {
            "key": f"{namespace_of(certificate)}/{name_of(certificate)}",
            "message": verdict.message,
            "resource_kind": "Certificate",
            "resource_name": name_of(certificate),
            "resource_namespace": namespace_of(certificate),
            "resource_version": "v1",
            "secret": name_of(secret),
        }
        self.klog.info("secret_manager.go:94", "applying Secret data", pairs)
        issued = Issued(
            key=given.data("tls.key"), certificate=given.data("tls.crt"), ca=given.data("ca.crt")
        )
        await self._store(certificate, issued)

    def _secret(self, certificate: Object) -> Object | None:
        name = certificate["spec"]["secretName"]
        return self.client.find(SECRETS, namespace_of(certificate), name)

    async def _store(self, certificate: Object, issued: Issued) -> None:
        await self.client.apply(target_secret(self._secret(certificate), certificate, issued))


def completed(certificate: Object) -> Object:
    """A Certificate whose next revision is issued; the same one when that is done already."""
    if not is_true(certificate, "Issuing"):
        return certificate
    status = certificate["status"]
    status["revision"] = next_revision(certificate)
    status["conditions"] = [c for c in status["conditions"] if c["type"] != "Issuing"]
    status.pop("failedIssuanceAttempts", None)
    status.pop("lastFailureTime", None)
    return certificate


def encoded_key(certificate: Object, key: PrivateKey) -> bytes:
    """The key in the encoding that the spec asks for."""
    private: Object = certificate["spec"].get("privateKey") or {}
    return pki.key_pem(key, private.get("encoding") or "PKCS1").encode()


def final_refusal(request: Object) -> Object | None:
    """The condition that says why a request will never be issued; None while it may."""
    for kind in ("Denied", "InvalidRequest"):
        if is_true(request, kind):
            return condition(request, kind)
    ready = condition(request, "Ready")
    return ready if ready is not None and ready.get("reason") == "Failed" else None
