"""Source: pinniped.md 4.7 and 4.9."""

import pytest
from concierge_world import NOW

from tutor.sandbox.api.rbac import Decision
from tutor.sandbox.api.request import Request, User
from tutor.sandbox.components.concierge.serving.access import denied
from tutor.sandbox.components.concierge.serving.errors import Plain
from tutor.sandbox.components.concierge.serving.nested import Wanted, wanted

PINNY = User(name="pinny")
BECAUSE = Decision(False, "decision made by impersonation-proxy.concierge.pinniped.dev")


def ask(*headers: tuple[str, str]) -> Wanted | None:
    request = Request(
        method="GET", target="/api/v1/pods?limit=1", headers=headers, body=b"", received=NOW
    )
    return wanted(request)


def want(*headers: tuple[str, str]) -> Wanted:
    found = ask(("impersonate-user", "other"), *headers)
    assert found is not None
    return found


def refusals(found: Wanted) -> list[str]:
    return [denied(PINNY, access, BECAUSE).message for access in found.asked()]


SUFFIX = ": decision made by impersonation-proxy.concierge.pinniped.dev"


def test_nothing_is_wanted_without_headers():
    assert ask(("user-agent", "x")) is None


@pytest.mark.parametrize(
    ("header", "refusal"),
    [
        (
            ("impersonate-group", "g"),
            (
                'groups "g" is forbidden: User "pinny" cannot impersonate resource'
                ' "groups" in API group'
                ' "" at the cluster scope'
            ),
        ),
        (
            ("impersonate-extra-key", "value"),
            (
                'userextras.authentication.k8s.io "value" is forbidden: User "pinny"'
                " cannot impersonate"
                ' resource "userextras/key" in API group "authentication.k8s.io" at the'
                " cluster scope"
            ),
        ),
        (
            ("impersonate-uid", "1"),
            (
                'uids.authentication.k8s.io "1" is forbidden: User "pinny" cannot impersonate'
                ' resource "uids" in API group "authentication.k8s.io" at the cluster scope'
            ),
        ),
    ],
)
def test_each_attribute_takes_a_right(header: tuple[str, str], refusal: str):
    user, attribute = refusals(want(header))
    assert user == (
        'users "other" is forbidden: User "pinny" cannot impersonate resource "users" in API group'
        f' "" at the cluster scope{SUFFIX}'
    )
    assert attribute == refusal + SUFFIX


def test_service_account_takes_the_right_in_its_namespace():
    found = ask(("impersonate-user", "system:serviceaccount:ns:n"))
    assert found is not None
    assert refusals(found) == [
        (
            'serviceaccounts "n" is forbidden: User "pinny" cannot impersonate resource'
            f' "serviceaccounts" in API group "" in the namespace "ns"{SUFFIX}'
        )
    ]


@pytest.mark.parametrize(
    ("headers", "user"),
    [
        ([("impersonate-user", "x")], User(name="x", groups=("system:authenticated",))),
        (
            [("impersonate-user", "x"), ("impersonate-group", "g")],
            User(name="x", groups=("g", "system:authenticated")),
        ),
        (
            [("impersonate-user", "system:anonymous")],
            User(name="system:anonymous", groups=("system:unauthenticated",)),
        ),
        (
            [("impersonate-user", "system:serviceaccount:ns:n")],
            User(
                name="system:serviceaccount:ns:n",
                groups=(
                    "system:serviceaccounts",
                    "system:serviceaccounts:ns",
                    "system:authenticated",
                ),
            ),
        ),
        (
            [("impersonate-user", "x"), ("impersonate-extra-example.com%2fk", "v")],
            User(name="x", groups=("system:authenticated",), extra={"example.com/k": ("v",)}),
        ),
    ],
)
def test_user_is_completed_as_the_filter_does(headers: list[tuple[str, str]], user: User):
    found = ask(*headers)
    assert found is not None
    assert found.user() == user


@pytest.mark.parametrize(
    ("header", "reference"),
    [
        (("impersonate-uid", "1"), "{UID  1  authentication.k8s.io/v1  }"),
        (("impersonate-group", "g"), "{Group  g    }"),
        (("impersonate-extra-k", "v"), "{UserExtra  v  authentication.k8s.io/v1  k}"),
    ],
)
def test_attributes_of_nobody_are_an_internal_error(header: tuple[str, str], reference: str):
    with pytest.raises(Plain) as refused:
        ask(header)
    assert refused.value.status == 500
    assert str(refused.value) == (
        'Internal Server Error: "/api/v1/pods?limit=1": requested '
        f"[{reference}] without impersonating a user"
    )
