"""What the authenticator answers. Source: pinniped.md 5.2 and 5.3."""

import base64
import json
import re
from typing import Any

import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.sandbox.components.localuser.policy import Verdict, judge, read_groups
from tutor.sandbox.kinds import Object

JSON = (("content-type", "application/json"), ("accept", "application/json, */*"))
ODD_QUOTE = 'extraneous or missing " in quoted-field'
HASH = bcrypt.hashpw(b"password123", bcrypt.gensalt(4)).decode()


def secret(**values: str) -> Object:
    return {
        "data": {name: base64.b64encode(text.encode()).decode() for name, text in values.items()}
    }


USERS = {
    "pinny": secret(passwordHash=HASH, groups="group-for-mtls"),
    "two": secret(passwordHash=HASH, groups=' a ,"b, c",'),
    "old": secret(passwordHash=HASH.replace("$2b$", "$2y$"), groups="g"),
    "none": secret(passwordHash=HASH),
    "quote": secret(passwordHash=HASH, groups='a, "b'),
    "newline": secret(passwordHash=HASH, groups="\n"),
    "prefixed": secret(passwordHash=f"x:{HASH}"),
    "trailing": secret(passwordHash=f"{HASH}\n"),
    "plain": secret(passwordHash="password123"),
    "empty": secret(passwordHash=""),
    "misnamed": secret(password=HASH),
}


def review(token: Any, **changes: Any) -> bytes:
    body = {"apiVersion": "authentication.k8s.io/v1beta1", "kind": "TokenReview"}
    return json.dumps(body | {"spec": {"token": token}} | changes).encode()


def asked(
    body: bytes,
    *,
    method: str = "POST",
    path: str = "/authenticate",
    headers: tuple[tuple[str, str], ...] = JSON,
) -> Verdict:
    return judge(method, path, headers, body, USERS.get)


@pytest.mark.parametrize(
    ("request_of", "status", "message"),
    [
        ({"path": "/authenticate/"}, 404, "received request path other than /authenticate"),
        ({"path": "/", "method": "GET"}, 404, "received request path other than /authenticate"),
        ({"method": "GET"}, 405, "received request method other than post"),
        (
            {"headers": (("content-type", "text/plain"), JSON[1])},
            415,
            "content type is not application/json",
        ),
        ({"headers": (JSON[0],)}, 415, "client does not accept application/json"),
        (
            {"headers": (JSON[0], ("accept", "text/html"))},
            415,
            "client does not accept application/json",
        ),
    ],
)
def test_request_of_another_form_is_refused_with_an_empty_body(
    request_of: dict[str, Any], status: int, message: str
) -> None:
    verdict = asked(review("pinny:password123"), **request_of)
    assert (verdict.status, verdict.body, verdict.message) == (status, None, message)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "failed to decode body"),
        (b"{", "failed to decode body"),
        (b"[]", "failed to decode body"),
        (b"[" * 100_000, "failed to decode body"),
        (b"\xff", "failed to decode body"),
        (review("a:b", apiVersion="authentication.k8s.io/v1"), "invalid TokenReview apiVersion"),
        (review("a:b", kind="Review"), "invalid TokenReview kind"),
        (review("pinny"), "bad token format in request"),
        (review(7), "bad token format in request"),
    ],
)
def test_body_that_is_no_review_is_a_bad_request(body: bytes, message: str) -> None:
    verdict = asked(body)
    assert (verdict.status, verdict.body, verdict.message) == (400, None, message)


@pytest.mark.parametrize(
    ("user", "groups"),
    [
        ("pinny", ["group-for-mtls"]),
        ("two", ["a", "b, c", ""]),
        ("old", ["g"]),
        ("none", None),
    ],
)
def test_right_password_names_user_and_groups(user: str, groups: list[str] | None) -> None:
    verdict = asked(review(f"{user}:password123"))
    who = {"username": user} if groups is None else {"username": user, "groups": groups}
    assert verdict.status == 200
    assert verdict.message == "successful authentication"
    assert verdict.body is not None
    assert json.dumps(verdict.body, separators=(",", ":")) == (
        '{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1beta1",'
        '"metadata":{"creationTimestamp":null},"spec":{},"status":'
        + json.dumps({"authenticated": True, "user": who}, separators=(",", ":"))
        + "}"
    )


@pytest.mark.parametrize(
    "token",
    [
        "pinny:password124",
        "pinny:",
        "pinny:password123:more",
        "prefixed:password123",
        "trailing:password123",
        "plain:password123",
        "empty:",
        "misnamed:password123",
    ],
)
def test_what_bcrypt_does_not_accept_is_a_wrong_password(token: str) -> None:
    verdict = asked(review(token))
    assert verdict.status == 200
    assert verdict.message == "authentication failed: wrong password"
    assert verdict.body is not None
    assert verdict.body["status"] == {"user": {}}


@pytest.mark.parametrize("token", ["nobody:password123", ":password123"])
def test_user_without_a_secret_is_not_found(token: str) -> None:
    verdict = asked(review(token))
    assert (verdict.status, verdict.message) == (200, "user not found")
    assert verdict.body is not None
    assert verdict.body["status"] == {"user": {}}


@pytest.mark.parametrize("user", ["quote", "newline"])
def test_groups_that_are_no_csv_are_an_internal_error(user: str) -> None:
    verdict = asked(review(f"{user}:password123"))
    assert (verdict.status, verdict.body, verdict.message) == (500, None, "could not read groups")


@given(st.binary(max_size=200))
def test_any_body_is_answered(body: bytes) -> None:
    assert asked(body).status in (200, 400)


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("", []),
        ("a", ["a"]),
        ("a,b\nc", ["a", "b"]),
        ("\n\na", ["a"]),
        (" a , b\r\n", ["a", "b"]),
        ('"a,b",c', ["a,b", "c"]),
        ('"a""b"', ['a"b']),
        ('"a\nb",c', ["a\nb", "c"]),
        (",", ["", ""]),
    ],
)
def test_groups_are_the_first_record(text: str, groups: list[str]) -> None:
    assert read_groups(text) == groups


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("\n", "EOF"),
        ('a, "b', 'parse error on line 1, column 4: bare " in non-quoted-field'),
        ('"a"b', f"parse error on line 1, column 3: {ODD_QUOTE}"),
        ('"a', f"parse error on line 1, column 3: {ODD_QUOTE}"),
        (
            '"a\nb"c',
            f"record on line 1; parse error on line 2, column 2: {ODD_QUOTE}",
        ),
    ],
)
def test_groups_that_are_no_csv_say_where(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(why)}$"):
        read_groups(text)
