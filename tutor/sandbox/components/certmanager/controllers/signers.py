"""Approves CertificateRequests, and has the issuers sign them.

Source: cert-manager v1.12.3, pkg/controller/certificaterequests.
"""

import asyncio
import base64

from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.components.certmanager.controllers.base import (
    Around,
    Controller,
    changed,
    own,
    status_of,
)
from tutor.sandbox.components.certmanager.controllers.issuers import ca_secret
from tutor.sandbox.components.certmanager.issuer_state import TYPES, issuer_type
from tutor.sandbox.components.certmanager.request_state import (
    APPROVED,
    PRIVATE_KEY_SECRET,
    WAITING,
    Step,
    denied,
    is_ours,
    issuer_missing,
    issuer_not_ready,
    issuer_typeless,
    pending,
    ready_reason,
    sign_itself,
    sign_with_ca,
)
from tutor.sandbox.components.certmanager.resources import (
    CLUSTER_ISSUERS,
    ISSUERS,
    REQUESTS,
    issuer_kind,
)
from tutor.sandbox.controllers.resources import SECRETS, Place, is_true, place_of
from tutor.sandbox.kinds import Object, annotations_of, name_of, namespace_of

_FINAL = ("Failed", "Issued")
_PATIENCE_S = 1.0
_NOT_SIMULATED = "This is the tutor's sandbox: only selfSigned and ca issuers sign"


class Audience:
    """Which requests every signer has seen before they are approved.

    The real approver's cache is as slow as theirs, so that they practically always win; here it
    waits for them.
    """

    def __init__(self) -> None:
        self._seen: dict[str, set[str]] = {}
        self._complete: dict[str, asyncio.Event] = {}

    def note(self, request: Object, kind: str) -> None:
        """A signer has seen a request."""
        uid = request["metadata"]["uid"]
        seen = self._seen.setdefault(uid, set())
        seen.add(kind)
        if len(seen) == len(TYPES):
            self._complete.setdefault(uid, asyncio.Event()).set()

    async def complete(self, request: Object) -> None:
        """Wait until all have, but not for long."""
        uid = request["metadata"]["uid"]
        event = self._complete.setdefault(uid, asyncio.Event())
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await event.wait()
        except TimeoutError:
            return
        finally:
            self._complete.pop(uid, None)

    def forget(self, uid: str) -> None:
        """A request is decided."""
        self._seen.pop(uid, None)


class Approver(Controller):
    """Approves everything that nobody denied."""

    def __init__(self, around: Around, audience: Audience) -> None:
        super().__init__(around, "certificaterequests-approver")
        self._audience = audience
        self.watches = (Watches(REQUESTS, own),)

    async def sync(self, namespace: str, name: str) -> Result:
        """Decide one request."""
        request = self.client.find(REQUESTS, namespace, name)
        if request is None or _is_decided(request):
            return DONE
        await self._audience.complete(request)
        await asyncio.sleep(self.pace.issue)
        latest = self.client.find(REQUESTS, namespace, name)
        if latest is None or _is_decided(latest):
            return DONE
        new = changed(latest)
        self.set_condition(new, APPROVED)
        await self.write_status(new, latest)
        self._audience.forget(latest["metadata"]["uid"])
        await self.recorder.normal(latest, APPROVED.reason, APPROVED.message)
        return DONE


def _is_decided(request: Object) -> bool:
    return (
        is_true(request, "Approved")
        or is_true(request, "Denied")
        or ready_reason(request) in _FINAL
    )


