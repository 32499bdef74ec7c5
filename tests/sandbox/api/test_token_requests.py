"""What the server says to those who ask for tokens of service accounts."""

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tutor.sandbox.api import jws
from tutor.sandbox.api.identity import TokenAuthority
from tutor.sandbox.api.request import Call, User
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.api.token_requests import TokenRequests
from tutor.sandbox.kinds import Object

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CALL = Call(user=User(name="me"), verb="create", now=NOW)
POD_EXTRA = "authentication.kubernetes.io/"


def made(name: str, uid: str, **more: object) -> Object:
    return {"metadata": {"name": name, "namespace": "ns", "uid": uid}, **more}


OBJECTS: dict[tuple[str, str], Object] = {
    ("serviceaccounts", "bot"): made("bot", "1"),
    ("pods", "p"): made("p", "2", spec={"serviceAccountName": "bot", "nodeName": "n"}),
    ("pods", "lost"): made("lost", "3", spec={"serviceAccountName": "bot", "nodeName": "gone"}),
    ("pods", "other"): made("other", "4", spec={"serviceAccountName": "default"}),
    ("nodes", "n"): made("n", "5"),
    ("secrets", "s"): made("s", "6"),
}


def find(plural: str, _namespace: str, name: str) -> Object | None:
    return OBJECTS.get((plural, name))


@pytest.fixture
def authority() -> TokenAuthority:
    return TokenAuthority(ec.generate_private_key(ec.SECP256R1()), "https://issuer", find)


def ask(authority: TokenAuthority, name: str = "bot", **obj: object) -> Object:
    return TokenRequests(authority, find, lambda: "id").answer(CALL, "ns", name, obj)


def refusal(authority: TokenAuthority, name: str = "bot", **obj: object) -> tuple[int, str]:
    with pytest.raises(ApiError) as caught:
        ask(authority, name, **obj)
    return caught.value.code, caught.value.message


def bound(**ref: str) -> Object:
    return {"boundObjectRef": {"apiVersion": "v1", **ref}}


def claims(answer: Object) -> Object:
    return jws.claims_of(answer["status"]["token"])["kubernetes.io"]


def test_requests_keep_their_metadata_and_learn_their_account(authority: TokenAuthority) -> None:
    made_ = ask(authority, metadata={"labels": {"a": "b"}}, spec={"audiences": ["x"]})
    assert made_["metadata"] == {
        "name": "bot",
        "namespace": "ns",
        "uid": "1",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "labels": {"a": "b"},
    }
    assert made_["spec"] == {
        "audiences": ["x"],
        "expirationSeconds": 3600,
        "boundObjectRef": None,
    }
    assert made_["status"]["expirationTimestamp"] == "2026-01-01T01:00:00Z"


@pytest.mark.parametrize(
    ("meta", "code", "message"),
    [
        (
            {"name": "x"},
            422,
            (
                'TokenRequest.authentication.k8s.io "bot" is invalid: metadata.name: Invalid value:'
                ' "x": must match the service account name if specified'
            ),
        ),
        (
            {"namespace": "x"},
            422,
            (
                'TokenRequest.authentication.k8s.io "bot" is invalid: metadata.namespace: Invalid'
                ' value: "x": must match the service account namespace if specified'
            ),
        ),
        (
            {"uid": "9"},
            409,
            (
                'Operation cannot be fulfilled on TokenRequest.authentication.k8s.io "bot": the UID'
                " in the token request (9) does not match the UID of the service account (1)"
            ),
        ),
    ],
)
def test_requests_for_another_account_are_refused(
    authority: TokenAuthority, meta: Object, code: int, message: str
) -> None:
    assert refusal(authority, metadata=meta) == (code, message)


def test_place_is_looked_at_before_the_account_and_that_before_the_lifetime(
    authority: TokenAuthority,
) -> None:
    short = {"expirationSeconds": 0}
    assert refusal(authority, "none", metadata={"name": "x"}, spec=short)[0] == 422
    assert refusal(authority, "none", spec=short) == (404, 'serviceaccounts "none" not found')
    assert refusal(authority, spec=short) == (
        422,
        (
            'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid'
            " value: 0: may not specify a duration less than 10 minutes"
        ),
    )


@pytest.mark.parametrize(
    ("ref", "code", "message"),
    [
        (
            {"kind": "ConfigMap", "name": "c"},
            400,
            "cannot bind token to object of type /v1, Kind=ConfigMap",
        ),
        (
            {"kind": "Pod", "apiVersion": "apps/v1", "name": "p"},
            400,
            "cannot bind token to object of type apps/v1, Kind=Pod",
        ),
        ({"kind": "Pod", "name": "none"}, 404, 'pods "none" not found'),
        (
            {"kind": "Pod", "name": "other"},
            400,
            (
                'cannot bind token for serviceaccount "bot" to pod running with different'
                " serviceaccount name."
            ),
        ),
        (
            {"kind": "Secret", "name": "s", "uid": "0"},
            409,
            (
                'Operation cannot be fulfilled on Secret "s": the UID in the bound object reference'
                " (0) does not match the UID in record. The object might have been deleted and then"
                " recreated"
            ),
        ),
    ],
)
def test_tokens_are_bound_to_what_is_there(
    authority: TokenAuthority, ref: dict[str, str], code: int, message: str
) -> None:
    assert refusal(authority, spec=bound(**ref)) == (code, message)


def test_token_of_a_pod_names_its_node(authority: TokenAuthority) -> None:
    answer = ask(authority, spec=bound(kind="Pod", name="p"))
    assert claims(answer)["node"] == {"name": "n", "uid": "5"}
    found = authority.read(answer["status"]["token"], NOW).who
    assert found is not None
    assert found.user.uid == "1"
    assert found.user.extra[f"{POD_EXTRA}node-uid"] == ("5",)


def test_node_that_is_gone_is_told_by_its_name(authority: TokenAuthority) -> None:
    answer = ask(authority, spec=bound(kind="Pod", name="lost"))
    assert claims(answer)["node"] == {"name": "gone"}
    found = authority.read(answer["status"]["token"], NOW).who
    assert found is not None
    assert f"{POD_EXTRA}node-uid" not in found.user.extra


def test_only_tokens_of_pods_name_the_node(authority: TokenAuthority) -> None:
    assert "node" not in claims(ask(authority, spec=bound(kind="Secret", name="s")))
    node = claims(ask(authority, spec=bound(kind="Node", name="n")))["node"]
    assert node == {"name": "n", "uid": "5"}
