"""From HTTPProxies to their statuses and to what Envoy serves: pure, one snapshot at a time.

Source: contour-and-kind.md 2.4 (order of checks, error types, reasons, messages).
"""

from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tutor.sandbox import pki
from tutor.sandbox.api.builtin.reading import items, part, text
from tutor.sandbox.kinds import Object, annotations_of, name_of, namespace_of

VALID_MESSAGE = "Valid HTTPProxy"
ERROR_MESSAGE = "At least one error present, see Errors for details"
ORPHANED = "this HTTPProxy is not part of a delegation chain from a root HTTPProxy"
_CLASS = "contour"

Place = tuple[str, str]
Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Problem:
    """An error or warning of a condition."""

    type: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Backend:
    """A port of a Service."""

    namespace: str
    name: str
    port: int


@dataclass(frozen=True, slots=True)
class Route:
    """An HTTP route: a prefix and where it goes; no backends answer 503."""

    prefix: str
    backends: tuple[Backend, ...]
    redirect: bool


@dataclass(frozen=True, slots=True)
class VirtualHost:
    """What Envoy does for a name."""

    fqdn: str
    passthrough: tuple[Backend, ...] = ()
    """TLS connections with this name go there, untouched."""
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of one HTTPProxy."""

    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    host: VirtualHost | None = None

    @property
    def state(self) -> str:
        """`currentStatus`."""
        if not self.errors:
            return "valid"
        return "orphaned" if self.errors[0].type == "Orphaned" else "invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The objects that decide."""

    proxies: Sequence[Object]
    services: Mapping[Place, Object]
    secrets: Mapping[Place, Object] = field(default_factory=dict[Place, Object])
    delegations: Sequence[Object] = ()


def judge_all(world: World) -> dict[Place, Verdict]:
    """The verdict on every HTTPProxy that is Contour's to judge."""
    mine = [proxy for proxy in world.proxies if _is_mine(proxy)]
    included = _included(mine)
    by_fqdn: dict[str, list[Place]] = {}
    for proxy in mine:
        fqdn = text(part(proxy, "spec", "virtualhost"), "fqdn").lower()
        if fqdn:
            by_fqdn.setdefault(fqdn, []).append(_place(proxy))
    return {_place(proxy): _judge(proxy, world, by_fqdn, included) for proxy in mine}


def _is_mine(proxy: Object) -> bool:
    wanted = annotations_of(proxy).get("projectcontour.io/ingress.class") or annotations_of(
        proxy
    ).get("kubernetes.io/ingress.class")
    wanted = wanted or proxy["spec"].get("ingressClassName")
    return not wanted or wanted == _CLASS


def _place(proxy: Object) -> Place:
    return namespace_of(proxy), name_of(proxy)


def _included(proxies: Sequence[Object]) -> set[Place]:
    """Proxies that a root reaches through includes."""
    known = {_place(proxy): proxy for proxy in proxies}
    reached: set[Place] = set()
    todo = [p for p in proxies if p["spec"].get("virtualhost")]
    while todo:
        for target in _targets(todo.pop()):
            if target not in reached and target in known:
                reached.add(target)
                todo.append(known[target])
    return reached


def _targets(proxy: Object) -> Iterator[Place]:
    spec, namespace = proxy["spec"], namespace_of(proxy)
    for include in spec.get("includes") or ():
        yield include.get("namespace") or namespace, include["name"]
    include = _tcp_include(spec.get("tcpproxy") or {})
    if include:
        yield include.get("namespace") or namespace, include["name"]


def _tcp_include(tcp: Object) -> Object | None:
    return tcp.get("include") or tcp.get("includes")


