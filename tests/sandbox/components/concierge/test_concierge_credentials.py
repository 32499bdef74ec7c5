"""Source: pinniped.md 4.2."""

from datetime import timedelta
from typing import Any

import pytest
from concierge_world import NOW, authority
from cryptography import x509

from tutor.sandbox import pki
from tutor.sandbox.api.request import Request, User
from tutor.sandbox.components.concierge.serving.credentials import (
    FrontProxy,
    Refused,
    Trust,
    bearer_token,
    certificate_user,
    front_proxy_user,
    reviewed_user,
    trust_of,
)
from tutor.sandbox.pki import Authority

CA, FRONT_CA, OTHER = authority("kubernetes"), authority("front-proxy-ca"), authority("other")
FRONT = FrontProxy(
    roots=(FRONT_CA.certificate,),
    names=("front-proxy-client",),
    user_headers=("X-Remote-User",),
    group_headers=("X-Remote-Group",),
    extra_prefixes=("X-Remote-Extra-",),
)


def client(by: Authority, name: str = "pinny", **how: Any) -> tuple[x509.Certificate, ...]:
    settings: dict[str, Any] = {
        "now": NOW,
        "lifetime": timedelta(hours=1),
        "extended": (pki.CLIENT_AUTH,),
    } | how
    pair = pki.issue(by, subject=pki.subject_of(name, ["b", "a"]), **settings)
    return tuple(pki.load_certificates(pair.certificate))


def request(*headers: tuple[str, str], chain: tuple[x509.Certificate, ...] = ()) -> Request:
    return Request(
        method="GET", target="/", headers=headers, body=b"", received=NOW, peer_chain=chain
    )


def test_certificate_of_a_known_ca_names_user_and_groups():
    user = certificate_user(client(CA), [OTHER.certificate, CA.certificate], NOW)
    assert user == User(name="pinny", groups=("a", "b", "system:authenticated"))


@pytest.mark.parametrize(
    "chain",
    [
        client(OTHER),
        client(CA, lifetime=timedelta(minutes=-1)),
        client(CA, now=NOW + timedelta(hours=1)),
        client(CA, extended=(pki.SERVER_AUTH,)),
    ],
    ids=["stranger", "expired", "not yet valid", "no client auth"],
)
def test_certificate_that_does_not_hold_is_refused(chain: tuple[x509.Certificate, ...]):
    with pytest.raises(Refused):
        certificate_user(chain, [CA.certificate], NOW)


def test_certificate_without_a_name_is_nobody():
    assert certificate_user(client(CA, ""), [CA.certificate], NOW) is None


def test_no_certificate_is_nobody():
    assert certificate_user((), [CA.certificate], NOW) is None


REMOTE = (
    ("x-remote-user", "pinny"),
    ("x-remote-group", "b"),
    ("x-remote-group", "system:authenticated"),
    ("x-remote-extra-example.com%2fkey", "1"),
    ("x-remote-extra-example.com%2fkey", "2"),
)


def test_front_proxy_is_believed():
    user = front_proxy_user(request(*REMOTE, chain=client(FRONT_CA, "front-proxy-client")), FRONT)
    assert user == User(
        name="pinny",
        groups=("b", "system:authenticated"),
        extra={"example.com/key": ("1", "2")},
    )


@pytest.mark.parametrize("chain", [client(FRONT_CA, "somebody"), client(CA, "front-proxy-client")])
def test_headers_of_others_are_not_believed(chain: tuple[x509.Certificate, ...]):
    with pytest.raises(Refused):
        front_proxy_user(request(*REMOTE, chain=chain), FRONT)


def test_headers_without_a_certificate_are_nothing():
    assert front_proxy_user(request(*REMOTE), FRONT) is None


def test_front_proxy_that_names_nobody_is_nobody():
    chain = client(FRONT_CA, "front-proxy-client")
    assert front_proxy_user(request(chain=chain), FRONT) is None


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer x", "x"),
        ("bearer   x ", "x"),
        ("Basic x", ""),
        ("Bearer", ""),
        ("", ""),
    ],
)
def test_token_is_that_of_the_bearer_scheme(header: str, token: str):
    assert bearer_token(request(("authorization", header))) == token


def test_review_that_says_yes_names_the_user():
    status = {
        "authenticated": True,
        "user": {"username": "u", "uid": "1", "groups": ["g"], "extra": {"k": ["v"]}},
    }
    assert reviewed_user({"status": status}) == User(
        name="u", uid="1", groups=("g", "system:authenticated"), extra={"k": ("v",)}
    )


def test_review_that_says_no_is_refused():
    with pytest.raises(Refused, match=r"^why$"):
        reviewed_user({"status": {"user": {}, "error": "why"}})


def test_trust_is_read_from_the_config_map():
    data = {
        "client-ca-file": CA.pem,
        "requestheader-client-ca-file": FRONT_CA.pem,
        "requestheader-allowed-names": '["front-proxy-client"]',
        "requestheader-username-headers": '["X-Remote-User"]',
        "requestheader-group-headers": '["X-Remote-Group"]',
        "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
    }
    trust = trust_of({"data": data})
    assert trust.client_bundle == CA.pem
    assert trust.front_proxy == FRONT


def test_trust_without_the_config_map_is_in_nobody():
    assert trust_of(None) == Trust()
