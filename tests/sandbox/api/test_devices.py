"""Devices that pods claim, judged as a kube-apiserver v1.36.2 was seen to judge them."""

from copy import deepcopy
from typing import Any

import pytest

from tests.fakes.cluster import Api, obj
from tutor.sandbox.kinds import Object

GROUP = "resource.k8s.io/v1"
CLAIMS = f"/apis/{GROUP}/namespaces/here/resourceclaims"
TEMPLATES = f"/apis/{GROUP}/namespaces/here/resourceclaimtemplates"
CLASSES = f"/apis/{GROUP}/deviceclasses"
SLICES = f"/apis/{GROUP}/resourceslices"
REQUESTS = {
    "devices": {
        "requests": [
            {"name": "r", "exactly": {"deviceClassName": "d.x", "tolerations": [{"key": "k"}]}},
            {"name": "q", "firstAvailable": [{"name": "s", "deviceClassName": "e.x"}]},
        ],
        "constraints": [{"requests": ["r", "q/s"], "matchAttribute": "a.b/c"}],
        "config": [{"opaque": {"driver": "d.x", "parameters": {"a": 1}}}],
    }
}
SLICE = {
    "driver": "d.x",
    "nodeName": "n",
    "pool": {"name": "p", "generation": 1, "resourceSliceCount": 1},
    "devices": [
        {
            "name": "dev",
            "attributes": {"a": {"string": "b"}, "e": {"version": "1.0.0"}},
            "capacity": {"m": {"value": "1Gi"}},
            "taints": [{"key": "k", "effect": "NoSchedule"}],
        }
    ],
}


def changed(spec: Object, path: str, value: Any) -> Object:
    """The spec with one field set to something else, or without it."""
    made = deepcopy(spec)
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    inner: Any = made
    for step in steps:
        inner = inner[step]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return made


async def complaints(api: Api, path: str, body: Object) -> list[str]:
    refused = await api.ask("POST", path, body)
    assert refused.status == 422
    causes = refused.body["details"]["causes"]
    return [f"{cause['field']}: {cause['message']}" for cause in causes]