def _judge(
    proxy: Object, world: World, by_fqdn: Mapping[str, Sequence[Place]], included: set[Place]
) -> Verdict:
    spec = proxy["spec"]
    host = spec.get("virtualhost")
    if host is None:
        if _place(proxy) in included:
            return Verdict()
        return _refused("Orphaned", "Orphaned", ORPHANED)
    fqdn = host.get("fqdn", "").lower()
    sharing = by_fqdn.get(fqdn, ())
    if len(sharing) > 1:
        listed = ", ".join(f"{namespace}/{name}" for namespace, name in sorted(sharing))
        message = f'fqdn "{fqdn}" is used in multiple HTTPProxies: {listed}'
        return _refused("VirtualHostError", "DuplicateVhost", message)
    tcp = spec.get("tcpproxy")
    if not spec.get("routes") and not spec.get("includes") and tcp is None:
        message = "HTTPProxy.Spec must have at least one Route, Include, or a TCPProxy"
        return _refused("SpecError", "NothingDefined", message)
    tls_errors = _tls(proxy, host.get("tls"), world)
    if tls_errors:
        return Verdict(errors=tls_errors)
    return _with_traffic(proxy, fqdn, host.get("tls"), tcp, world)


def _refused(kind: str, reason: str, message: str) -> Verdict:
    return Verdict(errors=(Problem(kind, reason, message),))


def _tls(proxy: Object, tls: Object | None, world: World) -> tuple[Problem, ...]:
    if tls is None:
        return ()
    errors: list[Problem] = []
    passthrough, secret = tls.get("passthrough", False), tls.get("secretName", "")
    if passthrough and tls.get("enableFallbackCertificate"):
        message = (
            "Spec.VirtualHost.TLS: both Passthrough and enableFallbackCertificate were specified"
        )
        errors.append(Problem("TLSError", "TLSIncompatibleFeatures", message))
    last: Problem | None = None
    if passthrough and secret:
        message = "Spec.VirtualHost.TLS: both Passthrough and SecretName were specified"
        last = Problem("TLSError", "TLSConfigNotValid", message)
    elif not passthrough and not secret:
        message = "Spec.VirtualHost.TLS: neither Passthrough nor SecretName were specified"
        last = Problem("TLSError", "TLSConfigNotValid", message)
    elif passthrough and tls.get("clientValidation"):
        message = "Spec.VirtualHost.TLS passthrough cannot be combined with tls.clientValidation"
        last = Problem("TLSError", "TLSIncompatibleFeatures", message)
    elif secret:
        last = _secret(proxy, secret, world)
    return (*errors, last) if last else tuple(errors)


def _secret(proxy: Object, reference: str, world: World) -> Problem | None:
    namespace, _, name = reference.rpartition("/")
    namespace = namespace or namespace_of(proxy)
    found = world.secrets.get((namespace, name))
    if found is None:
        message = f'Spec.VirtualHost.TLS Secret "{reference}" is invalid: Secret not found'
        return Problem("TLSError", "SecretNotValid", message)
    why = unusable(found)
    if why:
        message = f'Spec.VirtualHost.TLS Secret "{reference}" is invalid: {why}'
        return Problem("TLSError", "SecretNotValid", message)
    if namespace != namespace_of(proxy) and not _delegated(proxy, namespace, name, world):
        message = (
            f'Spec.VirtualHost.TLS Secret "{namespace}/{name}" certificate delegation not permitted'
        )
        return Problem("TLSError", "DelegationNotPermitted", message)
    return None


def unusable(secret: Object) -> str:
    """Why a Secret cannot serve TLS; empty when it can."""
    if secret.get("type") not in ("kubernetes.io/tls", "Opaque", None):
        return 'secret type is not "kubernetes.io/tls" or "Opaque"'
    data: Mapping[str, str] = secret.get("data") or {}
    for key, what in (("tls.crt", "certificate"), ("tls.key", "private key")):
        if not data.get(key):
            return f"missing TLS {what}"
    try:
        certificate = pki.load_certificates(b64decode(data["tls.crt"]))[0]
    except ValueError:
        return "invalid TLS certificate: failed to parse PEM block"
    try:
        pki.load_key(b64decode(data["tls.key"]))
    except ValueError:
        return "invalid TLS private key: failed to parse PEM block"
    if not pki.identity_of(certificate)[0] and not pki.names_of(certificate):
        return "invalid TLS certificate: certificate has no common name or subject alt name"
    return ""


