"""The aggregated API: who a request comes from, whether it may, and what it is answered.

Source: pinniped.md 2.2 and 2.3; apiserver for everything around.
"""

from collections.abc import Callable

from tutor.sandbox.api import tables
from tutor.sandbox.api.bodies import read_object
from tutor.sandbox.api.front import failure
from tutor.sandbox.api.negotiate import Form, form_of, wants_pretty
from tutor.sandbox.api.options import call_of
from tutor.sandbox.api.render import answer
from tutor.sandbox.api.request import Answer, Call, Request, Response, User
from tutor.sandbox.api.routes import Target, parse
from tutor.sandbox.api.status import ApiError, bad_request
from tutor.sandbox.component import ServerTls
from tutor.sandbox.components.concierge.authenticators import LoginFailed, Webhooks, ask
from tutor.sandbox.components.concierge.certificates import new_user
from tutor.sandbox.components.concierge.deps import Surroundings
from tutor.sandbox.components.concierge.serving import documents, requests
from tutor.sandbox.components.concierge.serving.access import Authentication, Authorization
from tutor.sandbox.components.concierge.serving.credentials import Trust, certificates
from tutor.sandbox.components.concierge.serving.errors import NOSNIFF, Plain
from tutor.sandbox.kinds import Kind, Object
from tutor.sandbox.pki import Pair

_TEXT = "text/plain; charset=utf-8"
_HEALTH = ("healthz", "livez", "readyz")
_CREATED = 201
_AT = "credentialrequest/rest.go:{}$credentialrequest.(*REST).Create"
_CACHE_AT = "authncache/cache.go:96$authncache.(*Cache).AuthenticateTokenCredentialRequest"
_VERSION = {
    "major": "0",
    "minor": "25",
    "gitVersion": "v0.25.0",
    "gitCommit": "c7b49d9b93d9f293f81f270054e9f67c2ba7f181",
    "gitTreeState": "clean",
    "buildDate": "2023-08-09T20:00:00Z",
    "goVersion": "go1.20.7",
    "compiler": "gc",
    "platform": "linux/amd64",
}