async def test_claim_asks_for_one_device_of_each_class(api: Api) -> None:
    made = await api.make(CLAIMS, obj("ResourceClaim", "c", version=GROUP, spec=REQUESTS))
    first, second = made["spec"]["devices"]["requests"]
    assert first["exactly"]["tolerations"] == [{"key": "k", "operator": "Equal"}]
    for wanted in (first["exactly"], second["firstAvailable"][0]):
        assert (wanted["allocationMode"], wanted["count"]) == ("ExactCount", 1)
    assert "generation" not in made["metadata"]
    body = obj("ResourceClaim", "c", version=GROUP, spec={})
    refused = await api.ask("PUT", f"{CLAIMS}/c", body)
    assert refused.message.endswith(": field is immutable")


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        (
            "requests.0.exactly.deviceClassName",
            None,
            "requests[0].exactly.deviceClassName: Required value",
        ),
        (
            "requests.0.exactly",
            None,
            (
                "requests[0]: Required value:"
                " exactly one of `exactly` or `firstAvailable` is required"
            ),
        ),
        (
            "requests.0.exactly.allocationMode",
            "Some",
            (
                "requests[0].exactly.allocationMode: Unsupported value:"
                ' "Some": supported values: "All", "ExactCount"'
            ),
        ),
        (
            "requests.0.exactly.count",
            -1,
            "requests[0].exactly.count: Invalid value: -1: must be greater than zero",
        ),
        (
            "constraints.0.requests",
            ["q/z"],
            (
                'constraints[0].requests[0]: Invalid value: "q/z": must be the name of a request'
                " in the claim or the name of a request and a subrequest separated by '/'"
            ),
        ),
        (
            "constraints.0.matchAttribute",
            "c",
            (
                'constraints[0].matchAttribute: Invalid value: "c": a fully qualified name must be'
                " a domain and a name separated by a slash"
            ),
        ),
        ("config.0.opaque.driver", None, "config[0].opaque.driver: Required value"),
    ],
)
@pytest.mark.parametrize("template", [False, True])
async def test_claim_that_breaks_a_rule_is_refused(
    api: Api, path: str, value: Any, why: str, *, template: bool
) -> None:
    spec = changed(REQUESTS, f"devices.{path}", value)
    if template:
        body = obj("ResourceClaimTemplate", "c", version=GROUP, spec={"spec": spec})
        assert await complaints(api, TEMPLATES, body) == [f"spec.spec.devices.{why}"]
    else:
        body = obj("ResourceClaim", "c", version=GROUP, spec=spec)
        assert await complaints(api, CLAIMS, body) == [f"spec.devices.{why}"]


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("driver", None, "spec.driver: Required value"),
        (
            "pool.resourceSliceCount",
            0,
            "spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero",
        ),
        (
            "nodeName",
            None,
            (
                "spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`,"
                " `perDeviceNodeSelection` is required"
            ),
        ),
        (
            "allNodes",
            True,
            (
                'spec: Invalid value: "{`nodeName`, `allNodes`}": exactly one of `nodeName`,'
                " `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required, but multiple"
                " fields are set"
            ),
        ),
        (
            "devices.0.attributes.a",
            {},
            (
                'spec.devices[0].attributes[a]: Invalid value: "":'
                " exactly one value must be specified"
            ),
        ),
        (
            "devices.0.attributes.e.version",
            "1",
            (
                'spec.devices[0].attributes[e].version: Invalid value: "1": must be a string'
                " compatible with semver.org spec 2.0.0"
            ),
        ),
        ("devices.0.taints.0.effect", None, "spec.devices[0].taints[0].effect: Required value"),
    ],
)
async def test_slice_that_breaks_a_rule_is_refused(
    api: Api, path: str, value: Any, why: str
) -> None:
    body = obj("ResourceSlice", "s", version=GROUP, spec=changed(SLICE, path, value))
    assert await complaints(api, SLICES, body) == [why]


async def test_slice_counts_its_changes_and_dates_its_taints(api: Api) -> None:
    made = await api.make(SLICES, obj("ResourceSlice", "s", version=GROUP, spec=SLICE))
    assert made["metadata"]["generation"] == 1
    (taint,) = made["spec"]["devices"][0]["taints"]
    assert taint["timeAdded"] == made["metadata"]["creationTimestamp"]
    spec = changed(made["spec"], "pool.generation", 2)
    again = await api.ask("PUT", f"{SLICES}/s", obj("ResourceSlice", "s", version=GROUP, spec=spec))
    assert again.body["metadata"]["generation"] == 2


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"selectors": [{"cel": None}]}, "spec.selectors[0].cel: Required value"),
        (
            {"selectors": [{"cel": {"expression": "devise.driver == 'x'"}}]},
            (
                "spec.selectors[0].cel.expression: Invalid value: \"devise.driver == 'x'\":"
                " compilation failed: ERROR: <input>:1:1: undeclared reference to 'devise'"
                " (in container '')\n | devise.driver == 'x'\n | ^"
            ),
        ),
        (
            {"extendedResourceName": "cpu"},
            (
                'spec.extendedResourceName: Invalid value: "cpu":'
                " must be a valid extended resource name"
            ),
        ),
    ],
)
async def test_class_that_breaks_a_rule_is_refused(api: Api, spec: Object, why: str) -> None:
    body = obj("DeviceClass", "d", version=GROUP, spec=spec)
    assert await complaints(api, CLASSES, body) == [why]


async def test_class_counts_its_changes(api: Api) -> None:
    spec = {"selectors": [{"cel": {"expression": "device.driver == 'x'"}}]}
    made = await api.make(CLASSES, obj("DeviceClass", "d", version=GROUP, spec=spec))
    assert made["metadata"]["generation"] == 1
