"""What Contour says of an HTTPProxy. Source: contour-and-kind.md 2.4."""

from typing import Any

import pytest

from tutor.sandbox.components.contour.policy import (
    ERROR_MESSAGE,
    VALID_MESSAGE,
    World,
    judge_all,
    status_of,
)
from tutor.sandbox.kinds import Object

FQDN = "impersonation-proxy-mtls.local"
HERE = ("pinniped-concierge", "impersonation-proxy")
BACKEND = {"name": "cluster-ip", "port": 443}
THROUGH: Object = {"passthrough": True}
TCP: Object = {"services": [BACKEND]}
UNRESOLVED = "Spec.TCPProxy unresolved service reference: "


def service(namespace: str, name: str, **spec: Any) -> Object:
    ports = [{"port": 443, "protocol": "TCP"}]
    return {"metadata": {"namespace": namespace, "name": name}, "spec": {"ports": ports} | spec}


def proxy(
    namespace: str = HERE[0], name: str = HERE[1], *, tls: Object | None = None, **spec: Any
) -> Object:
    host = {"fqdn": FQDN} if tls is None else {"fqdn": FQDN, "tls": tls}
    return {
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"virtualhost": host} | spec,
    }


def world(*proxies: Object) -> World:
    services = (
        service("pinniped-concierge", "cluster-ip"),
        service("pinniped-concierge", "udp", ports=[{"port": 53, "protocol": "UDP"}]),
        service("pinniped-concierge", "outside", type="ExternalName"),
    )
    return World(
        proxies=proxies,
        services={(HERE[0], each["metadata"]["name"]): each for each in services},
    )


REFUSED = [
    (
        proxy(tls=THROUGH),
        ("SpecError", "NothingDefined"),
        "HTTPProxy.Spec must have at least one Route, Include, or a TCPProxy",
    ),
    (
        proxy(tls={"passthrough": True, "secretName": "s"}, tcpproxy=TCP),
        ("TLSError", "TLSConfigNotValid"),
        "Spec.VirtualHost.TLS: both Passthrough and SecretName were specified",
    ),
    (
        proxy(tls={}, tcpproxy=TCP),
        ("TLSError", "TLSConfigNotValid"),
        "Spec.VirtualHost.TLS: neither Passthrough nor SecretName were specified",
    ),
    (
        proxy(tls={"passthrough": True, "clientValidation": {"caSecret": "c"}}, tcpproxy=TCP),
        ("TLSError", "TLSIncompatibleFeatures"),
        "Spec.VirtualHost.TLS passthrough cannot be combined with tls.clientValidation",
    ),
    (
        proxy(tls={"secretName": "nope"}, tcpproxy=TCP),
        ("TLSError", "SecretNotValid"),
        'Spec.VirtualHost.TLS Secret "nope" is invalid: Secret not found',
    ),
    (
        proxy(tcpproxy=TCP),
        ("TCPProxyError", "TLSMustBeConfigured"),
        "Spec.TCPProxy requires that either Spec.TLS.Passthrough or Spec.TLS.SecretName be set",
    ),
    (
        proxy(tls=THROUGH, tcpproxy=TCP | {"include": {"name": "other"}}),
        ("TCPProxyError", "NoServicesAndInclude"),
        "cannot specify services and include in the same httpproxy",
    ),
    (
        proxy(tls=THROUGH, tcpproxy={}),
        ("TCPProxyError", "NothingDefined"),
        "either services or inclusion must be specified",
    ),
    (
        proxy(tls=THROUGH, tcpproxy={"services": [{"name": "nope", "port": 443}]}),
        ("TCPProxyError", "ServiceUnresolvedReference"),
        UNRESOLVED + 'service "pinniped-concierge/nope" not found',
    ),
    (
        proxy("default", "elsewhere", tls=THROUGH, tcpproxy=TCP),
        ("TCPProxyError", "ServiceUnresolvedReference"),
        UNRESOLVED + 'service "default/cluster-ip" not found',
    ),
    (
        proxy(tls=THROUGH, tcpproxy={"services": [{"name": "cluster-ip", "port": 8443}]}),
        ("TCPProxyError", "ServiceUnresolvedReference"),
        UNRESOLVED + 'port "8443" on service "pinniped-concierge/cluster-ip" not matched',
    ),
    (
        proxy(tls=THROUGH, tcpproxy={"services": [{"name": "udp", "port": 53}]}),
        ("TCPProxyError", "ServiceUnresolvedReference"),
        UNRESOLVED + 'unsupported service protocol "UDP"',
    ),
    (
        proxy(tls=THROUGH, tcpproxy={"services": [{"name": "outside", "port": 443}]}),
        ("TCPProxyError", "ServiceUnresolvedReference"),
        UNRESOLVED + "pinniped-concierge/outside is an ExternalName service, these are not"
        " currently enabled. See the config.enableExternalNameService config file setting",
    ),
    (
        proxy(tls=THROUGH, tcpproxy={"services": [{"name": "outside", "port": 80}]}),
        ("TCPProxyError", "ServiceUnresolvedReference"),
        UNRESOLVED + 'port "80" on service "pinniped-concierge/outside" not matched',
    ),
    (
        proxy(tls=THROUGH, tcpproxy={"include": {"name": "nope"}}),
        ("TCPProxyIncludeError", "IncludeNotFound"),
        "include pinniped-concierge/nope not found",
    ),
    (
        proxy(tls=THROUGH, tcpproxy={"include": {"name": HERE[1]}}),
        ("TCPProxyIncludeError", "RootIncludesRoot"),
        "root httpproxy cannot include another root httpproxy",
    ),
]


