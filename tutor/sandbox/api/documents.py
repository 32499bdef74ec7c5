"""What is not about resources: discovery, OpenAPI, versions and health."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tutor.sandbox.api.discovery import AGGREGATED, Discovery
from tutor.sandbox.api.negotiate import Form, accepts, form_of, require
from tutor.sandbox.api.openapi_answers import OpenApi, OpenApiAnswers
from tutor.sandbox.api.pages import TEXT, page, page_not_found
from tutor.sandbox.api.render import answer, document
from tutor.sandbox.api.request import Request, Response
from tutor.sandbox.api.status import go_quote, method_not_allowed, no_such_resource
from tutor.sandbox.kinds import GroupVersion, Object

_KEYS = "application/jwk-set+json"
_EXPOSITION = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
_GROUP = 2
"""The parts of the path of a group."""
_CACHED = ("Cache-Control", "public, max-age=3600")
_CONTROLLERS = (
    "poststarthook/start-apiserver-admission-initializer",
    "poststarthook/generic-apiserver-start-informers",
    "poststarthook/priority-and-fairness-config-consumer",
    "poststarthook/priority-and-fairness-filter",
    "poststarthook/storage-object-count-tracker-hook",
    "poststarthook/start-apiextensions-informers",
    "poststarthook/start-apiextensions-controllers",
    "poststarthook/crd-informer-synced",
    "poststarthook/start-system-namespaces-controller",
    "poststarthook/peer-endpoint-reconciler-controller",
    "poststarthook/start-cluster-authentication-info-controller",
    "poststarthook/start-kube-apiserver-identity-lease-controller",
    "poststarthook/start-kube-apiserver-identity-lease-garbage-collector",
    "poststarthook/storage-readiness",
    "poststarthook/start-legacy-token-tracking-controller",
    "poststarthook/start-service-ip-repair-controllers",
    "poststarthook/rbac/bootstrap-roles",
    "poststarthook/scheduling/bootstrap-system-priority-classes",
    "poststarthook/priority-and-fairness-config-producer",
    "poststarthook/bootstrap-controller",
    "poststarthook/start-kubernetes-service-cidr-controller",
    "poststarthook/aggregator-reload-proxy-client-cert",
    "poststarthook/start-kube-aggregator-informers",
    "poststarthook/apiservice-status-local-available-controller",
    "poststarthook/apiservice-status-remote-available-controller",
    "poststarthook/apiservice-registration-controller",
    "poststarthook/apiservice-wait-for-first-sync",
    "poststarthook/apiservice-discovery-controller",
    "poststarthook/kube-apiserver-autoregistration",
    "autoregister-completion",
    "poststarthook/apiservice-openapi-controller",
    "poststarthook/apiservice-openapiv3-controller",
)
_ALIVE = ("ping", "log", "etcd", "loopback-serving-certificate", *_CONTROLLERS)
_HEALTH = {
    "healthz": _ALIVE,
    "livez": _ALIVE,
    "readyz": ("ping", "log", "informer-sync", *_CONTROLLERS, "shutdown"),
}
"""What the recorded server checked, in its order."""


@dataclass(frozen=True, slots=True)
class Announced:
    """What the cluster says of itself."""

    version: Mapping[str, str]
    """The body of `/version`."""
    server_address: str
    """host:port for `serverAddressByClientCIDRs`."""


def _only_read(request: Request, media: str = "application/json") -> None:
    """Raise 405 for anything but GET, and 406 unless the one form there is will do."""
    if request.method != "GET":
        raise method_not_allowed()
    require(request, media)


class Documents:
    """Answers for every path that is not a resource."""

    def __init__(
        self,
        discovery: Discovery,
        openapi: OpenApi,
        announced: Announced,
        keys: Callable[[], tuple[Object, Object]],
    ) -> None:
        self._discovery = discovery
        self._openapi = OpenApiAnswers(openapi)
        self._announced = announced
        self._keys = keys

    def handle(self, request: Request) -> Response:
        """Answer a request by its path."""
        parts = [part for part in request.path.strip("/").split("/") if part]
        match parts:
            case [] | ["index.html"]:
                return self._root()
            case ["api" | "apis", *_]:
                return self._groups(request, parts)
            case ["openapi", *rest]:
                return self._openapi.answer(request, rest) or page_not_found()
            case ["version"]:
                return self._version(request)
            case [health, *rest] if health in _HEALTH:
                return self._health(request, health, rest)
            case ["metrics"]:
                return Response(status=200, body=_METRICS.encode(), content_type=_EXPOSITION)
            case [".well-known", "openid-configuration"]:
                _only_read(request)
                return answer(self._keys()[0], headers=(_CACHED,))
            case ["openid", "v1", "jwks"]:
                _only_read(request, _KEYS)
                body = document(self._keys()[1]).rstrip()
                return Response(status=200, body=body, content_type=_KEYS, headers=(_CACHED,))
            case _:
                return page_not_found()

    def _version(self, request: Request) -> Response:
        """Indented, whoever asks."""
        _only_read(request)
        return answer(dict(self._announced.version), form=Form(pretty=True))

    def _root(self) -> Response:
        fixed = {
            "/.well-known/openid-configuration",
            "/flagz",
            "/healthz",
            "/livez",
            "/metrics",
            "/metrics/slis",
            "/openapi/v2",
            "/openapi/v3",
            "/openapi/v3/",
            "/openid/v1/jwks",
            "/readyz",
            "/statusz",
            "/version",
            *(f"/{health}/{check}" for health, checks in _HEALTH.items() for check in checks),
        }
        paths = sorted(fixed | set(self._discovery.paths()))
        return Response(status=200, body=document({"paths": paths}, Form(pretty=True)))

    def _groups(self, request: Request, parts: Sequence[str]) -> Response:
        core = parts[0] == "api"
        if self._lacks(parts[1:], core):
            raise no_such_resource()
        found = self._discovered(parts[1:], core)
        if found is None:
            return page_not_found()
        # Groups have handlers of their own, which look at no method; built-in versions have routes.
        routed = core or (len(parts) > _GROUP and self._discovery.is_own(parts[1]))
        if routed and request.method != "GET":
            raise method_not_allowed()
        if len(parts) == 1 and (aggregated := self._aggregated(request, core)):
            return aggregated
        return answer(found, form=form_of(request, binary=routed, shapes=False, encodes=True))

    def _discovered(self, parts: Sequence[str], core: bool) -> Object | None:
        if not parts:
            return self._versions() if core else self._discovery.groups()
        if core:
            return self._discovery.resources(GroupVersion("", "v1"))
        if len(parts) == 1:
            return self._discovery.group(parts[0])
        version = GroupVersion(parts[0], parts[1])
        return self._discovery.resources(version) if self._discovery.has(version) else None

    def _lacks(self, parts: Sequence[str], core: bool) -> bool:
        """Whether one of the server's own groups is asked for a version that it does not have."""
        if core:
            return parts not in ([], ["v1"])
        known = len(parts) != 2 or self._discovery.has(GroupVersion(*parts))
        return not known and self._discovery.is_own(parts[0])

    def _versions(self) -> Object:
        address = {"clientCIDR": "0.0.0.0/0", "serverAddress": self._announced.server_address}
        return {
            "kind": "APIVersions",
            "versions": ["v1"],
            "serverAddressByClientCIDRs": [address],
        }

    def _aggregated(self, request: Request, core: bool) -> Response | None:
        served = ("v2", "v2beta1")
        if int(self._announced.version["minor"]) > _LAST_BETA:
            served = ("v2",)
        for media, parameters in accepts(request.header("accept")):
            if media != "application/json" or "as" not in parameters:
                if media in ("application/json", "*/*"):
                    return None
                continue
            version = parameters.get("v", "")
            wanted = parameters["as"] == "APIGroupDiscoveryList"
            if not wanted or parameters.get("g") != AGGREGATED or version not in served:
                continue
            body, etag = self._discovery.aggregated(version, core=core)
            headers = (("Cache-Control", "public"), ("Etag", etag), ("Vary", "Accept"))
            if request.header("if-none-match") == etag:
                return Response(status=304, headers=headers, content_type="")
            shown = f"application/json;g={AGGREGATED};v={version};as=APIGroupDiscoveryList"
            return Response(status=200, body=body, content_type=shown, headers=headers)
        return None

    def _health(self, request: Request, health: str, rest: Sequence[str]) -> Response:
        checks = _HEALTH[health]
        if request.path.endswith("/"):
            return page_not_found()
        if rest:
            if "/".join(rest) not in checks:
                return page_not_found()
            return Response(status=200, body=b"ok", content_type=TEXT)
        if request.query.has("verbose"):
            excluded = set(request.query.all("exclude"))
            lines = [f"[+]{c} {'excluded: ok' if c in excluded else 'ok'}" for c in checks]
            if unknown := sorted(excluded - set(checks)):
                named = ",".join(map(go_quote, unknown))
                why = "some health checks cannot be excluded: no matches for"
                lines.append(f"warn: {why} {named}")
            return page("\n".join([*lines, f"{health} check passed\n"]))
        return page("ok")


_LAST_BETA = 32
"""The minor version that served beta documents last."""
_METRICS = (
    "# HELP apiserver_request_total [STABLE] Requests this server has answered.\n"
    "# TYPE apiserver_request_total counter\n"
)