def _delegated(proxy: Object, namespace: str, secret: str, world: World) -> bool:
    for delegation in world.delegations:
        if namespace_of(delegation) != namespace:
            continue
        for entry in delegation["spec"].get("delegations") or ():
            targets = entry.get("targetNamespaces") or ()
            if entry.get("secretName") == secret and (
                "*" in targets or namespace_of(proxy) in targets
            ):
                return True
    return False


def _with_traffic(
    proxy: Object, fqdn: str, tls: Object | None, tcp: Object | None, world: World
) -> Verdict:
    errors: list[Problem] = []
    warnings: list[Problem] = []
    passthrough: tuple[Backend, ...] = ()
    if tcp is not None:
        found = _tcp(proxy, tls, tcp, world)
        if isinstance(found, Problem):
            errors.append(found)
        else:
            passthrough = found
        policy = text(part(tcp, "loadBalancerPolicy"), "strategy")
        if policy in ("Cookie", "RequestHash"):
            message = (
                'ignoring field "Spec.TCPProxy.LoadBalancerPolicy"; '
                f"{policy} load balancer policy is not supported for TCPProxies"
            )
            warnings.append(Problem("TCPProxyError", "IgnoredField", message))
    routes = _routes(proxy, tls is not None, world, errors)
    is_through = bool(tls and tls.get("passthrough"))
    host = None
    if not errors or routes:
        host = VirtualHost(fqdn, passthrough if is_through and not errors else (), routes)
    return Verdict(errors=tuple(errors), warnings=tuple(warnings), host=host)


def _tcp(
    proxy: Object, tls: Object | None, tcp: Object, world: World
) -> Problem | tuple[Backend, ...]:
    kind = "TCPProxyError"
    if tls is None:
        message = (
            "Spec.TCPProxy requires that either Spec.TLS.Passthrough or Spec.TLS.SecretName be set"
        )
        return Problem(kind, "TLSMustBeConfigured", message)
    services, include = items(tcp, "services"), _tcp_include(tcp)
    if services and include:
        message = "cannot specify services and include in the same httpproxy"
        return Problem(kind, "NoServicesAndInclude", message)
    if not services and not include:
        return Problem(kind, "NothingDefined", "either services or inclusion must be specified")
    if include:
        return _through_include(proxy, include, world, [_place(proxy)])
    return _services(proxy, services, world, "Spec.TCPProxy", kind)


def _through_include(
    proxy: Object, include: Object, world: World, path: list[Place]
) -> Problem | tuple[Backend, ...]:
    kind = "TCPProxyIncludeError"
    place = (include.get("namespace") or namespace_of(proxy), include["name"])
    target = next((p for p in world.proxies if _place(p) == place), None)
    if target is None:
        return Problem(kind, "IncludeNotFound", f"include {place[0]}/{place[1]} not found")
    if target["spec"].get("virtualhost"):
        message = "root httpproxy cannot include another root httpproxy"
        return Problem(kind, "RootIncludesRoot", message)
    if place in path:
        chain = " -> ".join(f"{ns}/{name}" for ns, name in [*path, place])
        return Problem(kind, "IncludeCreatesCycle", f"include creates a cycle: {chain}")
    tcp = part(target, "spec", "tcpproxy")
    deeper = _tcp_include(tcp)
    if deeper:
        return _through_include(target, deeper, world, [*path, place])
    return _services(target, items(tcp, "services"), world, "Spec.TCPProxy", "TCPProxyError")


def _services(
    proxy: Object, services: Sequence[Object], world: World, where: str, kind: str
) -> Problem | tuple[Backend, ...]:
    found: list[Backend] = []
    namespace = namespace_of(proxy)
    for wanted in services:
        name, port = wanted["name"], wanted["port"]
        why = _service_problem(world.services.get((namespace, name)), namespace, name, port)
        if why:
            message = f"{where} unresolved service reference: {why}"
            return Problem(kind, "ServiceUnresolvedReference", message)
        found.append(Backend(namespace, name, port))
    return tuple(found)


