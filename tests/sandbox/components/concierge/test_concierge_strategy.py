"""Source: pinniped.md 3.1, 3.3 and 3.10."""

from datetime import timedelta

import pytest
from concierge_world import NOW

from tutor.sandbox.components.concierge import strategy

LATER = NOW + timedelta(minutes=1)
KEY = strategy.key_fetched("https://kind-with-contour-control-plane:6443", "Q0E=")


def test_first_report_stands_alone_with_its_time():
    status = strategy.merged({}, strategy.PROXY_NOT_NEEDED, NOW)
    assert status == {
        "strategies": [
            {
                "type": "ImpersonationProxy",
                "status": "Error",
                "reason": "Disabled",
                "message": "automatically determined that impersonation proxy should be disabled",
                "lastUpdateTime": "2023-08-09T18:30:00Z",
            }
        ]
    }


def test_signing_strategy_comes_first_whoever_reported_first():
    status = strategy.merged({}, strategy.PROXY_OFF, NOW)
    status = strategy.merged(status, KEY, NOW)
    assert [one["type"] for one in status["strategies"]] == [
        "KubeClusterSigningCertificate",
        "ImpersonationProxy",
    ]


def test_report_that_says_the_same_keeps_its_time():
    status = strategy.merged({}, KEY, NOW)
    assert strategy.merged(status, KEY, LATER) == status


def test_report_that_says_something_else_gets_a_new_time_and_loses_its_frontend():
    status = strategy.merged({}, strategy.proxy_listens("h", "Q0E="), NOW)
    failed = strategy.proxy_failed("x", "")
    (entry,) = strategy.merged(status, failed, LATER)["strategies"]
    assert entry["lastUpdateTime"] == "2023-08-09T18:31:00Z"
    assert "frontend" not in entry


def test_connection_data_are_mirrored_and_never_cleared():
    status = strategy.merged({}, KEY, NOW)
    assert status["kubeConfigInfo"] == {
        "server": "https://kind-with-contour-control-plane:6443",
        "certificateAuthorityData": "Q0E=",
    }
    failed = strategy.failed(strategy.SIGNING, "CouldNotFetchKey", "x")
    assert strategy.merged(status, failed, LATER)["kubeConfigInfo"] == status["kubeConfigInfo"]


def test_proxy_that_listens_tells_endpoint_and_ca():
    assert strategy.proxy_listens("h:8443", "Q0E=") == {
        "type": "ImpersonationProxy",
        "status": "Success",
        "reason": "Listening",
        "message": "impersonation proxy is ready to accept client connections",
        "frontend": {
            "type": "ImpersonationProxy",
            "impersonationProxyInfo": {
                "endpoint": "https://h:8443",
                "certificateAuthorityData": "Q0E=",
            },
        },
    }


@pytest.mark.parametrize(
    ("api_reason", "reason"),
    [
        ("AlreadyExists", "Pending"),
        ("Conflict", "Pending"),
        ("NotFound", "ErrorDuringSetup"),
        ("", "ErrorDuringSetup"),
    ],
)
def test_failure_that_another_writer_caused_is_pending(api_reason: str, reason: str):
    assert strategy.proxy_failed("x", api_reason)["reason"] == reason
