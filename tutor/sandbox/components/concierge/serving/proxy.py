"""The impersonation proxy: it authenticates and authorizes, and acts as the user to the API server.

Source: pinniped.md section 4.
"""

import asyncio
from collections.abc import Callable

from tutor.sandbox.api.front import Hop, failure
from tutor.sandbox.api.ports import Address, Unreachable
from tutor.sandbox.api.rbac import Decision
from tutor.sandbox.api.request import ANONYMOUS, Answer, Request, Response, User
from tutor.sandbox.api.routes import Target, parse
from tutor.sandbox.api.status import ApiError, internal_error, unauthorized
from tutor.sandbox.component import ServerTls
from tutor.sandbox.components.concierge.deps import Surroundings
from tutor.sandbox.components.concierge.serving.access import Authentication, Authorization, denied
from tutor.sandbox.components.concierge.serving.credentials import (
    Refused,
    Trust,
    bearer_token,
    certificates,
)
from tutor.sandbox.components.concierge.serving.errors import Plain
from tutor.sandbox.components.concierge.serving.forwarding import (
    CannotActAs,
    impersonation_headers,
    passed_headers,
    secured,
)
from tutor.sandbox.components.concierge.serving.nested import Wanted, wanted
from tutor.sandbox.components.concierge.sync import SyncError

TOKEN = "/var/run/secrets/impersonation-proxy.concierge.pinniped.dev/serviceaccount/token"  # noqa: S105 - a path
_BECAUSE = "decision made by impersonation-proxy.concierge.pinniped.dev"
_LOGIN = ("tokencredentialrequests", "login.concierge.")
_CANNOT = "unimplemented functionality - unable to act as current user"
_AT = "impersonator/impersonator.go:{}$impersonator.newImpersonationReverseProxyFunc.func{}"
_PROXY_AT = "httputil/reverseproxy.go:310$httputil.(*ReverseProxy).defaultErrorHandler"
_UNAUTHORIZED, _FORBIDDEN, _OK = (401, 403, 200)


class Proxy:
    """Answers requests on the proxy's port."""

    def __init__(
        self, around: Surroundings, trust: Callable[[], Trust], *, allows_anonymous: bool
    ) -> None:
        self._around = around
        self._trust = trust
        self._allows_anonymous = allows_anonymous
        client, pace = around.workload.client, around.workload.pace
        self._authentication = Authentication(
            client, trust, lambda: certificates(self._bundle()), pace.token_cache
        )
        self._authorization = Authorization(client, pace.deny_cache, _BECAUSE)

    def tls(self) -> ServerTls:
        """How it does TLS: any client is let in, and judged afterwards."""
        return ServerTls(
            pair=lambda: self._around.holders.proxy.pair,
            asks_client=True,
            acceptable=self._bundle,
            refused=self._around.tell_refused,
        )

    def _bundle(self) -> str:
        return self._around.holders.signer.bundle + self._trust().client_bundle

    async def handle(self, request: Request) -> Answer:
        """Answer a request; every answer carries the security headers."""
        hop = Hop(request)
        try:
            answer = await self._answer(request, hop)
        except ApiError as error:
            answer = failure(error, request)
            hop.why = error.message
        except Plain as error:
            answer = error.response()
            hop.why = str(error)
        hop.status = answer.status
        self._around.workload.tell("impersonator", **hop.fields())
        return secured(answer)

    async def _answer(self, request: Request, hop: Hop) -> Answer:
        target = parse(request.method, request.path, request.query)
        caller = hop.caller = await self._authentication.user_of(request)
        if caller == ANONYMOUS and not self._allows_anonymous and not _is_login(target):
            raise unauthorized()
        want = wanted(request)
        if want is not None:
            await self._may_act_as(caller, want, request)
        user = hop.user = want.user() if want else caller
        await self._authorization.check(user, target, request)
        return await self._forward(request, user, caller if want else None)

    async def _may_act_as(self, caller: User, want: Wanted, request: Request) -> None:
        for access in want.asked():
            try:
                decision = await self._authorization.decide(caller, access, request.received)
            except ApiError:
                # The real filter takes a question without an answer for a no.
                decision = Decision(False, _BECAUSE)
            if not decision.allowed:
                raise denied(caller, access, decision)

    async def _forward(self, request: Request, user: User, original: User | None) -> Answer:
        upgrade = "upgrade" in request.header("connection").lower()
        fields = {"url": request.target, "method": request.method, "isUpgradeRequest": upgrade}
        log = self._around.log
        try:
            credentials = await self._credentials(request, user, original)
        except CannotActAs as error:
            message = "rejecting request as we cannot act as the current user"
            log.warning(_AT.format(566, "2.1"), message, error=str(error), **fields)
            raise internal_error(_CANNOT) from error
        log.debug(_AT.format(575, "2.1"), "impersonation proxy servicing request", **fields)
        try:
            return await self._around.workload.backends.forward(
                api_server(self._around, request.target),
                request,
                [*passed_headers(request), *credentials],
            )
        except Unreachable as error:
            log.failed(_PROXY_AT, f"http: proxy error: {error}")
            return Response(status=502, content_type="")
        finally:
            message = "impersonation proxy finished servicing request"
            log.debug(_AT.format(589, "2.1"), message, **fields)

    async def _credentials(
        self, request: Request, user: User, original: User | None
    ) -> list[tuple[str, str]]:
        if user.uid:
            token = await self._own_token(request, user, original)
            return [("Authorization", f"Bearer {token}")]
        headers = impersonation_headers(user, original)
        try:
            token = self._around.workload.read_mounted(TOKEN).decode()
        except FileNotFoundError:
            # As the real transport: a token that is gone is no longer sent.
            return headers
        return [("Authorization", f"Bearer {token}"), *headers]

    async def _own_token(self, request: Request, user: User, original: User | None) -> str:
        """The caller's own token, which must say the same as their other credentials."""
        if original is not None:
            raise CannotActAs("unable to impersonate uid")
        token = bearer_token(request)
        if not token:
            raise CannotActAs("no token on request")
        try:
            of_token = await self._authentication.token_user(token, request.received)
        except (Refused, ApiError) as error:
            raise CannotActAs(str(error)) from error
        if of_token != user:
            raise CannotActAs("token authenticated as a different user")
        return token


