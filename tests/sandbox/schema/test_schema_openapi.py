import json
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from tutor.sandbox.kinds import GroupVersion, Kind, Subresource
from tutor.sandbox.schema.openapi import (
    CustomType,
    Published,
    builtin_document,
    builtin_versions,
    custom_document,
)
from tutor.sandbox.schema.openapi_v2 import v2_json, v2_protobuf

GOLDENS = Path(__file__).resolve().parents[4] / "shared" / "goldens"
recorded = pytest.mark.skipif(not GOLDENS.exists(), reason="no recordings beside the checkout")
CORE = GroupVersion("", "v1")
SEA = GroupVersion("sea.example.com", "v1alpha1")
WRITE = ("get", "patch", "update")


def without_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: without_text(item)
            for name, item in cast("dict[str, Any]", value).items()
            if not (name == "description" and isinstance(item, str))
        }
    if isinstance(value, list):
        return [without_text(item) for item in cast("list[Any]", value)]
    return value


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        own = {members["$ref"]} if isinstance(members.get("$ref"), str) else set[str]()
        return own.union(*map(references, members.values()))
    if isinstance(value, list):
        return set[str]().union(*map(references, cast("list[Any]", value)))
    return set()


def recorded_document() -> Any:
    http = json.loads((GOLDENS / "cases" / "http-openapi-v3-own-group.json").read_text())["http"]
    return json.loads((GOLDENS / http["response_body_ref"]).read_text())


def seal() -> CustomType:
    crd = next(
        yaml.safe_load(text)
        for text in json.loads((GOLDENS / "cases" / "apply-crd.json").read_text())["files"].values()
    )
    version = crd["spec"]["versions"][0]
    kind = Kind(
        group=SEA.group,
        version=SEA.version,
        kind="Seal",
        plural="seals",
        singular="seal",
        namespaced=True,
        verbs=("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"),
        subresources=(
            Subresource(name="scale", verbs=WRITE, kind="Scale", group="autoscaling", version="v1"),
            Subresource(name="status", verbs=WRITE, kind="Seal"),
        ),
        list_kind="SealList",
        custom=True,
    )
    return CustomType(kind=kind, schema=version["schema"]["openAPIV3Schema"])


@recorded
def test_schemas_of_a_custom_group_are_those_of_the_recorded_document() -> None:
    ours = without_text(custom_document(SEA, [seal()]))["components"]["schemas"]
    theirs = without_text(recorded_document())["components"]["schemas"]
    assert ours.keys() == theirs.keys()
    for name, schema in theirs.items():
        if name.endswith("DeleteOptions"):
            # The recorded server lists every group that it knows.
            schema["x-kubernetes-group-version-kind"] = ours[name][
                "x-kubernetes-group-version-kind"
            ]
        assert ours[name] == schema, name


@recorded
def test_operations_of_a_custom_group_are_those_of_the_recorded_document() -> None:
    def summary(document: Any) -> Any:
        return {
            (path, method): (
                operation["operationId"],
                operation["tags"],
                operation["x-kubernetes-action"],
                operation["x-kubernetes-group-version-kind"],
                {p["name"] for p in operation.get("parameters", ())} - {"shardSelector"},
            )
            for path, item in document["paths"].items()
            for method, operation in item.items()
            if method != "parameters"
        }

    theirs = summary(recorded_document())
    for key, (name, tags, action, kind, parameters) in summary(
        custom_document(SEA, [seal()])
    ).items():
        assert theirs[key][:4] == (name, tags, action, kind)
        assert theirs[key][4] - {"resourceVersion"} == parameters - {"resourceVersion"}
    assert theirs.keys() == summary(custom_document(SEA, [seal()])).keys()


@pytest.mark.parametrize("version", sorted(builtin_versions()))
def test_every_reference_leads_to_a_schema(version: GroupVersion) -> None:
    document = builtin_document(version)
    names = document["components"]["schemas"].keys()
    found = {r.removeprefix("#/components/schemas/") for r in references(document)}
    assert found
    assert found <= names


@pytest.mark.parametrize("version", sorted(builtin_versions()), ids=str)
def test_documents_of_built_in_groups_describe_their_list_of_resources(
    version: GroupVersion,
) -> None:
    paths = builtin_document(version)["paths"]
    path = f"/apis/{version}/" if version.group else "/api/v1/"
    assert next(iter(paths)) == path
    content = paths[path]["get"]["responses"]["200"]["content"]
    reference = "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.APIResourceList"
    assert content == {"application/json": {"schema": {"$ref": reference}}}


