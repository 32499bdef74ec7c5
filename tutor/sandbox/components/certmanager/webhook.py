"""The webhook's program: its CA, its server, its readiness.

Source: cert-manager v1.12.3, internal/webhook and pkg/webhook; cert-manager.md 1.4, 2.5 and 5.
"""

import asyncio
import json
from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from tutor.sandbox.api.rbac import Attributes
from tutor.sandbox.api.request import Request, Response, User
from tutor.sandbox.api.values import is_map
from tutor.sandbox.client import Client
from tutor.sandbox.component import Result, ServerTls, Watches, Workload
from tutor.sandbox.components.certmanager import authority
from tutor.sandbox.components.certmanager.flags import Flags
from tutor.sandbox.components.certmanager.klog import Klog
from tutor.sandbox.components.certmanager.review import mutate, validate
from tutor.sandbox.controllers.resources import SECRETS
from tutor.sandbox.kinds import Object
from tutor.sandbox.pki import Pair

_HEALTH_PORT = "6080"
_KEY = "ca"
_TEXT = "text/plain; charset=utf-8"


class ServingCertificate:
    """Keeps the CA's Secret, and in memory a serving certificate that it signed."""

    name = "webhook-authority"

    def __init__(
        self,
        client: Client,
        klog: Klog,
        place: tuple[str, str],
        hosts: Sequence[str],
        available: asyncio.Event,
    ) -> None:
        self._client = client
        self._klog = klog
        self._namespace, self._secret_name = place
        self._hosts = hosts
        self._available = available
        self._data: Mapping[str, bytes] = {}
        self.pair: Pair | None = None
        """What is served; None before there is a CA."""
        self.watches: Sequence[Watches] = (
            Watches(
                SECRETS,
                lambda _secret: [_KEY],
                namespace=self._namespace,
                name=self._secret_name,
                always=(_KEY,),
            ),
        )

    async def reconcile(self, key: Hashable) -> Result:
        """Make or renew the CA, then the serving certificate."""
        del key
        now = self._client.now()
        secret = self._client.find(SECRETS, self._namespace, self._secret_name)
        if secret is None:
            made = authority.new_secret(self._namespace, self._secret_name, now)
            secret = await self._client.create(made)
        why = authority.why_unusable(secret, now)
        if why is not None:
            if any(why):
                self._klog.info(*why)
            secret = await self._client.update(authority.renewed(secret, now))
        due = self._serve(secret, now)
        return Result(again_s=max((due - now).total_seconds(), 0))

    def _serve(self, secret: Object, now: datetime) -> datetime:
        data = authority.data_of(secret)
        if self.pair is not None and data != self._data:
            text = "Detected root CA rotation - regenerating serving certificates"
            self._klog.info("dynamic_source.go:154", text)
            self.pair = None
        if self.pair is not None and authority.renewal_of(self.pair) <= now:
            text = "cert-manager webhook certificate requires renewal, regenerating"
            self._klog.info("dynamic_source.go:163", text, {"DNSNames": list(self._hosts)})
            self.pair = None
        signer = authority.authority_of(secret)
        if self.pair is None:
            self._data = data
            self.pair = authority.serving_pair(signer, self._hosts, now)
            text = "Updated cert-manager webhook TLS certificate"
            self._klog.info("dynamic_source.go:255", text, {"DNSNames": list(self._hosts)})
            self._available.set()
        ca_due = signer.certificate.not_valid_after_utc - authority.CA_LIFETIME / 3
        return min(authority.renewal_of(self.pair), ca_due + timedelta(seconds=1))


class ClusterSigners:
    """Asks the API server, with the rights of the webhook's account."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def resource_of(self, group: str, kind: str) -> tuple[str, bool] | None:
        """Plural and scope of a kind, as discovery says."""
        found = self._client.kind(group, kind)
        return (found.plural, found.namespaced) if found else None

    def may_approve(self, requester: Object, signer: str) -> bool:
        """The answer of a SubjectAccessReview; no when the webhook may not ask."""
        asking = Attributes(
            verb="create", group="authorization.k8s.io", resource="subjectaccessreviews"
        )
        if not self._client.may(asking).allowed:
            return False
        wanted = Attributes(
            verb="approve", group="cert-manager.io", resource="signers", name=signer
        )
        user = User(
            name=requester.get("username", ""),
            groups=tuple(requester.get("groups") or ()),
            uid=requester.get("uid", ""),
        )
        return self._client.may(wanted, user).allowed


class Server:
    """Answers AdmissionReviews over HTTP."""

    def __init__(self, client: Client) -> None:
        self._signers = ClusterSigners(client)

    async def handle(self, request: Request) -> Response:
        """One HTTP request."""
        if request.path not in ("/mutate", "/validate"):
            return Response(status=404, body=b"404 page not found\n", content_type=_TEXT)
        review = _review(request.body)
        if review is None:
            return Response(status=400, body=b"", content_type=_TEXT)
        asked: Object = review["request"]
        answer = mutate(asked) if request.path == "/mutate" else validate(asked, self._signers)
        body = {
            "kind": "AdmissionReview",
            "apiVersion": "admission.k8s.io/v1",
            "response": answer,
        }
        return Response(status=200, body=json.dumps(body).encode())


def _review(body: bytes) -> Object | None:
    try:
        review: Any = json.loads(body)
    except ValueError:
        return None
    return review if is_map(review) and is_map(review.get("request")) else None


async def webhook(workload: Workload) -> None:
    """Run the webhook until cancelled."""
    flags = Flags(workload.container, workload.pod)
    client = workload.client.managed_by("webhook")
    klog = Klog(workload.log, client.now).named("cert-manager")
    place = (
        flags.get("dynamic-serving-ca-secret-namespace"),
        flags.get("dynamic-serving-ca-secret-name"),
    )
    port = flags.get("secure-port", "6443")
    available = asyncio.Event()
    pairs = {"secret_name": place[1], "secret_namespace": place[0]}
    text = "using dynamic certificate generating using CA stored in Secret resource"
    klog.named("webhook").info("webhook.go:128", text, pairs)
    certificate = ServingCertificate(
        client, klog, place, flags.all("dynamic-serving-dns-names"), available
    )
    text = "listening for insecure healthz connections"
    klog.info("server.go:133", text, {"address": f":{_HEALTH_PORT}"})
    klog.info("server.go:197", "listening for secure connections", {"address": f":{port}"})
    server = Server(client)
    async with asyncio.TaskGroup() as group:
        group.create_task(workload.reconcile([certificate]), name="webhook authority")
        tls = ServerTls(pair=lambda: certificate.pair)
        group.create_task(workload.serve(int(port), tls, server.handle), name="webhook server")
        await asyncio.sleep(workload.pace.webhook_ready)
        await available.wait()
        workload.ready()
