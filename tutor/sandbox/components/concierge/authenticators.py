"""Webhook authenticators: the last good version of each, and what they say of a token.

Source: pinniped.md 5.2 (the call), 5.4 (retries), 3.9 (log), section 7.3 D (broken ones).
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

from tutor.sandbox import pki
from tutor.sandbox.api.ports import Address, Backends, Unreachable
from tutor.sandbox.api.request import User
from tutor.sandbox.component import Watches
from tutor.sandbox.components.concierge.deps import Surroundings
from tutor.sandbox.components.concierge.encoding import decode_base64, has_certificate
from tutor.sandbox.components.concierge.log import ref
from tutor.sandbox.components.concierge.reading import part
from tutor.sandbox.components.concierge.sync import Controller, Key, SyncError, wrapped
from tutor.sandbox.kinds import Object, name_of

NAME = "webhookcachefiller-controller"
_AT = "webhookcachefiller/webhookcachefiller.go:{}$webhookcachefiller.(*controller).Sync"
_API_VERSION = "authentication.k8s.io/v1beta1"
_TIMEOUT_S = 30.0
_TRIES, _FACTOR = (5, 1.5)
_INTERNAL_ERROR, _TOO_MANY, _GATEWAY_TIMEOUT = (500, 429, 504)
_RETRIED = (_INTERNAL_ERROR, _TOO_MANY, _GATEWAY_TIMEOUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An authenticator that can be asked."""

    address: Address


class LoginFailed(Exception):
    """Nobody is logged in; the text is for the trace log alone."""


class Webhooks:
    """The webhook authenticators that were ever good and are still there."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._log = around.log.named(NAME)
        self._known: dict[str, Webhook] = {}

    def controller(self) -> Controller:
        """The controller that keeps them in step with the objects."""
        cache = self._around.caches.webhooks
        return Controller(
            NAME,
            self._sync,
            (Watches(cache.resource, lambda obj: [Key("", name_of(obj))]),),
            self._around.log,
            self._around.workload.pace.opaque_resync,
        )

    def find(self, reference: Object) -> Webhook | None:
        """The authenticator that a request names; None when there is no such one."""
        group = self._around.config.group("authentication.concierge")
        if reference.get("kind") != "WebhookAuthenticator" or reference.get("apiGroup") != group:
            return None
        return self._known.get(reference.get("name") or "")

    async def _sync(self, key: Key) -> None:
        obj = self._around.caches.webhooks.find(key.name)
        if obj is None:
            message = "Sync() found that the WebhookAuthenticator does not exist yet or was deleted"
            self._log.info(_AT.format(73), message)
            self._known.pop(key.name, None)
            return
        try:
            self._known[key.name] = webhook_of(obj)
        except SyncError as error:
            # The version before, if it was good, goes on being used.
            raise wrapped("failed to build webhook config", error) from None
        endpoint = obj["spec"]["endpoint"]
        self._log.always(
            _AT.format(90),
            "added new webhook authenticator",
            webhook=ref(key.name),
            endpoint=endpoint,
        )


def webhook_of(obj: Object) -> Webhook:
    """The authenticator of an object; raises SyncError when its CA cannot be read."""
    spec = part(obj, "spec")
    parts = urlsplit(str(spec["endpoint"]))
    path = f"{parts.path}?{parts.query}&" if parts.query else f"{parts.path}?"
    return Webhook(
        address=Address(
            host=parts.hostname or "",
            port=parts.port or 443,
            path=f"{path}timeout=30s",
            ca_bundle=_bundle(part(spec, "tls").get("certificateAuthorityData") or ""),
        )
    )


def _bundle(text: str) -> str:
    prefix = "invalid TLS configuration"
    try:
        bundle = decode_base64(text)
    except ValueError as error:
        raise wrapped(prefix, error) from None
    if not bundle:
        return ""
    prefix += ": certificateAuthorityData is not valid PEM"
    if not has_certificate(bundle):
        raise SyncError(f"{prefix}: data does not contain any valid RSA or ECDSA certificates")
    try:
        pki.load_certificates(bundle)
    except ValueError:
        raise SyncError(f"{prefix}: x509: malformed certificate") from None
    return bundle.decode()


def review(token: str) -> bytes:
    """The body that asks about a token."""
    body: Object = {
        "kind": "TokenReview",
        "apiVersion": _API_VERSION,
        "metadata": {"creationTimestamp": None},
        "spec": {"token": token},
        "status": {"user": {}},
    }
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def user_of(body: bytes) -> User:
    """The user in a webhook's answer; raises LoginFailed for every other answer."""
    try:
        answer: Any = json.loads(body)
    except ValueError as error:
        raise LoginFailed(str(error)) from None
    status: Any = answer.get("status") if isinstance(answer, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - any JSON
    if not isinstance(status, dict):
        raise LoginFailed("not authenticated")
    review = cast("Object", status)
    if not review.get("authenticated"):
        raise LoginFailed(review.get("error") or "not authenticated")
    user: Object = review.get("user") or {}
    if not user.get("username"):
        raise LoginFailed("username must not be empty")
    if user.get("uid"):
        raise LoginFailed("UID may not be specified")
    if user.get("extra"):
        raise LoginFailed("extra may not be specified")
    return User(name=user["username"], groups=tuple(user.get("groups") or ()))


async def ask(webhook: Webhook, token: str, backends: Backends, first_delay_s: float) -> User:
    """Ask a webhook about a token, again after answers that may pass; raises LoginFailed."""
    headers = [("Content-Type", "application/json"), ("Accept", "application/json, */*")]
    delay_s, status, answer = first_delay_s, 0, b""
    for tried in range(_TRIES):
        if tried:
            await asyncio.sleep(delay_s)
            delay_s *= _FACTOR
        try:
            status, answer = await backends.exchange(
                webhook.address, "POST", review(token), headers=headers, timeout_s=_TIMEOUT_S
            )
        except Unreachable as error:
            raise LoginFailed(str(error)) from None
        if status not in _RETRIED:
            break
    if not 200 <= status < 300:
        raise LoginFailed(f"status {status}")
    return user_of(answer)
