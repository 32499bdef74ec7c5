"""Source: pinniped.md 3.4, the table of causes; `internal/endpointaddr/endpointaddr_test.go`."""

import pytest

from tutor.sandbox.components.concierge.impersonator.endpoint import BadAddress, parse

ACCEPTED = {
    "h": "h",
    "h:443": "h",
    "h:8443": "h:8443",
    "impersonation-proxy-mtls.local": "impersonation-proxy-mtls.local",
    "10.96.1.2": "10.96.1.2",
    "10.96.1.2:8443": "10.96.1.2:8443",
    "::1": "[::1]",
    "[::1]:443": "[::1]",
    "[::1]:8443": "[::1]:8443",
}
REFUSED = {
    "https://impersonation-proxy-mtls.local": 'invalid port "//impersonation-proxy-mtls.local"',
    "https://h/": 'invalid port "//h/"',
    "https://h:443": 'host "https://h:443" is not a valid hostname or IP address',
    "h/path": 'host "h/path" is not a valid hostname or IP address',
    "Impersonation-Proxy-MTLS.local": (
        'host "Impersonation-Proxy-MTLS.local" is not a valid hostname or IP address'
    ),
    "impersonation_proxy.local": (
        'host "impersonation_proxy.local" is not a valid hostname or IP address'
    ),
    "h:0": 'invalid port "0"',
    "h:70000": 'invalid port "70000"',
    "h:abc": 'invalid port "abc"',
    "h:": 'invalid port ""',
    " h": 'host " h" is not a valid hostname or IP address',
    "h.": 'host "h." is not a valid hostname or IP address',
    "[::1]": "address [[::1]]:443: missing port in address",
}


@pytest.mark.parametrize(("text", "endpoint"), ACCEPTED.items())
def test_address_that_is_accepted_is_advertised_without_443(text: str, endpoint: str):
    assert parse(text).endpoint == endpoint


@pytest.mark.parametrize(("text", "cause"), REFUSED.items())
def test_address_that_is_refused_names_the_cause(text: str, cause: str):
    with pytest.raises(BadAddress) as refused:
        parse(text)
    assert str(refused.value) == cause
