"""Source: pinniped.md 4.5 to 4.7."""

import pytest
from concierge_world import NOW

from tutor.sandbox.api.request import Request, Response, User
from tutor.sandbox.components.concierge.serving.forwarding import (
    CannotActAs,
    impersonation_headers,
    passed_headers,
    secured,
)

PINNY = User(name="pinny", groups=("group-for-mtls", "system:authenticated"))


def test_own_headers_pass_but_not_those_that_say_who_one_is():
    headers = [
        ("host", "impersonation-proxy-mtls.local"),
        ("user-agent", "kubectl"),
        ("accept-encoding", "gzip"),
        ("authorization", "Bearer x"),
        ("connection", "keep-alive"),
        ("impersonate-user", "x"),
        ("impersonate-extra-k", "v"),
        ("x-remote-user", "x"),
        ("x-forwarded-for", "6.6.6.6"),
        ("x-custom", "1"),
    ]
    request = Request(
        method="GET", target="/", headers=headers, body=b"", received=NOW, remote="10.244.0.1"
    )
    assert passed_headers(request) == [
        ("user-agent", "kubectl"),
        ("accept-encoding", "gzip"),
        ("x-custom", "1"),
        ("X-Forwarded-For", "10.244.0.1"),
    ]


def test_user_is_told_with_every_group():
    assert impersonation_headers(PINNY, None) == [
        ("Impersonate-User", "pinny"),
        ("Impersonate-Group", "group-for-mtls"),
        ("Impersonate-Group", "system:authenticated"),
    ]


def test_extra_keys_are_escaped():
    user = User(name="x", extra={"example.com/k": ("1", "2")})
    assert impersonation_headers(user, None)[1:] == [
        ("Impersonate-Extra-example.com%2Fk", "1"),
        ("Impersonate-Extra-example.com%2Fk", "2"),
    ]


def test_who_asked_to_act_as_another_is_told_too():
    headers = impersonation_headers(User(name="other"), PINNY)
    assert headers[-1] == (
        "Impersonate-Extra-original-user-info.impersonation-proxy.concierge.pinniped.dev",
        '{"username":"pinny","groups":["group-for-mtls","system:authenticated"]}',
    )


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("a b", "disallowed extra key seen: a b"),
        ("Upper", "disallowed extra key seen: Upper"),
        (
            "x.impersonation-proxy.concierge.pinniped.dev",
            (
                "disallowed extra key with reserved prefix seen:"
                " x.impersonation-proxy.concierge.pinniped.dev"
            ),
        ),
    ],
)
def test_extra_keys_that_cannot_be_told_are_refused(key: str, text: str):
    with pytest.raises(CannotActAs) as refused:
        impersonation_headers(User(name="x", extra={key: ("v",)}), None)
    assert str(refused.value) == text


def test_security_headers_come_first_and_nothing_is_lost():
    answer = Response(
        status=200, headers=(("Cache-Control", "no-cache, private"), ("Warning", "x"))
    )
    headers = secured(answer).headers
    assert list(headers) == [
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
        ("X-Frame-Options", "DENY"),
        ("X-XSS-Protection", "1; mode=block"),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("X-DNS-Prefetch-Control", "off"),
        ("Cache-Control", "no-cache,no-store,max-age=0,must-revalidate"),
        ("Pragma", "no-cache"),
        ("Expires", "0"),
        ("Cache-Control", "no-cache, private"),
        ("Warning", "x"),
    ]
