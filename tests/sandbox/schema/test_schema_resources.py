import json
from pathlib import Path
from typing import Any

import pytest

from tutor.sandbox.kinds import Kind, Subresource
from tutor.sandbox.schema.resources import builtin_groups, builtin_kinds

GOLDENS = Path(__file__).resolve().parents[4] / "shared" / "goldens"
CUSTOM = {
    "acme.cert-manager.io",
    "authentication.concierge.pinniped.dev",
    "cert-manager.io",
    "config.concierge.pinniped.dev",
    "projectcontour.io",
    "sea.example.com",
}
recorded = pytest.mark.skipif(not GOLDENS.exists(), reason="no recordings beside the checkout")


def body(case: str) -> Any:
    http = json.loads((GOLDENS / "cases" / f"{case}.json").read_text())["http"]
    return json.loads(
        http.get("response_body") or (GOLDENS / http["response_body_ref"]).read_text()
    )


def kind(group: str, plural: str) -> Kind:
    return next(k for k in builtin_kinds() if (k.group, k.plural) == (group, plural))


def as_discovered(item: Kind) -> dict[str, Any]:
    described: dict[str, Any] = {
        "resource": item.plural,
        "responseKind": {"group": "", "version": "", "kind": item.kind},
        "scope": "Namespaced" if item.namespaced else "Cluster",
        "singularResource": item.singular,
        "verbs": list(item.verbs),
        "shortNames": list(item.short_names),
        "categories": list(item.categories),
        "subresources": [
            {
                "subresource": s.name,
                "responseKind": {"group": s.group, "version": s.version, "kind": s.kind},
                "verbs": list(s.verbs),
            }
            for s in item.subresources
        ],
    }
    return {key: value for key, value in described.items() if value != []}


@recorded
def test_builtin_kinds_are_what_aggregated_discovery_lists_in_its_order() -> None:
    documents = body("http-api-aggregated")["items"] + body("http-apis-aggregated")["items"]
    discovered = [
        (group["metadata"].get("name", ""), version["version"], resource)
        for group in documents
        if group["metadata"].get("name", "") not in CUSTOM
        for version in group["versions"]
        for resource in version["resources"]
    ]
    assert [(k.group, k.version, as_discovered(k)) for k in builtin_kinds()] == discovered


@recorded
def test_storage_version_hashes_are_those_of_the_recorded_core_group() -> None:
    for resource in body("http-api-v1")["resources"]:
        if "/" not in resource["name"]:
            recorded_hash = resource.get("storageVersionHash", "")
            assert kind("", resource["name"]).storage_hash == recorded_hash


def test_kinds_that_people_expect_are_there() -> None:
    assert kind("apiextensions.k8s.io", "customresourcedefinitions").short_names == ("crd", "crds")
    assert kind("apiregistration.k8s.io", "apiservices").categories == ("api-extensions",)
    assert kind("apps", "deployments").subresource("scale") == Subresource(
        name="scale",
        verbs=("get", "patch", "update"),
        kind="Scale",
        group="autoscaling",
        version="v1",
    )
    assert kind("", "pods").list_kind == "PodList"
    assert kind("authentication.k8s.io", "tokenreviews").list_kind == ""


def test_groups_go_by_priority_and_versions_by_preference() -> None:
    groups = [g for g in builtin_groups() if g.priority]
    assert [g.priority for g in groups] == sorted((g.priority for g in groups), reverse=True)
    autoscaling = next(g for g in groups if g.group == "autoscaling")
    assert [(v.version, v.priority) for v in autoscaling.versions] == [("v2", 30), ("v1", 15)]
    assert next(g.priority for g in groups if g.group == "apps") == 17800


def test_the_aggregators_own_group_is_served_but_not_registered() -> None:
    group = next(g for g in builtin_groups() if g.group == "apiregistration.k8s.io")
    assert (group.priority, group.versions[0].priority) == (0, 0)
