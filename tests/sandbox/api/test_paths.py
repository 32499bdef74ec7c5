"""What is said of paths, methods and parameters that lead nowhere, as the real server says it."""

import pytest

from tests.fakes.cluster import Api, config_map

MAPS = "/api/v1/namespaces/here/configmaps"
TABLE = "application/json;as=Table;v={};g=meta.k8s.io"


@pytest.mark.parametrize(
    "path", ["/api/v2", "/api/v2/pods", "/apis/apps/v9", "/apis/apps/v9/deployments"]
)
async def test_unknown_version_of_an_own_group_is_a_status(api: Api, path: str) -> None:
    reply = await api.get(path)
    told = "the server could not find the requested resource"
    assert (reply.status, reply.message) == (404, told)


@pytest.mark.parametrize("path", ["/apis/none.example.com/v1", "/apis/none.example.com/v1/x"])
async def test_unknown_group_is_text(api: Api, path: str) -> None:
    reply = await api.get(path)
    assert (reply.status, reply.content) == (404, b"404 page not found\n")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/api/v1/configmaps"),
        ("DELETE", "/apis/apps/v1/deployments"),
        ("POST", "/api/v1/watch/namespaces/here/configmaps"),
        ("POST", "/version"),
    ],
)
async def test_method_that_a_path_does_not_take_is_refused(
    api: Api, method: str, path: str
) -> None:
    await api.make(MAPS, config_map("kept"))
    assert (await api.ask(method, path)).status == 405
    assert (await api.get(f"{MAPS}/kept")).status == 200


async def test_objects_cluster_wide_are_deleted_together(api: Api) -> None:
    reply = await api.ask("DELETE", "/apis/scheduling.k8s.io/v1/priorityclasses")
    assert reply.status == 200


async def test_text_for_people_has_no_markup(api: Api) -> None:
    await api.make(MAPS, config_map("a", data={"k": "<a>&b"}))
    reply = await api.get(f"{MAPS}/a?pretty=true")
    assert b'"k": "\\u003ca\\u003e\\u0026b"' in reply.content
    assert reply.body["data"] == {"k": "<a>&b"}


async def test_wrong_version_of_one_object_has_no_reason(api: Api) -> None:
    reply = await api.get(f"{MAPS}/a?resourceVersion=x")
    assert (reply.status, reply.body.get("reason")) == (500, None)


async def test_list_at_version_zero_has_no_limit(api: Api) -> None:
    for name in ("a", "b"):
        await api.make(MAPS, config_map(name))
    whole = await api.get(f"{MAPS}?resourceVersion=0&limit=1")
    assert whole.names == ["a", "b"]
    assert "continue" not in whole.body["metadata"]
    assert (await api.get(f"{MAPS}?limit=1")).names == ["a"]


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
async def test_table_is_of_the_version_asked_for(api: Api, version: str) -> None:
    reply = await api.get(f"{MAPS}/", headers={"Accept": TABLE.format(version)})
    assert reply.body["apiVersion"] == f"meta.k8s.io/{version}"


async def test_unknown_part_of_a_row_is_refused(api: Api) -> None:
    headers = {"Accept": TABLE.format("v1")}
    reply = await api.get(f"{MAPS}?includeObject=All", headers=headers)
    assert reply.message == (
        'Unable to convert to Table as requested: includeObject: Invalid value: "All":'
        " must be 'Metadata', 'Object', 'None', or empty"
    )


async def test_watch_is_no_yaml(api: Api) -> None:
    reply = await api.get(f"{MAPS}?watch=1", headers={"Accept": "application/yaml"})
    assert reply.status == 406
    assert b"application/json;stream=watch" in reply.content


async def test_list_names_the_forms_of_watches_among_those_that_there_are(api: Api) -> None:
    reply = await api.get(MAPS, headers={"Accept": "image/png"})
    assert reply.message.endswith("application/vnd.kubernetes.protobuf;stream=watch")
    reply = await api.get(f"{MAPS}/a", headers={"Accept": "image/png"})
    assert reply.message.endswith(", application/vnd.kubernetes.protobuf")


@pytest.mark.parametrize("kind", ["ConfigMapList", "DeleteOptions", "Status", "List"])
async def test_other_types_of_the_server_are_no_config_maps(api: Api, kind: str) -> None:
    reply = await api.ask("POST", MAPS, {"apiVersion": "v1", "kind": kind})
    told = f"converting (v1.{kind}) to (core.ConfigMap): unknown conversion"
    assert reply.message.endswith(told)


async def test_streamed_list_is_marked_for_those_who_take_bookmarks(api: Api) -> None:
    asked = f"{MAPS}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
    assert (await api.watch(asked)).read() == []
    marked = (await api.watch(f"{asked}&allowWatchBookmarks=true")).read()
    assert [event["type"] for event in marked] == ["BOOKMARK"]


async def test_watch_from_the_start_takes_no_token(api: Api) -> None:
    reply = await api.get(f"{MAPS}?watch=1&continue=x")
    assert reply.status == 422
    assert "forbidden when continue is provided" in reply.message


@pytest.mark.parametrize(
    ("path", "shape", "given"),
    [
        (MAPS, "PartialObjectMetadata", "a list (*core.ConfigMapList)"),
        (f"{MAPS}/a", "PartialObjectMetadataList", "not a list (*core.ConfigMap)"),
    ],
)
async def test_metadata_of_a_list_is_not_that_of_an_object(
    api: Api, path: str, shape: str, given: str
) -> None:
    await api.make(MAPS, config_map("a"))
    accept = f"application/json;as={shape};v=v1;g=meta.k8s.io"
    reply = await api.get(path, headers={"Accept": accept})
    told = f"you requested {shape}, but the requested object is {given}"
    assert (reply.status, reply.message) == (406, told)
