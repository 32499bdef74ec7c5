"""Documents of the server: which methods and forms they take, and what is not there.

Source: answers of a kube-apiserver v1.36.2 to the same requests.
"""

import pytest

from tests.fakes.cluster import MASTERS, Api
from tutor.sandbox.api.negotiate import Form
from tutor.sandbox.api.render import document

PROTOBUF = "application/vnd.kubernetes.protobuf"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
async def test_groups_are_told_of_whatever_the_method(api: Api, method: str) -> None:
    reply = await api.ask(method, "/apis")
    assert reply.status == 200
    assert reply.body["kind"] == "APIGroupList"


@pytest.mark.parametrize("path", ["/api", "/api/v1", "/version", "/openid/v1/jwks"])
async def test_documents_with_routes_are_only_read(api: Api, path: str) -> None:
    assert (await api.ask("POST", path)).status == 405
    refused = await api.get(path, headers={"accept": "image/png"})
    assert refused.status == 406
    assert refused.message.startswith("406: Not Acceptable\n\nAvailable representations: ")
    assert refused.content.startswith(b"{\n")


@pytest.mark.parametrize("accept", ["image/png", "application/json"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_missing_group_is_a_page_whatever_is_asked(
    api: Api, method: str, accept: str
) -> None:
    reply = await api.ask(method, "/apis/nope", headers={"accept": accept})
    assert (reply.status, reply.content) == (404, b"404 page not found\n")


@pytest.mark.parametrize(
    ("path", "start"),
    [
        ("/api", b"k8s\x00\n\x0f\n\x00\x12\x0bAPIVersions\x12"),
        ("/apis", b"k8s\x00\n\x12\n\x02v1\x12\x0cAPIGroupList\x12"),
        ("/api/v1", b"k8s\x00\n\x13\n\x00\x12\x0fAPIResourceList\x12"),
    ],
)
async def test_discovery_is_given_in_protobuf(api: Api, path: str, start: bytes) -> None:
    reply = await api.get(path, headers={"accept": PROTOBUF})
    assert (reply.status, reply.media) == (200, PROTOBUF)
    assert reply.content.startswith(start)


def test_yaml_names_nothing_by_reference() -> None:
    shared = {"version": "v1"}
    written = document({"a": shared, "b": [shared]}, Form("application/yaml"))
    assert written == b"a:\n  version: v1\nb:\n- version: v1\n"


async def test_failure_has_the_form_that_is_accepted_best(api: Api) -> None:
    accept = "application/json;q=0.5,application/yaml"
    reply = await api.get("/apis/apps/v9", headers={"accept": accept})
    assert (reply.status, reply.media) == (404, "application/yaml")


@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        ("/openapi/v2", "application/yaml", 406),
        ("/openapi/v2", "application/*", 200),
        ("/openapi/v2", "application/com.github.proto-openapi.spec.v3@v1.0+protobuf", 406),
        ("/openapi/v3/apis/apps/v1", "text/html", 406),
        ("/openapi/v3/apis/apps/v1/", "application/json", 404),
    ],
)
async def test_openapi_is_given_in_its_own_forms_only(
    api: Api, path: str, accept: str, status: int
) -> None:
    reply = await api.get(path, headers={"accept": accept})
    assert reply.status == status
    assert (status == 200) == bool(reply.content)


@pytest.mark.parametrize("path", ["/openapi/v2", "/openapi/v3", "/openapi/v3/api/v1"])
async def test_whoever_has_any_openapi_document_need_not_read_it_again(api: Api, path: str) -> None:
    assert (await api.get(path, headers={"if-none-match": "*"})).status == 304


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/version?timeout=x", 400),
        ("/nope?timeout=1", 400),
        ("/api/v1/namespaces/here/configmaps/a?timeout=3", 400),
        ("/version?timeout=1m30s", 200),
        ("/version?timeout=", 200),
    ],
)
async def test_time_limit_that_is_none_is_refused_before_all(
    api: Api, path: str, status: int
) -> None:
    reply = await api.get(path, user=() if status == 400 else ("admin", *MASTERS))
    assert reply.status == status
    if status == 400:
        assert reply.message.startswith("invalid timeout specified in the request URL - time: ")


async def test_single_health_check_says_ok_without_more(api: Api) -> None:
    reply = await api.get("/livez/ping")
    assert (reply.content, reply.header("X-Content-Type-Options")) == (b"ok", [])


async def test_start_page_has_two_names(api: Api) -> None:
    assert (await api.get("/index.html")).body == (await api.get("/")).body
