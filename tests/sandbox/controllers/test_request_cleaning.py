"""Certificate requests that nobody needs any more.

Source: Kubernetes reference, "Certificates and Certificate Signing Requests".
"""

import base64
from datetime import datetime, timedelta

import pytest

from tests.fakes.certs import Authority, now
from tutor.sandbox.controllers.request_cleaning import is_over
from tutor.sandbox.kinds import Object

HOUR = timedelta(hours=1)


def request(kind: str = "", *, age: timedelta, certificate: str = "") -> Object:
    moment = (now() - age).isoformat()
    status: Object = {}
    if kind:
        status["conditions"] = [{"type": kind, "status": "True", "lastUpdateTime": moment}]
    if certificate:
        status["certificate"] = base64.b64encode(certificate.encode()).decode()
    return {"metadata": {"creationTimestamp": moment}, "status": status}


@pytest.mark.parametrize(
    ("kind", "kept"), [("", 24), ("Denied", 1), ("Failed", 1), ("Approved", 24)]
)
def test_request_without_a_certificate_goes_after_a_while(kind: str, kept: int) -> None:
    assert not is_over(request(kind, age=(kept - 0.5) * HOUR), now())
    assert is_over(request(kind, age=(kept + 0.5) * HOUR), now())


@pytest.mark.parametrize(
    ("days", "age", "over"), [(1, 0.5, False), (1, 1.5, True), (-1, 0.5, True)]
)
def test_request_goes_an_hour_after_it_was_granted_or_with_its_certificate(
    days: int, age: float, over: bool
) -> None:
    issued = Authority("ca").issue("x", days=days).certificate
    moment: datetime = now()
    assert is_over(request("Approved", age=age * HOUR, certificate=issued), moment) == over
