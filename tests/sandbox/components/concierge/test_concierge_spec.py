"""Source: pinniped.md 3.2 to 3.4."""

from typing import Any

import pytest

from tutor.sandbox.components.concierge.impersonator.spec import has_control_plane, read
from tutor.sandbox.components.concierge.sync import SyncError

PREFIX = "could not load CredentialIssuer spec.impersonationProxy: "


def issuer(**proxy: Any) -> dict[str, Any]:
    return {"spec": {"impersonationProxy": proxy}}


def fault(**proxy: Any) -> str:
    with pytest.raises(SyncError) as refused:
        read(issuer(**proxy))
    return str(refused.value)


def test_spec_without_proxy_is_refused_without_the_prefix():
    with pytest.raises(SyncError) as refused:
        read({"spec": {}})
    assert str(refused.value) == "could not load CredentialIssuer: spec.impersonationProxy is nil"


@pytest.mark.parametrize(
    ("proxy", "text"),
    [
        ({"mode": "x"}, 'invalid proxy mode "x" (expected auto, disabled, or enabled)'),
        (
            {"mode": "enabled", "service": {"type": "x"}},
            'invalid service type "x" (expected None, LoadBalancer, or ClusterIP)',
        ),
        (
            {"mode": "auto", "service": {"type": "LoadBalancer", "loadBalancerIP": "x"}},
            'invalid LoadBalancerIP "x"',
        ),
        (
            {"mode": "enabled", "service": {"type": "None"}},
            "externalEndpoint must be set when service.type is None",
        ),
        (
            {"mode": "enabled", "externalEndpoint": "https://impersonation-proxy-mtls.local"},
            (
                'invalid ExternalEndpoint "https://impersonation-proxy-mtls.local":'
                ' invalid port "//impersonation-proxy-mtls.local"'
            ),
        ),
        (
            {"mode": "auto", "externalEndpoint": "H"},
            'invalid ExternalEndpoint "H": host "H" is not a valid hostname or IP address',
        ),
    ],
)
def test_spec_with_a_fault_names_it(proxy: dict[str, Any], text: str):
    assert fault(**proxy) == PREFIX + text


def test_spec_that_is_disabled_is_not_looked_at_further():
    spec = read(issuer(mode="disabled", externalEndpoint="H/", service={"type": "x"}))
    assert not spec.should_run(has_control_plane=False)


def test_service_type_that_is_missing_is_load_balancer():
    assert read(issuer(mode="auto")).service == "LoadBalancer"


def test_tls_that_is_empty_counts_as_present():
    spec = read(issuer(mode="enabled", tls={}))
    assert spec.tls is not None
    assert spec.tls.secret == ""


@pytest.mark.parametrize(
    ("mode", "control_plane", "runs"),
    [
        ("auto", True, False),
        ("auto", False, True),
        ("enabled", True, True),
        ("disabled", False, False),
    ],
)
def test_proxy_runs_by_mode_and_nodes(mode: str, control_plane: bool, runs: bool):
    assert read(issuer(mode=mode)).should_run(control_plane) is runs


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"node-role.kubernetes.io/control-plane": ""}, True),
        ({"node-role.kubernetes.io/master": "x"}, True),
        ({"kubernetes.io/node-role": "control-plane"}, True),
        ({"kubernetes.io/node-role": "master"}, True),
        ({"kubernetes.io/node-role": "worker"}, False),
        ({}, False),
    ],
)
def test_control_plane_is_told_by_labels(labels: dict[str, str], expected: bool):
    worker: dict[str, Any] = {"metadata": {"name": "worker"}}
    node = {"metadata": {"name": "node", "labels": labels}}
    assert has_control_plane([worker, node]) is expected


def test_control_plane_without_nodes_is_an_error():
    with pytest.raises(SyncError, match=r"^no nodes found$"):
        has_control_plane([])