def _service_problem(service: Object | None, namespace: str, name: str, port: int) -> str:
    if service is None:
        return f'service "{namespace}/{name}" not found'
    spec = service["spec"]
    declared = next((p for p in spec.get("ports") or () if p["port"] == port), None)
    if declared is None:
        return f'port "{port}" on service "{namespace}/{name}" not matched'
    protocol = declared.get("protocol", "TCP")
    if protocol != "TCP":
        return f'unsupported service protocol "{protocol}"'
    if spec.get("type") != "ExternalName":
        return ""
    return (
        f"{namespace}/{name} is an ExternalName service, these are not currently enabled. See"
        " the config.enableExternalNameService config file setting"
    )


def _routes(proxy: Object, secure: bool, world: World, errors: list[Problem]) -> tuple[Route, ...]:
    routes: list[Route] = []
    for route in proxy["spec"].get("routes") or ():
        actions = [
            route.get(field)
            for field in ("services", "requestRedirectPolicy", "directResponsePolicy")
        ]
        if sum(1 for action in actions if action) != 1:
            message = (
                "must set exactly one of route.services or route.requestRedirectPolicy or"
                " route.directResponsePolicy"
            )
            errors.append(Problem("RouteError", "RouteActionCountNotValid", message))
            continue
        prefix = _prefix(route.get("conditions") or (), errors)
        backends = _services(
            proxy, route.get("services") or (), world, "Spec.Routes", "ServiceError"
        )
        if isinstance(backends, Problem):
            errors.append(backends)
            backends = ()
        redirect = secure and not route.get("permitInsecure", False)
        routes.append(Route(prefix, backends, redirect))
    for include in proxy["spec"].get("includes") or ():
        place = (include.get("namespace") or namespace_of(proxy), include["name"])
        if not any(_place(p) == place for p in world.proxies):
            message = f"include {place[0]}/{place[1]} not found"
            errors.append(Problem("IncludeError", "IncludeNotFound", message))
    return tuple(routes)


def _prefix(conditions: Sequence[Object], errors: list[Problem]) -> str:
    for condition in conditions:
        prefix = condition.get("prefix")
        if prefix is not None:
            if not prefix.startswith("/"):
                message = f"route: prefix conditions must start with /, {prefix} was supplied"
                errors.append(Problem("RouteError", "PathMatchConditionsNotValid", message))
            return prefix
    return "/"


def status_of(verdict: Verdict, generation: int, old: Object, now: str) -> Object:
    """The status to write; equal to the old one where nothing but the time would change."""
    condition: Object = {"lastTransitionTime": now, "observedGeneration": generation}
    if verdict.state == "valid":
        condition |= {"status": "True", "reason": "Valid", "message": VALID_MESSAGE}
        description = VALID_MESSAGE
    else:
        condition |= {"status": "False", "reason": "ErrorPresent", "message": ERROR_MESSAGE}
        description = ORPHANED if verdict.state == "orphaned" else ERROR_MESSAGE
    condition["type"] = "Valid"
    for name, problems in (("errors", verdict.errors), ("warnings", verdict.warnings)):
        if problems:
            condition[name] = [
                {"type": p.type, "status": "True", "reason": p.reason, "message": p.message}
                for p in problems
            ]
    new: Object = {
        "conditions": [condition],
        "currentStatus": verdict.state,
        "description": description,
        "loadBalancer": old.get("loadBalancer", {}),
    }
    return old if _timeless(old) == _timeless(new) else new


def _timeless(status: Object) -> Any:
    conditions = [
        {k: v for k, v in c.items() if k != "lastTransitionTime"}
        for c in status.get("conditions") or ()
    ]
    return {k: v for k, v in status.items() if k != "conditions"} | {"conditions": conditions}
