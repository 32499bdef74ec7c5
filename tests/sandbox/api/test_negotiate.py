"""Which form of an answer a caller gets, by its headers and its query."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.sandbox.api.negotiate import Form, accepts, failure_form, form_of
from tutor.sandbox.api.request import Request
from tutor.sandbox.api.status import ApiError

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
PROTOBUF = "application/vnd.kubernetes.protobuf"


def request(accept: str = "", *, agent: str = "kubectl", query: str = "") -> Request:
    headers = [("accept", accept)] if accept else []
    return Request(
        method="GET",
        target=f"/api/v1/pods?{query}",
        headers=[*headers, ("user-agent", agent)],
        body=b"",
        received=datetime(2026, 1, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", Form()),
        ("*/*", Form()),
        ("application/json", Form()),
        ("application/json, */*", Form()),
        ("application/yaml", Form("application/yaml")),
        (f"{PROTOBUF},application/json", Form()),
        ("text/html, application/yaml;q=0.9, application/json;q=0.8", Form("application/yaml")),
        ("application/json;q=0.1, application/yaml", Form("application/yaml")),
        ("application/json;pretty=1", Form(pretty=True)),
        (TABLE, Form(shape="table")),
        (
            f"{TABLE},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json",
            Form(shape="table"),
        ),
        (
            "application/json;as=Table;v=v1beta1;g=meta.k8s.io",
            Form(shape="table", version="v1beta1"),
        ),
        (PARTIAL, Form(shape="partial")),
        (
            "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
            Form(shape="partial-list"),
        ),
        ("application/json;as=Table;v=v2;g=meta.k8s.io,application/json", Form()),
        ("application/json;as=Chair;v=v1;g=meta.k8s.io,application/json", Form()),
    ],
)
def test_first_acceptable_form_is_taken(accept: str, expected: Form) -> None:
    assert form_of(request(accept)) == expected


KNOWN = f"application/json, application/yaml, {PROTOBUF}"
ROUTES = f"406: Not Acceptable\n\nAvailable representations: {KNOWN}"
HANDLERS = f"only the following media types are accepted: {KNOWN}"


@pytest.mark.parametrize(
    ("accept", "binary", "message"),
    [
        ("text/html", True, ROUTES),
        ("text/html", False, HANDLERS),
        (PROTOBUF, False, HANDLERS),
        (TABLE.replace("v1", "v3"), True, HANDLERS),
        ("application/json;g=meta.k8s.io;v=v1", True, HANDLERS),
        (TABLE.replace("application/json", PROTOBUF), True, HANDLERS),
        ("*", True, ROUTES),
        (f"text/html, {TABLE.replace('v1', 'v3')}", True, HANDLERS),
        ("application/*", True, ROUTES),
    ],
)
def test_nothing_acceptable_is_a_406_that_names_what_there_is(
    accept: str, binary: bool, message: str
) -> None:
    with pytest.raises(ApiError) as caught:
        form_of(request(accept), binary=binary)
    assert (caught.value.code, caught.value.reason) == (406, "NotAcceptable")
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (f"{PROTOBUF},application/json", Form(PROTOBUF)),
        (f"application/json,{PROTOBUF}", Form()),
        (f"{PROTOBUF};q=0.1,application/json", Form()),
        (PARTIAL.replace("application/json", PROTOBUF), Form(PROTOBUF, "partial")),
    ],
)
def test_protobuf_is_a_form_like_others_where_there_is_one(accept: str, form: Form) -> None:
    assert form_of(request(accept), encodes=True) == form


def test_log_is_not_given_to_those_who_take_nothing_but_text() -> None:
    for accept, why in (
        ("text/plain", HANDLERS),
        (TABLE, HANDLERS),
        ("text/html", f"representations: text/plain, {KNOWN}"),
    ):
        with pytest.raises(ApiError) as caught:
            form_of(request(accept), besides="text/plain")
        assert caught.value.message.endswith(why)


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", Form()),
        (";;", Form(pretty=True)),
        ("text/html", Form(pretty=True)),
        ("*", Form()),
        ("application/yaml;q=0.9,application/json;q=0.1", Form("application/yaml")),
        (f"{TABLE},{PROTOBUF},application/json", Form(PROTOBUF)),
        (f"application/json;v=v1,{PROTOBUF}", Form(PROTOBUF)),
    ],
)
def test_failures_come_in_the_form_that_is_named_first(accept: str, form: Form) -> None:
    assert failure_form(request(accept)) == form


@pytest.mark.parametrize("accept", ["application/*", "application/json", "*"])
def test_kinds_without_routes_take_any_application(accept: str) -> None:
    assert form_of(request(accept), binary=False) == Form()


def test_tables_are_shown_as_yaml() -> None:
    table = "application/yaml;as=Table;v=v1;g=meta.k8s.io"
    assert form_of(request(table)) == Form("application/yaml", "table")


def test_shapes_are_refused_where_there_are_none() -> None:
    with pytest.raises(ApiError):
        form_of(request(TABLE), shapes=False)


@pytest.mark.parametrize(
    ("agent", "query", "pretty"),
    [
        ("kubectl/v1", "", False),
        ("curl/8.5", "", True),
        ("Wget/1.21", "", True),
        ("Mozilla/5.0 (X11)", "", True),
        ("curl/8.5", "pretty=false", False),
        ("kubectl/v1", "pretty=true", True),
        ("kubectl/v1", "pretty", False),
        ("curl/8.5", "pretty", True),
        ("curl/8.5", "pretty=yes", False),
        ("kubectl/v1", "pretty=0", False),
    ],
)
def test_json_is_indented_for_people(agent: str, query: str, pretty: bool) -> None:
    assert form_of(request(agent=agent, query=query)).pretty is pretty


def test_clauses_of_equal_quality_keep_their_order() -> None:
    found = [media for media, _ in accepts("b/x;q=0.5, a/x, c/x;q=0.5, d/x;q=nonsense")]
    assert found == ["a/x", "d/x", "b/x", "c/x"]


@given(st.text())
def test_any_header_is_read_without_an_error(text: str) -> None:
    for media, parameters in accepts(text):
        assert media
        assert isinstance(parameters, dict)
