"""Source: pinniped.md 1.3.1 and 3.9."""

from datetime import timedelta

import pytest
from concierge_world import config, config_text

from tutor.sandbox.components.concierge.config import ConfigError, load


def test_manifest_configures_what_the_reference_says():
    read = config()
    assert read.api_port == 10250
    assert read.proxy_port == 8444
    assert read.certificate_lifetime == timedelta(days=30)
    assert read.renew_before == timedelta(days=25)
    assert read.labels == {"app": "pinniped-concierge"}
    assert read.agent_deployment == "pinniped-concierge-kube-cert-agent"
    assert read.group("login.concierge") == "login.concierge.pinniped.dev"
    assert read.discovery_url is None
    assert read.level == ""


@pytest.mark.parametrize("level", ["info", "debug", "trace", "all"])
def test_level_that_is_known_is_taken(level: str):
    assert load(f"{config_text()}\nlog: {{level: {level}}}").level == level


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (
            "log: {level: loud}",
            (
                "validate log level: invalid log level, valid choices are the empty"
                " string, info, debug,"
                " trace and all"
            ),
        ),
        (
            "aggregatedAPIServerPort: 80",
            "validate aggregatedAPIServerPort: must be within range 1024 to 65535",
        ),
        (
            "impersonationProxyServerPort: 70000",
            "validate impersonationProxyServerPort: must be within range 1024 to 65535",
        ),
        ("apiGroupSuffix: dev", "validate apiGroupSuffix: must contain '.'"),
        (
            "api: {servingCertificate: {durationSeconds: 1, renewBeforeSeconds: 2}}",
            "validate api: durationSeconds cannot be smaller than renewBeforeSeconds",
        ),
        (
            "api: {servingCertificate: {durationSeconds: 1, renewBeforeSeconds: 0}}",
            "validate api: renewBefore must be positive",
        ),
        (
            "names: {credentialIssuer: x}",
            (
                "validate names: missing required names: servingCertificateSecret, apiService,"
                " impersonationLoadBalancerService, impersonationClusterIPService,"
                " impersonationTLSCertificateSecret, impersonationCACertificateSecret,"
                " impersonationSignerSecret, agentServiceAccount"
            ),
        ),
    ],
)
def test_configuration_with_a_fault_is_refused(more: str, text: str):
    with pytest.raises(ConfigError) as refused:
        load(f"{config_text()}\n{more}")
    assert str(refused.value) == text


def test_configuration_that_is_no_yaml_is_refused():
    with pytest.raises(ConfigError, match=r"^decode yaml: "):
        load("a: [")
