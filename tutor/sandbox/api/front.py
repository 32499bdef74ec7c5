"""The whole API: authenticate, act as, authorize, and hand on.

`handle` never raises for what a caller can do wrong: failures become Status objects here, and only
here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from cryptography import x509

from tutor.sandbox.api.compression import compressed
from tutor.sandbox.api.documents import Documents
from tutor.sandbox.api.flowcontrol import FlowControl
from tutor.sandbox.api.go_duration import DurationError, parse_duration
from tutor.sandbox.api.identity import Authenticator
from tutor.sandbox.api.impersonation import Impersonator, wanted
from tutor.sandbox.api.negotiate import failure_form
from tutor.sandbox.api.pages import page_not_found
from tutor.sandbox.api.rbac import Attributes, Authorizer, Decision
from tutor.sandbox.api.registry import Registry
from tutor.sandbox.api.remembered import Remembered
from tutor.sandbox.api.render import document
from tutor.sandbox.api.request import Answer, Request, Response, Stream, User, read_target
from tutor.sandbox.api.resources import Resources
from tutor.sandbox.api.routes import Target, parse
from tutor.sandbox.api.status import (
    ApiError,
    NotSimulated,
    bad_request,
    forbidden,
    method_not_allowed,
    no_such_resource,
)
from tutor.sandbox.kinds import GroupResource, GroupVersion

_LONG_VERBS = ("watch", "proxy")
_LONG_SUBRESOURCES = ("attach", "exec", "proxy", "log", "portforward")
"""Requests that no limit is for: neither one of time nor priority and fairness."""
_ALWAYS_ALLOWED = ("/healthz", "/livez", "/readyz")
_NOSNIFF = ("X-Content-Type-Options", "nosniff")


@dataclass(slots=True)
class Hop:
    """What became of one request; filled in on its way."""

    request: Request
    caller: User | None = None
    """Who proved who they are; None for a refused proof."""
    user: User | None = None
    """Whose rights counted: another one than the caller with `Impersonate-User`."""
    status: int = 0
    why: str = ""
    """The message of a refusal."""
    simulated: bool = True

    def fields(self) -> dict[str, str | int]:
        """What those who watch are told; what there is not is left out."""
        chain = self.request.peer_chain
        acts = self.user.name if self.user and self.user is not self.caller else ""
        found: dict[str, str | int] = {"method": self.request.method, "path": self.request.target}
        if chain:
            found["certificate"] = _subject(chain)
        if self.caller:
            found["user"] = self.caller.name
        if acts:
            found["as"] = acts
        found["status"] = self.status
        if self.why:
            found["why"] = self.why
        return found


def _subject_of(chain: tuple[x509.Certificate, ...]) -> str:
    return chain[0].subject.rfc4514_string()


_subject = Remembered(_subject_of)


@lru_cache(maxsize=256)
def _asked(method: str, target: str) -> tuple[Target, Attributes]:
    found = parse(method, *read_target(target))
    return found, access_of(found)


class Aggregator(Protocol):
    """Knows which group versions another server answers for."""

    def serves(self, version: GroupVersion) -> bool:
        """Whether requests for this group version go elsewhere."""
        ...

    async def forward(self, request: Request, version: GroupVersion, user: User) -> Answer:
        """Hand the request on; raises ApiError when nobody is there."""
        ...


class Front:
    """Answers every request to the API server."""

    def __init__(
        self,
        *,
        authenticator: Authenticator,
        authorizer: Authorizer,
        registry: Registry,
        resources: Resources,
        documents: Documents,
        aggregator: Aggregator,
        flow: FlowControl,
        trace: Callable[[Hop], None],
    ) -> None:
        self._authenticator = authenticator
        self._authorizer = authorizer
        self._impersonator = Impersonator(self.decide)
        self._registry = registry
        self._resources = resources
        self._documents = documents
        self._aggregator = aggregator
        self._flow = flow
        self._trace = trace

    def decide(self, user: User, access: Attributes) -> Decision:
        """Whether the user may do this."""
        if not access.is_resource and access.path in _ALWAYS_ALLOWED:
            return Decision(allowed=True)
        return self._authorizer.decide(user, access)

    async def handle(self, request: Request) -> Answer:
        """Answer a request."""
        target, access = _asked(request.method, request.target)
        extra: list[tuple[str, str]] = []
        hop = Hop(request)
        let_in = False
        try:
            _check_timeout(target, request)
            known = self._authenticator.authenticate(request)
            extra += [("Warning", f'299 - "{text}"') for text in known.warnings]
            hop.caller = known.user
            hop.user = self._acting(request, access, known.user)
            if target.verb != "proxy" and target.subresource not in _LONG_SUBRESOURCES:
                extra += self._flow.headers(hop.user, access)
            self._authorize(hop.user, target, access)
            let_in = True
            made = await self._answer(request, target, hop.user)
        except ApiError as error:
            made = failure(error, request)
            if hop.caller is not None and not let_in:
                extra.append(_NOSNIFF)
            hop.why = error.message
            hop.simulated = not isinstance(error, NotSimulated)
        hop.status = made.status
        self._trace(hop)
        return _with_headers(made, extra)

    async def handle_as(self, user: User, request: Request) -> Answer:
        """Answer one who lives in this process, and has nothing to prove."""
        target, access = _asked(request.method, request.target)
        try:
            self._authorize(user, target, access)
            return await self._answer(request, target, user)
        except ApiError as error:
            return failure(error, request)

    def _acting(self, request: Request, access: Attributes, user: User) -> User:
        want = wanted(request)
        if want is None:
            return user
        return self._impersonator.act_as(user, want, access)

    def _authorize(self, user: User, target: Target, access: Attributes) -> None:
        decision = self.decide(user, access)
        if not decision.allowed:
            resource = GroupResource(access.group, target.resource)
            why = access.denial(user, decision.reason)
            raise forbidden(resource, access.name, why)

    async def _answer(self, request: Request, target: Target, user: User) -> Answer:
        if not target.is_resource:
            version = _version_of(request.path)
            if version is not None and self._aggregator.serves(version):
                return await self._aggregator.forward(request, version, user)
            return self._documents.handle(request)
        version = GroupVersion(target.group, target.version)
        if self._aggregator.serves(version):
            return await self._aggregator.forward(request, version, user)
        if not self._registry.in_version(version):
            if not self._registry.builtin_group(version.group):
                return page_not_found()
            raise no_such_resource()
        is_routed = self._registry.builtin_group(version.group)
        if target.verb in ("", "head") or (request.method == "HEAD" and is_routed):
            if is_routed:
                self._resources.check_route(target)
            raise method_not_allowed()
        made = await self._resources.handle(request, target, user)
        return compressed(request, made) if isinstance(made, Response) else made


def _check_timeout(target: Target, request: Request) -> None:
    """Whether the time limit in the query is one; nobody is kept to it here. Raises 400."""
    asked = request.query.get("timeout")
    if not asked or target.verb in _LONG_VERBS or target.subresource in _LONG_SUBRESOURCES:
        return
    try:
        parse_duration(asked)
    except DurationError as error:
        raise bad_request(f"invalid timeout specified in the request URL - {error}") from None


def _version_of(path: str) -> GroupVersion | None:
    match [part for part in path.split("/") if part]:
        case ["apis", group, version]:
            return GroupVersion(group, version)
        case _:
            return None


def access_of(target: Target) -> Attributes:
    """The access that a request needs."""
    if not target.is_resource:
        return Attributes(verb=target.verb, path=target.path, is_resource=False)
    return Attributes(
        verb=target.verb,
        group=target.group,
        version=target.version,
        resource=target.resource,
        subresource=target.subresource,
        namespace=target.namespace,
        name=target.name or target.selected,
    )


def failure(error: ApiError, request: Request) -> Response:
    """The Status of a failure."""
    form = failure_form(request)
    body = document(error.status(), form)
    return Response(status=error.code, body=body, content_type=form.media, headers=error.headers)


def _with_headers(made: Answer, extra: list[tuple[str, str]]) -> Answer:
    if not extra:
        return made
    headers = (*made.headers, *extra)
    if isinstance(made, Stream):
        return Stream(
            source=made.source, status=made.status, content_type=made.content_type, headers=headers
        )
    return Response(
        status=made.status, body=made.body, content_type=made.content_type, headers=headers
    )
