"""Pods for Windows and for Linux, by the sentences of a kube-apiserver v1.36.2."""

from typing import Any

import pytest

from tests.fakes.cluster import Api, obj, pod
from tutor.sandbox.kinds import Object

PODS = "/api/v1/namespaces/here/pods"
ON_WINDOWS = "cannot be set for a windows pod"
OPTIONS = "spec.securityContext.windowsOptions"
OWN = "spec.containers[0].securityContext.windowsOptions.hostProcess"
IDENTICAL = "pod hostProcess value must be identical if both are specified"
NETWORK = "hostNetwork must be true if pod contains any hostProcess containers"
USER = f"{OPTIONS}.runAsUserName: Invalid value: "


def on(system: str, *, own: Any = None, **spec: Any) -> Object:
    container: Object = {"name": "c", "image": "i", "securityContext": own or {}}
    return {"os": {"name": system}, "containers": [container]} | spec


def as_user(name: str) -> Object:
    return on("windows", securityContext={"windowsOptions": {"runAsUserName": name}})


@pytest.mark.parametrize(
    ("spec", "errors"),
    [
        (
            on(
                "windows",
                own={"capabilities": {"add": ["X"]}, "runAsGroup": 3},
                hostPID=True,
                securityContext={"fsGroup": 2, "runAsUser": 1, "seLinuxOptions": {"level": "x"}},
            ),
            [
                f"spec.securityContext.seLinuxOptions: Forbidden: {ON_WINDOWS}",
                f"spec.hostPID: Forbidden: {ON_WINDOWS}",
                f"spec.securityContext.fsGroup: Forbidden: {ON_WINDOWS}",
                f"spec.securityContext.runAsUser: Forbidden: {ON_WINDOWS}",
                f"spec.containers[0].securityContext.capabilities: Forbidden: {ON_WINDOWS}",
                f"spec.containers[0].securityContext.runAsGroup: Forbidden: {ON_WINDOWS}",
            ],
        ),
        (
            on(
                "linux",
                own={"windowsOptions": {"runAsUserName": "y"}},
                securityContext={"windowsOptions": {}},
            ),
            [
                f"{at}: Forbidden: windows options cannot be set for a linux pod"
                for at in (OPTIONS, "spec.containers[0].securityContext.windowsOptions")
            ],
        ),
        (
            on(
                "windows",
                own={"windowsOptions": {"hostProcess": False}},
                securityContext={"windowsOptions": {"hostProcess": True}},
            ),
            [
                f"{OWN}: Invalid value: false: {IDENTICAL}, was true",
            ],
        ),
        (
            on("windows", own={"windowsOptions": {"hostProcess": True}}),
            [
                f"spec.hostNetwork: Invalid value: false: {NETWORK}",
                "spec: Forbidden: hostProcess containers are disallowed by cluster policy",
            ],
        ),
        (as_user(""), [f'{USER}"": runAsUserName cannot be an empty string']),
        (
            as_user("a\\b\\c"),
            [rf'{USER}"a\\b\\c": runAsUserName cannot contain more than one backslash'],
        ),
        (
            as_user(".\\.."),
            [
                rf'{USER}".\\..": runAsUserName' + "'s Domain doesn't match the NetBios nor the DNS"
                " format",
                rf'{USER}".\\..": runAsUserName' + "'s User cannot contain only periods or spaces",
            ],
        ),
    ],
)
async def test_what_a_system_has_no_use_for_is_refused(
    api: Api, spec: Object, errors: list[str]
) -> None:
    await api.make("/api/v1/namespaces/here/serviceaccounts", obj("ServiceAccount", "default"))
    refused = await api.ask("POST", PODS, pod("a", **spec))
    told = refused.message.partition(" is invalid: ")[2]
    assert told == (errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]")


async def test_contexts_that_fit_their_system_are_taken(api: Api) -> None:
    await api.make("/api/v1/namespaces/here/serviceaccounts", obj("ServiceAccount", "default"))
    for index, spec in enumerate((as_user("NT\\jane doe"), on("linux", hostPID=True))):
        await api.make(PODS, pod(f"p{index}", **spec))
