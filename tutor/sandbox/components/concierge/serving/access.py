"""Authentication and authorization that ask the API server, and remember its answers for a while.

Source: pinniped.md 4.2, 4.4; apiserver's delegating authenticator and authorizer.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from cryptography import x509

from tutor.sandbox.api.front import access_of
from tutor.sandbox.api.rbac import MASTERS, Attributes, Decision
from tutor.sandbox.api.request import ANONYMOUS, Request, User
from tutor.sandbox.api.routes import Target
from tutor.sandbox.api.status import ApiError, forbidden, unauthorized
from tutor.sandbox.client import Client
from tutor.sandbox.components.concierge.reading import part
from tutor.sandbox.components.concierge.serving.credentials import (
    Refused,
    Trust,
    bearer_token,
    certificate_user,
    front_proxy_user,
    reviewed_user,
)
from tutor.sandbox.components.concierge.serving.errors import internal_text
from tutor.sandbox.kinds import GroupResource, Object

_OPEN_PATHS = ("/healthz", "/livez", "/readyz")
_MOST_REMEMBERED = 4096
_T = TypeVar("_T")


class Remembered(Generic[_T]):
    """Answers that hold for some time."""

    def __init__(self, lasts_s: float) -> None:
        self._lasts = timedelta(seconds=lasts_s)
        self._answers: dict[str, tuple[datetime, _T]] = {}

    def get(self, question: str, now: datetime) -> _T | None:
        """The answer from before, or None when there is none that holds."""
        found = self._answers.get(question)
        return found[1] if found is not None and now < found[0] else None

    def put(self, question: str, answer: _T, now: datetime) -> None:
        """Remember an answer."""
        if len(self._answers) >= _MOST_REMEMBERED:
            self._answers.clear()
        self._answers[question] = (now + self._lasts, answer)


class Authentication:
    """Tells who a request comes from."""

    def __init__(
        self,
        client: Client,
        trust: Callable[[], Trust],
        roots: Callable[[], Sequence[x509.Certificate]],
        lasts_s: float,
    ) -> None:
        self._client = client
        self._trust = trust
        self._roots = roots
        self._tokens = Remembered[User | Refused](lasts_s)

    async def user_of(self, request: Request) -> User:
        """The user of the first credential that holds; anonymous without any.

        Raises:
            ApiError: 401 when a credential was brought and none holds.
        """
        refused = False
        for attempt in (self._by_front_proxy, self._by_certificate):
            try:
                user = attempt(request)
            except Refused:
                refused = True
                continue
            if user is not None:
                return user
        token = bearer_token(request)
        if token:
            try:
                return await self.token_user(token, request.received)
            except (Refused, ApiError):
                refused = True
        if refused:
            raise unauthorized()
        return ANONYMOUS

    async def token_user(self, token: str, now: datetime) -> User:
        """The user of a token; raises Refused, or ApiError when nobody can say."""
        known = self._tokens.get(token, now)
        if known is None:
            known = await self._review(token)
            self._tokens.put(token, known, now)
        if isinstance(known, Refused):
            raise Refused(str(known))
        return known

    async def _review(self, token: str) -> User | Refused:
        review = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "metadata": {},
            "spec": {"token": token},
        }
        answered = await self._client.create(review)
        try:
            return reviewed_user(answered)
        except Refused as error:
            return error

    def _by_front_proxy(self, request: Request) -> User | None:
        return front_proxy_user(request, self._trust().front_proxy)

    def _by_certificate(self, request: Request) -> User | None:
        return certificate_user(request.peer_chain, self._roots(), request.received)


class Authorization:
    """Decides what a user may do."""

    def __init__(self, client: Client, lasts_s: float, because: str = "") -> None:
        self._client = client
        self._decisions = Remembered[Decision](lasts_s)
        self._because = because
        """What is added to every reason."""

    async def check(self, user: User, target: Target, request: Request) -> None:
        """Let a request pass; raises ApiError 403, or Plain 500 when nobody can say."""
        await self.require(user, access_of(target), request)

    async def require(self, user: User, access: Attributes, request: Request) -> None:
        """Let an access pass; raises as `check`."""
        try:
            decision = await self.decide(user, access, request.received)
        except ApiError as error:
            raise internal_text(request.target, str(error)) from error
        if not decision.allowed:
            raise denied(user, access, decision)

    async def decide(self, user: User, access: Attributes, now: datetime) -> Decision:
        """Whether the user may do it; raises ApiError when the API server does not say."""
        if self._because and not access.verb:
            return Decision(False, f"invalid verb, {self._because}")
        decision = await self._plain(user, access, now)
        if not self._because:
            return decision
        reason = f"{decision.reason}, {self._because}" if decision.reason else self._because
        return Decision(decision.allowed, reason)

    async def _plain(self, user: User, access: Attributes, now: datetime) -> Decision:
        if MASTERS in user.groups or (not access.is_resource and access.path in _OPEN_PATHS):
            return Decision(allowed=True)
        spec = review_of(user, access)
        question = json.dumps(spec, sort_keys=True)
        known = self._decisions.get(question, now)
        if known is None:
            known = await self._ask(spec)
            self._decisions.put(question, known, now)
        return known

    async def _ask(self, spec: Object) -> Decision:
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "metadata": {},
            "spec": spec,
        }
        status = part(await self._client.create(review), "status")
        return Decision(bool(status.get("allowed")), status.get("reason") or "")


def denied(user: User, access: Attributes, decision: Decision) -> ApiError:
    """403, in the words of the apiserver's filter."""
    if not access.is_resource:
        return forbidden(GroupResource("", ""), "", access.denial(user, decision.reason))
    resource = GroupResource(access.group, access.resource)
    return forbidden(resource, access.name, access.denial(user, decision.reason))


def review_of(user: User, access: Attributes) -> Object:
    """The spec of a SubjectAccessReview."""
    spec: Object = {"user": user.name, "groups": list(user.groups)}
    if user.uid:
        spec["uid"] = user.uid
    if user.extra:
        spec["extra"] = {key: list(values) for key, values in user.extra.items()}
    if not access.is_resource:
        spec["nonResourceAttributes"] = {"path": access.path, "verb": access.verb}
        return spec
    asked = {
        "namespace": access.namespace,
        "verb": access.verb,
        "group": access.group,
        "version": access.version,
        "resource": access.resource,
        "subresource": access.subresource,
        "name": access.name,
    }
    spec["resourceAttributes"] = {key: value for key, value in asked.items() if value}
    return spec
