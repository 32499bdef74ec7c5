"""APIServices at the door. Source: kube-aggregator's validation."""

from typing import Any

import pytest

from tests.fakes.cluster import Api, obj

PATH = "/apis/apiregistration.k8s.io/v1/apiservices"
NAME = "v1.example.org"


def api_service(name: str = NAME, **spec: Any) -> dict[str, Any]:
    whole = {
        "group": "example.org",
        "version": "v1",
        "groupPriorityMinimum": 100,
        "versionPriority": 10,
        "service": {"namespace": "here", "name": "served"},
    } | spec
    given = {key: value for key, value in whole.items() if value is not None}
    return obj("APIService", name, version="apiregistration.k8s.io/v1", spec=given)


async def test_api_service_gets_its_port(api: Api) -> None:
    made = await api.make(PATH, api_service())
    assert made["spec"]["service"]["port"] == 443


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"version": None}, "spec.version: Invalid value"),
        (
            {"group": None, "version": "v2"},
            "spec.group: Required value: only v1 may have an empty group",
        ),
        ({"groupPriorityMinimum": 0}, "must be positive and less than 20000"),
        ({"versionPriority": 1001}, "must be positive and less than 1000"),
        ({"service": {"name": "x"}}, "spec.service.namespace: Required value"),
        ({"service": {"namespace": "here", "name": "x", "port": 0}}, "port is not valid: must be"),
        ({"service": None, "insecureSkipTLSVerify": True}, "local APIServices may not have"),
        ({"service": None, "caBundle": "YWJj"}, 'spec.caBundle: Invalid value: "3 bytes"'),
        (
            {"caBundle": "YWJj", "insecureSkipTLSVerify": True},
            "may not be true if caBundle is present",
        ),
    ],
)
async def test_api_service_that_breaks_a_rule_is_refused(
    api: Api, wrong: dict[str, Any], complaint: str
) -> None:
    reply = await api.ask("POST", PATH, api_service(**wrong))
    assert reply.status == 422
    assert complaint in reply.message


async def test_api_service_must_be_named_for_its_version(api: Api) -> None:
    reply = await api.ask("POST", PATH, api_service("other"))
    assert reply.status == 422
    assert f'must be `spec.version+"."+spec.group`: "{NAME}"' in reply.message


async def test_status_of_an_api_service_takes_known_values_only(api: Api) -> None:
    await api.make(PATH, api_service())
    for status, code in (("Maybe", 422), ("Unknown", 200)):
        change = {"status": {"conditions": [{"type": "Available", "status": status}]}}
        headers = {"content-type": "application/merge-patch+json"}
        reply = await api.ask("PATCH", f"{PATH}/{NAME}/status", change, headers=headers)
        assert reply.status == code, reply.content
