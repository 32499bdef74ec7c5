"""Source: pinniped.md 2.2 and 2.3."""

import json
from typing import Any

import pytest
from concierge_world import NOW, config

from tutor.sandbox.api.request import User
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.components.concierge.serving import requests
from tutor.sandbox.components.concierge.serving.documents import identity_kind, login_kind
from tutor.sandbox.pki import Pair

LOGIN, IDENTITY = login_kind(config()), identity_kind(config())


def refused(spec: dict[str, Any], dry_run: list[str]) -> ApiError:
    with pytest.raises(ApiError) as error:
        requests.check_login(LOGIN, {"spec": spec}, dry_run)
    return error.value


@pytest.mark.parametrize("spec", [{}, {"token": ""}])
def test_login_without_a_token_is_invalid(spec: dict[str, Any]):
    error = refused(spec, ["All"])
    assert error.code == 422
    assert error.message == (
        '.login.concierge.pinniped.dev "" is invalid: spec.token.value: Required value:'
        " token must be supplied"
    )


def test_login_cannot_be_a_dry_run():
    error = refused({"token": "x"}, ["All"])
    assert error.code == 422
    assert error.message == (
        '.login.concierge.pinniped.dev "" is invalid: dryRun: Unsupported value: []string{"All"}'
    )


def test_login_that_succeeds_has_the_pem_texts_and_no_token():
    made = requests.login_answer(LOGIN, Pair("CERT\n", "KEY\n"), NOW)
    assert json.dumps(made, separators=(",", ":")) == (
        '{"kind":"TokenCredentialRequest","apiVersion":"login.concierge.pinniped.dev/v1alpha1",'
        '"metadata":{"creationTimestamp":null},'
        '"spec":{"authenticator":{"apiGroup":null,"kind":"","name":""}},'
        '"status":{"credential":{"expirationTimestamp":"2023-08-09T18:35:00Z",'
        '"clientCertificateData":"CERT\\n","clientKeyData":"KEY\\n"}}}'
    )


def test_login_that_fails_says_only_that():
    made = requests.login_answer(LOGIN, None, NOW)
    assert made["status"] == {"message": "authentication failed"}


def test_identity_is_told_as_the_reference_shows_it():
    user = User(name="pinny", groups=("group-for-mtls", "system:authenticated"))
    made = requests.identity_answer(IDENTITY, user)
    assert json.dumps(made, separators=(",", ":")) == (
        '{"kind":"WhoAmIRequest","apiVersion":"identity.concierge.pinniped.dev/v1alpha1",'
        '"metadata":{"creationTimestamp":null},"spec":{},"status":{"kubernetesUserInfo":{"user":'
        '{"username":"pinny","groups":["group-for-mtls","system:authenticated"]}}}}'
    )


def test_fields_that_nobody_knows_are_named_with_their_path():
    obj = {"spec": {"token": "x", "tokn": "y", "authenticator": {"nam": "z"}}, "x": {}}
    assert list(requests.unknown_fields(obj, requests.LOGIN_SHAPE)) == [
        'unknown field "spec.tokn"',
        'unknown field "spec.authenticator.nam"',
        'unknown field "x"',
    ]


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ({}, ""),
        ({"token": "x", "authenticator": {}}, ""),
        (
            "x",
            (
                "json: cannot unmarshal string into Go struct field"
                " TokenCredentialRequest.spec of type"
                " v1alpha1.TokenCredentialRequestSpec"
            ),
        ),
        (
            {"token": 1},
            (
                "json: cannot unmarshal number into Go struct field"
                " TokenCredentialRequest.spec.token of"
                " type string"
            ),
        ),
        (
            {"authenticator": []},
            (
                "json: cannot unmarshal array into Go struct field"
                " TokenCredentialRequest.spec.authenticator of type v1.TypedLocalObjectReference"
            ),
        ),
    ],
)
def test_values_of_another_type_are_refused_as_go_does(spec: Any, fault: str):
    assert requests.type_fault(LOGIN, {"spec": spec}) == fault