def test_the_core_document_is_small() -> None:
    found = Published(dict).v3("api/v1")
    assert found is not None
    assert len(found[0]) < 170_000


def test_kinds_are_patched_with_the_parameters_that_clients_look_for() -> None:
    patch = builtin_document(GroupVersion("apps", "v1"))["paths"][
        "/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
    ]["patch"]
    shown = {"group": "apps", "version": "v1", "kind": "Deployment"}
    assert patch["x-kubernetes-group-version-kind"] == shown
    assert {"dryRun", "fieldValidation"} <= {p["name"] for p in patch["parameters"]}
    assert "application/strategic-merge-patch+json" in patch["requestBody"]["content"]


def test_subresources_show_the_kind_that_they_exchange() -> None:
    paths = builtin_document(CORE)["paths"]
    pod = "/api/v1/namespaces/{namespace}/pods/{name}"
    shown = {"group": "policy", "version": "v1", "kind": "Eviction"}
    assert paths[f"{pod}/eviction"]["post"]["x-kubernetes-group-version-kind"] == shown
    assert paths[f"{pod}/exec"]["get"]["x-kubernetes-action"] == "connect"


def test_fields_have_enums_defaults_and_merge_rules() -> None:
    schemas = builtin_document(CORE)["components"]["schemas"]
    container = schemas["io.k8s.api.core.v1.Container"]
    assert container["required"] == ["name"]
    policy = container["properties"]["imagePullPolicy"]
    assert policy == {"type": "string", "enum": ["Always", "IfNotPresent", "Never"]}
    ports = container["properties"]["ports"]
    assert ports["x-kubernetes-list-map-keys"] == ["containerPort", "protocol"]
    assert ports["x-kubernetes-patch-merge-key"] == "containerPort"
    port = schemas["io.k8s.api.core.v1.ContainerPort"]
    assert port["properties"]["protocol"]["default"] == "TCP"


def test_references_of_built_in_kinds_are_wrapped_only_beside_something_else() -> None:
    properties = builtin_document(GroupVersion("apps", "v1"))["components"]["schemas"][
        "io.k8s.api.apps.v1.DeploymentSpec"
    ]["properties"]
    assert list(properties["template"]) == ["$ref"]
    assert list(properties["strategy"]) == ["allOf", "x-kubernetes-patch-strategy"]


def test_the_index_names_each_document_with_its_hash() -> None:
    published = Published(dict)
    index = published.index()
    assert list(index) == sorted(index)
    found = published.v3("apis/apps/v1")
    assert found is not None
    assert index["apis/apps/v1"] == found[1]
    assert published.v3("apis/nosuch.example.com/v1") is None
    assert published.v3("apis/nosuch.example.com") is None


@recorded
def test_documents_of_custom_groups_follow_what_is_served() -> None:
    served: dict[GroupVersion, list[CustomType]] = {}
    published = Published(lambda: served)
    before = published.v2()
    served[SEA] = [seal()]
    first = published.index()["apis/sea.example.com/v1alpha1"]
    assert published.index()["apis/sea.example.com/v1alpha1"] == first
    assert b"com.example.sea.v1alpha1.Seal" in published.v2()
    assert b"com.example.sea.v1alpha1.Seal" not in before
    served[SEA] = [CustomType(kind=seal().kind, schema={"type": "object"})]
    assert published.index()["apis/sea.example.com/v1alpha1"] != first
    served.clear()
    assert "apis/sea.example.com/v1alpha1" not in published.index()


def test_version_2_has_every_kind() -> None:
    document = v2_protobuf()
    assert document.startswith(b"\x0a\x032.0")
    for name in (b"io.k8s.api.core.v1.Pod", b"io.k8s.api.apps.v1.Deployment"):
        assert name in document
    assert document.count(b"application/strategic-merge-patch+json") > 50


@recorded
def test_version_2_offers_strategic_patches_for_built_in_kinds_alone() -> None:
    custom = CustomType(kind=seal().kind, schema={"type": "object"})
    paths = json.loads(v2_json([custom]))["paths"]
    strategic = "application/strategic-merge-patch+json"
    offered = {path: strategic in item["patch"]["consumes"] for path, item in paths.items()}
    assert [path for path, offers in offered.items() if not offers] == [
        "/apis/sea.example.com/v1alpha1/namespaces/{namespace}/seals/{name}"
    ]