class Signer(Controller):
    """Signs for the issuers of one type."""

    def __init__(self, around: Around, kind: str, audience: Audience) -> None:
        super().__init__(around, f"certificaterequests-issuer-{kind.lower()}")
        self._kind = kind
        self._audience = audience
        self._cluster_namespace = around.cluster_namespace
        watches = [
            Watches(REQUESTS, own),
            Watches(ISSUERS, self._naming),
            Watches(CLUSTER_ISSUERS, self._naming),
        ]
        if kind == "selfSigned":
            watches.append(Watches(SECRETS, self._using))
        self.watches = watches

    def _naming(self, issuer: Object) -> list[Place]:
        """The requests that name an issuer."""
        namespace = namespace_of(issuer)
        return [
            place_of(request)
            for request in self.client.list(REQUESTS, namespace)
            if request["spec"]["issuerRef"]["name"] == name_of(issuer)
            and (namespace or issuer_kind(request["spec"]["issuerRef"]) == "ClusterIssuer")
        ]

    def _using(self, secret: Object) -> list[Place]:
        """The requests whose key is in a Secret."""
        return [
            place_of(request)
            for request in self.client.list(REQUESTS, namespace_of(secret))
            if annotations_of(request).get(PRIVATE_KEY_SECRET) == name_of(secret)
        ]

    async def sync(self, namespace: str, name: str) -> Result:
        """Bring one request a step further."""
        request = self.client.find(REQUESTS, namespace, name)
        if request is None:
            return DONE
        if not is_ours(request):
            self._audience.note(request, self._kind)
            return DONE
        if is_true(request, "Denied"):
            await self._take(request, denied())
        elif is_true(request, "InvalidRequest"):
            return DONE
        elif not is_true(request, "Approved"):
            await self.recorder.normal(request, WAITING.reason, WAITING.message)
            self._audience.note(request, self._kind)
        elif ready_reason(request) not in _FINAL:
            await asyncio.sleep(self.pace.issue)
            latest = self.client.find(REQUESTS, namespace, name)
            if latest is not None and ready_reason(latest) not in _FINAL:
                await self._process(latest)
        return DONE

    async def _process(self, request: Object) -> None:
        reference = request["spec"]["issuerRef"]
        is_cluster = issuer_kind(reference) == "ClusterIssuer"
        namespace = "" if is_cluster else namespace_of(request)
        resource = CLUSTER_ISSUERS if is_cluster else ISSUERS
        issuer = self.client.find(resource, namespace, reference["name"])
        if issuer is None:
            await self._take(request, issuer_missing(request))
            return
        kind = issuer_type(issuer["spec"])
        if kind is None:
            await self._take(request, issuer_typeless(request, namespace))
        elif kind != self._kind:
            return
        elif not is_true(issuer, "Ready"):
            await self._take(request, issuer_not_ready(request))
        elif not status_of(request).get("certificate"):
            await self._take(request, self._signed(request, issuer))

    def _signed(self, request: Object, issuer: Object) -> Step:
        spec, now = issuer["spec"], self.client.now()
        if self._kind == "ca":
            place = (namespace_of(issuer) or self._cluster_namespace, ca_secret(issuer) or "")
            return sign_with_ca(request, spec["ca"], place, self.client.find(SECRETS, *place), now)
        if self._kind == "selfSigned":
            name = annotations_of(request).get(PRIVATE_KEY_SECRET, "")
            secret = self.client.find(SECRETS, namespace_of(request), name) if name else None
            return sign_itself(request, spec["selfSigned"], secret, now)
        self.not_simulated(_NOT_SIMULATED)
        return pending(request, "NotSimulated", _NOT_SIMULATED)

    async def _take(self, request: Object, step: Step) -> None:
        """Write what a step came to."""
        for told in step.events:
            record = self.recorder.normal if told.severity == "Normal" else self.recorder.warning
            await record(request, told.reason, told.message)
        new = changed(request)
        status = new["status"]
        if step.issued is not None:
            status["certificate"] = _encoded(step.issued.chain)
            if step.issued.ca:
                status["ca"] = _encoded(step.issued.ca)
        if step.has_failed and "failureTime" not in status:
            status["failureTime"] = timestamp(self.client.now())
        self.set_condition(new, step.condition)
        await self.write_status(new, request)


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
