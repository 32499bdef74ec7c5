"""Conditions and ranges of requests for documents, as Go's `http.ServeContent` takes them."""

from datetime import UTC, datetime

import pytest

from tests.fakes.cluster import Api
from tutor.sandbox.api.conditional import conditional
from tutor.sandbox.api.request import Request, Response

MODIFIED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
AT, LATER, EARLIER = (f"Fri, 02 Jan 2026 03:04:{second} GMT" for second in ("05", "06", "04"))
WHOLE = Response(
    status=200,
    body=b"0123456789",
    content_type="text/plain",
    headers=(("Etag", '"a"'), ("Last-Modified", AT)),
)


def asked(**headers: str) -> Response:
    given = [(name.replace("_", "-"), value) for name, value in headers.items()]
    request = Request(method="GET", target="/x", headers=given, body=b"", received=MODIFIED)
    return conditional(request, WHOLE, MODIFIED)


@pytest.mark.parametrize(
    ("headers", "status", "body"),
    [
        ({}, 200, WHOLE.body),
        ({"if_none_match": '"a"'}, 304, b""),
        ({"if_none_match": '"b", W/"a"'}, 304, b""),
        ({"if_none_match": "*"}, 304, b""),
        ({"if_none_match": '"b"', "if_modified_since": LATER}, 200, WHOLE.body),
        ({"if_modified_since": AT}, 304, b""),
        ({"if_modified_since": EARLIER}, 200, WHOLE.body),
        ({"if_modified_since": "yesterday"}, 200, WHOLE.body),
        ({"if_match": '"b"'}, 412, b""),
        ({"if_match": '"a"'}, 200, WHOLE.body),
        ({"if_unmodified_since": EARLIER}, 412, b""),
        ({"if_unmodified_since": AT}, 200, WHOLE.body),
        ({"range": "bytes=2-4"}, 206, b"234"),
        ({"range": "bytes=8-"}, 206, b"89"),
        ({"range": "bytes=-3"}, 206, b"789"),
        ({"range": "bytes=8-99"}, 206, b"89"),
        ({"range": "bytes=99-"}, 416, b"invalid range: failed to overlap\n"),
        ({"range": "lines=1-2"}, 200, WHOLE.body),
    ],
)
def test_document_is_given_as_far_as_it_is_wanted(
    headers: dict[str, str], status: int, body: bytes
) -> None:
    made = asked(**headers)
    assert (made.status, made.body) == (status, body)


def test_part_says_where_it_is_from() -> None:
    assert ("Content-Range", "bytes 2-4/10") in asked(range="bytes=2-4").headers
    assert ("Content-Range", "bytes */10") in asked(range="bytes=99-").headers


def test_document_that_is_known_is_told_by_its_tag_alone() -> None:
    assert asked(if_none_match="*").headers == [("Etag", '"a"')]


async def test_old_address_of_a_document_has_the_tag_of_the_new_one(api: Api) -> None:
    moved = await api.get("/openapi/v3/api/v1?hash=x")
    assert (moved.status, moved.media) == (301, "application/json")
    (place,) = moved.header("location")
    assert moved.header("etag") == [f'"{place.rpartition("=")[2]}"']
    assert moved.header("vary") == ["Accept"]


async def test_index_has_a_type_when_it_is_written(api: Api) -> None:
    whole = await api.get("/openapi/v3")
    assert whole.media == "text/plain; charset=utf-8"
    failed = await api.get("/openapi/v3", headers={"if-match": '"x"'})
    assert (failed.status, failed.media) == (412, "")
