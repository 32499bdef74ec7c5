"""Paths of custom resources, as a kube-apiserver v1.36.2 was seen to answer them."""

import pytest

from tests.fakes.cluster import Api, now, obj
from tutor.sandbox.kinds import Object

GROUP = "sea.example.com"
BINARY = "application/vnd.kubernetes.protobuf"
GULLS = f"/apis/{GROUP}/v1/namespaces/here/gulls"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def definition() -> Object:
    spec = {"n": {"type": "integer", "minimum": 1}}
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": spec}}}
    scale = {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"scale": scale},
    }
    names = {"plural": "gulls", "singular": "gull", "kind": "Gull", "listKind": "GullList"}
    return obj(
        "CustomResourceDefinition",
        f"gulls.{GROUP}",
        version="apiextensions.k8s.io/v1",
        spec={"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    )


@pytest.fixture(autouse=True)
async def served(api: Api) -> None:
    """The kind, and an object of it."""
    await api.make(CRDS, definition())
    await api.parts.definitions.reconcile(f"gulls.{GROUP}")
    await api.make(GULLS, obj("Gull", "one", version=f"{GROUP}/v1", spec={"n": 1}))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/apis/{GROUP}/v1/foos"),
        ("GET", f"/apis/{GROUP}/v1/namespaces/here/foos/x"),
        ("GET", f"/apis/{GROUP}/v1/gulls/x"),
        ("POST", f"/apis/{GROUP}/v1/gulls"),
    ],
)
async def test_path_of_nothing_in_a_custom_group_is_a_page(
    api: Api, method: str, path: str
) -> None:
    reply = await api.ask(method, path, {} if method == "POST" else None)
    assert (reply.status, reply.content) == (404, b"404 page not found\n")


@pytest.mark.parametrize("below", ["status", "foo"])
async def test_path_below_a_custom_object_that_is_not_there_names_the_object(
    api: Api, below: str
) -> None:
    refused = await api.get(f"{GULLS}/one/{below}")
    assert (refused.status, refused.message) == (404, 'gulls.sea.example.com "one" not found')


async def test_custom_objects_are_asked_for_their_head(api: Api) -> None:
    assert (await api.ask("HEAD", GULLS)).status == 200
    assert (await api.ask("HEAD", "/api/v1/namespaces/here/configmaps")).status == 405


async def test_negative_scale_of_a_custom_object_is_judged_by_its_schema(api: Api) -> None:
    refused = await api.ask(
        "PATCH",
        f"{GULLS}/one/scale",
        {"spec": {"replicas": -2}},
        headers={"content-type": "application/merge-patch+json"},
    )
    assert refused.message.startswith('Gull.sea.example.com "one" is invalid: [spec.n: ')


async def test_body_without_a_kind_is_unrecognized(api: Api) -> None:
    refused = await api.ask("POST", GULLS, b"{}")
    assert refused.message == (
        "the object provided is unrecognized (must be of type Gull): Object 'Kind' is missing in"
        " '{}' ({})"
    )


async def test_other_kind_than_the_one_of_the_path_is_invalid(api: Api) -> None:
    refused = await api.ask("POST", GULLS, obj("Boat", "b", version=f"{GROUP}/v1"))
    assert refused.message == (
        'Boat.sea.example.com "b" is invalid: kind: Invalid value: "Boat": must be Gull'
    )


async def test_body_of_a_deletion_says_whether_it_is_a_dry_run(api: Api) -> None:
    assert (await api.ask("DELETE", f"{GULLS}/one?dryRun=All", {})).status == 200
    assert (await api.get(f"{GULLS}/one")).status == 404


async def test_annotation_of_a_definition_is_set_by_its_status_too(api: Api) -> None:
    path = f"{CRDS}/gulls.{GROUP}"
    changed = await api.ask(
        "PATCH",
        f"{path}/status?fieldManager=me",
        {"metadata": {"annotations": {"a": "b"}}},
        headers={"content-type": "application/merge-patch+json"},
    )
    entries = changed.body["metadata"]["managedFields"]
    (mine,) = [one for one in entries if one["manager"] == "me"]
    assert mine["subresource"] == "status"
    assert mine["fieldsV1"] == {"f:metadata": {"f:annotations": {".": {}, "f:a": {}}}}