@pytest.mark.parametrize(("judged", "kind", "message"), REFUSED, ids=lambda each: str(each)[:40])
def test_proxy_that_is_wrong_is_told_why(
    judged: Object, kind: tuple[str, str], message: str
) -> None:
    meta = judged["metadata"]
    verdict = judge_all(world(judged))[meta["namespace"], meta["name"]]
    assert verdict.state == "invalid"
    assert verdict.host is None
    (error,) = verdict.errors
    assert (error.type, error.reason) == kind
    assert error.message == message


def test_proxy_of_the_post_is_valid_and_passes_tls_on() -> None:
    verdict = judge_all(world(proxy(tls=THROUGH, tcpproxy=TCP)))[HERE]
    assert verdict.state == "valid"
    assert verdict.host is not None
    assert verdict.host.fqdn == FQDN
    assert [each.name for each in verdict.host.passthrough] == ["cluster-ip"]
    status = status_of(verdict, 1, {}, "2026-01-01T00:00:00Z")
    assert status["currentStatus"] == "valid"
    assert status["description"] == VALID_MESSAGE
    assert status["conditions"][0]["reason"] == "Valid"


def test_name_used_twice_makes_all_who_use_it_invalid() -> None:
    two = (
        proxy(tls=THROUGH, tcpproxy=TCP),
        proxy("demo", "broken", tls=THROUGH, tcpproxy=TCP),
    )
    two[1]["spec"]["virtualhost"]["fqdn"] = FQDN.upper()
    verdicts = judge_all(world(*two))
    message = (
        f'fqdn "{FQDN}" is used in multiple HTTPProxies:'
        " demo/broken, pinniped-concierge/impersonation-proxy"
    )
    for verdict in verdicts.values():
        (error,) = verdict.errors
        assert (error.reason, error.message) == ("DuplicateVhost", message)


def test_proxy_without_a_name_is_orphaned() -> None:
    lonely: Object = {
        "metadata": {"namespace": "a", "name": "b"},
        "spec": {"tcpproxy": TCP},
    }
    verdict = judge_all(world(lonely))["a", "b"]
    assert verdict.state == "orphaned"
    assert verdict.errors[0].message == (
        "this HTTPProxy is not part of a delegation chain from a root HTTPProxy"
    )


def test_passthrough_with_routes_alone_is_valid_and_serves_nothing_over_tls() -> None:
    routes = [{"services": [BACKEND]}]
    verdict = judge_all(world(proxy(tls=THROUGH, routes=routes)))[HERE]
    assert verdict.state == "valid"
    assert verdict.host is not None
    assert verdict.host.passthrough == ()
    assert verdict.host.routes[0].redirect


def test_proxy_of_another_class_is_not_judged() -> None:
    assert judge_all(world(proxy(tls=THROUGH, tcpproxy=TCP, ingressClassName="nginx"))) == {}


def test_load_balancer_policy_that_does_not_fit_is_a_warning() -> None:
    tcp = TCP | {"loadBalancerPolicy": {"strategy": "Cookie"}}
    verdict = judge_all(world(proxy(tls=THROUGH, tcpproxy=tcp)))[HERE]
    assert verdict.state == "valid"
    assert verdict.warnings[0].message == (
        'ignoring field "Spec.TCPProxy.LoadBalancerPolicy";'
        " Cookie load balancer policy is not supported for TCPProxies"
    )


def test_status_that_would_not_change_keeps_its_time() -> None:
    verdict = judge_all(world(proxy(tcpproxy=TCP)))[HERE]
    first = status_of(verdict, 1, {}, "2026-01-01T00:00:00Z")
    assert status_of(verdict, 1, first, "2026-02-02T00:00:00Z") is first
    assert first["description"] == ERROR_MESSAGE
    assert first["conditions"][0]["errors"][0]["status"] == "True"
