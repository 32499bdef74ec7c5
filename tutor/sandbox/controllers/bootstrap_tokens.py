"""Tokens with which new nodes join: what they sign, and when they go.

Source: pkg/controller/bootstrap and k8s.io/cluster-bootstrap.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Awaitable, Hashable, Sequence
from datetime import datetime

from tutor.sandbox.api.builtin.reading import part, text
from tutor.sandbox.api.deletion import DeleteOptions
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.controllers.resources import CONFIG_MAPS, SECRETS, as_place, place_of
from tutor.sandbox.kinds import Object, name_of

_TYPE = "bootstrap.kubernetes.io/token"
_SYSTEM, _PUBLIC, _INFO = "kube-system", "kube-public", "cluster-info"
_NAME = re.compile(r"bootstrap-token-([a-z0-9]{6})")
_SIGNATURE = "jws-kubeconfig-"


class BootstrapSigner:
    """Signs what a new node reads first with every token that may."""

    name = "bootstrap-signer"

    def __init__(self, client: Client) -> None:
        self._client = client
        self.watches: Sequence[Watches] = (
            Watches(SECRETS, lambda secret: [_INFO] if _is_token(secret) else [], _SYSTEM),
            Watches(CONFIG_MAPS, lambda found: [_INFO] if name_of(found) == _INFO else [], _PUBLIC),
        )

    async def reconcile(self, key: Hashable) -> Result:
        """Bring the signatures to where the tokens are."""
        found = self._client.find(CONFIG_MAPS, _PUBLIC, str(key))
        before: dict[str, str] = part(found or {}, "data")
        content = before.get("kubeconfig")
        if found is None or content is None:
            return DONE
        now = self._client.now()
        tokens = filter(_is_token, self._client.list(SECRETS, _SYSTEM))
        signed = {
            _SIGNATURE + one: detached_signature(content, one, secret)
            for one, secret in (_signing(token, now) for token in tokens)
            if one
        }
        others = {name: value for name, value in before.items() if not name.startswith(_SIGNATURE)}
        if others | signed != before:
            await _unless(self._client.update(found | {"data": others | signed}))
        return DONE


class TokenCleaner:
    """Deletes tokens whose time is over."""

    name = "token-cleaner"

    def __init__(self, client: Client) -> None:
        self._client = client
        self.watches: Sequence[Watches] = (
            Watches(SECRETS, lambda obj: [place_of(obj)] if _is_token(obj) else [], _SYSTEM),
        )

    async def reconcile(self, key: Hashable) -> Result:
        """Look at one token."""
        token = self._client.find(SECRETS, *as_place(key))
        left = _seconds_left(token, self._client.now()) if token and _is_token(token) else None
        if token is None or left is None:
            return DONE
        if left > 0:
            return Result(again_s=left)
        options = DeleteOptions(uid=token["metadata"]["uid"])
        await _unless(self._client.delete(SECRETS, *place_of(token), options))
        return DONE


def detached_signature(content: str, token: str, secret: str) -> str:
    """A JWS (HS256) without what it signs. Source: RFC 7515, appendix F."""
    header = json.dumps({"alg": "HS256", "kid": token}, separators=(",", ":"))
    protected = _base64url(header.encode())
    signed = f"{protected}.{_base64url(content.encode())}".encode()
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return f"{protected}..{_base64url(digest)}"


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


async def _unless(write: Awaitable[object]) -> None:
    """Write, unless somebody else was faster."""
    try:
        await write
    except ApiError as error:
        if error.reason not in ("Conflict", "NotFound"):
            raise


def _is_token(secret: Object) -> bool:
    return text(secret, "type") == _TYPE


def _data(secret: Object, key: str) -> str:
    return base64.b64decode(text(part(secret, "data"), key)).decode(errors="replace")


def _signing(secret: Object, now: datetime) -> tuple[str, str]:
    """Identity and secret of a token that signs; empty ones of any other."""
    named = _NAME.fullmatch(name_of(secret))
    token, value = _data(secret, "token-id"), _data(secret, "token-secret")
    left = _seconds_left(secret, now)
    signs = _data(secret, "usage-bootstrap-signing") == "true" and (left is None or left > 0)
    return (token, value) if named and named[1] == token and value and signs else ("", "")


def _seconds_left(secret: Object, now: datetime) -> float | None:
    """How long a token is good for; None for ever."""
    written = _data(secret, "expiration")
    if not written:
        return None
    try:
        end = datetime.fromisoformat(written)
    except ValueError:
        return 0
    return (end - now).total_seconds() if end.tzinfo else 0