async def test_conflict_of_a_definition_names_the_folder_of_its_group(api: Api) -> None:
    body = definition()
    body["metadata"]["uid"] = "00000000-0000-0000-0000-000000000000"
    refused = await api.ask("PUT", f"{CRDS}/gulls.{GROUP}", body)
    assert f"Key: /registry/apiextensions.k8s.io/customresourcedefinitions/gulls.{GROUP}," in (
        refused.message
    )


@pytest.mark.parametrize(
    ("query", "warnings", "message"),
    [
        (
            "",
            ['299 - "unknown field \\"spec\\""'],
            (
                "the API version in the data (sea.example.com/v9) does not match"
                " the expected API version (sea.example.com/v1)"
            ),
        ),
        (
            "?fieldValidation=Strict",
            [],
            (
                'Gull in version "v9" cannot be handled as a Gull: strict decoding error:'
                ' unknown field "spec"'
            ),
        ),
    ],
)
async def test_fields_of_another_version_are_complained_of_before_the_version_is(
    api: Api, query: str, warnings: list[str], message: str
) -> None:
    gull = obj("Gull", "two", version=f"{GROUP}/v9", spec={"n": 1})
    reply = await api.ask("POST", GULLS + query, gull)
    assert (reply.status, reply.message) == (400, message)
    assert reply.header("warning") == warnings


@pytest.mark.parametrize(
    ("accept", "status", "media"),
    [
        (BINARY, 406, BINARY),
        (f"{BINARY},application/json", 200, "application/json"),
        (f"{BINARY};as=PartialObjectMetadata;g=meta.k8s.io;v=v1", 200, BINARY),
    ],
)
async def test_custom_objects_have_no_binary_form_and_their_metadata_has(
    api: Api, accept: str, status: int, media: str
) -> None:
    for path in ("one", "one/scale"):
        reply = await api.get(f"{GULLS}/{path}", headers={"accept": accept})
        assert (reply.status, reply.media) == (status, media)


async def test_scale_is_no_list(api: Api) -> None:
    accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
    reply = await api.get(f"{GULLS}/one/scale", headers={"accept": accept})
    assert (reply.status, reply.message.rpartition(" ")[2]) == (406, "(*v1.Scale)")


async def test_bookmark_has_its_members_in_order(api: Api) -> None:
    where = f"{GULLS}?watch=true&allowWatchBookmarks=true"
    _, mark = (await api.watch(where)).read()
    assert list(mark["object"]["metadata"]) == ["annotations", "resourceVersion"]


async def test_media_types_that_are_told_are_the_same_for_all(api: Api) -> None:
    odd = {"content-type": "application/foo"}
    told = "the body of the request was in an unknown format - accepted media types include: "
    made = await api.ask("POST", GULLS, {}, headers=odd)
    assert made.message == f"{told}application/json, application/yaml, {BINARY}"
    patched = await api.ask("PATCH", f"{GULLS}/one", {}, headers=odd)
    wanted = ("json-patch+json", "merge-patch+json", "apply-patch+yaml")
    assert patched.message == told + ", ".join(f"application/{media}" for media in wanted)


async def test_version_is_read_as_it_is_written(api: Api) -> None:
    gull = {"ApiVersion": f"{GROUP}/v1", "kind": "Gull", "metadata": {"name": "two"}}
    reply = await api.ask("POST", GULLS, gull)
    told = "the API version in the data () does not match the expected API version"
    assert (reply.status, reply.message) == (400, f"{told} ({GROUP}/v1)")


async def test_index_of_documents_that_has_changed_is_never_taken_for_the_one_before(
    api: Api,
) -> None:
    at = now()
    known = await api.get("/openapi/v3", at=at)
    since = {"If-Modified-Since": known.header("last-modified")[0]}
    assert (await api.get("/openapi/v3", headers=since, at=at)).status == 304
    more = definition()
    more["metadata"]["name"], more["spec"]["group"] = "gulls.air.example.com", "air.example.com"
    await api.make(CRDS, more)
    await api.parts.definitions.reconcile("gulls.air.example.com")
    newer = await api.get("/openapi/v3", headers=since, at=at)
    assert newer.status == 200
    assert "apis/air.example.com/v1" in newer.body["paths"]