def _is_login(target: Target) -> bool:
    resource, prefix = _LOGIN
    return target.is_resource and target.resource == resource and target.group.startswith(prefix)


def api_server(around: Surroundings, path: str) -> Address:
    """The API server as a pod finds it."""
    host, port, bundle = around.workload.api_server()
    return Address(host=host, port=port, path=path, ca_bundle=bundle)


async def prepare(around: Surroundings) -> bool:
    """Look whether the proxy could work; returns whether the API server knows anonymous users.

    Raises:
        SyncError: It could not.
    """
    try:
        around.workload.read_mounted(TOKEN)
    except FileNotFoundError:
        raise SyncError(
            f"failed to build reverse proxy client: stat {TOKEN}: no such file or directory"
        ) from None
    address = api_server(around, "/healthz")
    prefix = "could not detect if anonymous authentication is enabled"
    try:
        status, body = await around.workload.backends.exchange(address, "GET", b"", timeout_s=10.0)
    except Unreachable as error:
        url = f"https://{address.host}:{address.port}{address.path}"
        raise SyncError(f'{prefix}: Get "{url}": {error}') from None
    if status not in (_OK, _FORBIDDEN, _UNAUTHORIZED):
        text = body.decode(errors="replace").strip()
        raise SyncError(
            f'{prefix}: an error on the server ("{text}") has prevented the request from succeeding'
        )
    anonymous = status != _UNAUTHORIZED
    message = "anonymous authentication probed"
    around.log.debug(_AT.format(246, "1"), message, anonymousAuthEnabled=anonymous)
    return anonymous


class ProxyServer:
    """The server on the proxy's port, started and stopped by the controller.

    Its task lives in the group of the program.
    """

    def __init__(
        self, around: Surroundings, trust: Callable[[], Trust], group: asyncio.TaskGroup
    ) -> None:
        self._around = around
        self._trust = trust
        self._group = group
        self._task: asyncio.Task[None] | None = None
        self._failure = ""

    async def ensure_started(self) -> None:
        """Start it unless it runs; raises SyncError when it cannot, or has died."""
        port = self._around.config.proxy_port
        if self._task is not None:
            if not self._task.done():
                return
            self._task = None
            raise SyncError(self._failure or "unexpected shutdown of proxy server")
        self._around.log.named("impersonator-config-controller").info(
            "impersonatorconfig/impersonator_config.go:445"
            "$impersonatorconfig.(*impersonatorConfigController).ensureImpersonatorIsStarted",
            "starting impersonation proxy",
            port=port,
        )
        anonymous = await prepare(self._around)
        proxy = Proxy(self._around, self._trust, allows_anonymous=anonymous)
        self._failure = ""
        self._task = self._group.create_task(self._serve(proxy, port), name="impersonation proxy")

    async def ensure_stopped(self) -> None:
        """Stop it if it runs."""
        if self._task is None:
            return
        self._around.log.named("impersonator-config-controller").info(
            "impersonatorconfig/impersonator_config.go:480"
            "$impersonatorconfig.(*impersonatorConfigController).ensureImpersonatorIsStopped",
            "stopping impersonation proxy",
            port=self._around.config.proxy_port,
        )
        self._task.cancel()
        await asyncio.wait([self._task])
        self._task = None

    async def _serve(self, proxy: Proxy, port: int) -> None:
        if self._around.holders.proxy.pair is None:
            self._around.log.failed(
                "dynamiccertificates/tlsconfig.go:274"
                "$dynamiccertificates.(*DynamicServingCertificateController).processNextWorkItem",
                "key failed with : not loading an empty serving certificate from"
                ' "impersonation-proxy-serving-cert"',
            )
        try:
            await self._around.workload.serve(port, proxy.tls(), proxy.handle)
        except OSError as error:
            self._failure = f"failed to listen on 0.0.0.0:{port}: {error}"
