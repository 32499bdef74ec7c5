"""Source: pinniped.md 5.2, 5.4 and section 7.3 D."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from concierge_world import authority

from tutor.sandbox.api.ports import Address, Unreachable
from tutor.sandbox.api.request import Answer, Request, User
from tutor.sandbox.components.concierge.authenticators import (
    LoginFailed,
    Webhook,
    ask,
    review,
    user_of,
    webhook_of,
)
from tutor.sandbox.components.concierge.encoding import encode_base64
from tutor.sandbox.components.concierge.sync import SyncError
from tutor.sandbox.kinds import Object

ENDPOINT = "https://local-user-authenticator.local-user-authenticator.svc/authenticate"
CA = authority("local-user-authenticator CA")


def authenticator(bundle: str | None, endpoint: str = ENDPOINT) -> Object:
    tls = {} if bundle is None else {"tls": {"certificateAuthorityData": bundle}}
    return {"metadata": {"name": "x"}, "spec": {"endpoint": endpoint, **tls}}


def test_webhook_is_called_with_a_time_limit_in_the_query():
    webhook = webhook_of(authenticator(encode_base64(CA.pem)))
    assert webhook.address == Address(
        host="local-user-authenticator.local-user-authenticator.svc",
        port=443,
        path="/authenticate?timeout=30s",
        ca_bundle=CA.pem,
    )


def test_webhook_without_a_ca_is_held_against_the_system_roots():
    assert webhook_of(authenticator(None)).address.ca_bundle == ""


@pytest.mark.parametrize(
    ("bundle", "text"),
    [
        ("$(cat x)", "illegal base64 data at input byte 0"),
        (
            encode_base64(encode_base64(CA.pem)),
            (
                "certificateAuthorityData is not valid PEM: data does not contain any"
                " valid RSA or ECDSA"
                " certificates"
            ),
        ),
    ],
)
def test_webhook_with_a_ca_that_cannot_be_read_says_why(bundle: str, text: str):
    with pytest.raises(SyncError) as refused:
        webhook_of(authenticator(bundle))
    assert str(refused.value) == f"invalid TLS configuration: {text}"


def test_review_is_the_bytes_of_the_real_client():
    assert review("pinny:password123") == (
        b'{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1beta1",'
        b'"metadata":{"creationTimestamp":null},"spec":{"token":"pinny:password123"},'
        b'"status":{"user":{}}}\n'
    )


def answered(user: dict[str, Any], *, authenticated: bool = True) -> bytes:
    return json.dumps({"status": {"authenticated": authenticated, "user": user}}).encode()


def test_answer_that_says_yes_names_user_and_groups():
    user = user_of(answered({"username": "pinny", "groups": ["group-for-mtls"]}))
    assert user == User(name="pinny", groups=("group-for-mtls",))


@pytest.mark.parametrize(
    "body",
    [
        answered({"username": "pinny"}, authenticated=False),
        answered({}),
        answered({"username": "pinny", "uid": "1"}),
        answered({"username": "pinny", "extra": {"k": ["v"]}}),
        b"x",
        b"[]",
        b"{}",
    ],
)
def test_answer_that_says_anything_else_is_no_login(body: bytes):
    with pytest.raises(LoginFailed):
        user_of(body)


class Webhooks:
    """A network on which one webhook answers as it is told."""

    def __init__(self, *answers: tuple[int, bytes] | Unreachable) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[Address, bytes, Sequence[tuple[str, str]]]] = []

    async def exchange(
        self,
        address: Address,
        method: str,
        body: bytes,
        *,
        headers: Sequence[tuple[str, str]] = (),
        timeout_s: float = 30.0,
    ) -> tuple[int, bytes]:
        assert method == "POST"
        assert timeout_s == 30.0
        self.asked.append((address, body, headers))
        answer = self._answers.pop(0)
        if isinstance(answer, Unreachable):
            raise answer
        return answer

    async def post(self, address: Address, body: Object, timeout_s: float) -> Object:
        raise Unreachable(f"{address} {body} {timeout_s}")

    async def forward(
        self, address: Address, request: Request, headers: Sequence[tuple[str, str]]
    ) -> Answer:
        raise Unreachable(f"{address} {request} {headers}")

    async def proxy(
        self, address: Address, request: Request, user: User, headers: Sequence[tuple[str, str]]
    ) -> Answer:
        raise Unreachable(f"{address} {request} {user} {headers}")


WEBHOOK = Webhook(address=Address(host="h", port=443, path="/", ca_bundle=""))
GOOD = (200, answered({"username": "pinny"}))


async def test_webhook_is_asked_again_after_an_internal_error():
    network = Webhooks((500, b""), (500, b""), GOOD)
    assert await ask(WEBHOOK, "t", network, 0) == User(name="pinny")
    assert len(network.asked) == 3


async def test_webhook_is_asked_five_times_at_most():
    network = Webhooks(*[(500, b"")] * 5)
    with pytest.raises(LoginFailed):
        await ask(WEBHOOK, "t", network, 0)
    assert len(network.asked) == 5


@pytest.mark.parametrize("answer", [(400, b""), (404, b""), Unreachable("refused")])
async def test_webhook_is_not_asked_again_after_anything_else(
    answer: tuple[int, bytes] | Unreachable,
):
    network = Webhooks(answer)
    with pytest.raises(LoginFailed):
        await ask(WEBHOOK, "t", network, 0)
    assert len(network.asked) == 1


async def test_webhook_is_told_what_is_sent_and_wanted():
    network = Webhooks(GOOD)
    await ask(WEBHOOK, "t", network, 0)
    (_, _, headers) = network.asked[0]
    assert list(headers) == [
        ("Content-Type", "application/json"),
        ("Accept", "application/json, */*"),
    ]