class AggregatedApi:
    """Answers requests on the aggregated API's port."""

    def __init__(
        self, around: Surroundings, webhooks: Webhooks, trust: Callable[[], Trust]
    ) -> None:
        self._around = around
        self._webhooks = webhooks
        self._trust = trust
        self._login = documents.login_kind(around.config)
        self._identity = documents.identity_kind(around.config)
        self._kinds = {kind.group: kind for kind in (self._login, self._identity)}
        client, pace = around.workload.client, around.workload.pace
        self._authentication = Authentication(
            client, trust, lambda: certificates(trust().client_bundle), pace.token_cache
        )
        self._authorization = Authorization(client, pace.deny_cache)

    def tls(self) -> ServerTls:
        """How it does TLS."""
        return ServerTls(
            pair=lambda: self._around.holders.api.pair,
            asks_client=True,
            acceptable=lambda: self._trust().client_bundle + self._trust().front_bundle,
            minimum="TLSv1.3",
            refused=self._around.tell_refused,
        )

    async def handle(self, request: Request) -> Answer:
        """Answer a request."""
        try:
            target = parse(request.method, request.path, request.query)
            user = await self._authentication.user_of(request)
            await self._authorization.check(user, target, request)
            return await self._answer(request, target, user)
        except ApiError as error:
            return failure(error, request)
        except Plain as error:
            return error.response()

    async def _answer(self, request: Request, target: Target, user: User) -> Answer:
        if not target.is_resource:
            return self._document(request)
        kind = self._kinds.get(target.group)
        if kind is None or target.version != kind.version:
            return _missing("404 page not found\n")
        if target.resource != kind.plural or target.namespace or target.name:
            return _missing("404: Page Not Found")
        if target.verb == "list":
            return self._list(request, kind)
        if target.verb == "watch":
            text = f'watch is not supported on resources of kind "{kind.group_resource}"'
            details = {"group": kind.group, "kind": kind.plural}
            raise ApiError(405, "MethodNotAllowed", text, details=details)
        if target.verb != "create":
            return Response(status=405, body=b"405: Method Not Allowed", content_type=_TEXT)
        return await self._create(request, target, user, kind)

    def _document(self, request: Request) -> Response:
        form = Form(pretty=wants_pretty(request))
        match [part for part in request.path.split("/") if part]:
            case ["apis"]:
                return answer(documents.group_list(list(self._kinds.values())), form=form)
            case ["apis", group] if group in self._kinds:
                return answer(documents.group_of(self._kinds[group]), form=form)
            case ["apis", group, documents.VERSION] if group in self._kinds:
                return answer(documents.resource_list(self._kinds[group]), form=form)
            case ["version"]:
                return answer(_VERSION, form=Form(pretty=True))
            case [health] if health in _HEALTH:
                return Response(status=200, body=b"ok", content_type=_TEXT, headers=(NOSNIFF,))
            case _:
                return _missing("404 page not found\n")

    def _list(self, request: Request, kind: Kind) -> Response:
        form = form_of(request)
        found = documents.empty_list(kind)
        return answer(self._shaped(found, [], form, request, kind), form=form)

    def _shaped(
        self, plain: Object, objects: list[Object], form: Form, request: Request, kind: Kind
    ) -> Object:
        if form.shape == "object":
            return plain
        if form.shape == "table":
            return tables.table(
                kind,
                objects,
                tables.columns(kind, ()),
                include="Metadata",
                now=request.received,
                list_meta=plain["metadata"],
            )
        partial = {"apiVersion": f"meta.k8s.io/{form.version}", "metadata": plain["metadata"]}
        if "items" in plain:
            return {"kind": "PartialObjectMetadataList", **partial, "items": []}
        return {"kind": "PartialObjectMetadata", **partial}

    async def _create(self, request: Request, target: Target, user: User, kind: Kind) -> Response:
        form = form_of(request)
        call = call_of(request, target, user)
        obj = read_object(request, kind).value
        shape = requests.LOGIN_SHAPE if kind is self._login else requests.IDENTITY_SHAPE
        fault = requests.type_fault(kind, obj)
        if fault:
            raise _cannot_be_handled(kind, fault)
        _check_fields(call, kind, list(requests.unknown_fields(obj, shape)))
        dry_run = request.query.all("dryRun")
        if kind is self._login:
            requests.check_login(kind, obj, dry_run)
            pair = await self._exchange(obj)
            made = requests.login_answer(kind, pair, self._around.workload.client.now())
        else:
            requests.check_dry_run(kind, dry_run)
            made = requests.identity_answer(kind, user)
        shaped = self._shaped(made, [made], form, request, kind)
        headers = list(call.warning_headers())
        return answer(shaped, form=form, status=_CREATED, headers=headers)

    async def _exchange(self, obj: Object) -> Pair | None:
        """A certificate for the user of a token, or None."""
        around, spec = self._around, obj["spec"]
        webhook = self._webhooks.find(spec.get("authenticator") or {})
        if webhook is None:
            around.log.debug(_CACHE_AT, "authenticator does not exist")
            return None
        try:
            user = await ask(
                webhook,
                spec["token"],
                around.workload.backends,
                around.workload.pace.webhook_retry,
            )
        except LoginFailed as error:
            message = "token authentication failure"
            around.log.trace(_AT.format(105), message, msg=str(error))
            return None
        holders = around.holders
        authority = holders.cluster.authority or holders.signer.authority
        if authority is None:
            around.log.trace(_AT.format(123), "cert issuer failure")
            return None
        return new_user(authority, user.name, user.groups, around.workload.client.now())


def _check_fields(call: Call, kind: Kind, unknown: list[str]) -> None:
    if not unknown:
        return
    if call.validation == "Strict":
        raise _cannot_be_handled(kind, f"strict decoding error: {', '.join(unknown)}")
    if call.validation == "Warn":
        call.warn(unknown)


def _cannot_be_handled(kind: Kind, why: str) -> ApiError:
    return bad_request(
        f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {why}'
    )


def _missing(text: str) -> Response:
    return Response(status=404, body=text.encode(), content_type=_TEXT, headers=(NOSNIFF,))
