"""The program: its TLS Secret, its HTTPS server, its log.

Source: pinniped.md 1.5 (the Secret), 5.1 (server), 5.5 (log lines).
"""

import asyncio
import base64
import json
from collections.abc import Hashable, Sequence
from datetime import datetime, timedelta
from typing import Any

from tutor.sandbox import pki
from tutor.sandbox.api.builtin.reading import part
from tutor.sandbox.api.request import Request, Response
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.component import DONE, Component, Result, ServerTls, Watches, Workload
from tutor.sandbox.components.localuser.policy import judge
from tutor.sandbox.kinds import GroupResource, Object, namespace_of
from tutor.sandbox.pki import Pair

NAME = "local-user-authenticator"
TLS_SECRET = "local-user-authenticator-tls-serving-certificate"  # noqa: S105 - a name
_PORT = 8443
_SECRETS = GroupResource("", "secrets")
_LIFETIME = timedelta(days=100 * 365)
_BACKDATE = timedelta(minutes=5)


class Certificates:
    """Keeps the TLS Secret, and the pair that is served: what the Secret says, from memory."""

    name = "certs"

    def __init__(self, workload: Workload, namespace: str) -> None:
        self._workload = workload
        self._namespace = namespace
        self.pair: Pair | None = None
        self.watches: Sequence[Watches] = (
            Watches(_SECRETS, lambda _obj: [TLS_SECRET], namespace, (TLS_SECRET,)),
        )

    async def reconcile(self, key: Hashable) -> Result:
        """Make the Secret when it is not there, and serve what is in it."""
        client = self._workload.client
        secret = client.find(_SECRETS, self._namespace, str(key))
        if secret is None:
            await asyncio.sleep(self._workload.pace.authenticator_tls)
            try:
                secret = await client.create(make_secret(self._namespace, client.now()))
            except ApiError as error:
                if error.reason != "AlreadyExists":
                    raise
                return Result(again_s=0)
            log(
                self._workload,
                "info",
                "certsManagerController Sync successfully created secret",
            )
        data = part(secret, "data")
        pair = Pair(_text(data, "tlsCertificateChain"), _text(data, "tlsPrivateKey"))
        if pair != self.pair:
            self.pair = pair
            log(
                self._workload,
                "info",
                "certsObserverController Sync updated certs in the dynamic cert provider",
            )
        return DONE


def make_secret(namespace: str, now: datetime) -> Object:
    """A new CA and a serving certificate signed by it."""
    authority = pki.new_authority(
        "local-user-authenticator CA",
        now=now,
        lifetime=_LIFETIME,
        key_usages=("digital_signature", "key_cert_sign"),
        extended=(pki.CLIENT_AUTH, pki.SERVER_AUTH),
        backdate=_BACKDATE,
    )
    pair = pki.issue(
        authority,
        subject=pki.subject_of(),
        now=now,
        lifetime=_LIFETIME,
        hosts=[f"{NAME}.{namespace}.svc"],
        usages=(),
    )
    content = {
        "caCertificate": authority.pem,
        "caCertificatePrivateKey": pki.key_pem(authority.key, "PKCS1"),
        "tlsCertificateChain": pair.certificate,
        "tlsPrivateKey": pair.key,
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": TLS_SECRET, "namespace": namespace, "labels": {"app": NAME}},
        "type": "Opaque",
        "data": {k: base64.b64encode(v.encode()).decode() for k, v in content.items()},
    }


def _text(data: dict[str, str], key: str) -> str:
    return base64.b64decode(data.get(key, "")).decode(errors="replace")


def log(workload: Workload, level: str, message: str, **fields: Any) -> None:
    """Write a line in the format of Pinniped's logs."""
    stamp = workload.client.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    entry = {
        "level": level,
        "timestamp": stamp,
        "caller": "localuserauthenticator/localuserauthenticator.go:99"
        "$localuserauthenticator.(*webhook).ServeHTTP",
        "message": message,
    }
    workload.log(json.dumps(entry | fields, separators=(",", ":")))


def tell_refused(workload: Workload, peer: str, why: str) -> None:
    """Log a client that did not get through the handshake.

    Every client of the real one is Go's, which has one alert for each certificate that it refuses.
    """
    why = why.replace("unknown certificate authority", "bad certificate")
    log(workload, "info", f"http: TLS handshake error from {peer}: {why}")


async def run(workload: Workload) -> None:
    """Run the authenticator until its pod ends."""
    namespace = namespace_of(workload.pod)
    certificates = Certificates(workload, namespace)

    def find(user: str) -> Object | None:
        return workload.client.find(_SECRETS, namespace, user) if user else None

    async def answer(request: Request) -> Response:
        verdict = await asyncio.to_thread(
            judge, request.method, request.path, request.headers, request.body, find
        )
        log(workload, "debug", verdict.message, **verdict.fields)
        if verdict.body is None:
            return Response(status=verdict.status, content_type="")
        body = json.dumps(verdict.body, separators=(",", ":")).encode() + b"\n"
        return Response(status=verdict.status, body=body)

    log(workload, "info", "controllers are ready")
    tls = ServerTls(
        pair=lambda: certificates.pair,
        minimum="TLSv1.3",
        refused=lambda peer, why: tell_refused(workload, peer, why),
    )
    workload.ready()
    async with asyncio.TaskGroup() as group:
        group.create_task(workload.reconcile([certificates]), name="certificates")
        group.create_task(workload.serve(_PORT, tls, answer), name="webhook")
        log(workload, "info", "webhook is ready", address=f"[::]:{_PORT}")


COMPONENT = Component(name=NAME, programs={NAME: run})
