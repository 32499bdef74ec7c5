"""What the server says about tokens that it made and does not take any more."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tutor.sandbox.api.identity import LEGACY_WARNING, TokenAuthority
from tutor.sandbox.kinds import Object

ISSUER = "https://kubernetes.default.svc"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
Objects = dict[tuple[str, str], Object]


def made(name: str, uid: str, **more: object) -> Object:
    return {"kind": "Pod", "metadata": {"name": name, "namespace": "ns", "uid": uid, **more}}


@pytest.fixture
def objects() -> Objects:
    return {("serviceaccounts", "bot"): made("bot", "1"), ("pods", "p"): made("p", "2")}


@pytest.fixture
def authority(objects: Objects) -> TokenAuthority:
    key = ec.generate_private_key(ec.SECP256R1())
    return TokenAuthority(key, ISSUER, lambda plural, _ns, name: objects.get((plural, name)))


def issue(authority: TokenAuthority, bound: Object | None = None) -> str:
    account = made("bot", "1")
    return authority.issue(account, now=NOW, lifetime=HOUR, token_id="t", bound=bound)


def refusal(authority: TokenAuthority, token: str, at: datetime = NOW) -> str:
    found = authority.read(token, at)
    assert found.who is None
    return found.error.removeprefix("[invalid bearer token, ").removesuffix("]")


def test_token_is_good_for_a_minute_more_than_it_says(authority: TokenAuthority) -> None:
    token = issue(authority)
    assert authority.read(token, NOW + HOUR + timedelta(seconds=60)).who is not None
    late = NOW + HOUR + timedelta(seconds=61)
    assert refusal(authority, token, late) == "service account token has expired"


def test_deleted_account_is_named_and_another_uid_told(
    authority: TokenAuthority, objects: Objects
) -> None:
    token = issue(authority)
    objects["serviceaccounts", "bot"] = made("bot", "9")
    assert refusal(authority, token) == "service account UID (9) does not match claim (1)"
    objects["serviceaccounts", "bot"] = made("bot", "1", deletionTimestamp="2025-12-31T23:00:00Z")
    assert refusal(authority, token) == "service account ns/bot has been deleted"
    del objects["serviceaccounts", "bot"]
    assert refusal(authority, token) == 'serviceaccounts "bot" not found'


def test_token_of_a_pod_goes_with_the_pod(authority: TokenAuthority, objects: Objects) -> None:
    token = issue(authority, made("p", "2"))
    found = authority.read(token, NOW).who
    assert found is not None
    assert found.user.extra["authentication.kubernetes.io/pod-uid"] == ("2",)
    objects["pods", "p"] = made("p", "9")
    claim = "pod UID (9) does not match service account pod ref claim (2)"
    assert refusal(authority, token) == claim
    del objects["pods", "p"]
    assert refusal(authority, token) == "service account token has been invalidated"


def test_tampered_token_is_told_from_any_other_text(authority: TokenAuthority) -> None:
    head, claims, signature = issue(authority).split(".")
    changed = "A" if signature[0] != "A" else "B"
    wrong = refusal(authority, f"{head}.{claims}.{changed}{signature[1:]}")
    assert wrong == "go-jose/go-jose: error in cryptographic primitive"
    assert refusal(authority, "some.other.text") == "invalid bearer token"


def test_legacy_token_stands_and_falls_with_its_secret(
    authority: TokenAuthority, objects: Objects
) -> None:
    token = authority.issue_legacy(made("bot", "1"), "s")
    assert refusal(authority, token) == "Token has been invalidated"
    objects["secrets", "s"] = made("s", "3") | {"data": {"token": "b3RoZXI="}}
    assert refusal(authority, token) == "Token does not match server's copy"


def test_legacy_token_that_an_account_lists_comes_with_a_warning(
    authority: TokenAuthority, objects: Objects
) -> None:
    token = authority.issue_legacy(made("bot", "1"), "s")
    stored = _base64(token)
    objects["secrets", "s"] = made("s", "3") | {"data": {"token": stored}}
    objects["serviceaccounts", "bot"]["secrets"] = [{"name": "s"}]
    found = authority.read(token, NOW).who
    assert found is not None
    assert found.warnings == (LEGACY_WARNING,)
    assert found.audiences == (ISSUER,)
    labels = {"kubernetes.io/legacy-token-invalid-since": "2025-01-01"}
    objects["secrets", "s"] = made("s", "3", labels=labels) | {"data": {"token": stored}}
    assert "has been marked invalid" in refusal(authority, token)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
