"""Values of query parameters, read as Go reads them."""

import pytest

from tests.fakes.cluster import Api
from tutor.sandbox.api.options import flag, integer
from tutor.sandbox.api.request import Query
from tutor.sandbox.api.status import ApiError


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", False), ("a", True), ("a=", True), ("a=x", True), ("a=f", True), ("a=FALSE", False)],
)
def test_what_is_not_false_is_true(text: str, expected: bool) -> None:
    assert flag(Query(text), "a") is expected


@pytest.mark.parametrize(
    ("text", "why"),
    [("1_0", "invalid syntax"), (" 1", "invalid syntax"), ("9" * 19, "value out of range")],
)
def test_numbers_have_digits_alone(text: str, why: str) -> None:
    with pytest.raises(ApiError) as caught:
        integer(text)
    assert caught.value.message == f'strconv.ParseInt: parsing "{text}": {why}'


@pytest.mark.parametrize("path", ["/api/v1/pods", "/api/v1/pods?watch=1"])
async def test_lists_and_watches_refuse_a_time_that_is_none(api: Api, path: str) -> None:
    joint = "&" if "?" in path else "?"
    reply = await api.get(f"{path}{joint}timeoutSeconds=x")
    assert (reply.status, reply.message) == (400, 'strconv.ParseInt: parsing "x": invalid syntax')


async def test_health_checks_can_be_left_out(api: Api) -> None:
    reply = await api.get("/livez?verbose&exclude=etcd&exclude=nope")
    lines = reply.content.decode().splitlines()
    assert "[+]etcd excluded: ok" in lines
    assert lines[-2:] == [
        'warn: some health checks cannot be excluded: no matches for "nope"',
        "livez check passed",
    ]
    assert (await api.get("/livez?exclude=etcd")).content == b"ok"
